//! `let` and `remember`: variables of the run, and values that last.

use std::sync::Arc;

use crate::engine::live::subscriptions::Fact;
use crate::engine::trace::{StepKind, StepResult};
use crate::model::{Name, Value, ValueLimits};
use crate::script::{Failure, Template};

use super::act::Act;
use super::next::Next;

/// Sets variables of the run, in order.
///
/// # Errors
/// When a template fails.
pub(crate) fn set(act: &mut Act<'_>, variables: &[(Name, Template)]) -> Result<Next, Failure> {
    for (name, template) in variables {
        let value = act.evaluate(|engine, scope, reads| engine.render(scope, template, reads))?;
        check(act, name, &value)?;
        act.note(StepKind::Let, StepResult::Set(Arc::clone(name), value.clone()));
        act.at.run.variables.insert(Arc::clone(name), value);
    }
    Ok(Next::GoOn)
}

/// Checks that the variables of a run aren't too large together once `name` has `value`.
fn check(act: &Act<'_>, name: &Name, value: &Value) -> Result<(), Failure> {
    // Of small ones, a rule can't have enough.
    const SMALL: usize = 4 << 10;
    if value.size() < SMALL {
        return Ok(());
    }
    let others = act.at.run.variables.iter().filter(|(other, _)| *other != name).map(|(_, value)| value);
    let limits = ValueLimits { items: usize::MAX, ..act.at.core.options.limits.value() };
    let checked = limits.check(others.chain([value]));
    checked.map_err(|error| Failure::plain(format!("the variables of the run are too large with `{name}`: {error}")))
}

/// Sets values that last. All are computed from what was before, and stored together.
///
/// # Errors
/// When a template fails, or what the rule remembers would be too large. Nothing is stored then.
pub(crate) fn remember(act: &mut Act<'_>, variables: &[(Name, Template)]) -> Result<Next, Failure> {
    let mut computed: Vec<(Name, Value)> = Vec::with_capacity(variables.len());
    for (name, template) in variables {
        let value = act.evaluate(|engine, scope, reads| engine.render(scope, template, reads))?;
        computed.push((Arc::clone(name), value));
    }
    let memory = &act.at.core.live.get(act.at.id).memory;
    let kept = memory.iter().filter(|(name, _)| computed.iter().all(|(new, _)| new != *name));
    let together = kept.map(|(_, value)| value).chain(computed.iter().map(|(_, value)| value));
    if let Err(error) = act.at.core.options.limits.memory().check(together) {
        let names = computed.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        return Err(Failure::plain(format!("what the rule remembers would be too large with {names}: {error}")));
    }
    for (name, value) in &computed {
        act.note(StepKind::Remember, StepResult::Set(Arc::clone(name), value.clone()));
    }
    Arc::make_mut(&mut act.at.core.live.edit(act.at.id).memory).extend(computed);
    act.at.core.fact_changed(Fact::Memory(act.at.id), act.at.run.as_cause());
    Ok(Next::GoOn)
}
