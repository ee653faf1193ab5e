//! What the rooms work on: the submachines, each of which owns its state, and the effects that they lead to.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{Map, RuleId, Secrets, Topic, Value};
use crate::rules::{Inputs, LogLevel, Rule, Trigger};

use super::condition::evaluator::Evaluator;
use super::condition::scope::{Scope, ThreadScope};
use super::device::devices::Devices;
use super::effect::Effect;
use super::inbox::{Inbox, Incoming};
use super::live::deadlines::Deadlines;
use super::live::id::LiveId;
use super::live::owner::Owner;
use super::live::snapshots::Snapshots;
use super::live::soon::Soon;
use super::live::subscriptions::{Fact, Subscriber, Subscriptions};
use super::live::table::LiveRules;
use super::often::loop_guard::Interruptions;
use super::options::Options;
use super::people::notify::notices::Notices;
use super::run::table::Runs;
use super::trace::masked::Masker;
use super::trace::{Cause, Trace};
use super::trigger::firing::Firing;
use super::trigger::state::{Track, TriggerState};
use super::yielding::commanded::AllCommanded;
use crate::script::LastRun;

/// The submachines of the engine.
pub(crate) struct Core {
    pub(crate) options: Options,
    /// Evaluates expressions; lends them the world: now, the state of topics, which rules hold and run.
    pub(crate) evaluator: Evaluator,
    /// The rules in force, and what they remember.
    pub(crate) live: LiveRules,
    /// Who is told of what.
    pub(crate) subscriptions: Subscriptions,
    /// What is due when.
    pub(crate) deadlines: Deadlines,
    /// The runs that haven't ended.
    pub(crate) runs: Runs,
    /// What rules remember of topics, to put it back.
    pub(crate) snapshots: Snapshots,
    /// What people are told, until their targets have it.
    pub(crate) notices: Notices,
    /// Which rules' runs took too long.
    pub(crate) interruptions: Interruptions,
    /// The devices, and which commands to them wait.
    pub(crate) devices: Devices,
    /// What people set by hand.
    pub(crate) inputs: Arc<Inputs>,
    /// What comes after what is being handled.
    pub(crate) inbox: Inbox,
    /// Who is told of the message being dispatched: empty in between.
    pub(crate) subscribers: Vec<Subscriber>,
    /// When was last told that there was no room for runs of a rule.
    pub(crate) no_room_told: BTreeMap<RuleId, Timestamp>,
    /// The topics of which was told that their payloads are too large to keep.
    pub(crate) told_too_large: BTreeSet<Topic>,
    /// What no trace, log or alert may tell: the secrets of the rules that are in force, or were since the start.
    pub(crate) secrets: Arc<Secrets>,
    /// What rules commanded last of what is watched by rules that yield.
    pub(crate) commanded: AllCommanded,
    /// The invariants that are to be judged once the instant has settled, and why.
    pub(crate) unjudged: BTreeMap<LiveId, Cause>,
    /// What the shell must do.
    pub(crate) effects: Vec<Effect>,
    /// Whether [`super::Event::Started`] was handled: until then messages only fill the state.
    pub(crate) has_started: bool,
    /// When the daemon was last alive before this start; `None` at the very first.
    pub(crate) alive_at: Option<Timestamp>,
}

impl Core {
    /// Returns those of a home that was last alive at `alive_at`, before anything is in force.
    pub(crate) fn new(now: Timestamp, secrets: Arc<Secrets>, options: Options, alive_at: Option<Timestamp>) -> Core {
        Core {
            evaluator: Evaluator::new(now, &options),
            devices: Devices::new(&options.devices),
            inputs: Arc::default(),
            notices: Notices::new(&options.secret),
            options,
            live: LiveRules::new(),
            subscriptions: Subscriptions::default(),
            deadlines: Deadlines::default(),
            runs: Runs::new(),
            snapshots: Snapshots::default(),
            interruptions: Interruptions::default(),
            inbox: Inbox::default(),
            subscribers: Vec::new(),
            no_room_told: BTreeMap::new(),
            told_too_large: BTreeSet::new(),
            secrets,
            commanded: AllCommanded::default(),
            unjudged: BTreeMap::new(),
            effects: Vec::new(),
            has_started: false,
            alive_at,
        }
    }

    /// Returns the instant that is being handled.
    pub(crate) fn now(&self) -> Timestamp {
        self.evaluator.world.now
    }

    /// Returns when something is due first: a deadline, the end of a state that expires, or what people are told.
    pub(crate) fn first_due(&self) -> Option<Timestamp> {
        let expiry = self.evaluator.world.states.next_expiry();
        self.deadlines.first().into_iter().chain(expiry).chain(self.notices.due()).min()
    }

    /// Records a run, or that a rule didn't run.
    pub(crate) fn trace(&mut self, mut trace: Trace) {
        if trace.run.is_some() {
            let last = LastRun { at: trace.at, outcome: trace.outcome.word().into() };
            self.evaluator.world.last_runs.insert(trace.rule.clone(), last);
            let fact = Fact::About(trace.rule.clone());
            if self.evaluator.world.asked_last.contains(&trace.rule) {
                self.evaluator.world.ran.insert(trace.rule.clone());
            }
            if self.subscriptions.has_readers(&fact) {
                self.fact_changed(fact, trace.cause.clone());
            }
        }
        if !self.secrets.is_empty() {
            Masker(&self.secrets).trace(&mut trace);
        }
        self.effects.push(Effect::Trace(Arc::new(trace)));
    }

    /// Writes a line to the log.
    pub(crate) fn log(&mut self, rule: Option<&RuleId>, level: LogLevel, mut text: String) {
        if !self.secrets.is_empty() {
            Masker(&self.secrets).text(&mut text);
        }
        self.effects.push(Effect::Log { rule: rule.cloned(), level, text });
    }

    /// Tells those who read `fact` that it has changed, after what is being handled. `cause` is what changed it: its depth
    /// is how many changes by rules led to this one.
    pub(crate) fn fact_changed(&mut self, fact: Fact, cause: Cause) {
        if self.subscriptions.has_readers(&fact) {
            self.inbox.push(Incoming::FactChanged { fact, cause });
        }
    }

    /// Returns the scope of a rule's expression outside a run's thread.
    pub(crate) fn scope<'a>(
        &self,
        id: LiveId,
        rule: &'a Rule,
        firing: Option<&'a Firing>,
        locals: &'a Map,
    ) -> Scope<'a> {
        self.scope_in_thread(id, rule, firing, locals, ThreadScope::default())
    }

    /// Returns the scope of a rule's expression within a run's thread.
    pub(crate) fn scope_in_thread<'a>(
        &self,
        id: LiveId,
        rule: &'a Rule,
        firing: Option<&'a Firing>,
        locals: &'a Map,
        thread: ThreadScope,
    ) -> Scope<'a> {
        let memory = Arc::clone(&self.live.get(id).memory);
        Scope { rule, memory, firing, locals, thread, each_message: self.each_message(rule) }
    }

    /// Returns the last message of the topic that an instance of `each: {topic: …}` is for.
    fn each_message(&self, rule: &Rule) -> Value {
        rule.each_topic.as_ref().and_then(|topic| self.value_of(topic)).cloned().unwrap_or_default()
    }

    /// Returns the last value of a topic.
    pub(crate) fn value_of(&self, topic: &Topic) -> Option<&Value> {
        self.evaluator.world.states.get(topic.as_str()).map(|state| state.payload.value())
    }

    /// Returns a rule's trigger: one of `when`, or of an open wait of one of its runs.
    pub(crate) fn trigger_of<'a>(&self, rule: &'a Rule, owner: Owner, index: u16) -> Option<Cow<'a, Trigger>> {
        let index = usize::from(index);
        match owner {
            Owner::Rule => rule.triggers().get(index).map(Cow::Borrowed),
            Owner::Wait(run, wait) => self.runs.get(run)?.wait(wait)?.trigger(rule, index),
        }
    }

    /// Returns what a trigger remembers.
    pub(crate) fn trigger_state(&self, id: LiveId, owner: Owner, index: u16) -> Option<&TriggerState> {
        match owner {
            Owner::Rule => self.live.get(id).trigger(index),
            Owner::Wait(run, wait) => self.runs.get(run)?.wait(wait)?.triggers.get(usize::from(index)),
        }
    }

    /// Changes when a trigger is due, or when it last fired.
    pub(crate) fn edit_trigger(&mut self, id: LiveId, owner: Owner, index: u16, edit: impl FnOnce(&mut TriggerState)) {
        match owner {
            Owner::Rule => self.live.edit_trigger(id, index, edit),
            Owner::Wait(run, wait) => self.runs.edit_trigger(run, wait, index, edit),
        }
    }

    /// Changes what a trigger knows of `topic`; `edit` says how soon that must be kept.
    pub(crate) fn edit_track<T>(
        &mut self,
        id: LiveId,
        owner: Owner,
        index: u16,
        topic: &Topic,
        edit: impl FnOnce(&mut Track) -> (Soon, T),
    ) -> Option<T> {
        match owner {
            Owner::Rule => self.live.edit_track(id, index, topic, edit),
            Owner::Wait(run, wait) => self.runs.edit_track(run, wait, index, topic, edit),
        }
    }
}
