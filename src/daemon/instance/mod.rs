//! One of several instances of a home, at one broker: who leads, what a leader saves for the others, and what a standby knows.
//!
//! The decisions are [`crate::instance`]'s. Here they meet the link's messages, the store's rows and the clocks; the loop does what
//! comes of it (`daemon/home/event_loop/leading.rs`).

mod cipher;
mod sharing;
mod together;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use tracing::{info, warn};

use crate::api::InstanceStatus;
use crate::daemon::mqtt::Moment;
use crate::engine::{Event, SaveKey, Snapshot};
use crate::instance::{
    Changes, Decision, Election, Followed, Follower, Heard, Lease, Notice, Part, Role, Saved, StepDown, Stream,
    Unhandled, alive_topic, ask_topic, leader_topic, mark, save_topic,
};
use crate::lang::{InstanceRole, InstanceSettings};
use crate::model::{Message, Origin, Payload, Qos, Topic};
use cipher::Cipher;
pub(in crate::daemon) use cipher::Unreadable;
pub(in crate::daemon) use sharing::Divided;
use sharing::Sharing;

/// A snapshot is asked for at most this often.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// One of several instances of a home.
pub(in crate::daemon) struct Instance {
    name: String,
    home: String,
    topics: Topics,
    election: Election,
    cipher: Cipher,
    stream: Stream,
    /// All that is saved: what the leader said, or what we save as the leader.
    follower: Follower,
    /// What was saved since the last piece.
    changes: Changes,
    /// A mark of the last message that rules handled.
    handled: Option<u64>,
    unhandled: Unhandled,
    asked_at: Option<Timestamp>,
    told: Option<Unreadable>,
    /// Where all instances act, each for some rules; `None`: one leads, and the others wait.
    sharing: Option<Sharing>,
}

struct Topics {
    leader: String,
    alive: String,
    save: String,
    ask: String,
}

/// What the loop must do.
#[derive(Debug)]
pub(in crate::daemon) enum ToDo {
    /// Publish this at once, or not at all.
    Say(Message),
    /// Publish this behind all else.
    Publish(Message),
    /// Begin to act.
    Lead {
        /// The epoch.
        epoch: u64,
        /// Whether what waits to be published still counts.
        continues: bool,
    },
    /// What waits to be published may leave.
    Resume,
    /// What is published must wait.
    Pause,
    /// Stop acting; with whether what waits to be published is to be forgotten.
    StepDown {
        /// Whether another leads, so that what waits is its business now.
        is_replaced: bool,
    },
    /// Keep these changes for a restart.
    Keep(Changes),
    /// Begin to decide with the others, knowing what they know.
    Join,
    /// Decide nothing until what the others know is known here too.
    Part,
    /// Tell the others all that is known.
    TellAll,
    /// Say whether the home is there, or leave that to another.
    SayStatus(bool),
    /// Let rules decide on this.
    Decide(Event),
}

impl Instance {
    /// Returns the instance as `settings` say, which knows what was kept before the start.
    ///
    /// # Errors
    /// When its key can't be used.
    pub(in crate::daemon) fn new(
        now: Moment,
        settings: &InstanceSettings,
        folder: &Path,
        kept: &Snapshot,
    ) -> Result<Instance, String> {
        let key = settings.key.as_ref().map(|file| folder.join(file));
        let cipher = Cipher::open(&settings.home, key.as_deref())?;
        if !cipher.is_on() {
            warn!(
                "`instance.key` isn't set: what rules remember passes the broker as it is. Write `key: instance.key`, the same in each \
                 instance."
            );
        }
        let values = kept.values.iter().map(|(key, value)| (key.to_string(), value.clone())).collect();
        let home = settings.home.as_str();
        Ok(Instance {
            name: settings.name.clone(),
            home: settings.home.clone(),
            topics: Topics {
                leader: leader_topic(home),
                alive: alive_topic(home, ""),
                save: save_topic(home),
                ask: ask_topic(home),
            },
            election: Election::new(now.steady, &settings.name, settings.lease, "", settings.force),
            cipher,
            stream: Stream::new(0),
            follower: Follower::new(values, kept.alive_at.map(Timestamp::as_microsecond)),
            changes: Changes::new(),
            handled: None,
            unhandled: Unhandled::default(),
            asked_at: None,
            told: None,
            sharing: match &settings.role {
                InstanceRole::Standby => None,
                InstanceRole::Share(all) => Some(Sharing::new(now, &settings.name, home, all, settings.lease)),
            },
        })
    }

    /// Returns the filters that it needs, of which our own messages must come back too.
    pub(in crate::daemon) fn filters(&self) -> Vec<String> {
        let Topics { leader, save, ask, .. } = &self.topics;
        let shared = self.sharing.as_ref().map(Sharing::filter);
        let own = [leader.clone(), format!("{}+", self.topics.alive), save.clone(), ask.clone()];
        own.into_iter().chain(shared).collect()
    }

    /// Returns whether this instance acts at `now`.
    pub(in crate::daemon) fn acts(&self, now: Moment) -> bool {
        self.election.may_act(now.steady)
    }

    /// Returns how it is, for people.
    pub(in crate::daemon) fn status(&self) -> InstanceStatus {
        let role = match self.election.role() {
            Role::Joining => "joining",
            Role::Standby => "standby",
            Role::Claiming => "taking over",
            Role::Leader => "leader",
        };
        let sharing = self.sharing.as_ref();
        let role = match sharing {
            Some(sharing) if sharing.is_active && sharing.share.is_in() => "sharing",
            Some(_) => "joining",
            None => role,
        };
        let others = sharing.map(|sharing| sharing.share.others().map(ToOwned::to_owned).collect());
        InstanceStatus {
            name: self.name.clone(),
            role: role.to_owned(),
            leader: self.leader().map(ToOwned::to_owned),
            epoch: self.election.epoch(),
            shares_with: others.unwrap_or_default(),
        }
    }

    /// Returns who leads, as far as is known.
    pub(in crate::daemon) fn leader(&self) -> Option<&str> {
        self.election.leader()
    }

    /// Returns the earliest time, by the steady clock, at which there is something to decide.
    pub(in crate::daemon) fn next_deadline(&self) -> Option<Timestamp> {
        let sharing = self.sharing.as_ref().and_then(Sharing::next_deadline);
        self.election.next_deadline().into_iter().chain(sharing).min()
    }

    /// Notes the hash of the rules in force.
    pub(in crate::daemon) fn note_rules(&mut self, now: Moment, ruleset: &str) {
        self.election.note(ruleset, now.wall.as_second());
    }

    /// Decides what is due.
    pub(in crate::daemon) fn tick(&mut self, now: Moment) -> Vec<ToDo> {
        let mut to_do = self.decide(now, None);
        if self.sharing.as_mut().is_some_and(|sharing| sharing.must_renew(now)) {
            to_do.extend(self.decided(Decision::SayAlive));
        }
        to_do
    }

    /// The broker is there, and what it keeps has come; with whether it had kept our session while we were away.
    pub(in crate::daemon) fn settled(&mut self, now: Moment, is_session_kept: bool) -> Vec<ToDo> {
        let is_leader = self.election.role() == Role::Leader;
        let mut to_do = Vec::new();
        // One that has joined on this connection has missed nothing.
        if let Some(sharing) = self.sharing.as_mut().filter(|sharing| sharing.is_active)
            && std::mem::take(&mut sharing.was_cut_off)
            && !is_session_kept
            && !is_leader
        {
            warn!("The broker forgot this instance: it asks the others what it missed.");
            sharing.is_active = false;
            to_do.push(ToDo::Part);
            // What they left to us falls to them.
            to_do.extend(self.farewell().map(ToDo::Say));
        }
        to_do.extend(self.decide(now, Some(Heard::Settled)));
        if self.wants_all() {
            self.asked_at = None;
            to_do.extend(self.ask(now));
        }
        to_do
    }

    /// The broker is away.
    pub(in crate::daemon) fn disconnected(&mut self, now: Moment) -> Vec<ToDo> {
        if let Some(sharing) = &mut self.sharing {
            sharing.share.leave();
            sharing.was_cut_off = true;
        }
        self.decide(now, Some(Heard::Disconnected))
    }

    /// The clock of the wall was set forward, or the machine slept: by others' clocks the lease may be over.
    pub(in crate::daemon) fn jumped(&mut self, now: Moment, forward: i64) -> Vec<ToDo> {
        let forward = u64::try_from(forward).unwrap_or(0);
        self.decide(now, Some(Heard::Jumped(Duration::from_millis(forward))))
    }

    /// Takes a message. `None`: it is none of ours.
    pub(in crate::daemon) fn hear(&mut self, now: Moment, message: &Message) -> Option<Vec<ToDo>> {
        let topic = message.topic.as_str();
        if topic == self.topics.leader {
            let lease = message.payload.text().and_then(Lease::parse)?;
            if message.origin == Origin::Live {
                // By our own clock, as all that rules do here will be.
                self.follower.note_alive(now.wall.as_microsecond());
            }
            let mut to_do = self.decide(now, Some(Heard::Lease(lease)));
            if self.sharing.is_some() && self.wants_all() {
                to_do.extend(self.ask(now));
            }
            return Some(to_do);
        }
        if let Some(name) = topic.strip_prefix(&self.topics.alive) {
            let is_alive = message.payload.text() == Some("online");
            if let Some(sharing) = &mut self.sharing {
                // What the broker kept of ourselves is from before.
                let counts = name != self.name || (message.origin == Origin::Live && sharing.is_active);
                if counts {
                    sharing.share.heard(now.steady, name, is_alive);
                }
            }
            return Some(self.decide(now, Some(Heard::Alive { name: name.to_owned(), is_alive })));
        }
        if topic == self.topics.ask {
            return Some(match (self.acts(now), &self.sharing) {
                (false, _) => Vec::new(),
                (true, None) => self.snapshot(now),
                (true, Some(_)) => vec![ToDo::TellAll],
            });
        }
        if let Some(sharing) = &mut self.sharing
            && topic.starts_with("homerule/instance/")
            && (topic == sharing.topic || sharing.is_of_others(topic))
        {
            let words = (topic != sharing.topic).then(|| self.cipher.unpack(message.payload.bytes()));
            return Some(match words {
                Some(Ok(words)) => sharing.heed(now, words).into_iter().map(ToDo::Decide).collect(),
                Some(Err(why)) => {
                    self.tell_unreadable(why);
                    Vec::new()
                }
                None => Vec::new(),
            });
        }
        (topic == self.topics.save).then(|| self.follow(now, message))
    }

    /// Takes note of a message that rules would have heard, if this instance acted.
    pub(in crate::daemon) fn note_unhandled(&mut self, message: Message) {
        if message.origin == Origin::Live {
            self.unhandled.heard(message);
        }
    }

    /// Takes note that rules have handled a message.
    pub(in crate::daemon) fn note_handled(&mut self, message: &Message) {
        if message.origin == Origin::Live {
            self.handled = Some(mark(message));
        }
    }

    /// Takes note that this is saved.
    pub(in crate::daemon) fn note_saved(&mut self, key: &SaveKey, value: Option<&String>) {
        self.changes.insert(key.to_string(), value.cloned());
    }

    /// Returns what was saved since the last time, as a message for the standbys; `None`: nothing.
    pub(in crate::daemon) fn saved(&mut self, now: Moment) -> Option<Message> {
        if self.changes.is_empty() {
            return None;
        }
        let changes = std::mem::take(&mut self.changes);
        self.follower.apply(&changes, now.wall.as_microsecond());
        if self.sharing.is_some() {
            // The others decide the same.
            return None;
        }
        let piece = self.stream.changes(now.wall.as_microsecond(), self.handled, changes);
        self.piece(&piece)
    }

    /// Returns all that is saved, for the engine of one that begins to act; and what was heard and perhaps not handled.
    pub(in crate::daemon) fn take_over(&mut self, epoch: u64) -> (Snapshot, Vec<Message>) {
        self.stream = Stream::new(epoch);
        self.what_is_known()
    }

    pub(super) fn what_is_known(&mut self) -> (Snapshot, Vec<Message>) {
        self.changes.clear();
        let values = self.follower.values();
        let values = values.iter().map(|(key, value)| (SaveKey(key.as_str().into()), value.clone())).collect();
        let alive_at = self.follower.alive_at().and_then(|at| Timestamp::from_microsecond(at).ok());
        (Snapshot { values, alive_at }, self.unhandled.take())
    }

    /// Returns what was heard and perhaps not handled.
    pub(in crate::daemon) fn take_unhandled(&mut self) -> Vec<Message> {
        self.unhandled.take()
    }

    /// Returns all that is saved, for the standbys.
    pub(in crate::daemon) fn snapshot(&mut self, now: Moment) -> Vec<ToDo> {
        let all: BTreeMap<String, String> = self.follower.values().clone();
        let pieces = self.stream.snapshot(now.wall.as_microsecond(), self.handled, all);
        pieces.iter().filter_map(|piece| self.piece(piece)).map(ToDo::Publish).collect()
    }

    /// Returns the message that says that this instance goes.
    pub(in crate::daemon) fn farewell(&self) -> Option<Message> {
        say(&alive_topic(&self.home, &self.name), "offline", true)
    }

    fn follow(&mut self, now: Moment, message: &Message) -> Vec<ToDo> {
        if self.election.role() == Role::Leader || self.sharing.as_ref().is_some_and(|sharing| sharing.is_active) {
            return Vec::new();
        }
        let saved: Saved = match self.cipher.unpack(message.payload.bytes()) {
            Ok(saved) => saved,
            Err(why) => {
                self.tell_unreadable(why);
                return Vec::new();
            }
        };
        self.told = None;
        let (handled, is_changes) = (saved.handled, matches!(saved.part, Part::Changes(_)));
        let before = if is_changes { BTreeMap::new() } else { self.follower.values().clone() };
        let followed = self.follower.take(saved);
        self.election.note_whole(self.follower.is_whole());
        if let (Some(handled), true, true) = (handled, is_changes, self.follower.is_whole()) {
            self.unhandled.handled(handled);
        }
        match followed {
            Followed::Changed(changes) => vec![ToDo::Keep(changes)],
            Followed::Replaced => {
                info!(rows = self.follower.values().len(), "The leader's state is known here.");
                let keep = ToDo::Keep(difference(&before, self.follower.values()));
                if self.sharing.is_none() {
                    return vec![keep];
                }
                if let Some(handled) = handled {
                    self.unhandled.handled(handled);
                }
                vec![keep, ToDo::Join]
            }
            Followed::Nothing => Vec::new(),
            Followed::Ask => self.ask(now),
        }
    }

    fn tell_unreadable(&mut self, why: Unreadable) {
        if self.told.replace(why) != Some(why) {
            warn!("What another instance says can't be read: {}.", words(why));
        }
    }

    /// Returns whether what the leader knows isn't known here, and must be.
    fn wants_all(&self) -> bool {
        self.election.role() != Role::Leader && self.sharing.as_ref().is_none_or(|sharing| !sharing.is_active)
    }

    fn ask(&mut self, now: Moment) -> Vec<ToDo> {
        let again = self.asked_at.and_then(|at| at.checked_add(ASK_AGAIN).ok());
        if again.is_some_and(|again| again > now.steady) {
            return Vec::new();
        }
        self.asked_at = Some(now.steady);
        say(&self.topics.ask, self.name.clone(), false).map(ToDo::Say).into_iter().collect()
    }

    fn decide(&mut self, now: Moment, heard: Option<Heard>) -> Vec<ToDo> {
        let decisions = self.election.handle(now.steady, heard);
        decisions.into_iter().filter_map(|decision| self.decided(decision)).collect()
    }

    fn decided(&mut self, decision: Decision) -> Option<ToDo> {
        match self.sharing.as_ref().map(|sharing| sharing.is_active) {
            None => self.decided_alone(decision),
            Some(is_active) => self.decided_together(decision, is_active),
        }
    }

    fn decided_alone(&mut self, decision: Decision) -> Option<ToDo> {
        match decision {
            Decision::Publish(lease) => say(&self.topics.leader, lease.payload(), true).map(ToDo::Say),
            Decision::SayAlive => say(&alive_topic(&self.home, &self.name), "online", true).map(ToDo::Say),
            Decision::Lead { epoch, continues } => {
                info!(epoch, "This instance, `{}`, leads `{}` from now on.", self.name, self.home);
                Some(ToDo::Lead { epoch, continues })
            }
            Decision::Resume => Some(ToDo::Resume),
            Decision::Pause => Some(ToDo::Pause),
            Decision::StepDown(why) => {
                self.election.note_whole(why == StepDown::Expired);
                match &why {
                    StepDown::Expired => {
                        warn!("This instance couldn't renew its lease in time, and stops acting until it can.");
                    }
                    StepDown::Replaced(name, epoch) => {
                        warn!(epoch, "`{name}` leads now, so this instance stops acting.");
                    }
                }
                Some(ToDo::StepDown { is_replaced: why != StepDown::Expired })
            }
            Decision::Tell(Notice::OtherRules(name)) => {
                warn!(
                    "`{name}` has other rules than this instance: it won't take over from it unless `instance.force` is set."
                );
                None
            }
            Decision::Tell(Notice::WontTakeOver(name)) => {
                warn!(
                    "`{name}` is gone, but had other rules than this instance, so nobody acts. Give both the same rules, or set \
                     `instance.force`."
                );
                None
            }
        }
    }

    fn piece(&self, piece: &Saved) -> Option<Message> {
        let packed = self.cipher.pack(piece)?;
        let topic = Topic::parse(&self.topics.save).ok()?;
        let payload = Payload::from_bytes(packed);
        Some(Message { topic, payload, qos: Qos::AtLeastOnce, retain: false, origin: Origin::Own, expires_at: None })
    }
}

fn say(topic: &str, payload: impl Into<bytes::Bytes>, retain: bool) -> Option<Message> {
    let topic = Topic::parse(topic).ok()?;
    let payload = Payload::from_bytes(payload);
    Some(Message { topic, payload, qos: Qos::AtLeastOnce, retain, origin: Origin::Own, expires_at: None })
}

/// Returns what makes `new` of `old`.
fn difference(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Changes {
    let gone = old.keys().filter(|key| !new.contains_key(*key)).map(|key| (key.clone(), None));
    let changed = new.iter().filter(|(key, value)| old.get(*key) != Some(value));
    gone.chain(changed.map(|(key, value)| (key.clone(), Some(value.clone())))).collect()
}

fn words(why: Unreadable) -> &'static str {
    match why {
        Unreadable::NoKey => "it is encrypted, and `instance.key` isn't set here",
        Unreadable::NotEncrypted => "it isn't encrypted, and `instance.key` is set here: set it in each instance",
        Unreadable::OtherKey => "it is encrypted with another key: give each instance the same `instance.key`",
        Unreadable::Broken => "it isn't what this version writes: use the same version for each instance",
    }
}
