//! Connections: the bytes that come from a peer and go to it, and how far it has been let in.

mod aliases;
mod input;
mod output;
mod patience;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::packet::{Connect, Version};
use super::session::SessionSlot;

pub(super) use aliases::{Alias, InboundAliases, OutboundAliases};
pub(super) use input::Input;
pub(super) use output::Output;
pub(super) use patience::Patience;

/// Where a connection is. A place is used again, with another generation: what comes late finds nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Conn {
    slot: u32,
    generation: u32,
}

impl Conn {
    /// Returns its place: small, and free for another once the connection is closed.
    #[must_use]
    pub fn slot(self) -> usize {
        self.slot as usize
    }
}

/// Where a connection comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The address, or the name of a socket.
    pub address: Arc<str>,
    /// The listener that it came to.
    pub listener: Arc<str>,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) peer: Peer,
    pub(super) stage: Stage,
    pub(super) input: Input,
    pub(super) output: Output,
    /// When bytes came last, or could have come.
    pub(super) heard_at: Timestamp,
    /// Whether the peer sends nothing more.
    pub(super) is_ended: bool,
    /// Whether it is among those whose bytes are to be handled.
    pub(super) is_ready: bool,
    /// Whether it is among those that have something to write.
    pub(super) is_dirty: bool,
}

/// How far a peer has been let in.
#[derive(Debug)]
pub(super) enum Stage {
    /// It hasn't said who it is.
    Opening,
    /// It waits to be let in.
    Admitting(Box<Connect>),
    /// It is in.
    Open(Box<Link>),
    /// Nothing more is taken from it; what it is told last may still leave.
    Closing,
}

/// What is known of a client for as long as its connection lasts.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) session: SessionSlot,
    pub(super) version: Version,
    /// The longest silence; `None`: any.
    pub(super) silence: Option<Duration>,
    /// How many messages with `QoS` 1 and 2 the client takes at a time.
    pub(super) window: u16,
    /// The largest packet that the client takes.
    pub(super) largest_packet: usize,
    /// Whether the client is told which rule published a message.
    pub(super) is_recorder: bool,
    /// Whether the client wants reason strings.
    pub(super) wants_words: bool,
    pub(super) inbound: InboundAliases,
    pub(super) outbound: OutboundAliases,
    /// How much is held back from it until something is on the disk.
    pub(super) held: usize,
    /// What it waits for before more is taken from it.
    pub(super) patience: Patience,
    /// What it may still publish in this second.
    pub(super) allowance: u32,
    /// When it got that.
    pub(super) allowed_at: Timestamp,
}

impl Connection {
    fn new(now: Timestamp, peer: Peer, largest_packet: usize) -> Connection {
        Connection {
            peer,
            stage: Stage::Opening,
            input: Input::new(largest_packet),
            output: Output::default(),
            heard_at: now,
            is_ended: false,
            is_ready: false,
            is_dirty: false,
        }
    }

    /// Returns the link of a client that is in.
    pub(super) fn link(&self) -> Option<&Link> {
        match &self.stage {
            Stage::Open(link) => Some(link),
            Stage::Opening | Stage::Admitting(_) | Stage::Closing => None,
        }
    }

    /// Returns the link of a client that is in.
    pub(super) fn link_mut(&mut self) -> Option<&mut Link> {
        match &mut self.stage {
            Stage::Open(link) => Some(link),
            Stage::Opening | Stage::Admitting(_) | Stage::Closing => None,
        }
    }
}

/// All connections.
#[derive(Debug, Default)]
pub(super) struct Connections {
    slots: Vec<Slot>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Slot {
    generation: u32,
    connection: Option<Connection>,
}

impl Connections {
    /// Returns how many there are.
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub(super) fn open(&mut self, now: Timestamp, peer: Peer, largest_packet: usize) -> Conn {
        let connection = Some(Connection::new(now, peer, largest_packet));
        if let Some(slot) = self.free.pop()
            && let Some(place) = self.slots.get_mut(slot as usize)
        {
            place.connection = connection;
            return Conn { slot, generation: place.generation };
        }
        let slot = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.slots.push(Slot { generation: 0, connection });
        Conn { slot, generation: 0 }
    }

    pub(super) fn close(&mut self, conn: Conn) -> Option<Connection> {
        let place = self.slots.get_mut(conn.slot()).filter(|place| place.generation == conn.generation)?;
        let connection = place.connection.take()?;
        place.generation = place.generation.wrapping_add(1);
        self.free.push(conn.slot);
        Some(connection)
    }

    pub(super) fn get(&self, conn: Conn) -> Option<&Connection> {
        let place = self.slots.get(conn.slot()).filter(|place| place.generation == conn.generation)?;
        place.connection.as_ref()
    }

    pub(super) fn get_mut(&mut self, conn: Conn) -> Option<&mut Connection> {
        let place = self.slots.get_mut(conn.slot()).filter(|place| place.generation == conn.generation)?;
        place.connection.as_mut()
    }

    /// Returns all of them.
    pub(super) fn all(&self) -> Vec<Conn> {
        let conn = |(slot, place): (u32, &Slot)| {
            place.connection.as_ref().map(|_| Conn { slot, generation: place.generation })
        };
        (0..).zip(&self.slots).filter_map(conn).collect()
    }
}
