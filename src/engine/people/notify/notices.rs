//! What waits to be told, what may be answered, and what was given up: all that survives a restart.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::engine::instant::Shift;
use crate::engine::kept::snapshot::SaveKey;
use crate::engine::live::saved_rule::{from_json, to_json};
use crate::model::{Name, RuleId};
use crate::rules::{TargetKind, Targets, TelegramTarget};

use super::buttons::{Asked, hex, key};
use super::notice::{Notice, NoticeButton, Undelivered};
use super::queue::Queue;

/// How the keys of rows begin.
const NOTICE: &str = "notice/";
const ASKED: &str = "asked/";
const UNDELIVERED: &str = "undelivered/";
const QUEUE: &str = "notice_queue/";

/// The key of the row of the counter and the secret.
const NUMBERS: &str = "notices";

/// How many notices may wait.
const MOST_WAITING: usize = 2000;

/// How many of one rule, so that one leaves room for others.
const MOST_OF_A_RULE: usize = MOST_WAITING / 2;

/// How many notices may have buttons to press.
const MOST_ASKED: usize = 1000;

/// How many of those that weren't delivered are remembered.
const MOST_UNDELIVERED: usize = 50;

/// How long.
const UNDELIVERED_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How long buttons may be pressed.
const ASKED_FOR: SignedDuration = SignedDuration::from_hours(24);

/// What waits, is asked and was given up.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    pub(super) targets: Arc<Targets>,
    next: u64,
    /// What keys are made of.
    secret: Vec<u8>,
    pub(super) waiting: BTreeMap<u64, Waiting>,
    queues: BTreeMap<Name, Queue>,
    pub(super) asked: BTreeMap<u64, Asked>,
    pub(super) undelivered: BTreeMap<u64, Undelivered>,
    pub(super) counts: Counts,
    /// The targets that have shown buttons which may be pressed.
    asking: BTreeSet<Name>,
    /// When something is due.
    due: Option<Timestamp>,
    unsaved: BTreeSet<(Row, u64)>,
    unsaved_queues: BTreeSet<Name>,
    is_counter_unsaved: bool,
}

/// A notice that waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) notice: Notice,
    /// How often it was tried.
    pub(super) attempts: u32,
    /// How often the target failed at it, as far as it may be its own fault.
    pub(super) setbacks: u32,
    /// Until when it's tried.
    pub(super) give_up_at: Timestamp,
    /// Why it didn't work the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) failure: Option<String>,
}

/// How much was told since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    pub(super) delivered: u64,
    pub(super) given_up: u64,
    pub(super) attempts: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Row {
    Notice,
    Asked,
    Undelivered,
}

#[derive(Debug, Serialize, Deserialize)]
struct Numbers {
    next: u64,
    secret: String,
}

/// How notifications stand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NoticesView {
    /// Whether homerule.yaml names any target.
    pub has_targets: bool,
    /// How many wait to be delivered.
    pub waiting: usize,
    /// How many were delivered since the start.
    pub delivered: u64,
    /// How many were given up since the start.
    pub given_up: u64,
    /// How many deliveries were tried since the start.
    pub attempts: u64,
    /// The last ones that weren't delivered, oldest first.
    pub undelivered: Vec<Undelivered>,
}

impl Notices {
    /// Returns those of a home; `secret` makes the keys of buttons, unless the home has one already.
    pub(crate) fn new(secret: &[u8]) -> Notices {
        Notices { next: 1, secret: secret.to_vec(), ..Notices::default() }
    }

    /// From now on these are the targets.
    pub(crate) fn put_in_force(&mut self, targets: &Arc<Targets>) {
        self.targets = Arc::clone(targets);
    }

    /// Returns the queue of a target, if it has one.
    pub(super) fn queue(&self, target: &str) -> Option<&Queue> {
        self.queues.get(target)
    }

    /// Returns all queues, by their targets.
    pub(super) fn queues(&self) -> impl Iterator<Item = (&Name, &Queue)> {
        self.queues.iter()
    }

    /// Changes the queue of a target.
    pub(super) fn edit_queue(&mut self, target: &Name, edit: impl FnOnce(&mut Queue)) {
        edit(self.queues.entry(target.clone()).or_default());
        self.unsaved_queues.insert(target.clone());
    }

    /// Returns why nothing more of `rule` can wait, in words.
    pub(super) fn is_full_for(&self, rule: &RuleId) -> Option<String> {
        let maker = rule.maker();
        let own = self.waiting.values().filter(|waiting| waiting.notice.rule.maker() == maker).count();
        if own >= MOST_OF_A_RULE {
            return Some(format!(
                "{MOST_OF_A_RULE} notifications of this rule wait to be delivered, the most of one rule"
            ));
        }
        (self.waiting.len() >= MOST_WAITING)
            .then(|| format!("{MOST_WAITING} notifications wait to be delivered, the most there may be"))
    }

    /// Adds a notice that waits for its target, or one that has reached it already, and returns its number.
    pub(super) fn add(&mut self, notice: Notice, give_up_at: Option<Timestamp>) -> u64 {
        let id = self.next;
        self.next += 1;
        self.is_counter_unsaved = true;
        if !notice.buttons.is_empty() {
            let asked = Asked {
                target: notice.target.clone(),
                rule: notice.rule.clone(),
                buttons: notice.buttons.iter().cloned().map(Some).collect(),
                until: notice.at.checked_add(ASKED_FOR).unwrap_or(Timestamp::MAX),
            };
            self.asked.insert(id, asked);
            self.unsaved.insert((Row::Asked, id));
            while self.asked.len() > MOST_ASKED
                && let Some((oldest, _)) = self.asked.pop_first()
            {
                self.unsaved.insert((Row::Asked, oldest));
            }
        }
        match give_up_at {
            Some(give_up_at) => {
                let waiting = Waiting { notice, attempts: 0, setbacks: 0, give_up_at, failure: None };
                self.waiting.insert(id, waiting);
                self.unsaved.insert((Row::Notice, id));
            }
            None => self.counts.delivered += 1,
        }
        id
    }

    /// Returns the key of a button.
    pub(super) fn key(&self, notice: u64, button: usize) -> String {
        key(&self.secret, notice, button)
    }

    /// Returns the button of this key that may be pressed.
    pub(super) fn find(&self, wanted: &str) -> Option<(u64, usize, &Asked)> {
        self.asked.iter().find_map(|(id, asked)| {
            let mut open = asked.buttons.iter().enumerate().filter(|(_, button)| button.is_some());
            let (index, _) = open.find(|(index, _)| is_same(&self.key(*id, *index), wanted))?;
            Some((*id, index, asked))
        })
    }

    /// Returns the webhook of the button of this key that may be pressed.
    pub(crate) fn webhook_of(&self, key: &str) -> Option<Name> {
        let (_, index, asked) = self.find(key)?;
        asked.buttons.get(index)?.as_ref().map(|button| button.webhook.clone())
    }

    /// Returns the targets of Telegram that have shown buttons which may be pressed.
    pub(crate) fn asked_by_telegram(&self) -> Vec<TelegramTarget> {
        let telegram = |name: &Name| match &self.targets.get(name)?.kind {
            TargetKind::Telegram(telegram) => Some(telegram.clone()),
            TargetKind::Ntfy(_) | TargetKind::Publish(_) | TargetKind::Http(_) => None,
        };
        self.asking.iter().filter_map(telegram).collect()
    }

    /// Presses a button. Returns it, and the target that showed it.
    pub(super) fn press(&mut self, notice: u64, button: usize) -> Option<(NoticeButton, Name)> {
        let asked = self.asked.get_mut(&notice)?;
        let pressed = asked.buttons.get_mut(button)?.take()?;
        let target = asked.target.clone();
        if asked.is_answered() {
            self.asked.remove(&notice);
        }
        self.unsaved.insert((Row::Asked, notice));
        self.look();
        Some((pressed, target))
    }

    /// Changes a notice that waits.
    pub(super) fn edit(&mut self, id: u64, edit: impl FnOnce(&mut Waiting)) {
        if let Some(waiting) = self.waiting.get_mut(&id) {
            edit(waiting);
            self.unsaved.insert((Row::Notice, id));
        }
    }

    /// Takes out a notice that waits no more.
    pub(super) fn remove(&mut self, id: u64) -> Option<Waiting> {
        self.unsaved.insert((Row::Notice, id));
        self.waiting.remove(&id)
    }

    /// Remembers one that wasn't delivered: its buttons can't be pressed.
    pub(super) fn give_up(&mut self, id: u64, undelivered: Undelivered) {
        if self.asked.remove(&id).is_some() {
            self.unsaved.insert((Row::Asked, id));
        }
        self.counts.given_up += 1;
        self.undelivered.insert(id, undelivered);
        self.unsaved.insert((Row::Undelivered, id));
        while self.undelivered.len() > MOST_UNDELIVERED
            && let Some((oldest, _)) = self.undelivered.pop_first()
        {
            self.unsaved.insert((Row::Undelivered, oldest));
        }
    }

    /// Forgets what is over at `now`: buttons, and what wasn't delivered.
    pub(super) fn forget(&mut self, now: Timestamp) {
        let asked: Vec<u64> = self.asked.iter().filter(|(_, asked)| asked.until <= now).map(|(id, _)| *id).collect();
        for id in asked {
            self.asked.remove(&id);
            self.unsaved.insert((Row::Asked, id));
        }
        let old = |undelivered: &Undelivered| now.duration_since(undelivered.at) >= UNDELIVERED_FOR;
        let over = self.undelivered.iter().filter(|(_, undelivered)| old(undelivered)).map(|(id, _)| *id);
        for id in over.collect::<Vec<u64>>() {
            self.undelivered.remove(&id);
            self.unsaved.insert((Row::Undelivered, id));
        }
    }

    /// Returns when something is due first.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        self.due
    }

    /// Looks anew when something is due.
    pub(super) fn look(&mut self) {
        let told: BTreeSet<&Name> = self.waiting.values().map(|waiting| &waiting.notice.target).collect();
        let unsaved = &mut self.unsaved_queues;
        self.queues.retain(|name, queue| {
            let stays = queue.in_flight().is_some() || told.contains(name);
            if !stays {
                unsaved.insert(name.clone());
            }
            stays
        });
        let shown = self.asked.iter().filter(|(id, _)| !self.waiting.contains_key(id));
        self.asking = shown.map(|(_, asked)| asked.target.clone()).collect();
        let retries = self.queues.values().filter_map(Queue::due);
        let on_its_way: BTreeSet<u64> =
            self.queues.values().filter_map(Queue::in_flight).map(|(_, notice)| notice).collect();
        let ends = self.waiting.iter().filter(|(id, _)| !on_its_way.contains(id)).map(|(_, one)| one.give_up_at);
        let asked = self.asked.values().map(|asked| asked.until);
        let forgotten = self
            .undelivered
            .values()
            .map(|undelivered| undelivered.at.checked_add(UNDELIVERED_FOR).unwrap_or(Timestamp::MAX));
        self.due = retries.chain(ends).chain(asked).chain(forgotten).min();
    }

    /// Returns how they stand.
    pub(crate) fn view(&self) -> NoticesView {
        let Counts { delivered, given_up, attempts } = self.counts;
        let undelivered = self.undelivered.values().cloned().collect();
        let has_targets = self.targets.names().next().is_some();
        NoticesView { has_targets, waiting: self.waiting.len(), delivered, given_up, attempts, undelivered }
    }

    /// Says what must be kept.
    pub(crate) fn save(&mut self, save: &mut impl FnMut(SaveKey, Option<String>)) {
        if std::mem::take(&mut self.is_counter_unsaved) {
            let numbers = Numbers { next: self.next, secret: hex(&self.secret) };
            save(SaveKey(NUMBERS.into()), to_json(&numbers));
        }
        while let Some(name) = self.unsaved_queues.pop_first() {
            save(SaveKey(format!("{QUEUE}{name}").into()), self.queues.get(&name).and_then(to_json));
        }
        while let Some((row, id)) = self.unsaved.pop_first() {
            let (prefix, value) = match row {
                Row::Notice => (NOTICE, self.waiting.get(&id).and_then(to_json)),
                Row::Asked => (ASKED, self.asked.get(&id).and_then(to_json)),
                Row::Undelivered => (UNDELIVERED, self.undelivered.get(&id).and_then(to_json)),
            };
            save(SaveKey(format!("{prefix}{id:020}").into()), value);
        }
    }

    /// Takes back a row; `None`: it's another one's.
    pub(crate) fn restore(&mut self, row: &str, value: &str) -> Option<Result<(), String>> {
        if row == NUMBERS {
            return Some(from_json::<Numbers>(value).map(|numbers| {
                self.next = self.next.max(numbers.next);
                self.secret = bytes(&numbers.secret);
            }));
        }
        let number = |prefix: &str| row.strip_prefix(prefix)?.parse::<u64>().ok();
        let read = if let Some(id) = number(NOTICE) {
            from_json(value).map(|waiting| drop(self.waiting.insert(id, waiting)))
        } else if let Some(id) = number(ASKED) {
            from_json(value).map(|asked| drop(self.asked.insert(id, asked)))
        } else if let Some(id) = number(UNDELIVERED) {
            from_json(value).map(|undelivered| drop(self.undelivered.insert(id, undelivered)))
        } else if let Some(name) = row.strip_prefix(QUEUE) {
            from_json(value).map(|queue| drop(self.queues.insert(name.into(), queue)))
        } else {
            return None;
        };
        Some(read)
    }

    /// Makes all of it be kept anew.
    pub(crate) fn keep_all(&mut self) {
        self.is_counter_unsaved |= self.next > 1;
        self.unsaved.extend(self.waiting.keys().map(|id| (Row::Notice, *id)));
        self.unsaved_queues.extend(self.queues.keys().cloned());
        self.unsaved.extend(self.asked.keys().map(|id| (Row::Asked, *id)));
        self.unsaved.extend(self.undelivered.keys().map(|id| (Row::Undelivered, *id)));
    }

    /// Moves all that lasts.
    pub(crate) fn shift(&mut self, by: SignedDuration) {
        for waiting in self.waiting.values_mut() {
            waiting.notice.at.shift(by);
            waiting.give_up_at.shift(by);
        }
        self.queues.values_mut().for_each(|queue| queue.shift(by));
        self.asked.values_mut().for_each(|asked| asked.shift(by));
        for undelivered in self.undelivered.values_mut() {
            undelivered.at.shift(by);
        }
        self.keep_all();
        self.look();
    }
}

/// Returns the bytes that digits write.
fn bytes(digits: &str) -> Vec<u8> {
    let pair = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    (0..digits.len()).step_by(2).filter_map(pair).collect()
}

/// Compares without telling by its time how much is the same.
fn is_same(one: &str, other: &str) -> bool {
    let differs = one.bytes().zip(other.bytes()).fold(0, |differs, (one, other)| differs | (one ^ other));
    one.len() == other.len() && differs == 0
}
