//! What the code of scripts may do: whether it acts, and whether it may nest values without end.

use crate::model::Place;
use crate::script::functions::function::{Effect, Function};
use crate::script::functions::table::{functions, rows};
use crate::script::source::outline::CallOutline;

use super::closure::Closure;
use super::libraries::Library;
use super::script::Script;

impl Library {
    /// Returns the function by which the function `name` acts, itself or by what it calls; `None` where it changes nothing.
    pub(in crate::script) fn acts_by(&self, name: &str, arguments: usize) -> Option<&'static str> {
        let ordinal = self.script.ordinal_of(name, arguments)?;
        self.script.reached_call(ordinal, &|call| acting(call).map(|function| function.name))
    }
}

impl Closure {
    /// Returns the functions that act which it calls itself, or a closure within it does, each with its place.
    pub fn acts(&self) -> impl Iterator<Item = (&'static str, Place)> {
        let calls = self.script.closure(self.ordinal).map_or(&[][..], |closure| &closure.calls);
        calls.iter().filter(|call| !call.is_method).filter_map(|call| {
            let function = acting(call).filter(|function| function.effect == Effect::Acts && function.leaves_step)?;
            Some((function.name, self.script.source.place(call.at)))
        })
    }
}

impl Script {
    /// Returns whether its code may nest values without end: it repeats something.
    pub(in crate::script) fn may_nest(&self) -> bool {
        const REPEATING: [&str; 7] = ["loop", "while", "for", "do", "until", "fn", "call"];
        *self.may_nest.get_or_init(|| {
            let functions = functions().filter(|function| function.may_nest).map(|function| function.name);
            !self.imports.is_empty() || REPEATING.into_iter().chain(functions).any(|word| self.outline.has_word(word))
        })
    }
}

/// Returns the function that acts which a call calls. Where another of its name changes nothing (`log` of a number), it is
/// the one that acts if it is given a text that is written out; of what is computed, nobody knows before it runs.
fn acting(call: &CallOutline) -> Option<&'static Function> {
    if is_of_rhai(call) {
        return None;
    }
    let fits = || rows(&call.name).filter(|row| row.arity.allows(call.arguments));
    let acting = fits().find(|row| row.effect.acts())?;
    (call.has_text || fits().all(|row| row.effect.acts())).then_some(acting)
}

/// Returns whether a call is of a method of Rhai's own that is called as one of ours: `map.set(key, value)`.
fn is_of_rhai(call: &CallOutline) -> bool {
    call.is_method && call.name == "set" && call.arguments == 3
}
