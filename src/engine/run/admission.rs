//! From a firing to a run: what may block it (switch, rest, condition, limit, cooldown, mode), in this order
//! (docs/language/modes.md). Whatever blocks it is traced.

use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::condition::judge::Judging;
use crate::engine::condition::judgement::Judgement;
use crate::engine::core::Core;
use crate::engine::live::id::LiveId;
use crate::engine::often::{loop_guard, rates};
use crate::engine::trace::{BlockedBy, Cause, CauseKind, Fault, NoRoom, Refusal, Room, RunId, Step, StoppedBy};
use crate::engine::trigger::firing::Firing;
use crate::engine::waits;
use crate::engine::yielding::overridden::overridden;
use crate::model::{Map, RuleId, Value};
use crate::rules::{Mode, Per, Rule};
use crate::script::{Failure, Reads};

use super::key::RunKey;
use super::{Caller, RunList, lifecycle, unstarted};

/// A run that is about to be admitted, or not.
pub(crate) struct Candidate {
    pub(crate) id: LiveId,
    pub(crate) rule: Arc<Rule>,
    pub(crate) list: RunList,
    pub(crate) key: RunKey,
    pub(crate) firing: Firing,
    pub(crate) variables: Map,
    /// What was decided before.
    pub(crate) steps: Vec<Step>,
    pub(crate) caller: Option<Caller>,
    pub(crate) call_depth: u32,
    /// A run of the rule has ended for it: it takes that run's room.
    pub(crate) has_room: bool,
}

/// What the mode made of a candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It runs, or waits for its turn.
    Admitted(RunId),
    /// The mode dropped it.
    Dropped,
    /// There was no room for it.
    NoRoom(NoRoom),
}

/// A trigger of the rule fired: the rule runs, unless something blocks it.
pub(crate) fn fire(core: &mut Core, id: LiveId, firing: Firing) {
    waits::note(core);
    let live = core.live.get(id);
    let (rule, is_enabled, resting_until) = (Arc::clone(&live.rule), live.is_enabled(), live.resting_until);
    if !is_enabled {
        return unstarted::skip(core, &rule, &firing, BlockedBy::Disabled);
    }
    if let Some(until) = resting_until {
        let until = Some(Refusal::Until(until));
        return unstarted::skip_with(core, &rule, &firing, BlockedBy::Resting, Vec::new(), until);
    }
    if loop_guard::is_storm(core, id, &firing) {
        return loop_guard::stop_storm(core, id, &firing);
    }
    let (variables, key) = match variables_and_key(core, id, &rule, &firing, Map::default()) {
        Ok(prepared) => prepared,
        Err(failure) => return unstarted::fail(core, &rule, &firing, Vec::new(), &failure),
    };
    if let Some(refusal) = overridden(core, id, &key, &firing) {
        return unstarted::skip_with(core, &rule, &firing, BlockedBy::Override, Vec::new(), Some(refusal));
    }
    let (verdict, steps) = judge_if(core, id, &rule, &firing, &variables);
    let list = match verdict {
        Judgement::True => RunList::Then,
        Judgement::False(_) if rule.otherwise.is_some() => RunList::Otherwise,
        Judgement::False(_) => return unstarted::skip_with(core, &rule, &firing, BlockedBy::Condition, steps, None),
        Judgement::Unknown(_) => return unstarted::skip_with(core, &rule, &firing, BlockedBy::Unknown, steps, None),
        Judgement::Failed(failure) => return unstarted::fail(core, &rule, &firing, steps, &failure),
    };
    if list == RunList::Then
        && let Some(until) = rates::limited_until(core, id, &key)
    {
        return unstarted::skip_with(core, &rule, &firing, BlockedBy::Limit, steps, Some(Refusal::Until(until)));
    }
    if let Some(over) = cooling_until(core, id, &key) {
        let until = Some(Refusal::Until(over));
        return unstarted::skip_with(core, &rule, &firing, BlockedBy::Cooldown, steps, until);
    }
    if rates::is_stopped(core, id) {
        let until = core.live.get(id).resting_until.map(Refusal::Until);
        return unstarted::skip_with(core, &rule, &firing, BlockedBy::Resting, steps, until);
    }
    admit(
        core,
        Candidate { id, rule, list, key, firing, variables, steps, caller: None, call_depth: 0, has_room: false },
    );
}

/// Runs a rule's `then` because a person asked for it, with these variables.
pub(crate) fn fire_by_person(core: &mut Core, rule: &RuleId, with: Map) {
    let Some(id) = core.live.find(rule) else { return };
    let firing = Firing::of_cause("person".into(), Cause::outside(CauseKind::Person));
    let rule = Arc::clone(&core.live.get(id).rule);
    match variables_and_key(core, id, &rule, &firing, with) {
        Err(failure) => unstarted::fail(core, &rule, &firing, Vec::new(), &failure),
        Ok((variables, key)) => {
            let (list, steps) = (RunList::Then, Vec::new());
            admit(
                core,
                Candidate {
                    id,
                    rule,
                    list,
                    key,
                    firing,
                    variables,
                    steps,
                    caller: None,
                    call_depth: 0,
                    has_room: false,
                },
            );
        }
    }
}

/// Lets a candidate in, as the rule's mode says.
pub(crate) fn admit(core: &mut Core, candidate: Candidate) -> Admission {
    let (id, rule) = (candidate.id, &candidate.rule);
    let mut known = core.runs.of_key(id, &candidate.key);
    let first = known.next();
    let count = usize::from(first.is_some()) + known.count();
    let is_busy = count > 0;
    let is_blocked = match rule.mode {
        Mode::Single => is_busy,
        Mode::Queued | Mode::Parallel => count >= rule.max,
        Mode::Restart => false,
    };
    if is_blocked {
        let since = first.and_then(|first| core.runs.get(first)).map(|run| run.started_at);
        let max = if rule.mode == Mode::Single { 1 } else { rule.max };
        let refusal = Some(Refusal::Busy { runs: count, since, max });
        unstarted::skip_with(core, rule, &candidate.firing, BlockedBy::Mode, candidate.steps, refusal);
        return Admission::Dropped;
    }
    let replaces = rule.mode == Mode::Restart && is_busy;
    if replaces {
        lifecycle::cancel_key(core, id, &candidate.key, StoppedBy::Restart);
    }
    if !replaces
        && !candidate.has_room
        && let Err(found) = find_room(core, &rule.id)
    {
        unstarted::fail_with(core, rule, &candidate.firing, candidate.steps, Fault::NoRoom(found.clone()));
        return Admission::NoRoom(found);
    }
    let must_wait = rule.mode == Mode::Queued && is_busy;
    Admission::Admitted(lifecycle::begin(core, candidate, must_wait))
}

/// Asks whether another run of a rule may go on beside those that do: one rule leaves room for the others.
///
/// # Errors
/// When all room that the rule may use is taken.
fn find_room(core: &Core, rule: &RuleId) -> Result<(), NoRoom> {
    let (most, all, own) = (core.options.runs, core.runs.len(), core.runs.count_of(rule));
    let (of, runs) = if own > 0 && own >= most.div_ceil(2) {
        (Room::Rule, own)
    } else if all >= most {
        (Room::All, all)
    } else if own > 0 && all >= most - most / 4 {
        (Room::Shared, all)
    } else {
        return Ok(());
    };
    let (fullest, of_fullest) = match core.runs.fullest() {
        Some((fullest, count)) if of != Room::Rule => (fullest.clone(), count),
        _ => (rule.maker(), own),
    };
    Err(NoRoom { of, runs, most, fullest, of_fullest })
}

/// Computes the rule's `let`, and which runs this one counts as the same as.
///
/// # Errors
/// When an expression fails.
pub(crate) fn variables_and_key(
    core: &mut Core,
    id: LiveId,
    rule: &Rule,
    firing: &Firing,
    given: Map,
) -> Result<(Map, RunKey), Failure> {
    let variables = variables(core, id, rule, firing, given)?;
    let key = key(core, id, rule, firing, &variables)?;
    Ok((variables, key))
}

/// Computes the rule's `let`; a name that is among the `given` has that value.
///
/// # Errors
/// When a template fails.
pub(crate) fn variables(core: &mut Core, id: LiveId, rule: &Rule, firing: &Firing, given: Map) -> Result<Map, Failure> {
    let mut locals = given;
    let own: Vec<_> = rule.variables.iter().filter(|(name, _)| !locals.contains_key(name)).collect();
    for (name, template) in own {
        let scope = core.scope(id, rule, Some(firing), &locals);
        let value = core.evaluator.render(&scope, template, &mut Reads::default())?;
        locals.insert(Arc::clone(name), value);
    }
    Ok(locals)
}

/// Returns which runs this one counts as the same as.
///
/// # Errors
/// When an expression of `per` fails.
pub(crate) fn key(
    core: &mut Core,
    id: LiveId,
    rule: &Rule,
    firing: &Firing,
    variables: &Map,
) -> Result<RunKey, Failure> {
    match &rule.per {
        Per::Captures => Ok(RunKey::of_captures(firing.per.as_ref().unwrap_or(&firing.captures))),
        Per::Expressions(expressions) => {
            let mut values = Vec::new();
            for expression in expressions {
                let scope = core.scope(id, rule, Some(firing), variables);
                values.push(core.evaluator.value(&scope, expression, &mut Reads::default())?);
            }
            Ok(RunKey(Value::List(Arc::new(values)).to_string().into()))
        }
    }
}

/// Judges the rule's `if`.
pub(crate) fn judge_if(
    core: &mut Core,
    id: LiveId,
    rule: &Rule,
    firing: &Firing,
    variables: &Map,
) -> (Judgement, Vec<Step>) {
    let Some(condition) = &rule.condition else { return (Judgement::True, Vec::new()) };
    let scope = core.scope(id, rule, Some(firing), variables);
    let mut judging = Judging::new(&scope, core.live.get(id).trackers());
    let verdict = core.evaluator.judge(&mut judging, condition);
    (verdict, judging.steps)
}

/// Returns when the cooldown of these runs is over; `None` where it is.
fn cooling_until(core: &Core, id: LiveId, key: &RunKey) -> Option<Timestamp> {
    let over = core.live.get(id).cooldowns.get(key).copied()?;
    (over > core.now()).then_some(over)
}
