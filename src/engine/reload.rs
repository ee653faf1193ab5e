//! Puts rules in force: at the start, and when their files changed (spec 5).

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::rules::{HomeEvent, Rule, Ruleset};

use super::live::deadlines::Due;
use super::live::table::{LiveId, LiveRules};
use super::run::{Run, Waiting};
use super::{Engine, Outcome, RunId, StoppedBy};

impl Engine {
    /// Swaps the rules: what was kept of each goes over to the rule of the same id.
    pub(crate) fn reload(&mut self, rules: &Ruleset) {
        match self.live.renew(rules) {
            Some(changed) => self.replace(changed),
            None => {
                let old = std::mem::take(&mut self.live);
                for slot in old.into_slots() {
                    self.dormant.insert(slot.rule.id.clone(), slot.to_saved());
                }
                self.put_in_force(rules);
            }
        }
        self.end_timers_of_the_gone();
        if self.before_start.is_none() {
            self.reconsider_all(None);
            self.dispatch_home_event(HomeEvent::Reloaded, None, 0);
        }
    }

    /// Puts rules in force in the place of those that they were: all others stay as they are, so that a reload of many
    /// rules holds up no message.
    fn replace(&mut self, changed: Vec<(LiveId, Arc<Rule>)>) {
        let ids: BTreeSet<LiveId> = changed.iter().map(|(id, _)| id.clone()).collect();
        if ids.is_empty() {
            return;
        }
        self.deadlines.forget(&ids);
        self.live.silence(&ids);
        for (id, rule) in changed {
            self.evaluator.world.holding.remove(&rule.id);
            self.evaluator.world.running.remove(&rule.id);
            if let Some(old) = self.live.replace(&id, rule) {
                self.dormant.insert(old.rule.id.clone(), old.to_saved());
            }
        }
        for id in &ids {
            self.adopt(id);
            self.activate(id);
        }
        let orphans = self.runs.iter().filter(|(_, run)| run.slot.as_ref().is_some_and(|slot| ids.contains(slot)));
        let orphans: Vec<RunId> = orphans.map(|(id, _)| *id).collect();
        self.end_orphans(orphans);
    }

    /// Ends the timers of rules that are no more.
    fn end_timers_of_the_gone(&mut self) {
        let gone = self.dormant.iter_mut().filter(|(_, saved)| !saved.timers.is_empty());
        let gone: Vec<_> = gone.map(|(id, saved)| (id.clone(), std::mem::take(&mut saved.timers))).collect();
        for (id, timers) in gone {
            self.say_timers_ended(&id, &timers);
            self.unsaved.dormant.insert(id);
        }
    }

    /// Puts rules in force, with what is kept of them, and their runs.
    pub(crate) fn put_in_force(&mut self, rules: &Ruleset) {
        self.deadlines.clear();
        self.evaluator.world.holding.clear();
        self.evaluator.world.running.clear();
        self.live = LiveRules::new(rules);
        let topics: Vec<_> = self.evaluator.world.states.iter().map(|(topic, _)| topic.clone()).collect();
        for topic in topics {
            let (_, errors) = self.live.make_for_topic(&topic);
            for (rule, error) in errors {
                self.say(Some(&rule), crate::rules::LogLevel::Error, error);
            }
        }
        self.evaluator.world.rule_names = self.live.names();
        for id in self.live.ids() {
            self.adopt(&id);
            self.activate(&id);
        }
        self.put_runs_in_force();
    }

    /// Gives a new slot what is kept of its rule.
    pub(crate) fn adopt(&mut self, id: &LiveId) {
        let Some(slot) = self.live.get_mut(id) else { return };
        if let Some(saved) = self.dormant.remove(&slot.rule.id) {
            let is_changed = saved.fingerprint != slot.rule.fingerprint;
            let timers = if is_changed { saved.timers.clone() } else { Vec::new() };
            let rule = Arc::clone(&slot.rule);
            // What the rule knew of topics before it changed is forgotten.
            let forgotten = if is_changed { saved.track_keys(&rule.id) } else { Vec::new() };
            let has_gaps = !saved.is_whole && !is_changed;
            slot.take_saved(saved);
            if has_gaps {
                self.look_at_the_rest(id);
            }
            self.unsaved.tracks.extend(forgotten);
            if is_changed {
                self.unsaved.rules.insert(id.clone());
                self.say_timers_ended(&rule.id, &timers);
            }
        }
    }

    /// Finds the runs' rules anew: those of a rule that changed or is gone end, and the others go on.
    fn put_runs_in_force(&mut self) {
        let mut ended: Vec<RunId> = Vec::new();
        let mut failed: Vec<(RunId, u32)> = Vec::new();
        let ids: Vec<RunId> = self.runs.keys().copied().collect();
        for id in ids {
            let Some(mut run) = self.runs.remove(&id) else { continue };
            let slot = self.live.find(&run.rule).cloned();
            let rule = slot.as_ref().and_then(|slot| self.live.get(slot)).map(|slot| Arc::clone(&slot.rule));
            let rule = rule.filter(|rule| rule.fingerprint == run.fingerprint);
            let (Some(slot), Some(rule)) = (slot, rule) else {
                self.runs.insert(id, run);
                ended.push(id);
                continue;
            };
            run.slot = Some(slot.clone());
            let waits = run.threads.values_mut().flat_map(|thread| &mut thread.waits);
            waits.for_each(|wait| wait.form_again(&rule));
            self.arm_run(&slot, &rule, &run);
            if self.before_start.is_some() {
                // What was under way when the daemon stopped isn't sent again.
                let asked =
                    run.threads.iter().filter(|(_, thread)| matches!(thread.waiting, Some(Waiting::Request(_))));
                failed.extend(asked.map(|(thread, _)| (id, thread)));
            }
            if let Some(slot) = self.live.get_mut(&slot) {
                slot.runs.insert((run.key.clone(), id));
                let count = slot.run_count();
                self.evaluator.world.running.insert(run.rule.clone(), count);
            }
            if !run.is_queued && run.threads.values().any(|thread| thread.waiting.is_none()) {
                self.ready.push_back(id);
            }
            self.runs.insert(id, run);
        }
        self.end_orphans(ended);
        for (run, thread) in failed {
            let why = crate::script::Failure::plain("the daemon was stopped while it waited for the answer");
            self.inbox.push_back(super::trigger::dispatch::Incoming::WaitFailed { run, thread, why });
        }
    }

    fn end_orphans(&mut self, orphans: Vec<RunId>) {
        for id in orphans {
            if let Some(run) = self.runs.remove(&id) {
                self.end_orphan(run);
            }
        }
    }

    /// Ends a run whose rule is no longer the one that started it.
    fn end_orphan(&mut self, mut run: Run) {
        run.slot = self.live.find(&run.rule).cloned();
        for thread in run.threads.values() {
            if let Some(Waiting::Run(callee)) = thread.waiting {
                self.cancel_run(callee, StoppedBy::Caller);
            }
        }
        // What it had armed went with the old rules.
        run.threads.clear();
        self.end_run(run, Outcome::Cancelled(StoppedBy::Reload));
    }

    /// Arms what a run waits for.
    fn arm_run(&mut self, slot: &LiveId, rule: &crate::rules::Rule, run: &Run) {
        for (id, thread) in run.threads.iter() {
            if let Some(Waiting::Time(due)) = thread.waiting {
                self.deadlines.add(due, slot, Due::Wake(run.id, id));
            }
            for wait in &thread.waits {
                self.arm_wait(slot, rule, run.id, wait);
                if wait.has_expression(rule) {
                    // What its expression read isn't kept: it is asked once more, when the rules wake up.
                    self.inbox
                        .push_back(super::trigger::dispatch::Incoming::RecheckWait { run: run.id, wait: wait.id });
                }
            }
        }
    }
}
