//! What goes to one client: many packets in one write, and acknowledgements only once what they stand for is kept.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, BytesMut};
use tokio::io::AsyncWrite;

/// With so many bytes waiting, whoever has more for this client waits until it has read some.
const FULL: usize = 64 << 10;

/// Room for so many bytes is kept between turns.
const KEPT: usize = 16 << 10;

/// The first byte of a PUBACK (MQTT 5.0, 3.4.1).
const PUBACK: u8 = 0x40;

/// Packets on their way to one client. The broker gives them one by one, and each whole; they leave together when it has
/// no more.
pub(super) struct Output<S> {
    socket: S,
    waiting: BytesMut,
    /// Acknowledgements in the order of their messages, which is the one in which they must be sent (MQTT 5.0, 4.6.0-2).
    held: VecDeque<Held>,
    /// The number of the first of them.
    first: u64,
    /// Wakes the client's task.
    waker: Option<Waker>,
    is_broken: bool,
}

/// The acknowledgement of one message.
struct Held {
    /// The message's packet identifier.
    packet: u16,
    /// The acknowledgement as the broker wrote it; `None`: it will do so next.
    bytes: Option<Vec<u8>>,
    is_released: bool,
}

impl Held {
    fn is_due(&self) -> bool {
        self.is_released && self.bytes.is_some()
    }
}

impl<S: AsyncWrite + Unpin> Output<S> {
    pub(super) fn new(socket: S) -> Output<S> {
        Output { socket, waiting: BytesMut::new(), held: VecDeque::new(), first: 0, waker: None, is_broken: false }
    }

    /// Holds back the acknowledgement of the message with this packet identifier, which the broker writes next. Returns
    /// its number.
    pub(super) fn hold(&mut self, packet: u16) -> u64 {
        self.held.push_back(Held { packet, bytes: None, is_released: false });
        self.first + (self.held.len() as u64) - 1
    }

    /// Lets an acknowledgement go, behind those before it.
    pub(super) fn release(&mut self, number: u64) {
        let place = number.checked_sub(self.first).and_then(|place| usize::try_from(place).ok());
        let Some(held) = place.and_then(|place| self.held.get_mut(place)) else { return };
        held.is_released = true;
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Takes a packet. `Pending` while the client reads too slowly.
    ///
    /// # Errors
    /// Once the client can't be written to.
    pub(super) fn poll_take(&mut self, context: &mut Context<'_>, packet: &[u8]) -> Poll<io::Result<()>> {
        if self.waiting.len() >= FULL && self.poll_flush(context).is_pending() && self.waiting.len() >= FULL {
            return Poll::Pending;
        }
        if self.is_broken {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        match acknowledged(packet) {
            None => self.waiting.extend_from_slice(packet),
            Some(id) => self.take_acknowledgement(id, packet),
        }
        Poll::Ready(Ok(()))
    }

    fn take_acknowledgement(&mut self, id: u16, packet: &[u8]) {
        match self.held.back_mut() {
            Some(last) if last.packet == id && last.bytes.is_none() => last.bytes = Some(packet.to_vec()),
            // What the broker itself refused waits for nothing but its turn.
            Some(_) => self.held.push_back(Held { packet: id, bytes: Some(packet.to_vec()), is_released: true }),
            None => self.waiting.extend_from_slice(packet),
        }
    }

    /// Writes what is waiting and what was released; `Ready` when all of it has left, or can't.
    pub(super) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if !self.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            self.waker = Some(context.waker().clone());
        }
        while let Some(held) = self.held.pop_front_if(|held| held.is_due()) {
            self.first += 1;
            self.waiting.extend_from_slice(&held.bytes.unwrap_or_default());
        }
        while !self.waiting.is_empty() && !self.is_broken {
            match ready!(Pin::new(&mut self.socket).poll_write(context, &self.waiting)) {
                // Whoever reads from the socket learns why.
                Ok(0) | Err(_) => self.is_broken = true,
                Ok(written) => self.waiting.advance(written),
            }
        }
        self.waiting.clear();
        if self.waiting.capacity() > KEPT {
            self.waiting = BytesMut::new();
        }
        Poll::Ready(())
    }

    /// Says to the client that nothing more comes, once all has left.
    pub(super) fn poll_close(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_flush(context));
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

/// Returns the packet identifier of a PUBACK; `None`: it is another packet.
fn acknowledged(packet: &[u8]) -> Option<u16> {
    match packet {
        [PUBACK, _, high, low, ..] => Some(u16::from_be_bytes([*high, *low])),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A socket that takes only so many bytes until it is emptied.
    #[derive(Default)]
    struct Narrow {
        room: usize,
        got: Vec<u8>,
        writes: usize,
    }

    impl AsyncWrite for Narrow {
        fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            let taken = bytes.len().min(self.room - self.got.len());
            if taken == 0 {
                return Poll::Pending;
            }
            self.writes += 1;
            self.got.extend_from_slice(bytes.get(..taken).unwrap());
            Poll::Ready(Ok(taken))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn output(room: usize) -> Output<Narrow> {
        Output::new(Narrow { room, ..Narrow::default() })
    }

    fn take(output: &mut Output<Narrow>, packet: &[u8]) -> bool {
        let taken = output.poll_take(&mut Context::from_waker(Waker::noop()), packet);
        taken.map(Result::unwrap).is_ready()
    }

    fn flush(output: &mut Output<Narrow>) -> bool {
        output.poll_flush(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    fn puback(id: u8) -> [u8; 4] {
        [PUBACK, 2, 0, id]
    }

    #[test]
    fn the_packets_of_a_turn_leave_in_one_write() {
        let mut output = output(1000);
        assert!(take(&mut output, b"one") && take(&mut output, b"two"));
        assert_eq!(output.socket.writes, 0);
        assert!(flush(&mut output));
        assert_eq!((output.socket.writes, output.socket.got.as_slice()), (1, b"onetwo".as_slice()));
    }

    #[test]
    fn an_acknowledgement_waits_for_its_release_and_nothing_else_waits_for_it() {
        let mut output = output(1000);
        let number = output.hold(7);
        assert!(take(&mut output, &puback(7)) && take(&mut output, b"other"));
        assert!(flush(&mut output));
        assert_eq!(output.socket.got, b"other");
        output.release(number);
        assert!(flush(&mut output));
        assert_eq!(output.socket.got, [b"other".as_slice(), &puback(7)].concat());
    }

    #[test]
    fn acknowledgements_leave_in_the_order_of_their_messages() {
        let mut output = output(1000);
        let first = output.hold(1);
        take(&mut output, &puback(1));
        let second = output.hold(2);
        take(&mut output, &puback(2));
        // The broker refused this one.
        take(&mut output, &puback(3));
        output.release(second);
        flush(&mut output);
        assert_eq!(output.socket.got, b"");
        output.release(first);
        flush(&mut output);
        assert_eq!(output.socket.got, [puback(1), puback(2), puback(3)].concat());
        assert!(output.held.is_empty());
        take(&mut output, &puback(4));
        flush(&mut output);
        assert!(output.socket.got.ends_with(&puback(4)), "one that waits for nothing leaves at once");
    }

    #[test]
    fn one_that_is_released_before_the_broker_wrote_it_leaves_when_it_has() {
        let mut output = output(1000);
        let number = output.hold(1);
        output.release(number);
        flush(&mut output);
        assert_eq!(output.socket.got, b"");
        take(&mut output, &puback(1));
        flush(&mut output);
        assert_eq!(output.socket.got, puback(1));
    }

    #[test]
    fn a_client_that_does_not_read_holds_up_who_has_more_for_it_and_gets_all_later() {
        let mut output = output(10);
        let packet = vec![b'x'; FULL];
        assert!(take(&mut output, &packet));
        assert!(!flush(&mut output), "the socket is full");
        assert!(take(&mut output, b"y"), "ten bytes fewer than full");
        assert!(take(&mut output, &packet[..9]) && !take(&mut output, b"z"), "full");
        output.socket.room = usize::MAX;
        assert!(take(&mut output, b"z") && flush(&mut output));
        assert_eq!(output.socket.got.len(), FULL + 11);
        assert!(output.waiting.capacity() <= KEPT, "room for a flood isn't kept");
    }

    #[test]
    fn a_client_that_cannot_be_written_to_is_told_of_once_more_is_written() {
        struct Broken;
        impl AsyncWrite for Broken {
            fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
                Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
            }
            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }
            fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }
        }
        let mut output = Output::new(Broken);
        let mut context = Context::from_waker(Waker::noop());
        assert!(matches!(output.poll_take(&mut context, b"x"), Poll::Ready(Ok(()))));
        assert!(output.poll_flush(&mut context).is_ready());
        assert!(matches!(output.poll_take(&mut context, b"x"), Poll::Ready(Err(_))));
    }
}
