//! Rhai, confined: expressions compiled with their places, templates, and what a script may call and read.
//!
//! Pure: what an expression reads is the [`World`] that it is lent, at the time that the world is told.
//!
//! - `source`: text as tokens; nothing else reads source.
//! - `functions`: what may be called, a row a function.
//! - `expression`: from text to what can be evaluated, or to what is wrong with it.
//! - `scripts`: whole files of Rhai, the rules that they make, and their closures.
//! - `devices`: devices and inputs as expressions see them.
//! - `evaluation`: the sandbox, its limits, and the world that it lends.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod devices;
mod evaluation;
mod expression;
mod functions;
mod scripts;
mod source;
#[cfg(test)]
mod tests;

pub use devices::inputs::InputTopics;
pub use devices::known::{KnownDevice, KnownDevices, KnownProperty, Named};
pub use evaluation::deep_stack::with_deep_stack;
pub use evaluation::failure::Failure;
pub use evaluation::limits::Limits;
pub use evaluation::meter::Interrupter;
pub use evaluation::reads::Reads;
pub use evaluation::sandbox::{Frame, Sandbox};
pub use evaluation::world::{LastRun, RuleNames, World};
pub use expression::compiled::Expression;
pub use expression::error::{ExpressionError, ExpressionErrorKind};
pub use expression::mention::{CalendarMention, DeviceMention, InputMention, PastMention, RuleMention};
pub use expression::names::{BUILT_IN_VARIABLES, EVENT, Names, SET_BY_WORDS};
pub use expression::reading::{Compared, Read, TopicMention};
pub use expression::template::{Template, TextPart};
pub use functions::reference::function_reference;
pub use scripts::calling::Called;
pub use scripts::closure::{Closure, ClosureId};
pub use scripts::command::{Asked, Command, Told, UnlessSame};
pub use scripts::error::{ScriptError, ScriptErrorKind};
pub use scripts::given::{Given, GivenEntry, GivenKind, GivenRule};
pub use scripts::loading::LoadedScript;
pub use scripts::script_file::ScriptFile;
pub use source::piece::Piece;
pub use source::topic_call::{LiteralCall, TopicCall};
