//! `let` and `remember`: variables of the run, and values that last.

use std::sync::Arc;

use crate::engine::live::subscriptions::Fact;
use crate::engine::trace::{StepKind, StepResult};
use crate::model::Name;
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
        act.note(StepKind::Let, StepResult::Set(Arc::clone(name), value.clone()));
        act.at.run.variables.insert(Arc::clone(name), value);
    }
    Ok(Next::GoOn)
}

/// Sets values that last, in order.
///
/// # Errors
/// When a template fails.
pub(crate) fn remember(act: &mut Act<'_>, variables: &[(Name, Template)]) -> Result<Next, Failure> {
    for (name, template) in variables {
        let value = act.evaluate(|engine, scope, reads| engine.render(scope, template, reads))?;
        act.note(StepKind::Remember, StepResult::Set(Arc::clone(name), value.clone()));
        Arc::make_mut(&mut act.at.core.live.edit(act.at.id).memory).insert(Arc::clone(name), value);
    }
    act.at.core.fact_changed(Fact::Memory(act.at.id), act.at.run.as_cause());
    Ok(Next::GoOn)
}
