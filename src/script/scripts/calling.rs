//! Calls closures of scripts.

use std::sync::Arc;

use rhai::{Dynamic, EvalContext, Scope};

use crate::model::{Map, Name, Value};

use super::closure::Closure;
use super::command::Asked;
use crate::script::evaluation::convert::{Budget, from_dynamic, to_dynamic};
use crate::script::evaluation::deep_stack::on_deep_stack;
use crate::script::evaluation::failure::Failure;
use crate::script::evaluation::loan::{Call, Lent};
use crate::script::evaluation::reads::Reads;
use crate::script::evaluation::sandbox::{Frame, Sandbox};
use crate::script::evaluation::world::World;

/// What came of a call.
#[derive(Debug)]
pub struct Called {
    /// What the closure asked to be done before it ended, or failed.
    pub commands: Vec<Asked>,
    /// What it gave, or why it failed.
    pub result: Result<Value, Failure>,
}

impl Sandbox {
    /// Calls a closure in `world`, which is lent to it and is the same afterwards. Where it takes an argument, that
    /// is the event: a map of the variables of the frame, `names` and what the closure reads of it by name.
    #[must_use]
    pub fn call(&self, world: &mut World, closure: &Closure, names: &[Name], frame: &mut Frame<'_>) -> Called {
        let (Some(state), Some(name)) = (closure.script.state.get(), closure.script.name_of(closure.ordinal)) else {
            let why = Failure::plain("the closure is gone");
            return Called { commands: Vec::new(), result: Err(why) };
        };
        let arguments = match self.arguments(closure, names, frame) {
            Ok(arguments) => arguments,
            Err(message) => {
                let why = Failure::at_closure(closure, message);
                return Called { commands: Vec::new(), result: Err(why) };
            }
        };
        let memory = match (frame.variables)("memory") {
            Value::Map(memory) => memory,
            _ => Arc::new(Map::default()),
        };
        self.loan.give(Lent {
            world: std::mem::take(world),
            reads: Reads::default(),
            rule: frame.rule.clone(),
            entropy: frame.entropy,
            draws: 0,
            call: Some(Call {
                script: Arc::clone(&closure.script),
                memory,
                commands: Vec::new(),
                bytes: 0,
                has_gap: false,
            }),
        });
        self.meter.begin();
        let engine = &self.scripts().engine;
        let script = &closure.script;
        // All that a script made ends there too.
        let run = move || {
            let mut arguments = arguments;
            let mut references: Vec<&mut Dynamic> = arguments.iter_mut().collect();
            let mut global = state.clone();
            let (mut caches, mut scope) = (rhai::Caches::new(), Scope::new());
            let mut context = EvalContext::new(engine, &mut global, &mut caches, &mut scope, None);
            let result = context.call_fn_raw(name, false, false, &mut references);
            result
                .map(|value| from_dynamic(&value).unwrap_or_default())
                .map_err(|refusal| Failure::in_script(&refusal, script, closure.start(), &self.limits))
        };
        let result = on_deep_stack(script.may_nest(), run);
        self.meter.end();
        let mut commands = Vec::new();
        let mut without_value = None;
        if let Some(lent) = self.loan.take() {
            *world = lent.world;
            without_value.clone_from(&lent.reads.without_value);
            frame.reads.merge(lent.reads);
            commands = lent.call.map(|call| call.commands).unwrap_or_default();
        }
        let result = result
            .unwrap_or_else(|message| Err(Failure::at_closure(closure, message)))
            .map_err(|failure| Failure { without_value, ..failure });
        Called { commands, result }
    }

    /// Returns what a closure is called with: what it captured, then the event.
    fn arguments(&self, closure: &Closure, names: &[Name], frame: &Frame<'_>) -> Result<Vec<Dynamic>, String> {
        let items = self.limits.items;
        let captured = closure.captured.iter().map(|value| to_dynamic(value, None, items));
        let mut arguments = captured.collect::<Result<Vec<_>, _>>()?;
        match closure.parameters() {
            0 => {}
            1 => arguments.push(self.event(closure, names, frame)?),
            more => return Err(format!("the closure takes {more} arguments, and a rule gives it one: `|e| …`")),
        }
        Ok(arguments)
    }

    fn event(&self, closure: &Closure, names: &[Name], frame: &Frame<'_>) -> Result<Dynamic, String> {
        let mut event = rhai::Map::new();
        let mut budget = Budget::of(&self.limits);
        let mut add = |name: &str| {
            let value = (frame.variables)(name);
            let value = match name {
                "memory" => to_dynamic(&value, None, usize::MAX),
                _ => budget.spend_on(&value),
            };
            let value = value.map_err(|error| format!("can't read `e.{name}`: {error}"))?;
            event.insert(name.into(), value);
            Ok::<(), String>(())
        };
        match closure.event_keys() {
            Some(keys) => keys.keys().try_for_each(|key| add(key))?,
            None => names.iter().try_for_each(|name| add(name))?,
        }
        Ok(Dynamic::from_map(event))
    }
}
