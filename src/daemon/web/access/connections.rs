//! The connections of the HTTP interface: so many at once, and none that keeps its place without asking anything.
//!
//! Requests that never end would use up the descriptors that MQTT clients need.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep, sleep_until};
use tracing::debug;

/// How many connections there may be; more wait in the system's queue.
const AT_ONCE: usize = 128;

/// How long a connection may be silent. An event stream says something more often.
const SILENCE: Duration = Duration::from_secs(30);

/// How long a request may take to come, its body with it, until we begin to answer.
const REQUEST: Duration = Duration::from_mins(1);

/// After the system had no connection for us, how long until it is asked again.
const BREATH: Duration = Duration::from_secs(1);

/// Accepts connections while there is a place.
pub(in crate::daemon::web) struct Connections {
    listener: TcpListener,
    places: Arc<Semaphore>,
    patience: Patience,
}

/// Who is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::daemon::web) struct Peer(SocketAddr);

impl Peer {
    /// Nobody knows who.
    pub(in crate::daemon::web) const UNKNOWN: Peer = Peer(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0));

    /// Returns its address.
    pub(in crate::daemon::web) fn address(self) -> IpAddr {
        self.0.ip()
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.ip().to_canonical().fmt(f)
    }
}

impl Connected<IncomingStream<'_, Connections>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Connections>) -> Peer {
        Peer(*stream.remote_addr())
    }
}

/// How long connections are waited for.
#[derive(Debug, Clone, Copy)]
struct Patience {
    silence: Duration,
    request: Duration,
}

/// A connection with its place.
pub(in crate::daemon::web) struct Connection {
    stream: TcpStream,
    _place: Option<OwnedSemaphorePermit>,
    patience: Patience,
    /// When something last went through.
    last: Instant,
    /// Since when a request is coming.
    asking: Option<Instant>,
    timer: Pin<Box<Sleep>>,
}

impl Connections {
    pub(in crate::daemon::web) fn new(listener: TcpListener) -> Connections {
        let patience = Patience { silence: SILENCE, request: REQUEST };
        Connections { listener, places: Arc::new(Semaphore::new(AT_ONCE)), patience }
    }
}

impl Listener for Connections {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            // It is never closed.
            let place = Arc::clone(&self.places).acquire_owned().await.ok();
            match self.listener.accept().await {
                Ok((stream, address)) => {
                    if let Err(error) = stream.set_nodelay(true) {
                        debug!(%error, "A connection keeps Nagle's delay.");
                    }
                    return (Connection::new(stream, place, self.patience), address);
                }
                Err(error) => {
                    debug!(%error, "A connection to the HTTP interface failed.");
                    sleep(BREATH).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Connection {
    fn new(stream: TcpStream, place: Option<OwnedSemaphorePermit>, patience: Patience) -> Connection {
        let last = Instant::now();
        let timer = Box::pin(sleep_until(last + patience.silence));
        Connection { stream, _place: place, patience, last, asking: None, timer }
    }

    fn end(&self) -> Instant {
        let silent = self.last + self.patience.silence;
        self.asking.map_or(silent, |since| silent.min(since + self.patience.request))
    }

    /// Returns an error once the connection has had its time.
    fn poll_time(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            let end = self.end();
            if end <= Instant::now() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.timer.as_mut().reset(end);
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if read.is_ready() && buffer.filled().len() > before {
            let now = Instant::now();
            self.last = now;
            self.asking.get_or_insert(now);
        }
        match read {
            Poll::Ready(read) if self.end() > Instant::now() => Poll::Ready(read),
            Poll::Ready(_) | Poll::Pending => self.poll_time(context),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if let Poll::Ready(Ok(_)) = &written {
            self.last = Instant::now();
            self.asking = None;
        }
        match written {
            Poll::Pending => self.poll_time(context).map(|time| time.map(|()| 0)),
            Poll::Ready(_) => written,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn a_request_that_never_ends_loses_its_place() {
        let mut connections = Connections::new(TcpListener::bind("127.0.0.1:0").await.unwrap());
        connections.patience = Patience { silence: Duration::from_millis(40), request: Duration::from_millis(60) };
        let address = connections.local_addr().unwrap();
        let mut client = TcpStream::connect(address).await.unwrap();
        let (mut connection, _) = connections.accept().await;
        assert_eq!(connections.places.available_permits(), AT_ONCE - 1);
        client.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        let mut bytes = Vec::new();
        let error = connection.read_to_end(&mut bytes).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(bytes, b"GET / HTTP/1.1\r\n");
        drop(connection);
        assert_eq!(connections.places.available_permits(), AT_ONCE);
    }
}
