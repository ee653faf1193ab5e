//! The connections: a task each that dials, reads and writes.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::dial::{Stream, Target, dial};
use crate::link::Failure;

/// So many pieces of what came may wait; then the broker does.
const WAITING: usize = 16;

/// The largest piece, in bytes.
const PIECE: usize = 64 << 10;

/// So many bytes may wait to be written; a broker that takes no more of them isn't there.
const MOST_UNWRITTEN: usize = 64 << 20;

/// So many pieces are taken in one turn.
const TURN: usize = 16;

/// What a connection's task tells.
#[derive(Debug)]
pub(in crate::daemon) enum Wire {
    Opened,
    Failed(Failure),
    Read(Bytes),
    Closed,
}

/// The connections, of which only the last one counts.
pub(in crate::daemon) struct Wires {
    target: Arc<Target>,
    number: u64,
    sender: mpsc::Sender<(u64, Wire)>,
    came: mpsc::Receiver<(u64, Wire)>,
    /// What came and wasn't taken.
    waiting: VecDeque<Wire>,
    writer: Option<mpsc::UnboundedSender<Vec<u8>>>,
    unwritten: Arc<std::sync::atomic::AtomicUsize>,
    task: Option<JoinHandle<()>>,
}

impl Wires {
    pub(in crate::daemon) fn new(target: Target) -> Wires {
        let (sender, came) = mpsc::channel(WAITING);
        Wires {
            target: Arc::new(target),
            number: 0,
            sender,
            came,
            waiting: VecDeque::new(),
            writer: None,
            unwritten: Arc::default(),
            task: None,
        }
    }

    /// Opens a connection, in place of the one before.
    pub(in crate::daemon) fn open(&mut self) {
        self.close();
        self.number += 1;
        let (writer, unwritten) = mpsc::unbounded_channel();
        self.writer = Some(writer);
        self.unwritten = Arc::default();
        let connection = Connection {
            number: self.number,
            target: Arc::clone(&self.target),
            sender: self.sender.clone(),
            count: Arc::clone(&self.unwritten),
        };
        self.task = Some(tokio::spawn(connection.run(unwritten)));
    }

    /// Closes the connection once what was given to it has left.
    pub(in crate::daemon) fn close(&mut self) {
        self.writer = None;
        self.number += 1;
        self.waiting.clear();
        self.task = None;
    }

    /// Gives bytes to the connection.
    pub(in crate::daemon) fn write(&mut self, bytes: Vec<u8>) {
        let Some(writer) = &self.writer else { return };
        let before = self.unwritten.fetch_add(bytes.len(), std::sync::atomic::Ordering::Relaxed);
        if before > MOST_UNWRITTEN || writer.send(bytes).is_err() {
            self.close();
            self.waiting.push_back(Wire::Closed);
        }
    }

    /// Returns once something came. May be dropped at any time.
    pub(in crate::daemon) async fn ready(&mut self) {
        while self.waiting.is_empty() {
            match self.came.recv().await {
                Some((number, wire)) if number == self.number => self.waiting.push_back(wire),
                Some(_) => {}
                // We hold a sender ourselves.
                None => std::future::pending().await,
            }
        }
    }

    /// Returns some of what came.
    pub(in crate::daemon) fn take(&mut self) -> Vec<Wire> {
        while self.waiting.len() < TURN
            && let Ok((number, wire)) = self.came.try_recv()
        {
            if number == self.number {
                self.waiting.push_back(wire);
            }
        }
        self.waiting.drain(..).collect()
    }

    /// Closes the connection, and returns once what was given to it has left.
    pub(in crate::daemon) async fn finish(&mut self) {
        self.writer = None;
        self.came.close();
        if let Some(task) = self.task.take() {
            // It ended well, or we end anyway.
            let _ = task.await;
        }
    }
}

struct Connection {
    number: u64,
    target: Arc<Target>,
    sender: mpsc::Sender<(u64, Wire)>,
    count: Arc<std::sync::atomic::AtomicUsize>,
}

impl Connection {
    async fn run(self, unwritten: mpsc::UnboundedReceiver<Vec<u8>>) {
        let stream = match dial(&self.target).await {
            Ok(stream) => stream,
            Err(failure) => return drop(self.sender.send((self.number, Wire::Failed(failure))).await),
        };
        if self.sender.send((self.number, Wire::Opened)).await.is_err() {
            return;
        }
        let (mut reader, mut writer) = split(stream);
        tokio::select! {
            () = self.read(&mut reader) => {}
            () = self.write(&mut writer, unwritten) => {}
        }
        // Whoever waits for it may have gone.
        let _ = self.sender.send((self.number, Wire::Closed)).await;
    }

    async fn read(&self, reader: &mut ReadHalf<Box<dyn Stream>>) {
        let mut room = vec![0; PIECE];
        loop {
            let Ok(count @ 1..) = reader.read(&mut room).await else { return };
            let piece = Bytes::copy_from_slice(room.get(..count).unwrap_or_default());
            if self.sender.send((self.number, Wire::Read(piece))).await.is_err() {
                // We are stopping: what is to be written still is.
                return std::future::pending().await;
            }
        }
    }

    async fn write(&self, writer: &mut WriteHalf<Box<dyn Stream>>, mut unwritten: mpsc::UnboundedReceiver<Vec<u8>>) {
        while let Some(mut bytes) = unwritten.recv().await {
            while let Ok(more) = unwritten.try_recv() {
                bytes.extend_from_slice(&more);
            }
            let is_written = writer.write_all(&bytes).await.is_ok() && writer.flush().await.is_ok();
            self.count.fetch_sub(bytes.len(), std::sync::atomic::Ordering::Relaxed);
            if !is_written {
                return;
            }
        }
        // The other side closes when it has read our good-bye; we don't wait for it.
        let _ = writer.shutdown().await;
    }
}
