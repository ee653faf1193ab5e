//! One action of a run that is being done.

use crate::engine::condition::evaluator::Evaluator;
use crate::engine::condition::scope::Scope;
use crate::engine::run::cursor::Cursor;
use crate::engine::run::thread::ActionPlace;
use crate::engine::trace::{StepKind, StepResult};
use crate::model::Map;
use crate::rules::{Action, ActionKind};
use crate::script::{Failure, Reads};

/// One action of a run that is being done.
pub(crate) struct Act<'a> {
    /// The thread that does it.
    pub(crate) at: Cursor<'a>,
    pub(crate) action: &'a Action,
    pub(crate) place: ActionPlace,
    /// The run's variables, and the constants of the scene's file on top of them; `None`: the run's alone.
    locals: Option<Map>,
}

impl<'a> Act<'a> {
    /// Returns the doing of `action`.
    pub(crate) fn new(at: Cursor<'a>, action: &'a Action, place: ActionPlace) -> Act<'a> {
        let locals = match &action.kind {
            ActionKind::Scene { constants, .. } if !constants.is_empty() => {
                let variables = at.run.variables.iter().map(|(name, value)| (name.clone(), value.clone()));
                Some(variables.chain(constants.iter().cloned()).collect())
            }
            _ => None,
        };
        Act { at, action, place, locals }
    }

    /// Returns the doing of another action in its place.
    pub(crate) fn instead<'b>(&'b mut self, action: &'b Action) -> Act<'b> {
        Act::new(self.at.reborrow(), action, self.place)
    }

    /// Does something with other variables on top of the run's.
    pub(crate) fn with_locals<T>(&mut self, more: Map, act: impl FnOnce(&mut Act<'_>) -> T) -> T {
        let variables = self.at.run.variables.iter().map(|(name, value)| (name.clone(), value.clone()));
        let locals = variables.chain(more).collect();
        let before = self.locals.replace(locals);
        let done = act(self);
        self.locals = before;
        done
    }

    /// Evaluates something in the thread's scope.
    ///
    /// # Errors
    /// When that fails.
    pub(crate) fn evaluate<T>(
        &mut self,
        evaluate: impl FnOnce(&mut Evaluator, &Scope<'_>, &mut Reads) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.at.evaluate(self.locals.as_ref(), evaluate)
    }

    /// Adds a step to the run's trace.
    pub(crate) fn note(&mut self, kind: StepKind, result: StepResult) {
        self.at.note(&self.action.path, kind, result);
    }
}
