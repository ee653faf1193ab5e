//! A client on a blocking socket that takes and gives many packets at once.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::packets::{self, Packet};

/// What hasn't come within this time is lost.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);

/// A connected client.
pub(crate) struct Client {
    socket: TcpStream,
    received: Vec<u8>,
    /// What is to be written at once.
    pub(crate) outgoing: Vec<u8>,
    /// How many of our messages were acknowledged.
    pub(crate) acknowledged: usize,
}

impl Client {
    /// Connects; `None`: nobody listens yet.
    pub(crate) fn connect(broker: SocketAddr, id: &str) -> Option<Client> {
        let socket = TcpStream::connect(broker).ok()?;
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut client = Client { socket, received: Vec::new(), outgoing: packets::connect(id), acknowledged: 0 };
        client.write();
        client.expect_answer();
        Some(client)
    }

    /// Subscribes to a filter.
    pub(crate) fn subscribe(&mut self, filter: &str, qos: u8) {
        self.outgoing.extend(packets::subscribe(filter, qos));
        self.write();
        self.expect_answer();
    }

    fn expect_answer(&mut self) {
        let before = self.received.len();
        while self.received.len() == before {
            assert!(self.fill(), "the broker doesn't answer");
        }
        self.received.clear();
    }

    /// Writes what is outgoing.
    pub(crate) fn write(&mut self) {
        let mut left = self.outgoing.as_slice();
        while !left.is_empty() {
            match self.socket.write(left) {
                Ok(written) => left = &left[written..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::yield_now(),
                Err(error) => panic!("the broker closed the connection: {error}"),
            }
        }
        self.outgoing.clear();
    }

    /// Waits for packets no longer than [`PATIENCE`] (not at all after [`Client::never_wait`]), and gives each message's payload
    /// to `heard`. Acknowledgements go into `outgoing`. Returns whether something came.
    pub(crate) fn read(&mut self, mut heard: impl FnMut(&[u8])) -> bool {
        let came = self.fill();
        let mut read = 0;
        while let Some((packet, length)) = packets::first(&self.received[read..]) {
            match packet {
                Packet::Publish { payload, id } => {
                    heard(payload);
                    self.outgoing.extend(id.map(packets::puback).into_iter().flatten());
                }
                Packet::Puback => self.acknowledged += 1,
                Packet::Other => {}
            }
            read += length;
        }
        self.received.drain(..read);
        came
    }

    /// From now on reading waits for nothing.
    pub(crate) fn never_wait(&self) {
        self.socket.set_nonblocking(true).unwrap();
    }

    /// Reads acknowledgements until there are `wanted`, or for no longer than [`PATIENCE`]. Returns how many are missing.
    pub(crate) fn missing_acknowledgements(&mut self, wanted: usize) -> usize {
        let end = Instant::now() + PATIENCE;
        while self.acknowledged < wanted && Instant::now() < end {
            if !self.read(|_| {}) {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        wanted - self.acknowledged
    }

    fn fill(&mut self) -> bool {
        let end = self.received.len();
        self.received.resize(end + (64 << 10), 0);
        let read = match self.socket.read(&mut self.received[end..]) {
            Ok(0) => panic!("the broker closed the connection"),
            Ok(read) => read,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => 0,
            Err(error) => panic!("nothing can be read from the broker: {error}"),
        };
        self.received.truncate(end + read);
        read > 0
    }
}
