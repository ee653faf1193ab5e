//! The sockets of all connections that the core knows: what comes is read into one buffer, and given to it; what it has for them
//! is written without a copy in between.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::broker::{Broker, Conn};

use super::stream::Stream;
use super::wakes::{SocketWake, Wakes};

/// So much is read from one socket in a turn: a client that sends a flood doesn't keep others waiting.
const FROM_ONE: usize = 16 << 10;

/// So much is read from all of them in a turn. More makes a burst cheaper, and what it leads to later.
const FROM_ALL: usize = 128 << 10;

/// All sockets, by the place of their connection.
pub(super) struct Sockets {
    open: Vec<Option<Socket>>,
    wakes: Wakes,
    /// Those whose turn it is.
    woken: Vec<usize>,
    /// Those that aren't read from for now: the core wants nothing more from them.
    paused: Vec<usize>,
    buffer: Box<[u8]>,
}

struct Socket {
    conn: Conn,
    stream: Stream,
    wake: Arc<SocketWake>,
    waker: Waker,
    /// Whether the peer doesn't take what is for it at the moment.
    is_blocked: bool,
    is_paused: bool,
}

impl Default for Sockets {
    fn default() -> Sockets {
        Sockets {
            open: Vec::new(),
            wakes: Wakes::default(),
            woken: Vec::new(),
            paused: Vec::new(),
            buffer: vec![0; FROM_ONE].into_boxed_slice(),
        }
    }
}

impl Sockets {
    /// Adds the socket of a new connection.
    pub(super) fn add(&mut self, conn: Conn, stream: Stream) {
        let place = conn.slot();
        if self.open.len() <= place {
            self.open.resize_with(place + 1, || None);
        }
        let wake = self.wakes.of(place);
        let waker = Waker::from(Arc::clone(&wake));
        // Something may have come already.
        waker.wake_by_ref();
        if let Some(room) = self.open.get_mut(place) {
            *room = Some(Socket { conn, stream, wake, waker, is_blocked: false, is_paused: false });
        }
    }

    /// Takes a socket out.
    pub(super) fn remove(&mut self, conn: Conn) -> Option<Stream> {
        let room = self.open.get_mut(conn.slot())?;
        room.take_if(|socket| socket.conn == conn).map(|socket| socket.stream)
    }

    /// Returns once one of them has something to read, or room to write.
    pub(super) fn poll_any(&self, context: &Context<'_>) -> Poll<()> {
        if self.woken.is_empty() { self.wakes.poll_any(context) } else { Poll::Ready(()) }
    }

    /// Reads a bounded part of what came, and goes on writing to those that take something again.
    pub(super) fn read(&mut self, now: Timestamp, core: &mut Broker) {
        self.wakes.take(&mut self.woken);
        let mut left = FROM_ALL;
        let mut woken = std::mem::take(&mut self.woken);
        let mut taken = 0;
        for place in &woken {
            if left == 0 {
                break;
            }
            taken += 1;
            left = left.saturating_sub(self.read_one(*place, now, core));
        }
        // The others are the first in the next turn.
        woken.drain(..taken);
        self.woken = woken;
    }

    /// Reads from one socket. Returns how many bytes came.
    fn read_one(&mut self, place: usize, now: Timestamp, core: &mut Broker) -> usize {
        let Some(socket) = self.open.get_mut(place).and_then(Option::as_mut) else { return 0 };
        socket.wake.taken();
        let conn = socket.conn;
        if socket.is_blocked && !socket.write(now, core) {
            return self.lose(conn, now, core);
        }
        if !core.wants_input(conn) {
            if !std::mem::replace(&mut socket.is_paused, true) {
                self.paused.push(place);
            }
            return 0;
        }
        let mut room = ReadBuf::new(&mut self.buffer);
        let read = Pin::new(&mut socket.stream).poll_read(&mut Context::from_waker(&socket.waker), &mut room);
        match read {
            Poll::Pending => 0,
            Poll::Ready(Ok(())) if !room.filled().is_empty() => {
                core.read(now, conn, room.filled());
                // There may be more; the system says so only when it is asked again.
                socket.waker.wake_by_ref();
                room.filled().len()
            }
            Poll::Ready(Ok(()) | Err(_)) => self.lose(conn, now, core),
        }
    }

    /// Writes to all that the core has something for, once.
    pub(super) fn write(&mut self, now: Timestamp, core: &mut Broker) {
        while let Some(conn) = core.next_dirty() {
            self.write_to(conn, now, core);
        }
        // What was written, or handled, may have made room for more.
        let is_still_paused = |place: &usize| {
            let Some(socket) = self.open.get_mut(*place).and_then(Option::as_mut) else { return false };
            if !core.wants_input(socket.conn) {
                return socket.is_paused;
            }
            socket.is_paused = false;
            socket.waker.wake_by_ref();
            false
        };
        self.paused.retain(is_still_paused);
    }

    /// Writes to one connection what the core has for it.
    pub(super) fn write_to(&mut self, conn: Conn, now: Timestamp, core: &mut Broker) {
        let socket = self.open.get_mut(conn.slot()).and_then(Option::as_mut);
        let Some(socket) = socket.filter(|socket| socket.conn == conn) else { return };
        if !socket.is_blocked && !socket.write(now, core) {
            self.lose(conn, now, core);
        }
    }

    /// Takes note that a connection ended.
    fn lose(&mut self, conn: Conn, now: Timestamp, core: &mut Broker) -> usize {
        self.remove(conn);
        core.closed(now, conn);
        0
    }
}

impl Socket {
    /// Writes what the core has for the peer. Returns false where the connection is broken.
    fn write(&mut self, now: Timestamp, core: &mut Broker) -> bool {
        let mut context = Context::from_waker(&self.waker);
        self.is_blocked = true;
        loop {
            let output = core.output(self.conn);
            if output.is_empty() {
                break;
            }
            match Pin::new(&mut self.stream).poll_write(&mut context, output) {
                Poll::Pending => return true,
                Poll::Ready(Ok(0) | Err(_)) => return false,
                Poll::Ready(Ok(written)) => core.wrote(now, self.conn, written),
            }
        }
        if !self.stream.is_plain() {
            match Pin::new(&mut self.stream).poll_flush(&mut context) {
                Poll::Pending => return true,
                Poll::Ready(Err(_)) => return false,
                Poll::Ready(Ok(())) => {}
            }
        }
        self.is_blocked = false;
        true
    }
}
