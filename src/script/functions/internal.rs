//! Functions that no user can name: the rewriting of expressions calls them.

use rhai::{Array, Dynamic, Engine, ImmutableString};

use crate::model::BoundedText;
use crate::script::evaluation::refusal::{Refusal, refuse_part};

use super::texts::append;

/// Puts a text with `${…}` together.
pub(in crate::script) const JOIN: &str = "__join";

/// Gives a variable's value: in its place where a closure reads the variable while another function works on it, which
/// Rhai takes for a race.
pub(in crate::script) const COPY: &str = "__copy";

/// Registers them. A text has at most `longest` bytes.
pub(in crate::script) fn register(engine: &mut Engine, longest: usize) {
    engine.register_fn(JOIN, move |parts: Array| join(&parts, longest));
    engine.register_fn(COPY, |value: Dynamic| value);
}

fn join(parts: &Array, longest: usize) -> Result<ImmutableString, Refusal> {
    let mut text = BoundedText::new(longest);
    for (index, part) in parts.iter().enumerate() {
        if part.is_unit() {
            return Err(refuse_part(index));
        }
        append(&mut text, part)?;
    }
    Ok(text.into_text().into())
}
