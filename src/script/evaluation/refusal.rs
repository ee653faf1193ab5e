//! How a function refuses what it is given, within an evaluation.

use rhai::{Dynamic, EvalAltResult, Position};

/// How a function refuses within an evaluation.
pub(in crate::script) type Refusal = Box<EvalAltResult>;

/// What stands in a refusal where a part of a text has no value: which part.
#[derive(Debug, Clone, Copy)]
pub(in crate::script) struct MissingPart(pub(in crate::script) usize);

/// Returns a refusal that says `message`.
#[expect(clippy::unnecessary_box_returns, reason = "Rhai's errors are boxed")]
pub(in crate::script) fn refuse(message: &str) -> Refusal {
    Box::new(EvalAltResult::ErrorRuntime(message.into(), Position::NONE))
}

/// Returns a refusal because the part `index` of a text is `()`.
#[expect(clippy::unnecessary_box_returns, reason = "Rhai's errors are boxed")]
pub(in crate::script) fn refuse_part(index: usize) -> Refusal {
    Box::new(EvalAltResult::ErrorRuntime(Dynamic::from(MissingPart(index)), Position::NONE))
}
