//! A cursor: a thread of a run, taken out of the table to be worked on, with its rule.

use std::sync::Arc;

use crate::engine::condition::evaluator::Evaluator;
use crate::engine::condition::judge::Judging;
use crate::engine::condition::judgement::Judgement;
use crate::engine::condition::scope::Scope;
use crate::engine::core::Core;
use crate::engine::live::id::LiveId;
use crate::engine::trace::{Fault, Step, StepKind, StepResult};
use crate::model::Map;
use crate::rules::{Condition, Rule};
use crate::script::{Failure, Reads};

use super::Run;
use super::thread::Thread;

/// A thread of a run that is worked on.
pub(crate) struct Cursor<'a> {
    pub(crate) core: &'a mut Core,
    pub(crate) id: LiveId,
    pub(crate) rule: &'a Arc<Rule>,
    pub(crate) run: &'a mut Run,
    pub(crate) thread: u32,
}

impl Cursor<'_> {
    /// Returns a cursor at the same place, for as long as this one isn't used.
    pub(crate) fn reborrow(&mut self) -> Cursor<'_> {
        Cursor { core: self.core, id: self.id, rule: self.rule, run: self.run, thread: self.thread }
    }

    /// Returns the thread; `None` where it has ended.
    pub(crate) fn thread(&mut self) -> Option<&mut Thread> {
        self.run.threads.get_mut(self.thread)
    }

    /// Adds a step to the run's trace.
    pub(crate) fn note(&mut self, path: &Arc<str>, kind: StepKind, result: StepResult) {
        self.run.note(Step::new(path, self.core.now(), kind, result));
    }

    /// Notes in the trace that an action failed.
    pub(crate) fn note_failure(&mut self, path: &Arc<str>, kind: StepKind, failure: &Failure) {
        self.note(path, kind, StepResult::Failed(Box::new(Fault::from(failure))));
    }

    /// Evaluates something in the thread's scope; `locals` take the place of the run's variables.
    ///
    /// # Errors
    /// When that fails.
    pub(crate) fn evaluate<T>(
        &mut self,
        locals: Option<&Map>,
        evaluate: impl FnOnce(&mut Evaluator, &Scope<'_>, &mut Reads) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let locals = locals.unwrap_or(&self.run.variables);
        let thread = self.run.scope(self.thread);
        let scope = self.core.scope_in_thread(self.id, self.rule, Some(&self.run.firing), locals, thread);
        evaluate(&mut self.core.evaluator, &scope, &mut Reads::default())
    }

    /// Judges a condition, notes it in the trace, and returns the answer with what it read.
    ///
    /// # Errors
    /// When it fails.
    pub(crate) fn judge(&mut self, condition: &Condition) -> Result<(Judgement, Reads), Failure> {
        let thread = self.run.scope(self.thread);
        let (firing, locals) = (&self.run.firing, &self.run.variables);
        let scope = self.core.scope_in_thread(self.id, self.rule, Some(firing), locals, thread);
        let mut judging = Judging::new(&scope, self.core.live.get(self.id).trackers());
        let verdict = self.core.evaluator.judge(&mut judging, condition);
        let (reads, steps) = (judging.reads, judging.steps);
        for step in steps {
            self.run.note(step);
        }
        match verdict {
            Judgement::Failed(failure) => Err(failure),
            verdict => Ok((verdict, reads)),
        }
    }

    /// Returns whether a condition holds; without an answer it doesn't.
    ///
    /// # Errors
    /// When it fails.
    pub(crate) fn holds(&mut self, condition: &Condition) -> Result<bool, Failure> {
        self.judge(condition).map(|(verdict, _)| verdict.holds())
    }
}
