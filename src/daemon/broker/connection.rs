//! One client's connection: the socket as the broker sees it, and what leaves by it at the end of each turn.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use mqtt5::broker::transport::WebSocketTransport;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task_local;
use tokio::time::timeout;

use super::output::Output;

/// How long a client has to take the last packets.
const FAREWELL: Duration = Duration::from_secs(1);

task_local! {
    /// The connection whose client the broker is serving.
    static SERVED: Arc<Connection>;
}

/// What leaves to one client.
pub(super) struct Connection {
    output: Mutex<Output<OwnedWriteHalf>>,
    /// MQTT's protocol version; 0 until the client has said it.
    version: AtomicU8,
}

impl Connection {
    /// Returns the connection of `socket`, and the stream for the broker.
    pub(super) fn new(socket: TcpStream, peer: SocketAddr) -> (Arc<Connection>, ClientStream) {
        let (reader, writer) = socket.into_split();
        let connection = Arc::new(Connection { output: Mutex::new(Output::new(writer)), version: 0.into() });
        let stream = ClientStream { reader, connection: Arc::clone(&connection), peer };
        (connection, stream)
    }

    /// Runs `serving`, which serves this connection's client, and writes what it left at the end of each of its turns.
    pub(super) async fn serve<T>(self: Arc<Connection>, serving: impl Future<Output = T>) -> T {
        let mut serving = pin!(SERVED.scope(Arc::clone(&self), serving));
        let ended = poll_fn(|context| {
            let turn = serving.as_mut().poll(context);
            // What can't leave now wakes this task when it can.
            let _ = self.output().poll_flush(context);
            turn
        });
        let ended = ended.await;
        // A client that doesn't read its last packets goes without them.
        let _ = timeout(FAREWELL, poll_fn(|context| self.output().poll_close(context))).await;
        ended
    }

    /// Returns the connection that is being served by the task that asks; `None`: by none.
    pub(super) fn served() -> Option<Arc<Connection>> {
        SERVED.try_with(Arc::clone).ok()
    }

    /// Holds back the acknowledgement of the message with this packet identifier.
    pub(super) fn hold(self: Arc<Connection>, packet: u16) -> Acknowledgement {
        let number = self.output().hold(packet);
        Acknowledgement { connection: self, number }
    }

    /// Notes that the client speaks this protocol version (4 is MQTT 3.1.1).
    pub(super) fn note_version(&self, version: u8) {
        self.version.store(version, Ordering::Relaxed);
    }

    /// Returns whether the client speaks MQTT 5.
    pub(super) fn speaks_version_5(&self) -> bool {
        self.version.load(Ordering::Relaxed) >= 5
    }

    fn output(&self) -> MutexGuard<'_, Output<OwnedWriteHalf>> {
        // Nothing panics in between; and if, the client would see garbage and come again.
        self.output.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The acknowledgement of one message, held back. Dropped, it is never sent, and the client sends its message again.
pub(in crate::daemon) struct Acknowledgement {
    connection: Arc<Connection>,
    number: u64,
}

impl Acknowledgement {
    /// Lets it go: all that the message changed is kept.
    pub(in crate::daemon) fn release(self) {
        self.connection.output().release(self.number);
    }
}

/// The socket as the broker sees it.
pub(super) struct ClientStream {
    reader: OwnedReadHalf,
    connection: Arc<Connection>,
    peer: SocketAddr,
}

impl AsyncRead for ClientStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, room: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().reader).poll_read(context, room)
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, packet: &[u8]) -> Poll<io::Result<usize>> {
        self.connection.output().poll_take(context, packet).map_ok(|()| packet.len())
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The broker flushes after each packet; all of a turn leave at its end.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.connection.output().poll_close(context)
    }
}

/// The one kind of stream that the library takes from outside.
impl WebSocketTransport for ClientStream {
    fn peer_addr(&self) -> mqtt5::error::Result<SocketAddr> {
        Ok(self.peer)
    }
}
