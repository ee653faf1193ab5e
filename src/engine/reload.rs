//! Puts rules in force: at the start, and when their files changed (docs/language/restarts.md).

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::RuleId;
use crate::rules::{LogLevel, Rule, Ruleset};
use crate::script::Failure;

use super::activation::activate;
use super::clock_change;
use super::core::Core;
use super::history;
use super::inbox::Incoming;
use super::live::id::LiveId;
use super::run::thread::Waiting;
use super::run::{Run, lifecycle, timer, wait};
use super::trace::{Outcome, RunId, StoppedBy};
use super::waits;

/// Swaps the rules: what was kept of each goes over to the rule of the same id.
pub(crate) fn replace_rules(core: &mut Core, rules: &Ruleset) {
    let are_agendas_new = *core.evaluator.world.calendar.agendas != *rules.agendas;
    core.evaluator.world.calendar.agendas = Arc::clone(&rules.agendas);
    match core.live.replace_changed(rules) {
        Some(changed) => {
            put_changed_in_force(core, &changed);
            history::keep_what_is_asked(core);
            waits::note_all(core);
        }
        None => put_in_force(core, rules),
    }
    for (rule, timers) in core.live.take_timers_of_dormant() {
        timer::record_ended(core, &rule, &timers);
    }
    if are_agendas_new {
        clock_change::recompute_schedules(core);
    }
}

/// Puts all rules in force, with what is kept of them, and their runs.
pub(crate) fn put_in_force(core: &mut Core, rules: &Ruleset) {
    core.evaluator.world.calendar.agendas = Arc::clone(&rules.agendas);
    core.deadlines.clear_all();
    core.subscriptions.clear_all();
    core.unjudged.clear();
    core.evaluator.world.overridden.clear();
    core.interruptions.clear();
    core.devices.has_listeners = false;
    core.evaluator.world.holding.clear();
    core.evaluator.world.running.clear();
    core.live.replace_all(rules);
    let topics: Vec<_> = core.evaluator.world.states.iter().map(|(topic, _)| topic.clone()).collect();
    for topic in topics {
        let (_, errors) = core.live.make_for_topic(&topic);
        for (rule, error) in errors {
            core.log(Some(&rule), LogLevel::Error, error);
        }
    }
    core.evaluator.world.rule_names = core.live.names();
    for id in core.live.ids() {
        activate(core, id);
    }
    put_runs_in_force(core);
    history::keep_what_is_asked(core);
    waits::note_all(core);
}

/// Puts rules in force in the place of those that they were: all others stay as they are, so that a reload of many rules
/// holds up no message.
fn put_changed_in_force(core: &mut Core, changed: &[LiveId]) {
    for id in changed {
        core.deadlines.clear_rule(*id);
        core.subscriptions.remove_rule(*id);
        core.interruptions.forget(*id);
        core.runs.delist(*id);
        let rule = &core.live.get(*id).rule.id;
        core.evaluator.world.holding.remove(rule);
        core.evaluator.world.running.remove(rule);
    }
    for id in changed {
        activate(core, *id);
    }
    let changed: BTreeSet<LiveId> = changed.iter().copied().collect();
    let is_of_changed = |run: &&Run| run.live.is_some_and(|id| changed.contains(&id));
    let orphans: Vec<RunId> = core.runs.iter().filter(is_of_changed).map(|run| run.id).collect();
    end_orphans(core, orphans);
}

/// Finds the runs' rules anew: those of a rule that changed or is gone end, and the others go on.
fn put_runs_in_force(core: &mut Core) {
    core.runs.delist_all();
    let mut orphans: Vec<RunId> = Vec::new();
    let mut unanswered: Vec<(RunId, u32)> = Vec::new();
    let ids: Vec<RunId> = core.runs.iter().map(|run| run.id).collect();
    for run_id in ids {
        let Some(mut run) = core.runs.take(run_id) else { continue };
        if let Some((id, rule)) = rule_of(core, &run.rule, run.fingerprint) {
            unanswered.extend(resume(core, id, &rule, &mut run));
        } else {
            run.live = None;
            orphans.push(run_id);
        }
        core.runs.put_unchanged(run);
    }
    end_orphans(core, orphans);
    for (run, thread) in unanswered {
        let why = Failure::plain("the daemon was stopped while it waited for the answer");
        core.inbox.push(Incoming::WaitFailed { run, thread, why });
    }
}

/// Returns the rule in force of this id that means what it did.
fn rule_of(core: &Core, rule: &RuleId, fingerprint: u64) -> Option<(LiveId, Arc<Rule>)> {
    let id = core.live.find(rule)?;
    let rule = &core.live.get(id).rule;
    (rule.fingerprint == fingerprint).then(|| (id, Arc::clone(rule)))
}

/// Lets a run go on, of the rule that is in force as `id`. Returns the threads whose answer won't come: at the start, what
/// was under way when the daemon stopped isn't sent again.
fn resume(core: &mut Core, id: LiveId, rule: &Rule, run: &mut Run) -> Vec<(RunId, u32)> {
    run.live = Some(id);
    let mut has_expression = Vec::new();
    for wait in run.threads.values_mut().flat_map(|thread| &mut thread.waits) {
        wait.form_again(rule);
        has_expression.extend(wait.has_expression(rule).then_some(wait.id));
    }
    wait::arm_again(core, run);
    for wait in has_expression {
        // What its expression read isn't kept: it is asked once more, when the rules wake up.
        core.inbox.push(Incoming::RecheckWait { run: run.id, wait });
    }
    core.runs.enlist(id, run);
    *core.evaluator.world.running.entry(run.rule.clone()).or_default() += 1;
    if !run.is_queued && run.threads.values().any(|thread| thread.waiting.is_none()) {
        core.runs.push_ready(run.id);
    }
    let is_asked = |waiting: &Option<Waiting>| matches!(waiting, Some(Waiting::Request(_)));
    let asked = run.threads.iter().filter(|(_, thread)| !core.has_started && is_asked(&thread.waiting));
    asked.map(|(thread, _)| (run.id, thread)).collect()
}

/// Ends runs whose rules are no longer those that started them.
fn end_orphans(core: &mut Core, orphans: Vec<RunId>) {
    for id in orphans {
        let Some(mut run) = core.runs.take(id) else { continue };
        run.live = core.live.find(&run.rule);
        lifecycle::cancel_callees(core, &run);
        // What it had armed went with the old rules.
        for (thread_id, thread) in std::mem::take(&mut run.threads) {
            if let Some(confirming) = &thread.confirming {
                core.devices.waiters.remove(id, thread_id, confirming);
            }
        }
        lifecycle::end(core, run, Outcome::Cancelled(StoppedBy::Reload));
    }
}
