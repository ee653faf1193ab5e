//! The link to another broker: what it says comes in, and what must be sent, kept and told comes out.
//!
//! Pure: no clock, socket, file or hash order. Time is a parameter and the next deadline a return value.
//!
//! A turn of the shell: [`Link::read`] what came, [`Link::poll`] until nothing more happened (rules decide between two
//! happenings, and what they publish goes to [`Link::publish`]), write all [`Happening::Keep`] to the disk, [`Link::release`]
//! what waited for that, and write [`Link::take_output`] to the connection. The shell opens a connection when
//! [`Happening::Open`] asks for it, and answers with [`Link::opened`] or [`Link::failed`].
//!
//! What it does it with are machines that know nothing of each other: `outbox` (what waits to be published), `subscriptions`
//! (what we want, what the broker has), `echoes` (our own messages that come back), `retry` (when to try again).
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod connection;
mod echoes;
mod failure;
mod filters;
mod happening;
mod incoming;
mod outbox;
mod prefix;
mod retry;
mod settings;
mod subscriptions;
mod view;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::broker::codec::{ClientDecoder, encode_request};
use crate::broker::packet::{Disconnect, Packet, PacketId, Version};
use crate::broker::reason::Reason;
use crate::model::{Message, Qos};

pub use failure::Failure;
pub use filters::{covers, without_covered};
pub use happening::{Connected, Disconnected, Happening, Heard, Lack, Notice};
pub use outbox::Out;
pub use settings::{Settings, Will};
pub use view::View;

use echoes::Echoes;
use outbox::Outbox;
use prefix::Prefix;
use retry::Retry;
use subscriptions::Subscriptions;

/// The user property with the name of the instance whose rule published a message.
pub const INSTANCE_PROPERTY: &str = "homerule-instance";

/// How the keys of what is kept begin.
pub const KEPT_PREFIX: &str = "link/";

/// How long the broker may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// We wait until it is time to try again.
    Resting(Timestamp),
    /// The shell opens a connection.
    Opening,
    /// We have said who we are.
    Greeting(Timestamp),
    /// The broker let us in.
    Up,
    /// It's over.
    Stopped,
}

/// The link to another broker.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each says one thing of its own")]
pub struct Link {
    /// The time we were last told; it never goes back.
    now: Timestamp,
    settings: Settings,
    prefix: Prefix,
    stage: Stage,
    /// What we speak, or try to.
    version: Version,
    /// Whether a broker has let us in with that version.
    is_version_known: bool,
    /// The number of the connection.
    connection: u64,
    decoder: ClientDecoder,
    output: Vec<u8>,
    happenings: VecDeque<Happening>,
    retry: Retry,
    outbox: Outbox,
    /// Whether what waits in the outbox must go on waiting.
    is_held: bool,
    subscriptions: Subscriptions,
    echoes: Echoes,
    /// Messages with `QoS` 2 that came and that the broker hasn't released.
    received: BTreeSet<PacketId>,
    /// What waits until the disk has what it stands for, with the connection that it is for.
    answers: VecDeque<(u64, u64, Packet)>,
    /// How many answers there were.
    answered: u64,
    /// When something was last sent and heard.
    sent_at: Timestamp,
    heard_at: Timestamp,
    /// By when the answer to our PINGREQ must be here.
    pong_due: Option<Timestamp>,
    /// When all that is retained is taken to have come, and the latest time for that.
    settle: Option<(Timestamp, Timestamp)>,
    lacks: BTreeSet<Lack>,
    /// The largest packet that the broker takes.
    largest: usize,
    maximum_qos: Qos,
    /// What our own topics' messages carry.
    epoch: Option<u64>,
    /// What rules' messages carry.
    instance: Option<Arc<str>>,
    has_retained: bool,
    has_subscription_ids: bool,
    /// Whether the broker knew our session at this connection.
    is_session_kept: bool,
    /// By when what is retained is taken to have come.
    latest_settle: Timestamp,
    view: View,
}

impl Link {
    /// Returns a link that will be opened at once. `kept` are the rows that an earlier one told to be kept. Also returns the keys of
    /// those that can't be read.
    #[must_use]
    pub fn new(
        now: Timestamp,
        settings: Settings,
        kept: impl IntoIterator<Item = (Arc<str>, Vec<u8>)>,
    ) -> (Link, Vec<Arc<str>>) {
        let mut link = Link {
            now,
            prefix: Prefix::new(&settings.prefix),
            stage: Stage::Resting(now),
            version: settings.version,
            is_version_known: false,
            connection: 0,
            decoder: ClientDecoder::new(settings.version, settings.packet),
            output: Vec::new(),
            happenings: VecDeque::new(),
            retry: Retry::new(settings.seed),
            outbox: Outbox::new(settings.outbox),
            is_held: false,
            subscriptions: Subscriptions::new(settings.qos),
            echoes: Echoes::default(),
            received: BTreeSet::new(),
            answers: VecDeque::new(),
            answered: 0,
            sent_at: now,
            heard_at: now,
            pong_due: None,
            settle: None,
            lacks: BTreeSet::new(),
            largest: usize::MAX,
            maximum_qos: Qos::ExactlyOnce,
            epoch: None,
            instance: None,
            has_retained: true,
            has_subscription_ids: false,
            is_session_kept: false,
            latest_settle: Timestamp::MIN,
            view: View::default(),
            settings,
        };
        let mut unreadable = Vec::new();
        for (key, value) in kept {
            let is_read = match key.strip_prefix(KEPT_PREFIX).and_then(|rest| rest.split_once('/')) {
                Some(("out", number)) => link.outbox.restore(number, &value),
                Some(("in", number)) => {
                    let id = number.parse().ok().and_then(PacketId::new);
                    id.is_some_and(|id| link.received.insert(id))
                }
                Some(("subscriptions", _)) => link.subscriptions.restore(&value),
                _ => false,
            };
            if !is_read {
                unreadable.push(key);
            }
        }
        (link, unreadable)
    }

    /// Returns the next thing that happened; `None`: all is told.
    pub fn poll(&mut self, now: Timestamp) -> Option<Happening> {
        self.tick(now);
        self.happenings.pop_front()
    }

    /// Returns what must be written to the connection, and forgets it.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// Returns whether something must be written.
    #[must_use]
    pub fn has_output(&self) -> bool {
        !self.output.is_empty()
    }

    /// Publishes a message: at once where it can be, and else as soon as it can be, in its order. One with `QoS` 1 or 2 is kept until
    /// the broker has acknowledged it, and any while it waits.
    pub fn publish(&mut self, now: Timestamp, message: &Message) {
        self.publish_out(now, self.out_of(message, false));
    }

    /// Publishes what a rule decided: several instances of a home tell each other's so from what others publish.
    pub fn publish_of_rule(&mut self, now: Timestamp, message: &Message) {
        self.publish_out(now, self.out_of(message, true));
    }

    fn out_of(&self, message: &Message, is_of_rule: bool) -> Out {
        let topic = self.prefix.outward(&message.topic);
        let payload = message.payload.bytes().clone();
        Out { topic, payload, qos: message.qos, retain: message.retain, is_of_rule }
    }

    fn publish_out(&mut self, now: Timestamp, out: Out) {
        self.tell_time(now);
        if out.qos == Qos::AtMostOnce && self.may_publish() && self.outbox.has_nothing_unsent() {
            self.send_out(None, &out, false);
            return;
        }
        let (number, row) = self.outbox.add(out);
        self.keep_out(number, Some(row));
        while let Some((number, topic)) = self.outbox.take_excess() {
            self.keep_out(number, None);
            self.view.dropped += 1;
            self.tell(Notice::OutboxFull(topic));
        }
        self.pump();
    }

    /// Publishes a message if the broker is there, and forgets it otherwise: what is of no use later. Returns whether it was sent.
    pub fn say(&mut self, now: Timestamp, message: &Message) -> bool {
        self.tell_time(now);
        if self.stage != Stage::Up {
            return false;
        }
        let out = self.out_of(message, false);
        let id = (out.qos != Qos::AtMostOnce).then(|| self.subscriptions.next_id());
        self.send_out(id, &out, false);
        true
    }

    /// Tells all that must survive a restart.
    pub fn keep_all(&mut self, now: Timestamp) {
        self.tell_time(now);
        for (number, row) in self.outbox.rows() {
            self.keep_out(number, Some(row));
        }
        for id in self.received.clone() {
            self.keep(format!("{KEPT_PREFIX}in/{}", id.get()), Some(vec![1]));
        }
        self.keep_subscriptions();
    }

    /// From now on what is published below `homerule/` carries this epoch, where the broker speaks 5.0.
    pub fn set_epoch(&mut self, epoch: u64) {
        self.epoch = Some(epoch);
    }

    /// From now on what rules decided carries this name, where the broker speaks 5.0.
    pub fn set_instance(&mut self, name: &str) {
        self.instance = Some(name.into());
    }

    /// Returns whether the broker knew our session at this connection.
    #[must_use]
    pub fn is_session_kept(&self) -> bool {
        self.is_session_kept
    }

    /// Holds back what waits to be published, or lets it go. What is said with [`Link::say`] isn't held back.
    pub fn hold(&mut self, now: Timestamp, is_held: bool) {
        self.tell_time(now);
        self.is_held = is_held;
        self.pump();
    }

    /// Forgets all that waits to be published. Returns how many messages that were.
    pub fn drop_outbox(&mut self, now: Timestamp) -> usize {
        self.tell_time(now);
        let numbers = self.outbox.clear();
        for number in &numbers {
            self.keep_out(*number, None);
        }
        self.view.dropped += numbers.len() as u64;
        numbers.len()
    }

    /// From now on wants the messages of these filters. Those in `read_back` also bring our own messages.
    ///
    /// What is new is subscribed first, and what isn't wanted any more is given up once the broker has answered: nothing is
    /// missed in between.
    pub fn want(&mut self, now: Timestamp, filters: &BTreeSet<Arc<str>>, read_back: &BTreeSet<Arc<str>>) {
        self.tell_time(now);
        let outward =
            |filters: &BTreeSet<Arc<str>>| filters.iter().map(|filter| self.prefix.outward_filter(filter)).collect();
        let (filters, read_back) = (outward(filters), outward(read_back));
        if self.subscriptions.want(&filters, &read_back) && self.stage == Stage::Up {
            self.subscribe(false);
        }
    }

    /// Returns how far the link has come. Take it before what was told to be kept is written, and give it to [`Link::release`] after.
    #[must_use]
    pub fn receipt(&self) -> u64 {
        self.answered
    }

    /// Returns whether anything is held back until it is released.
    #[must_use]
    pub fn holds_back(&self) -> bool {
        !self.answers.is_empty()
    }

    /// Lets go what was held back: all that was told to be kept up to `receipt` is on the disk.
    pub fn release(&mut self, now: Timestamp, receipt: u64) {
        self.tell_time(now);
        while let Some((_, connection, packet)) = self.answers.pop_front_if(|(number, ..)| *number <= receipt) {
            if connection == self.connection && self.stage == Stage::Up {
                self.send(&packet);
            }
        }
    }

    /// Returns the earliest time at which the link has something to do by itself.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let stage = match self.stage {
            Stage::Resting(due) | Stage::Greeting(due) => Some(due),
            Stage::Up => Some(self.pong_due.unwrap_or_else(|| self.ping_due())),
            Stage::Opening | Stage::Stopped => None,
        };
        stage.into_iter().chain(self.settle.map(|(due, _)| due)).min()
    }

    /// Says good-bye. The session stays, and what isn't acknowledged is sent again at the next start.
    pub fn stop(&mut self, now: Timestamp) {
        self.tell_time(now);
        if self.stage == Stage::Up {
            self.send(&Packet::Disconnect(Disconnect {
                reason: Reason::Success,
                session_expiry: None,
                reason_string: None,
            }));
        }
        self.stage = Stage::Stopped;
    }

    /// Returns whether the broker is there and has answered all that we asked for.
    #[must_use]
    pub fn is_subscribed(&self) -> bool {
        self.stage == Stage::Up && self.subscriptions.is_answered()
    }

    /// Returns how many messages wait to be published or acknowledged.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.outbox.len()
    }

    /// Returns whether the broker has all that we published.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.outbox.is_empty()
    }

    /// Returns what a person may want to know.
    #[must_use]
    pub fn view(&self) -> View {
        let mut view = self.view.clone();
        view.is_up = self.stage == Stage::Up;
        view.version = view.is_up.then_some(self.version);
        view.lacks = self.lacks.iter().map(ToString::to_string).collect();
        view.waiting = self.outbox.len();
        view.refused = self.subscriptions.refused();
        view.subscriptions = self.subscriptions.wanted();
        view.next_try = match self.stage {
            Stage::Resting(due) => Some(due),
            Stage::Opening | Stage::Greeting(_) | Stage::Up | Stage::Stopped => None,
        };
        view.echoes = self.echoes.matched;
        view
    }

    fn tell_time(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
    }

    fn tell(&mut self, notice: Notice) {
        self.happenings.push_back(Happening::Told(notice));
    }

    fn keep(&mut self, key: String, value: Option<Vec<u8>>) {
        self.happenings.push_back(Happening::Keep { key: key.into(), value });
    }

    fn keep_out(&mut self, number: u64, row: Option<Vec<u8>>) {
        self.keep(format!("{KEPT_PREFIX}out/{number:020}"), row);
    }

    fn send(&mut self, packet: &Packet) {
        encode_request(packet, self.version, &mut self.output);
        self.sent_at = self.now;
    }

    fn may_publish(&self) -> bool {
        self.stage == Stage::Up && !self.is_held
    }

    fn after(&self, duration: Duration) -> Timestamp {
        self.now.checked_add(duration).unwrap_or(Timestamp::MAX)
    }
}
