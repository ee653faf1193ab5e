//! Judges invariants once an instant has settled: those that read something that it changed, and those that are due.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::engine::condition::judge::Judging;
use crate::engine::condition::judgement::Judgement;
use crate::engine::condition::recheck::next_recheck;
use crate::engine::core::Core;
use crate::engine::instant::{just_after, later};
use crate::engine::live::deadlines::Due;
use crate::engine::live::id::LiveId;
use crate::engine::live::subscriptions::{Part, Subscriber, Subscription};
use crate::engine::run::key::RunKey;
use crate::engine::trace::{Cause, CauseKind, Step};
use crate::engine::trigger::firing::Firing;
use crate::model::{Map, Name};
use crate::rules::{Condition, Expect, InvariantForm, Rule};
use crate::script::{Failure, Reads};

use super::hear::only_if;
use super::news::Breach;
use super::state::Obligation;
use super::tell::{self, Telling, without_firing};

/// The invariant is to be judged, since `cause` changed something that it reads, or it's due.
pub(crate) fn touch(core: &mut Core, id: LiveId, cause: &Cause) {
    let known = core.unjudged.get(&id).map(|known| known.depth);
    if known.is_none_or(|depth| depth <= cause.depth) {
        core.unjudged.insert(id, cause.clone());
    }
}

/// All invariants are to be judged: the daemon started, or rules changed.
pub(crate) fn touch_all(core: &mut Core) {
    for id in core.live.invariants() {
        touch(core, id, &Cause::outside(CauseKind::Condition));
    }
}

/// Judges those that are to be, in their order. Returns whether there were any.
pub(crate) fn judge_settled(core: &mut Core) -> bool {
    if core.unjudged.is_empty() {
        return false;
    }
    let mut touched: Vec<(LiveId, Cause)> = std::mem::take(&mut core.unjudged).into_iter().collect();
    touched.sort_by(|(left, _), (right, _)| core.live.order(*left, *right));
    for (id, cause) in touched {
        judge(core, id, &cause);
    }
    true
}

fn judge(core: &mut Core, id: LiveId, cause: &Cause) {
    let rule = Arc::clone(&core.live.get(id).rule);
    let Some(invariant) = &rule.invariant else { return };
    let mut reads = Reads::default();
    match &invariant.form {
        InvariantForm::Never { condition, hold } => judge_never(core, (id, &rule), condition, *hold, cause, &mut reads),
        InvariantForm::After { expect, within, throughout } => {
            judge_open(core, (id, &rule), expect, (*within, *throughout), cause, &mut reads);
        }
        InvariantForm::OnlyIf(_) => judge_refused(core, (id, &rule), &mut reads),
        InvariantForm::AtMost { .. } => return,
    }
    let recheck = next_recheck(&reads, core.now(), &core.evaluator.world.calendar);
    core.deadlines.set(id, Due::WhileRecheck, recheck);
    core.subscriptions.set(Subscriber { rule: id, part: Part::While }, Subscription::Reads(Box::new(reads)));
    core.deadlines.set(id, Due::Invariant, core.live.get(id).invariant.due);
}

fn set_due(core: &mut Core, id: LiveId, due: Option<Timestamp>) {
    if core.live.get(id).invariant.due != due {
        core.live.edit(id).invariant.due = due;
    }
}

/// What must not be true: is it?
fn judge_never(
    core: &mut Core,
    (id, rule): (LiveId, &Rule),
    condition: &Condition,
    hold: Duration,
    cause: &Cause,
    reads: &mut Reads,
) {
    let firing = without_firing(cause);
    let variables = match variables(core, (id, rule), &firing, reads) {
        Ok(variables) => variables,
        Err(failure) => return tell::failed(core, id, &failure.to_string(), &firing, Vec::new()),
    };
    let (verdict, steps) = ask(core, (id, rule), condition, None, &variables, reads);
    let (now, key) = (core.now(), RunKey::of_captures(&[]));
    if matches!(verdict, Judgement::True | Judgement::False(_)) && is_about_something(core, reads) {
        tell::armed(core, id, &firing);
    }
    let is_true = match verdict {
        Judgement::True => true,
        Judgement::False(_) => {
            tell::held(core, id, &key, &firing);
            false
        }
        Judgement::Unknown(_) => false,
        Judgement::Failed(failure) => {
            return tell::failed(core, id, &failure.to_string(), &firing, steps);
        }
    };
    if core.live.get(id).invariant.trouble.is_some() {
        core.live.edit_late(id).invariant.trouble = None;
    }
    let known = core.live.get(id).invariant.since.clone();
    if !is_true {
        if known.is_some() {
            core.live.edit(id).invariant.since = None;
        }
        return set_due(core, id, None);
    }
    let (since, begun_by) = known.unwrap_or_else(|| {
        core.live.edit(id).invariant.since = Some((now, cause.clone()));
        (now, cause.clone())
    });
    let over = later(since, hold);
    if !hold.is_zero() && now <= over {
        return set_due(core, id, Some(just_after(over)));
    }
    set_due(core, id, None);
    let firing = without_firing(&if since < now { begun_by.since(since) } else { begun_by });
    let at = if hold.is_zero() { now } else { over.max(since) };
    tell::broken(core, id, key, Breach::True { since, hold }, Telling { firing: &firing, at, steps });
}

/// What must follow: has it, and is it too late?
fn judge_open(
    core: &mut Core,
    (id, rule): (LiveId, &Rule),
    expect: &Expect,
    (within, throughout): (Duration, Option<Duration>),
    cause: &Cause,
    reads: &mut Reads,
) {
    let open = core.live.get(id).invariant.open.clone();
    if open.is_empty() {
        return set_due(core, id, None);
    }
    let mut left = Vec::new();
    for obligation in open.clone() {
        let standing = match expect {
            Expect::Trigger => Standing::Open { verdict: None },
            Expect::Condition(condition) => {
                let firing = Some(&obligation.firing);
                let (verdict, steps) = ask(core, (id, rule), condition, firing, &obligation.variables, reads);
                stand(core, id, (verdict, steps), &obligation)
            }
        };
        left.extend(go_on(core, id, standing, obligation, (within, throughout), cause));
    }
    let due = left.iter().filter_map(|open| open.next_due(throughout)).min();
    if left != open {
        core.live.edit(id).invariant.open = left;
    }
    set_due(core, id, due);
}

/// How something stands that must follow.
enum Standing {
    /// It's so.
    So,
    /// It isn't, or nobody knows.
    Open { verdict: Option<(bool, Vec<Step>)> },
}

fn stand(core: &mut Core, id: LiveId, (verdict, steps): (Judgement, Vec<Step>), open: &Obligation) -> Standing {
    match verdict {
        Judgement::True => Standing::So,
        Judgement::False(_) => Standing::Open { verdict: Some((true, steps)) },
        Judgement::Unknown(_) => Standing::Open { verdict: Some((false, steps)) },
        Judgement::Failed(failure) => {
            tell::failed(core, id, &failure.to_string(), &open.firing, steps);
            Standing::Open { verdict: None }
        }
    }
}

/// Returns what is left to wait for.
fn go_on(
    core: &mut Core,
    id: LiveId,
    standing: Standing,
    mut open: Obligation,
    (within, throughout): (Duration, Option<Duration>),
    cause: &Cause,
) -> Option<Obligation> {
    let now = core.now();
    let (is_false, steps) = match standing {
        Standing::So => {
            let since = *open.since.get_or_insert(now);
            let lasts_until = throughout.map(|throughout| later(since, throughout));
            if lasts_until.is_some_and(|until| now < until) {
                return Some(open);
            }
            tell::held(core, id, &open.key, &open.firing);
            return None;
        }
        Standing::Open { verdict } => verdict.unwrap_or_default(),
    };
    if open.is_late {
        open.since = None;
        return Some(open);
    }
    let breach = match (open.since, throughout) {
        (Some(since), Some(throughout)) if is_false => Breach::NotThroughout { since, throughout },
        (Some(_), Some(_)) => return Some(open),
        _ if now > open.due => Breach::NotInTime { since: open.at, within },
        _ => return Some(open),
    };
    let is_known = core.live.get(id).invariant.broken.contains_key(&open.key);
    let at = if matches!(breach, Breach::NotInTime { .. }) { open.due } else { now };
    let mut firing = open.firing.clone();
    firing.cause = match breach {
        Breach::NotThroughout { .. } => cause.clone(),
        _ if open.at < now => firing.cause.since(open.at),
        _ => firing.cause,
    };
    tell::broken(core, id, open.key.clone(), breach, Telling { firing: &firing, at, steps });
    open.is_late = true;
    open.since = None;
    (!is_known).then_some(open)
}

impl Obligation {
    fn next_due(&self, throughout: Option<Duration>) -> Option<Timestamp> {
        match (self.since, throughout) {
            (Some(since), Some(throughout)) => Some(later(since, throughout)),
            _ if self.is_late => None,
            _ => Some(just_after(self.due)),
        }
    }
}

/// What was published and must not have been: might it be now?
fn judge_refused(core: &mut Core, (id, rule): (LiveId, &Rule), reads: &mut Reads) {
    let Some(condition) = only_if(rule) else { return };
    for (key, (firing, variables)) in core.live.get(id).invariant.refused.clone() {
        let (verdict, _) = ask(core, (id, rule), condition, Some(&firing), &variables, reads);
        if verdict.holds() {
            tell::held(core, id, &key, &firing);
            core.live.edit(id).invariant.refused.remove(&key);
        }
    }
}

/// Asks a condition of an invariant.
pub(super) fn ask(
    core: &mut Core,
    (id, rule): (LiveId, &Rule),
    condition: &Condition,
    firing: Option<&Firing>,
    variables: &Map,
    reads: &mut Reads,
) -> (Judgement, Vec<Step>) {
    let scope = core.scope(id, rule, firing, variables);
    let mut judging = Judging::new(&scope, core.live.get(id).trackers());
    let verdict = core.evaluator.judge(&mut judging, condition);
    let Judging { reads: read, steps, .. } = judging;
    reads.merge(read);
    (verdict, steps)
}

/// Computes the `let` of what must never be, and notes what that reads.
fn variables(core: &mut Core, (id, rule): (LiveId, &Rule), firing: &Firing, reads: &mut Reads) -> Result<Map, Failure> {
    let mut locals = Map::default();
    for (name, template) in &rule.variables {
        let scope = core.scope(id, rule, Some(firing), &locals);
        let value = core.evaluator.render(&scope, template, reads)?;
        locals.insert(Name::clone(name), value);
    }
    Ok(locals)
}

/// Returns whether any topic that was read has spoken, or none was read.
fn is_about_something(core: &Core, reads: &Reads) -> bool {
    let states = &core.evaluator.world.states;
    let has_spoken = reads.topics.iter().any(|topic| states.get(topic.as_str()).is_some_and(|it| it.has_had_value));
    has_spoken
        || reads.filters.iter().any(|filter| states.matching(filter).next().is_some())
        || (reads.topics.is_empty() && reads.filters.is_empty())
}
