//! A WebSocket as a stream of MQTT's bytes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frame::{Header, LONGEST_CONTROL, Opcode, Refusal, Role, unmask, write_frame};

/// Bytes that are read at once while a frame's header is awaited.
const CHUNK: usize = 2048;

/// The largest message that is sent.
const LARGEST_MESSAGE: usize = 64 * 1024;

/// What waits to be sent at most before writing pauses.
const MOST_WAITING: usize = LARGEST_MESSAGE;

/// A WebSocket. What is read are the bytes of its binary messages, without their boundaries; each write is a message, which leaves with the
/// next flush at the latest.
#[derive(Debug)]
pub struct WebSocket<S> {
    stream: S,
    role: Role,
    /// What came and isn't looked at.
    raw: Vec<u8>,
    /// Where that begins.
    begin: usize,
    /// The frame whose bytes are coming.
    frame: Option<Frame>,
    /// Whether a message has begun and not ended.
    is_continued: bool,
    /// What waits to be sent.
    out: Vec<u8>,
    /// How much of that is sent.
    sent: usize,
    /// Whether the end of the messages has come.
    is_ended: bool,
    /// Whether we have said that no more comes from us.
    is_closed: bool,
}

/// A data frame whose bytes are coming.
#[derive(Debug, Clone, Copy)]
struct Frame {
    mask: [u8; 4],
    taken: u64,
    length: u64,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Returns the WebSocket over `stream`, from which `raw` has been read behind the handshake.
    pub(super) fn new(stream: S, raw: Vec<u8>) -> WebSocket<S> {
        WebSocket {
            stream,
            role: Role::Server,
            raw,
            begin: 0,
            frame: None,
            is_continued: false,
            out: Vec::new(),
            sent: 0,
            is_ended: false,
            is_closed: false,
        }
    }

    /// Returns the same as the client's end.
    pub(super) fn of_client(stream: S, raw: Vec<u8>) -> WebSocket<S> {
        WebSocket { role: Role::Client, ..WebSocket::new(stream, raw) }
    }

    /// Returns what is below.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    fn waiting(&self) -> &[u8] {
        self.raw.get(self.begin..).unwrap_or_default()
    }

    /// Reads more; returns whether there was some.
    fn poll_more(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        self.raw.drain(..self.begin);
        self.begin = 0;
        let mut chunk = [0; CHUNK];
        let mut chunk = ReadBuf::new(&mut chunk);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut chunk))?;
        self.raw.extend_from_slice(chunk.filled());
        Poll::Ready(Ok(!chunk.filled().is_empty()))
    }

    /// Gives bytes of the current frame to `room`.
    fn poll_frame(&mut self, context: &mut Context<'_>, frame: Frame, room: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let most = usize::try_from(frame.length - frame.taken).unwrap_or(usize::MAX).min(room.remaining());
        let before = room.filled().len();
        let here = self.waiting().len().min(most);
        if here > 0 {
            room.put_slice(self.waiting().get(..here).unwrap_or_default());
            self.begin += here;
        } else {
            let mut direct = ReadBuf::new(room.initialize_unfilled_to(most));
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut direct))?;
            let came = direct.filled().len();
            if came == 0 {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            room.advance(came);
        }
        let fresh = room.filled_mut().get_mut(before..).unwrap_or_default();
        unmask(fresh, frame.mask, frame.taken);
        let taken = frame.taken + fresh.len() as u64;
        self.frame = (taken < frame.length).then_some(Frame { taken, ..frame });
        Poll::Ready(Ok(()))
    }

    /// Handles a control frame that is whole.
    fn control(&mut self, opcode: Opcode, payload: &[u8]) {
        match opcode {
            Opcode::Ping if self.out.len() - self.sent < MOST_WAITING => self.put(0x8a, payload),
            Opcode::Close => {
                self.is_ended = true;
                let code = payload.get(..2).unwrap_or_default();
                self.close(code);
            }
            // Who pings faster than it reads gets fewer answers.
            Opcode::Ping | Opcode::Pong | Opcode::Data => {}
        }
    }

    fn put(&mut self, first: u8, payload: &[u8]) {
        let mask = match self.role {
            Role::Server => None,
            Role::Client => {
                let mut mask = [0; 4];
                // It keeps caches in between from being misled, and no secret: without random numbers zeros do.
                let _ = getrandom::fill(&mut mask);
                Some(mask)
            }
        };
        write_frame(first, payload, mask, &mut self.out);
    }

    fn close(&mut self, code: &[u8]) {
        if !self.is_closed {
            self.is_closed = true;
            self.put(0x88, code);
        }
    }

    fn refuse(&mut self, context: &mut Context<'_>, refusal: Refusal) -> io::Error {
        self.close(&refusal.code.to_be_bytes());
        // It is told if it can be; the connection ends either way.
        let _ = self.poll_out(context);
        self.is_ended = true;
        io::Error::new(io::ErrorKind::InvalidData, refusal.message)
    }

    /// Sends what waits.
    fn poll_out(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.out.get(self.sent..).filter(|rest| !rest.is_empty()) {
            let sent = ready!(Pin::new(&mut self.stream).poll_write(context, rest))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += sent;
        }
        self.out.clear();
        self.sent = 0;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for WebSocket<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, room: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let socket = self.get_mut();
        loop {
            if socket.is_ended || room.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            if let Some(frame) = socket.frame {
                return socket.poll_frame(context, frame, room);
            }
            let mut is_continued = socket.is_continued;
            let header = match Header::read(socket.waiting(), &mut is_continued, socket.role) {
                Ok(header) => header,
                Err(refusal) => return Poll::Ready(Err(socket.refuse(context, refusal))),
            };
            let is_whole = header.is_some_and(|header| {
                let length = usize::try_from(header.length).unwrap_or(usize::MAX);
                header.opcode == Opcode::Data || socket.waiting().len() - header.size >= length
            });
            let Some(header) = header.filter(|_| is_whole) else {
                if !ready!(socket.poll_more(context))? {
                    // Without a close frame the end is as good as one between frames.
                    let is_cut = !socket.waiting().is_empty();
                    socket.is_ended = true;
                    return Poll::Ready(if is_cut { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) });
                }
                continue;
            };
            socket.is_continued = is_continued;
            socket.begin += header.size;
            if header.opcode == Opcode::Data {
                let frame = Frame { mask: header.mask, taken: 0, length: header.length };
                socket.frame = (header.length > 0).then_some(frame);
                continue;
            }
            let length = usize::try_from(header.length.min(LONGEST_CONTROL)).unwrap_or(0);
            let mut payload = socket.waiting().get(..length).unwrap_or_default().to_vec();
            unmask(&mut payload, header.mask, 0);
            socket.begin += length;
            socket.control(header.opcode, &payload);
            // An answer that can't leave now leaves with what is written next.
            if let Poll::Ready(Err(error)) = socket.poll_out(context) {
                return Poll::Ready(Err(error));
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for WebSocket<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let socket = self.get_mut();
        if socket.is_closed {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if socket.out.len() - socket.sent >= MOST_WAITING {
            ready!(socket.poll_out(context))?;
        }
        let message = bytes.get(..bytes.len().min(LARGEST_MESSAGE)).unwrap_or_default();
        if !message.is_empty() {
            socket.put(0x82, message);
        }
        Poll::Ready(Ok(message.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let socket = self.get_mut();
        ready!(socket.poll_out(context))?;
        Pin::new(&mut socket.stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let socket = self.get_mut();
        socket.close(&1000_u16.to_be_bytes());
        ready!(socket.poll_out(context))?;
        Pin::new(&mut socket.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    const MASK: [u8; 4] = [1, 2, 3, 4];

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_frame(first, payload, Some(MASK), &mut bytes);
        bytes
    }

    fn pair() -> (DuplexStream, WebSocket<DuplexStream>) {
        let (client, server) = duplex(1 << 20);
        (client, WebSocket::new(server, Vec::new()))
    }

    #[tokio::test(flavor = "current_thread")]
    async fn bytes_come_out_however_messages_and_frames_cut_them() {
        let expected: Vec<u8> = (0..=255).cycle().take(70_000).collect();
        let mut sent = frame(0x02, &expected[..10]);
        sent.extend(frame(0x89, b"are you there?"));
        sent.extend(frame(0x00, b""));
        sent.extend(frame(0x80, &expected[10..300]));
        sent.extend(frame(0x8a, b""));
        sent.extend(frame(0x82, &expected[300..]));
        sent.extend(frame(0x88, &1000_u16.to_be_bytes()));
        for (cut, room) in [(1, 7), (3, 5000), (70_500, 1), (20_000, 100_000)] {
            let (mut client, mut socket) = pair();
            let parts: Vec<Vec<u8>> = sent.chunks(cut).map(<[u8]>::to_vec).collect();
            let writing = tokio::spawn(async move {
                for part in parts {
                    client.write_all(&part).await.unwrap();
                }
                let mut answers = Vec::new();
                client.read_to_end(&mut answers).await.unwrap();
                answers
            });
            let (mut came, mut buffer) = (Vec::new(), vec![0; room]);
            loop {
                let count = socket.read(&mut buffer).await.unwrap();
                if count == 0 {
                    break;
                }
                came.extend_from_slice(&buffer[..count]);
            }
            assert!(came == expected, "in parts of {cut} into {room}");
            assert!(socket.raw.capacity() <= 4 * CHUNK, "{}", socket.raw.capacity());
            socket.shutdown().await.unwrap();
            drop(socket);
            let pong = [&[0x8a, 14][..], b"are you there?"].concat();
            assert_eq!(writing.await.unwrap(), [&pong[..], &[0x88, 2, 3, 0xe8]].concat());
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_write_is_a_message_and_a_large_one_several() {
        let (mut client, mut socket) = pair();
        socket.write_all(b"one").await.unwrap();
        socket.write_all(&vec![7; 100_000]).await.unwrap();
        socket.shutdown().await.unwrap();
        drop(socket);
        let mut came = Vec::new();
        client.read_to_end(&mut came).await.unwrap();
        assert_eq!(came[..5], [0x82, 3, b'o', b'n', b'e']);
        assert_eq!(came[5..15], [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
        let rest = &came[15 + 65_536..];
        assert_eq!(rest[..4], [0x82, 126, 0x86, 0xa0]);
        assert_eq!(rest[4 + 34_464..], [0x88, 2, 3, 0xe8]);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn what_is_wrong_is_told_and_ends_it() {
        for (sent, code) in
            [(frame(0x81, b"text"), 1003_u16), (vec![0x82, 3, 1, 2, 3], 1002), (frame(0x80, b"x"), 1002)]
        {
            let (mut client, mut socket) = pair();
            client.write_all(&sent).await.unwrap();
            let mut buffer = [0; 10];
            assert_eq!(socket.read(&mut buffer).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
            assert!(socket.write(b"x").await.is_err());
            drop(socket);
            let mut came = Vec::new();
            client.read_to_end(&mut came).await.unwrap();
            assert_eq!(came, [&[0x88, 2][..], &code.to_be_bytes()].concat());
        }
        let (mut client, mut socket) = pair();
        client.write_all(&frame(0x82, b"whole")[..8]).await.unwrap();
        drop(client);
        let mut buffer = [0; 10];
        assert_eq!(socket.read(&mut buffer).await.unwrap(), 2);
        assert_eq!(socket.read(&mut buffer).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_flood_of_pings_takes_no_memory() {
        let (client, server) = duplex(4096);
        let mut socket = WebSocket::new(server, Vec::new());
        let (mut reading, mut writing) = tokio::io::split(client);
        let flood = tokio::spawn(async move {
            let ping = frame(0x89, &[b'x'; 125]);
            // Nobody reads the answers.
            for _ in 0..20_000 {
                if writing.write_all(&ping).await.is_err() {
                    return;
                }
            }
            writing.write_all(&frame(0x82, b"end")).await.unwrap();
        });
        let mut end = [0; 3];
        socket.read_exact(&mut end).await.unwrap();
        assert!(socket.out.capacity() <= 4 * MOST_WAITING, "{}", socket.out.capacity());
        flood.await.unwrap();
        let mut first = [0; 2];
        reading.read_exact(&mut first).await.unwrap();
        assert_eq!(first, [0x8a, 125]);
    }
}
