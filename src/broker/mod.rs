//! The MQTT broker: what clients send comes in, and what must be sent, kept and told comes out.
//!
//! Pure: no clock, socket, file or hash order. Time is a parameter and the next deadline a return value.
//!
//! A turn of the shell: [`Broker::read`] what came, [`Broker::poll`] until nothing more happened (rules decide between two
//! happenings, and what they publish goes to [`Broker::publish`], so that all is in one order), write all
//! [`Happening::Keep`] to the disk, [`Broker::release`] what waited for that, and write to each connection that is
//! [`Broker::next_dirty`], once.
//!
//! Where to start reading: `turn/` has what the broker does, a file for each subject. What it does it with are machines that
//! own their state and know nothing of each other: `session` (a client's queue among it), `connection`, `routing`
//! (subscriptions, what is retained), `expected`, `releases`, `timers`. `keep` is the form of what survives, `access` who may
//! do what, `codec` the bytes.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod access;
pub mod codec;
mod connection;
mod expected;
pub mod filter;
mod happening;
mod keep;
mod limits;
pub mod packet;
pub mod reason;
mod releases;
mod routing;
mod session;
mod stats;
mod sys;
mod timers;
mod turn;
mod view;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

pub use connection::{Conn, Peer};
pub use happening::{
    Connected, Credentials, Disconnected, Drop, Dropped, End, Fault, Happening, Published, Refused, Verdict,
};
pub use keep::PREFIX as KEPT_PREFIX;
pub use limits::{Limits, Settings};
pub use releases::Receipt;
pub use stats::Stats;
pub use turn::Besides;
pub use view::{ClientView, RetainedView};

use access::{Acl, Identity};
use connection::Connections;
use expected::Expected;
use packet::Will;
use releases::Releases;
use routing::{Groups, Hit, Retained, Subscriptions, Target};
use session::{SessionSlot, Sessions};
use sys::Sys;
use timers::Timers;

/// The client identifiers of recorders begin so. Only they are told which rule published a message.
pub const RECORDERS: &str = "homerule-record-";

/// The user property (MQTT 5.0, 3.3.2.3.7) by which recorders are told.
pub const RULE_PROPERTY: &str = "homerule-rule";

/// The client identifier that is ours; no client may have it.
pub const OWN_ID: &str = "homerule";

/// Something that happened.
#[derive(Debug)]
enum Event {
    /// The shell is told.
    Happening(Happening),
    /// A will is due. It is routed when its turn comes, so that rules answer it before what happened after it.
    Will(Identity, Will),
}

/// The broker.
#[derive(Debug)]
pub struct Broker {
    /// The time we were last told. It never goes back, and doesn't jump: see [`Broker::clock_changed`].
    now: Timestamp,
    /// How far the clock is ahead of that.
    skew: SignedDuration,
    started_at: Timestamp,
    settings: Settings,
    acl: Acl,
    connections: Connections,
    sessions: Sessions,
    subscriptions: Subscriptions,
    groups: Groups,
    retained: Retained,
    expected: Expected,
    timers: Timers,
    releases: Releases,
    stats: Stats,
    sys: Sys,
    /// What happened, and comes to the shell in this order.
    events: VecDeque<Event>,
    /// Connections whose bytes are to be handled.
    ready: VecDeque<Conn>,
    /// Connections that have something to write.
    dirty: VecDeque<Conn>,
    /// Whose packet is being handled, with all that rules publish about it.
    speaker: Option<Conn>,
    /// Who waits for which client to read.
    crowds: BTreeMap<SessionSlot, Vec<Conn>>,
    /// How many clients are here.
    connected: usize,
    /// How many bytes wait in the buffers of all connections.
    buffered: usize,
    /// About how many bytes the filters of all sessions take.
    filter_bytes: usize,
    /// How many clients got an identifier.
    named: u64,
    /// Room for those who get a message.
    targets: Vec<Target>,
    hits: Vec<Hit>,
}

impl Broker {
    /// Returns a broker that knows nothing yet.
    #[must_use]
    pub fn new(now: Timestamp, settings: Settings) -> Broker {
        Broker {
            now,
            skew: SignedDuration::ZERO,
            started_at: now,
            settings,
            acl: Acl::open(),
            connections: Connections::default(),
            sessions: Sessions::default(),
            subscriptions: Subscriptions::default(),
            groups: Groups::default(),
            retained: Retained::default(),
            expected: Expected::default(),
            timers: Timers::default(),
            releases: Releases::default(),
            stats: Stats::default(),
            sys: Sys::default(),
            events: VecDeque::new(),
            ready: VecDeque::new(),
            dirty: VecDeque::new(),
            speaker: None,
            crowds: BTreeMap::new(),
            connected: 0,
            buffered: 0,
            filter_bytes: 0,
            named: 0,
            targets: Vec::new(),
            hits: Vec::new(),
        }
    }

    /// From now on goes by these settings. Who is here stays.
    pub fn configure(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// From now on goes by these rules: they count from the next message.
    pub fn set_acl(&mut self, acl: Acl) {
        self.acl = acl;
    }

    /// Returns the next thing that happened, handling what came for as long as nothing did. `None`: all is handled.
    pub fn poll(&mut self, now: Timestamp) -> Option<Happening> {
        self.tell_time(now);
        loop {
            match self.events.pop_front() {
                Some(Event::Happening(happening)) => return Some(happening),
                Some(Event::Will(who, will)) => match self.route_will(&who, will) {
                    Some(happening) => return Some(happening),
                    None => continue,
                },
                None => {}
            }
            let conn = *self.ready.front()?;
            if !self.handle_next(conn) {
                self.ready.pop_front();
                if let Some(connection) = self.connections.get_mut(conn) {
                    connection.is_ready = false;
                }
            }
        }
    }

    /// Returns whether [`Broker::poll`] has nothing more to tell.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.events.is_empty() && self.ready.is_empty()
    }

    /// Returns how far the broker has come. Take it before what was told to be kept is written, and give it to
    /// [`Broker::release`] after.
    #[must_use]
    pub fn receipt(&self) -> Receipt {
        self.releases.latest()
    }

    /// Returns whether anything is held back until it is released.
    #[must_use]
    pub fn holds_back(&self) -> bool {
        !self.releases.is_empty()
    }

    /// Returns the earliest time at which the broker has something to do by itself.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.timers.next()
    }

    /// Returns what was counted since the start.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Returns a time that we were told as the clock shows it.
    fn by_the_clock(&self, at: Timestamp) -> Timestamp {
        at.checked_add(self.skew).unwrap_or(at)
    }

    /// Returns a time of the clock as we are told it.
    fn told_of(&self, at: Timestamp) -> Timestamp {
        at.checked_sub(self.skew).unwrap_or(at)
    }

    fn tell_time(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
    }

    fn happened(&mut self, happening: Happening) {
        self.events.push_back(Event::Happening(happening));
    }

    fn keep(&mut self, key: &keep::Key, value: Option<Vec<u8>>) {
        let key: Arc<str> = key.text();
        self.happened(Happening::Keep { key, value });
    }
}
