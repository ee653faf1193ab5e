//! The runs that haven't ended. A run is changed in here, or taken out and put back, and both note what must be kept.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::SignedDuration;

use crate::engine::condition::scope::ThreadScope;
use crate::engine::effect::RequestId;
use crate::engine::instant::Shift;
use crate::engine::kept::snapshot::SaveKey;
use crate::engine::live::id::LiveId;
use crate::engine::live::saved_rule::to_json;
use crate::engine::live::soon::Soon;
use crate::engine::trace::{RunId, StoppedBy};
use crate::engine::trigger::state::{Track, TriggerState};
use crate::model::{Map, RuleId, Topic, Value};

use super::key::RunKey;
use super::thread::{Thread, Waiting};
use super::{Run, RunList};

/// How the keys of runs' rows begin.
pub(crate) const RUN: &str = "run/";

/// The runs that haven't ended, and those that go on next.
#[derive(Debug)]
pub(crate) struct Runs {
    by_id: BTreeMap<RunId, Box<Run>>,
    /// Those of each rule in force, also those at work: of one key the oldest first, since numbers count up.
    of_rules: Vec<BTreeSet<(RunKey, RunId)>>,
    /// How many each rule has, also at work; all rules that an `each` has made are one here. One that had some may have none.
    of_makers: BTreeMap<RuleId, usize>,
    /// Runs that go on as soon as the one at work waits.
    ready: VecDeque<RunId>,
    /// The run at work, and what ended it, if something did.
    at_work: Option<(RunId, Option<StoppedBy>)>,
    /// The run that was stopped as a loop, until it has ended.
    looping: Option<RunId>,
    next_run: u64,
    next_request: u64,
    unsaved: BTreeSet<RunId>,
    unsaved_late: BTreeSet<RunId>,
    /// The runs of which something is kept.
    kept: BTreeSet<RunId>,
}

impl Runs {
    /// Returns a table without runs.
    pub(crate) fn new() -> Runs {
        Runs {
            by_id: BTreeMap::new(),
            of_rules: Vec::new(),
            of_makers: BTreeMap::new(),
            ready: VecDeque::new(),
            at_work: None,
            looping: None,
            next_run: 1,
            next_request: 1,
            unsaved: BTreeSet::new(),
            unsaved_late: BTreeSet::new(),
            kept: BTreeSet::new(),
        }
    }

    /// Returns a run; `None` for one that has ended or is at work.
    pub(crate) fn get(&self, id: RunId) -> Option<&Run> {
        self.by_id.get(&id).map(|run| &**run)
    }

    /// Returns a run, to be changed: it is kept before anything that follows leaves.
    pub(crate) fn edit(&mut self, id: RunId) -> Option<&mut Run> {
        let run = self.by_id.get_mut(&id)?;
        self.unsaved.insert(id);
        Some(run)
    }

    /// Returns all of them but the one at work, the oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Run> {
        self.by_id.values().map(|run| &**run)
    }

    /// Returns how many there are but the one at work.
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Takes a run out to be worked on, or to be ended.
    pub(crate) fn take(&mut self, id: RunId) -> Option<Box<Run>> {
        self.by_id.remove(&id)
    }

    /// Puts a run in, or back, which has changed.
    pub(crate) fn put(&mut self, run: Box<Run>) {
        self.unsaved.insert(run.id);
        self.put_unchanged(run);
    }

    /// Puts a run back of which nothing has changed that is kept.
    pub(crate) fn put_unchanged(&mut self, run: Box<Run>) {
        self.by_id.insert(run.id, run);
    }

    /// Takes a run that was taken out off its rule, and out of what is kept.
    pub(crate) fn forget(&mut self, run: &Run) {
        self.unsaved.insert(run.id);
        self.leave_maker(run);
        let of_rule = run.live.and_then(|rule| self.of_rules.get_mut(rule.index()));
        if let Some(runs) = of_rule.filter(|runs| !runs.is_empty()) {
            runs.remove(&(run.key.clone(), run.id));
        }
    }

    /// Changes a trigger that a run waits for.
    pub(crate) fn edit_trigger(&mut self, run: RunId, wait: u64, index: u16, edit: impl FnOnce(&mut TriggerState)) {
        let state = self.edit(run).and_then(|run| run.wait_mut(wait)?.triggers.get_mut(usize::from(index)));
        if let Some(state) = state {
            edit(state);
        }
    }

    /// Changes what a trigger that a run waits for knows of `topic`; `edit` says how soon that must be kept.
    pub(crate) fn edit_track<T>(
        &mut self,
        run: RunId,
        wait: u64,
        index: u16,
        topic: &Topic,
        edit: impl FnOnce(&mut Track) -> (Soon, T),
    ) -> Option<T> {
        let state = self.by_id.get_mut(&run)?.wait_mut(wait)?.triggers.get_mut(usize::from(index))?;
        let (soon, result) = state.edit_track(topic, edit);
        match soon {
            Soon::AtOnce => self.unsaved.insert(run),
            Soon::Late => self.unsaved_late.insert(run),
        };
        Some(result)
    }

    /// Returns what a run knows, and what the thread that has the wait `wait` has set.
    pub(crate) fn scope_of_wait(&self, run: RunId, wait: u64) -> (Map, ThreadScope) {
        self.get(run).map(|run| (run.known(), run.scope_of_wait(wait))).unwrap_or_default()
    }

    /// Returns the runs of a rule and a key, the oldest first.
    pub(crate) fn of_key(&self, rule: LiveId, key: &RunKey) -> impl DoubleEndedIterator<Item = RunId> {
        let bound = |id| (key.clone(), RunId(id));
        // Nearly always there are none.
        let runs = self.of_rules.get(rule.index()).filter(|runs| !runs.is_empty());
        runs.into_iter().flat_map(move |runs| runs.range(bound(0)..=bound(u64::MAX))).map(|(_, run)| *run)
    }

    /// Returns the runs of a rule, key by key, the oldest first.
    pub(crate) fn of_rule(&self, rule: LiveId) -> impl Iterator<Item = (&RunKey, RunId)> {
        self.of_rules.get(rule.index()).into_iter().flatten().map(|(key, run)| (key, *run))
    }

    /// Returns whether a rule has a run.
    pub(crate) fn has_any(&self, rule: LiveId) -> bool {
        self.of_rules.get(rule.index()).is_some_and(|runs| !runs.is_empty())
    }

    /// Counts a run that begins.
    pub(crate) fn join(&mut self, run: &Run) {
        let maker = run.rule.maker();
        match self.of_makers.get_mut(&maker) {
            Some(count) => *count += 1,
            None => {
                self.of_makers.insert(maker, 1);
            }
        }
    }

    /// Returns how many runs a rule has, also at work; all rules that an `each` has made are one.
    pub(crate) fn count_of(&self, rule: &RuleId) -> usize {
        self.of_makers.get(&rule.maker()).copied().unwrap_or_default()
    }

    /// Returns how many runs there are of each rule that has some, as it was counted.
    pub(crate) fn counts(&self) -> BTreeMap<RuleId, usize> {
        self.of_makers.iter().filter(|(_, count)| **count > 0).map(|(rule, count)| (rule.clone(), *count)).collect()
    }

    /// Returns the rule that has the most runs, and how many.
    pub(crate) fn fullest(&self) -> Option<(&RuleId, usize)> {
        // Of equals the first: `max_by_key` takes the last.
        let counts = self.of_makers.iter().map(|(rule, count)| (rule, *count)).filter(|(_, count)| *count > 0);
        counts.rev().max_by_key(|(_, count)| *count)
    }

    fn leave_maker(&mut self, run: &Run) {
        // What a timer calls has never joined. And a rule that has run will run again: it stays.
        if run.list != RunList::Timer
            && let Some(count) = self.of_makers.get_mut(&run.rule.maker())
        {
            *count = count.saturating_sub(1);
        }
    }

    /// Counts a run as one of a rule in force.
    pub(crate) fn enlist(&mut self, rule: LiveId, run: &Run) {
        if self.of_rules.len() <= rule.index() {
            self.of_rules.resize_with(rule.index() + 1, BTreeSet::new);
        }
        if let Some(runs) = self.of_rules.get_mut(rule.index()) {
            runs.insert((run.key.clone(), run.id));
        }
    }

    /// Counts no run as one of a rule: the rules are put in force anew.
    pub(crate) fn delist_all(&mut self) {
        self.of_rules.clear();
        self.of_makers.retain(|_, count| *count > 0);
    }

    /// Counts no run as one of this rule, which is put in force anew.
    pub(crate) fn delist(&mut self, rule: LiveId) {
        if let Some(runs) = self.of_rules.get_mut(rule.index()) {
            runs.clear();
        }
    }

    /// Lets a run go on after all others that do.
    pub(crate) fn push_ready(&mut self, id: RunId) {
        self.ready.push_back(id);
    }

    /// Lets a run go on before all others that do.
    pub(crate) fn push_ready_first(&mut self, id: RunId) {
        self.ready.push_front(id);
    }

    /// Returns whether a run goes on next.
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Returns the run that goes on next.
    pub(crate) fn pop_ready(&mut self) -> Option<RunId> {
        self.ready.pop_front()
    }

    /// Notes which run is at work. Returns which one was.
    pub(crate) fn set_at_work(
        &mut self,
        at_work: Option<(RunId, Option<StoppedBy>)>,
    ) -> Option<(RunId, Option<StoppedBy>)> {
        std::mem::replace(&mut self.at_work, at_work)
    }

    /// Returns whether this run is at work.
    pub(crate) fn is_at_work(&self, id: RunId) -> bool {
        self.at_work.as_ref().is_some_and(|(at_work, _)| *at_work == id)
    }

    /// Ends the run at work as soon as its action is done, where it is this one. Returns whether it is.
    pub(crate) fn stop_at_work(&mut self, id: RunId, by: StoppedBy) -> bool {
        match &mut self.at_work {
            Some((at_work, ended_by)) if *at_work == id => {
                ended_by.get_or_insert(by);
                true
            }
            _ => false,
        }
    }

    /// Returns what ended the run at work.
    pub(crate) fn stopped_at_work(&self) -> Option<StoppedBy> {
        self.at_work.as_ref().and_then(|(_, by)| *by)
    }

    /// Notes that a run was stopped as a loop, which was said.
    pub(crate) fn set_looping(&mut self, id: RunId) {
        self.looping = Some(id);
    }

    /// Returns whether a run that has ended was stopped as a loop.
    pub(crate) fn take_looping(&mut self, id: RunId) -> bool {
        self.looping.take_if(|looping| *looping == id).is_some()
    }

    /// Wakes a thread that waits for the time `due`.
    pub(crate) fn wake(&mut self, id: RunId, thread: u32, due: jiff::Timestamp) {
        let Some(thread) = self.by_id.get_mut(&id).and_then(|run| run.threads.get_mut(thread)) else { return };
        if thread.waiting == Some(Waiting::Time(due)) {
            thread.waiting = None;
            self.push_ready(id);
        }
    }

    /// Resumes a thread that waited for a run or a request, which gave `http`.
    pub(crate) fn resume(&mut self, id: RunId, thread: u32, http: Option<Value>) {
        let Some(thread) = self.by_id.get_mut(&id).and_then(|run| run.threads.get_mut(thread)) else { return };
        thread.waiting = None;
        if let Some(http) = http {
            thread.http = http;
        }
        self.push_ready_first(id);
    }

    /// Returns the thread that waits for a request.
    pub(crate) fn waiting_for(&self, request: RequestId) -> Option<(RunId, u32)> {
        let is_it = |thread: &Thread| thread.waiting == Some(Waiting::Request(request));
        let of = |run: &Run| run.threads.iter().find(|(_, thread)| is_it(thread)).map(|(thread, _)| (run.id, thread));
        self.iter().find_map(of)
    }

    /// Returns the id of a new run.
    pub(crate) fn next_id(&mut self) -> RunId {
        let id = RunId(self.next_run);
        self.next_run += 1;
        id
    }

    /// Returns the id of a new request.
    pub(crate) fn next_request(&mut self) -> RequestId {
        let request = RequestId(self.next_request);
        self.next_request += 1;
        request
    }

    /// Returns the numbers of the next run and request.
    pub(crate) fn counters(&self) -> (u64, u64) {
        (self.next_run, self.next_request)
    }

    /// Takes back how far was counted.
    pub(crate) fn restore_counters(&mut self, (next_run, next_request): (u64, u64)) {
        self.next_run = self.next_run.max(next_run);
        self.next_request = next_request;
    }

    /// Takes back a run that was kept.
    pub(crate) fn restore(&mut self, run: Run) {
        self.next_run = self.next_run.max(run.id.0 + 1);
        self.kept.insert(run.id);
        self.join(&run);
        self.by_id.insert(run.id, Box::new(run));
    }

    /// Moves all that lasts.
    pub(crate) fn shift(&mut self, by: SignedDuration) {
        self.by_id.values_mut().for_each(|run| run.shift(by));
    }

    /// Makes all of them be kept, before anything else leaves.
    pub(crate) fn keep_all_at_once(&mut self) {
        self.unsaved.extend(self.by_id.keys().copied());
    }

    /// Makes all of them be kept within a second.
    pub(crate) fn keep_all(&mut self) {
        self.unsaved_late.extend(self.by_id.keys().copied());
    }

    /// Says what must be kept at once.
    pub(crate) fn save_at_once(&mut self, save: &mut impl FnMut(SaveKey, Option<String>)) {
        while let Some(id) = self.unsaved.pop_first() {
            self.unsaved_late.remove(&id);
            self.save_run(id, save);
        }
    }

    /// Says what may be kept late.
    pub(crate) fn save_late(&mut self, save: &mut impl FnMut(SaveKey, Option<String>)) {
        while let Some(id) = self.unsaved_late.pop_first() {
            self.save_run(id, save);
        }
    }

    fn save_run(&mut self, id: RunId, save: &mut impl FnMut(SaveKey, Option<String>)) {
        let value = self.by_id.get(&id).and_then(to_json);
        // A run that ended where it began was never kept: nothing is to be forgotten.
        let was_kept = match &value {
            Some(_) => !self.kept.insert(id),
            None => self.kept.remove(&id),
        };
        if value.is_some() || was_kept {
            save(SaveKey(format!("{RUN}{:020}", id.0).into()), value);
        }
    }
}
