//! The last traces, within a bound.
//!
//! What happens again and again is kept once, with a count. Where room is needed, the rule that takes the most gives
//! some, its failures last: a rule that runs with each message pushes no other's traces out.

use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::mem::size_of;
use std::sync::Arc;

use jiff::Timestamp;

use crate::api::TraceAnswer;
use crate::engine::{Outcome, RunId, Step, Trace};
use crate::explain::{LocalTime, Repeated};
use crate::model::{Label, RuleId, Value};

/// Which part of the memory one trace may take with the values that were read; beyond, it is kept without them.
const LARGEST: usize = 16;

/// Which part of the memory is freed at once: evicting one by one would be dear.
const FREED: usize = 8;

/// The last traces.
pub(in crate::daemon) struct Traces {
    memory: usize,
    used: usize,
    next: u64,
    /// When the last one began that was dropped.
    since: Option<Timestamp>,
    rules: BTreeMap<RuleId, OfRule>,
}

/// The traces of one rule, oldest first.
#[derive(Default)]
struct OfRule {
    kept: VecDeque<Kept>,
    used: usize,
    /// What failures take of it.
    failures: usize,
}

/// A trace that is kept.
#[derive(Debug, Clone)]
pub(in crate::daemon) struct Kept {
    pub(in crate::daemon) trace: Arc<Trace>,
    /// How often this happened in a row; the trace is the last of them.
    pub(in crate::daemon) times: u64,
    /// When it first did.
    pub(in crate::daemon) first_at: Timestamp,
    /// Its place among the traces of all rules.
    order: u64,
    size: usize,
}

impl Traces {
    /// Keeps traces within `memory` bytes.
    pub(in crate::daemon) fn new(memory: usize) -> Traces {
        Traces { memory, used: 0, next: 0, since: None, rules: BTreeMap::new() }
    }

    /// From now on keeps them within `memory` bytes.
    pub(in crate::daemon) fn resize(&mut self, memory: usize) {
        self.memory = memory;
        self.make_room();
    }

    /// Keeps `trace`.
    pub(in crate::daemon) fn push(&mut self, mut trace: Arc<Trace>) {
        let mut size = size_of_trace(&trace);
        if size > self.memory / LARGEST {
            trace = Arc::new(without_values(&trace));
            size = size_of_trace(&trace);
        }
        let rule = self.rules.entry(trace.rule.clone()).or_default();
        let (mut times, mut first_at) = (1, trace.at);
        if let Some(before) = rule.kept.pop_back_if(|before| is_same(&before.trace, &trace)) {
            (times, first_at) = (before.times + 1, before.first_at);
            rule.used -= before.size;
            self.used -= before.size;
        }
        rule.push(Kept { trace, times, first_at, order: self.next, size });
        self.next += 1;
        self.used += size;
        self.make_room();
    }

    fn make_room(&mut self) {
        if self.used <= self.memory {
            return;
        }
        let goal = self.memory - self.memory / FREED;
        let mut largest: BinaryHeap<(usize, RuleId)> =
            self.rules.iter().map(|(rule, traces)| (traces.used, rule.clone())).collect();
        while self.used > goal
            && let Some((_, id)) = largest.pop()
        {
            let Some(rule) = self.rules.get_mut(&id) else { continue };
            let Some(dropped) = rule.drop_one() else { continue };
            self.used -= dropped.size;
            self.since = self.since.max(Some(dropped.trace.ended_at));
            if rule.kept.is_empty() {
                self.rules.remove(&id);
            } else {
                largest.push((rule.used, id));
            }
        }
    }

    /// Returns the last `limit` traces of `rule` and its instances, or of all rules, newest first.
    pub(in crate::daemon) fn last(&self, rule: Option<&str>, limit: usize) -> Vec<Kept> {
        let wanted = self.rules.iter().filter(|(id, _)| rule.is_none_or(|rule| id.belongs_to(rule)));
        let mut rules: Vec<_> = wanted.map(|(_, traces)| traces.kept.iter().rev()).collect();
        // Each rule's are in order already: the newest of the first ones is the next.
        let mut next: BinaryHeap<(u64, usize)> = BinaryHeap::new();
        let mut first: Vec<Option<&Kept>> = rules.iter_mut().map(Iterator::next).collect();
        next.extend(first.iter().enumerate().filter_map(|(index, kept)| Some(((*kept)?.order, index))));
        let mut found = Vec::new();
        while found.len() < limit
            && let Some((_, index)) = next.pop()
        {
            let (Some(kept), Some(rule)) = (first.get_mut(index), rules.get_mut(index)) else { continue };
            found.extend(std::mem::replace(kept, rule.next()).cloned());
            next.extend(kept.map(|kept| (kept.order, index)));
        }
        found
    }

    /// Returns the last `limit` traces of what began by `to` and hadn't ended before `from`, newest first, and how many more
    /// there are.
    pub(in crate::daemon) fn between(&self, from: Timestamp, to: Timestamp, limit: usize) -> (Vec<Kept>, usize) {
        let all = self.rules.values().flat_map(|rule| &rule.kept);
        let mut found: Vec<&Kept> = all.filter(|kept| kept.first_at <= to && kept.trace.ended_at >= from).collect();
        found.sort_unstable_by_key(|kept| std::cmp::Reverse(kept.order));
        let left_out = found.len().saturating_sub(limit);
        (found.into_iter().take(limit).cloned().collect(), left_out)
    }

    /// Returns since when all traces are here; `None`: none was ever dropped.
    pub(in crate::daemon) fn since(&self) -> Option<Timestamp> {
        self.since
    }

    /// Returns the trace of a run; `None` where it hasn't ended, or is kept no more.
    pub(in crate::daemon) fn of_run(&self, run: RunId) -> Option<&Arc<Trace>> {
        let mut all = self.rules.values().flat_map(|rule| rule.kept.iter().rev());
        all.find(|kept| kept.trace.run == Some(run)).map(|kept| &kept.trace)
    }
}

impl OfRule {
    fn push(&mut self, kept: Kept) {
        self.used += kept.size;
        self.failures += kept.size_as_failure();
        self.kept.push_back(kept);
    }

    /// Drops the oldest that isn't a failure, unless failures take more than half.
    fn drop_one(&mut self) -> Option<Kept> {
        let dull = self.kept.iter().position(|kept| !kept.is_failure()).filter(|_| self.failures * 2 <= self.used);
        let dropped = self.kept.remove(dull.unwrap_or(0))?;
        self.used -= dropped.size;
        self.failures -= dropped.size_as_failure();
        Some(dropped)
    }
}

impl Kept {
    /// Returns it as programs read it.
    pub(in crate::daemon) fn answer(&self, time: &LocalTime) -> TraceAnswer<'_> {
        TraceAnswer::new(&self.trace, time).repeated(self.times, self.first_at)
    }

    /// Returns it as what happened once or several times in a row.
    pub(in crate::daemon) fn repeated(&self) -> Repeated {
        Repeated { trace: Arc::clone(&self.trace), times: self.times, first_at: self.first_at }
    }

    fn is_failure(&self) -> bool {
        matches!(self.trace.outcome, Outcome::Failed(_))
    }

    fn size_as_failure(&self) -> usize {
        if self.is_failure() { self.size } else { 0 }
    }
}

/// Returns whether a trace tells nothing new after the one before: the same reason blocked the same trigger.
fn is_same(before: &Trace, after: &Trace) -> bool {
    let place = |trace: &Trace| trace.steps.first().map(|step| Arc::clone(&step.path));
    matches!(after.outcome, Outcome::Skipped(_)) && before.outcome == after.outcome && place(before) == place(after)
}

fn without_values(trace: &Trace) -> Trace {
    let mut trace = trace.clone();
    for step in &mut trace.steps {
        step.values.clear();
    }
    trace
}

/// Returns about how many bytes a trace takes.
fn size_of_trace(trace: &Trace) -> usize {
    size_of::<Kept>() + size_of::<Trace>() + trace.steps.iter().map(size_of_step).sum::<usize>()
}

fn size_of_step(step: &Step) -> usize {
    let values = step.values.iter();
    let values: usize =
        values.map(|(name, value)| size_of::<Label>() + name.len() + size_of::<Value>() + value.size()).sum();
    size_of::<Step>() + step.result.size() + values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{BlockedBy, Cause, CauseKind, Fault, StepKind, StepResult};

    fn trace(rule: &str, at: i64, outcome: Outcome) -> Arc<Trace> {
        let at = Timestamp::from_second(at).unwrap();
        let run = (!matches!(outcome, Outcome::Skipped(_))).then_some(RunId(at.as_second().unsigned_abs()));
        let cause = Cause { kind: CauseKind::Person, depth: 0, run: None, armed: None };
        let rule = RuleId::from_text(rule);
        Arc::new(Trace { rule, run, at, ended_at: at, outcome, cause, steps: Vec::new() })
    }

    fn failed(message: &str) -> Outcome {
        Outcome::Failed(Fault::Error { message: message.to_owned(), place: None, line: None })
    }

    fn kept(traces: &Traces) -> Vec<(String, i64, u64)> {
        let all = traces.last(None, usize::MAX);
        all.iter().map(|kept| (kept.trace.rule.to_string(), kept.trace.at.as_second(), kept.times)).collect()
    }

    #[test]
    fn a_rule_that_the_same_gate_stops_again_and_again_is_kept_once() {
        let mut traces = Traces::new(1 << 20);
        for at in 0..1000 {
            traces.push(trace("a:dull", at, Outcome::Skipped(BlockedBy::Condition)));
        }
        traces.push(trace("a:dull", 1000, Outcome::Skipped(BlockedBy::Cooldown)));
        assert_eq!(kept(&traces), [("a:dull".to_owned(), 1000, 1), ("a:dull".to_owned(), 999, 1000)]);
        assert_eq!(traces.last(None, 2)[1].first_at.as_second(), 0);
    }

    #[test]
    fn a_busy_rule_pushes_no_other_out_and_the_memory_is_kept() {
        let mut traces = Traces::new(64 << 10);
        traces.push(trace("a:quiet", 0, Outcome::Finished));
        for at in 1..5000 {
            traces.push(trace("a:busy", at, Outcome::Finished));
            assert!(traces.used <= traces.memory);
        }
        let kept = kept(&traces);
        assert_eq!(kept.last(), Some(&("a:quiet".to_owned(), 0, 1)));
        assert_eq!(kept.first(), Some(&("a:busy".to_owned(), 4999, 1)));
        assert!(kept.len() > 50, "{}", kept.len());
    }

    #[test]
    fn failures_are_kept_longest() {
        let mut traces = Traces::new(64 << 10);
        traces.push(trace("a:busy", 0, failed("of old")));
        for at in 1..5000 {
            traces.push(trace("a:busy", at, Outcome::Finished));
        }
        assert_eq!(kept(&traces).last(), Some(&("a:busy".to_owned(), 0, 1)));
        assert!(traces.of_run(RunId(0)).is_some() && traces.of_run(RunId(1)).is_none());
        for at in 5000..10_000 {
            traces.push(trace("a:busy", at, failed("anew")));
            assert!(traces.used <= traces.memory);
        }
        assert!(traces.of_run(RunId(0)).is_none());
    }

    #[test]
    fn a_trace_with_large_values_is_kept_without_them() {
        let mut traces = Traces::new(64 << 10);
        let mut large = Arc::unwrap_or_clone(trace("a:large", 0, Outcome::Finished));
        let values = vec![("msg".into(), Value::text("x".repeat(100_000)))];
        let at = large.at;
        large.steps.push(Step {
            path: "when".into(),
            at,
            kind: StepKind::Trigger,
            result: StepResult::Done,
            values,
            place: None,
        });
        traces.push(Arc::new(large));
        assert_eq!(traces.last(None, 1)[0].trace.steps[0].values, []);
        traces.resize(0);
        assert_eq!(kept(&traces), []);
    }
}
