//! What must hold between the submachines at the end of each call: each deadline and subscription follows from what rules
//! and runs remember, and the world says of rules what is so. Asserted in debug builds, and in the properties' tests.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::RuleId;
use crate::rules::{Start, Trigger};

use super::core::Core;
use super::live::deadlines::{Deadline, Due};
use super::live::id::LiveId;
use super::live::owner::Owner;
use super::live::subscriptions::{Part, Subscriber};
use super::run::Run;
use super::run::thread::Waiting;
use super::trigger::state::TriggerState;

/// Returns what isn't as it must be, a sentence each.
pub(crate) fn inconsistencies(core: &Core) -> Vec<String> {
    let mut expected = Expected::default();
    for (id, live) in core.live.iter() {
        expected.triggers(id, Owner::Rule, live.rule.triggers(), live.triggers());
        expected.due(id, Due::Rested, live.resting_until);
        expected.due(id, Due::WhilePending, live.while_state.pending.as_ref().map(|pending| pending.due));
        expected.due(id, Due::Override, live.overrides.iter().filter_map(|over| over.until).min());
        expected.due(id, Due::Invariant, live.invariant.due);
        expected.due(id, Due::WhileEvery, live.while_state.every_due);
        for timer in &live.timers {
            expected.due(id, Due::Timer(timer.id), Some(timer.due));
        }
        if matches!(live.rule.start, Start::While(_)) && live.while_state.begun_at.is_some() {
            expected.holding.insert(live.rule.id.clone());
        }
        for (key, run) in core.runs.of_rule(id) {
            expected.running.insert(live.rule.id.clone());
            if core.runs.get(run).is_none_or(|run| run.live != Some(id) || run.key != *key) {
                expected.wrong.push(format!("the run {} counts as one of {}, and isn't", run.0, live.rule.id));
            }
        }
    }
    for run in core.runs.iter() {
        expected.run(core, run);
        *expected.counts.entry(run.rule.maker()).or_default() += 1;
    }
    expected.compare(core)
}

/// What must be so, as it follows from rules and runs.
#[derive(Default)]
struct Expected {
    dues: BTreeSet<(Deadline, Timestamp)>,
    holding: BTreeSet<RuleId>,
    running: BTreeSet<RuleId>,
    counts: BTreeMap<RuleId, usize>,
    /// What was found to be wrong on the way.
    wrong: Vec<String>,
}

impl Expected {
    fn due(&mut self, rule: LiveId, what: Due, due: Option<Timestamp>) {
        self.dues.extend(due.map(|due| (Deadline { rule, what }, due)));
    }

    fn triggers(&mut self, id: LiveId, owner: Owner, triggers: &[Trigger], states: &[TriggerState]) {
        let enabled = (0..=u16::MAX).zip(triggers).zip(states).filter(|((_, trigger), _)| trigger.enabled);
        for ((index, _), state) in enabled {
            self.due(id, Due::Trigger(owner, index, None), state.due);
            for (topic, track) in state.tracks() {
                self.due(id, Due::Trigger(owner, index, Some(topic.clone())), track.due());
            }
        }
    }

    fn run(&mut self, core: &Core, run: &Run) {
        let Some(id) = run.live else {
            self.wrong.push(format!("the run {} has no rule", run.id.0));
            return;
        };
        if !core.runs.of_key(id, &run.key).any(|known| known == run.id) {
            self.wrong.push(format!("the run {} doesn't count as one of its rule", run.id.0));
        }
        let rule = &core.live.get(id).rule;
        for (thread_id, thread) in run.threads.iter() {
            if let Some(Waiting::Time(due)) = thread.waiting {
                self.due(id, Due::Wake(run.id, thread_id), Some(due));
            }
            if let Some(confirming) = &thread.confirming {
                self.due(id, Due::Confirm(run.id, thread_id), Some(confirming.due));
            }
            for wait in &thread.waits {
                self.due(id, Due::Timeout(run.id, wait.id), wait.timeout);
                self.triggers(id, Owner::Wait(run.id, wait.id), wait.triggers(rule), &wait.triggers);
            }
        }
    }

    fn compare(mut self, core: &Core) -> Vec<String> {
        for (deadline, due) in &self.dues {
            if core.deadlines.get(deadline) != Some(*due) {
                self.wrong.push(format!("{deadline:?} is due at {due}, and no deadline says so"));
            }
        }
        for (deadline, due) in core.deadlines.iter() {
            let is_known = match deadline.what {
                // What they were derived from isn't remembered.
                Due::AtRecheck(owner, _) => has_owner(core, owner),
                Due::UntilRecheck(run, wait) => has_owner(core, Owner::Wait(run, wait)),
                Due::WhileRecheck | Due::OverrideRecheck => true,
                Due::Trigger(..)
                | Due::WhilePending
                | Due::WhileEvery
                | Due::Wake(..)
                | Due::Timeout(..)
                | Due::Rested
                | Due::Confirm(..)
                | Due::Timer(_)
                | Due::Override
                | Due::Invariant => self.dues.contains(&(deadline.clone(), due)),
            };
            if !is_known {
                self.wrong.push(format!("{deadline:?} at {due} follows from nothing"));
            }
        }
        for Subscriber { rule, part } in core.subscriptions.iter() {
            let owner = match part {
                Part::Trigger(owner, _) | Part::At(owner, _) => owner,
                Part::Until(run, wait) => Owner::Wait(run, wait),
                Part::Tracker(_) | Part::While | Part::Override => Owner::Rule,
            };
            if !has_owner(core, owner) {
                self.wrong.push(format!("{part:?} of {} is told, and isn't there", core.live.get(rule).rule.id));
            }
        }
        let world = &core.evaluator.world;
        let running: BTreeSet<RuleId> = world.running.keys().cloned().collect();
        if core.runs.counts() != self.counts {
            self.wrong.push(format!("runs are counted as {:?}, and are {:?}", core.runs.counts(), self.counts));
        }
        if running != self.running {
            self.wrong.push(format!("{running:?} count as running, and {:?} are", self.running));
        }
        if world.holding != self.holding {
            self.wrong.push(format!("{:?} count as holding, and {:?} do", world.holding, self.holding));
        }
        self.wrong
    }
}

fn has_owner(core: &Core, owner: Owner) -> bool {
    match owner {
        Owner::Rule => true,
        Owner::Wait(run, wait) => core.runs.get(run).is_some_and(|run| run.wait(wait).is_some()),
    }
}
