//! An instance that shares its home with others: what it tells them, and what they tell it. Who does what, decides [`Share`].

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::daemon::mqtt::Moment;
use crate::engine::{Answer, Effect, Event, RequestId};
use crate::instance::{Share, done_topic};
use crate::model::{Fingerprint, Message, RuleId, States};

/// How long we may take to decide what a sibling has published.
const BEHIND: Duration = Duration::from_secs(2);

/// So much of what siblings published is looked at again, and so many of their answers are remembered.
const MOST: usize = 10_000;

/// What an instance tells the others.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Word {
    /// It has done these.
    Done(Vec<u64>),
    /// What came of a request that all wait for.
    Answered(u64, Answer),
    /// Something that only it was told.
    Happened(Event),
}

/// What becomes of something that rules ask for.
#[derive(Debug)]
pub(in crate::daemon) enum Divided {
    /// It's ours to do.
    Ours(Effect),
    /// Another does it.
    Left,
    /// Another has done it, and this is what came of it.
    Answered(Event),
}

/// An instance that shares its home with others.
pub(in crate::daemon) struct Sharing {
    pub(super) topic: String,
    of_others: String,
    pub(super) share: Share<Effect>,
    /// Whether it knows what the others know, and decides with them.
    pub(super) is_active: bool,
    /// Whether the connection was lost since.
    pub(super) was_cut_off: bool,
    /// What is to be told.
    words: Vec<Word>,
    done: Vec<u64>,
    /// The requests that we make for all.
    asked: BTreeMap<RequestId, u64>,
    /// Answers to requests that we haven't got to yet.
    answers: VecDeque<(u64, Answer)>,
    /// What siblings published, until it's clear that we decided it too.
    of_siblings: VecDeque<(Moment, Message)>,
    renew_each: Duration,
    /// When we say again that we are there.
    renew_at: Timestamp,
}

impl Sharing {
    pub(super) fn new(now: Moment, name: &str, home: &str, all: &[String], lease: Duration) -> Sharing {
        Sharing {
            topic: done_topic(home, name),
            of_others: done_topic(home, ""),
            share: Share::new(now.steady, name, all, lease),
            is_active: false,
            was_cut_off: false,
            words: Vec::new(),
            done: Vec::new(),
            asked: BTreeMap::new(),
            answers: VecDeque::new(),
            of_siblings: VecDeque::new(),
            renew_each: lease / 3,
            renew_at: now.steady,
        }
    }

    pub(super) fn filter(&self) -> String {
        format!("{}+", self.of_others)
    }

    /// Returns whether others speak on this topic.
    pub(super) fn is_of_others(&self, topic: &str) -> bool {
        topic != self.topic && topic.starts_with(&self.of_others)
    }

    /// Decides who does what rules ask for.
    pub(super) fn divide(&mut self, now: Moment, effect: Effect) -> Divided {
        let Some((rule, mark)) = marked(&effect) else { return Divided::Ours(effect) };
        if self.share.acts_for(rule.as_str()) {
            self.note_done(&effect, mark);
            return Divided::Ours(effect);
        }
        let Some(mark) = mark else { return Divided::Left };
        let answered = self.answers.iter().position(|(known, _)| *known == mark);
        if let (Some(request), Some(place)) = (request_of(&effect), answered)
            && let Some((_, answer)) = self.answers.remove(place)
        {
            return Divided::Answered(Event::Answered { request, answer });
        }
        let rule = rule.to_string();
        self.share.leave_to_others(now.steady, &rule, mark, effect);
        Divided::Left
    }

    /// Returns what was left to others and is ours to do now.
    pub(super) fn take_due(&mut self, now: Moment) -> Vec<Effect> {
        let due = self.share.take_due(now.steady);
        for effect in &due {
            self.note_done(effect, marked(effect).and_then(|(_, mark)| mark));
        }
        due
    }

    fn note_done(&mut self, effect: &Effect, mark: Option<u64>) {
        let Some(mark) = mark else { return };
        match request_of(effect) {
            // It is done once it's answered.
            Some(request) => drop(self.asked.insert(request, mark)),
            None => self.done.push(mark),
        }
    }

    /// Takes note of something that happened here. The others learn what only we were told.
    pub(super) fn note(&mut self, event: &Event) {
        match event {
            Event::Answered { request, answer } => {
                if let Some(mark) = self.asked.remove(request) {
                    self.words.push(Word::Answered(mark, answer.clone()));
                }
            }
            Event::Webhook { .. }
            | Event::Pressed { .. }
            | Event::Switch { .. }
            | Event::Resume(_)
            | Event::RunRule { .. } => {
                self.words.push(Word::Happened(event.clone()));
            }
            Event::Tick
            | Event::Started
            | Event::Stopping
            | Event::Message(_)
            | Event::MessageFrom { .. }
            | Event::ClientConnected(_)
            | Event::ClientDisconnected(_)
            | Event::Alert(_)
            | Event::Recalled { .. }
            | Event::ClockChanged { .. }
            | Event::Interrupted { .. } => {}
        }
    }

    /// Returns what the others are to be told.
    pub(super) fn words(&mut self) -> Vec<Word> {
        if !self.done.is_empty() {
            self.words.push(Word::Done(std::mem::take(&mut self.done)));
        }
        std::mem::take(&mut self.words)
    }

    /// Takes what another says. Returns what rules must be told.
    pub(super) fn heed(&mut self, now: Moment, words: Vec<Word>) -> Vec<Event> {
        let mut events = Vec::new();
        for word in words {
            match word {
                Word::Done(marks) => {
                    for mark in marks {
                        self.share.done(now.steady, mark);
                    }
                }
                Word::Answered(mark, answer) => match self.share.take(mark).as_ref().and_then(request_of) {
                    Some(request) => events.push(Event::Answered { request, answer }),
                    None => {
                        self.answers.truncate(MOST);
                        self.answers.push_front((mark, answer));
                    }
                },
                Word::Happened(event) => events.push(event),
            }
        }
        events
    }

    /// Takes note of what a sibling published: we have decided it too, or are about to.
    pub(super) fn heard_of_sibling(&mut self, now: Moment, message: Message) {
        if self.of_siblings.len() < MOST {
            self.of_siblings.push_back((now, message));
        }
    }

    /// Returns what siblings published and we never decided: to us it's news.
    pub(super) fn undecided(&mut self, now: Moment, states: &States) -> Vec<Message> {
        let is_over = |heard: &Moment| heard.steady.checked_add(BEHIND).is_ok_and(|due| due <= now.steady);
        let mut news = Vec::new();
        while let Some((heard, message)) = self.of_siblings.pop_front_if(|(heard, _)| is_over(heard)) {
            let before = heard.wall.checked_sub(BEHIND).unwrap_or(Timestamp::MIN);
            let is_known = states.get(message.topic.as_str()).is_some_and(|state| state.at >= before);
            if !is_known {
                news.push(message);
            }
        }
        news
    }

    /// Returns whether it's time to say again that we are there.
    pub(super) fn must_renew(&mut self, now: Moment) -> bool {
        let must = self.is_active && self.renew_at <= now.steady;
        if must {
            self.renew_at = now.steady.checked_add(self.renew_each).unwrap_or(Timestamp::MAX);
        }
        must
    }

    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        let renew = Some(self.renew_at).filter(|_| self.is_active);
        let behind = self.of_siblings.front().and_then(|(heard, _)| heard.steady.checked_add(BEHIND).ok());
        renew.into_iter().chain(behind).chain(self.share.next_deadline()).min()
    }
}

/// Returns the rule that asks for something, and a mark of it that is the same in each instance; without one nobody must know who
/// has done it. `None`: each instance does it for itself.
fn marked(effect: &Effect) -> Option<(&RuleId, Option<u64>)> {
    let mut mark = Fingerprint::new();
    let rule = match effect {
        Effect::Publish(publication) => {
            let message = &publication.message;
            mark.text(message.topic.as_str());
            mark.bytes(message.payload.bytes());
            &publication.rule
        }
        Effect::Http { rule, call, .. } | Effect::Deliver { rule, call, .. } => {
            mark.text(&format!("{call:?}"));
            rule
        }
        Effect::Exec { rule, command, .. } => {
            for word in command {
                mark.text(word);
            }
            rule
        }
        Effect::Alert(alert) => return alert.rule.as_ref().map(|rule| (rule, None)),
        Effect::Log { rule, .. } => return rule.as_ref().map(|rule| (rule, None)),
        Effect::Save { .. }
        | Effect::Trace(_)
        | Effect::Recall(_)
        | Effect::Tell(_)
        | Effect::Notify { .. }
        | Effect::Invariant(_) => {
            return None;
        }
    };
    mark.text(rule.as_str());
    Some((rule, Some(mark.value())))
}

fn request_of(effect: &Effect) -> Option<RequestId> {
    match effect {
        Effect::Http { request, .. } | Effect::Exec { request, .. } | Effect::Deliver { request, .. } => Some(*request),
        Effect::Publish(_)
        | Effect::Alert(_)
        | Effect::Log { .. }
        | Effect::Save { .. }
        | Effect::Trace(_)
        | Effect::Recall(_)
        | Effect::Tell(_)
        | Effect::Notify { .. }
        | Effect::Invariant(_) => None,
    }
}
