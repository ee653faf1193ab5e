//! A closure of a script, with what it captured: data that can be kept and called again.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use rhai::FnPtr;
use serde::{Deserialize, Serialize};

use crate::model::{Place, Value};

use super::script::Script;
use crate::model::Fingerprint;
use crate::script::evaluation::convert::from_dynamic;
use crate::script::source::outline::CallOutline;
use crate::script::source::topic_call::{DEVICE_READERS, LiteralCall, TopicCall};

/// A closure of a script.
#[derive(Debug, Clone)]
pub struct Closure {
    pub(in crate::script) script: Arc<Script>,
    pub(in crate::script) ordinal: usize,
    /// What it captured, as it was when the closure was made.
    pub(in crate::script) captured: Arc<Vec<Value>>,
}

/// What a closure is known by across restarts: its file, its number there, and a hash of what it means.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClosureId {
    /// The path of its file under the folder of the rules, without its ending.
    pub file: Arc<str>,
    /// Its number in the file.
    pub ordinal: usize,
    /// A hash of its tokens, and of those of all that it may reach.
    pub hash: u64,
}

impl Closure {
    /// Returns the closure that Rhai's `pointer`, made by code of `script`, stands for.
    ///
    /// # Errors
    /// When it isn't a closure of a script, or captured something that isn't a value.
    pub(in crate::script) fn new(script: &Arc<Script>, pointer: &FnPtr) -> Result<Closure, String> {
        let Some((script, ordinal)) = script.find(pointer.fn_name()) else {
            return Err(format!("`{}` isn't a closure of a script", pointer.fn_name()));
        };
        let captured = pointer.curry().iter().map(|value| {
            from_dynamic(value).map_err(|error| {
                format!("the closure captures what can't be kept: {error}; write a function (`fn name() {{ … }}`)")
            })
        });
        let captured = captured.collect::<Result<Vec<_>, _>>()?;
        Ok(Closure { script, ordinal, captured: Arc::new(captured) })
    }

    /// Returns what it is known by.
    #[must_use]
    pub fn id(&self) -> ClosureId {
        let hash = self.script.fingerprint(self.ordinal);
        ClosureId { file: Arc::clone(&self.script.stem), ordinal: self.ordinal, hash }
    }

    /// Returns the values that it captured.
    #[must_use]
    pub fn captured(&self) -> &[Value] {
        &self.captured
    }

    /// Returns the closure `id` of the same script, or of one that it imports, with what it captured; `None` where
    /// it is no more, or has changed.
    #[must_use]
    pub fn find(&self, id: &ClosureId, captured: Vec<Value>) -> Option<Closure> {
        let script = self.script.by_stem(&id.file)?;
        let closure = Closure { script, ordinal: id.ordinal, captured: Arc::new(captured) };
        (closure.id() == *id).then_some(closure)
    }

    /// Returns where it stands.
    #[must_use]
    pub fn place(&self) -> Place {
        self.script.source.place(self.start())
    }

    /// Returns where it begins, in bytes of its file.
    pub(in crate::script) fn start(&self) -> usize {
        self.script.closure(self.ordinal).map_or(0, |closure| closure.range.start)
    }

    /// Returns the hash of what it means, with what it captured.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut hash = Fingerprint::new();
        hash.number(self.script.fingerprint(self.ordinal));
        for value in self.captured.iter() {
            hash.text(value.kind());
            hash.text(&value.to_string());
        }
        hash.value()
    }

    /// Returns whether it may publish a scene, itself or by what it calls.
    #[must_use]
    pub fn may_name_scenes(&self) -> bool {
        self.script.reaches(self.ordinal, "scene")
    }

    /// Returns its calls whose first argument is a text that is written out.
    #[must_use]
    pub fn literal_calls(&self) -> &[LiteralCall] {
        self.script.closure(self.ordinal).map_or(&[], |closure| &closure.literals)
    }

    /// Returns what it says of topics, itself or by what it calls.
    #[must_use]
    pub fn topic_calls(&self) -> Vec<TopicCall> {
        let found = RefCell::new(Vec::new());
        let note = |call: &CallOutline| -> Option<()> {
            found.borrow_mut().extend(TopicCall::of(&call.name, &call.written));
            None
        };
        self.script.reached_call(self.ordinal, &note);
        found.into_inner()
    }

    /// Returns whether it reads or commands devices, itself or by what it calls.
    #[must_use]
    pub fn speaks_of_devices(&self) -> bool {
        self.script.reached_call(self.ordinal, &|call| is_about_devices(call).then_some(())).is_some()
    }

    /// Returns how many arguments it takes.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.script.closure(self.ordinal).map_or(0, |closure| closure.parameters.len())
    }

    /// Returns the keys that it reads of the event, each with the bytes of its file where it stands first; `None`
    /// where it uses the event as a whole.
    #[must_use]
    pub fn event_keys(&self) -> Option<&BTreeMap<String, Range<usize>>> {
        self.script.closure(self.ordinal)?.keys.as_ref()
    }
}

impl Script {
    /// Returns what the whole script says of topics, with all that it imports.
    pub(in crate::script) fn all_topic_calls(&self) -> Vec<TopicCall> {
        let found = RefCell::new(Vec::new());
        let note = |call: &CallOutline| -> Option<()> {
            found.borrow_mut().extend(TopicCall::of(&call.name, &call.written));
            None
        };
        self.call_anywhere(&note);
        found.into_inner()
    }

    /// Returns whether the script, or one that it imports, reads or commands devices.
    pub(in crate::script) fn speaks_of_devices(&self) -> bool {
        self.call_anywhere(&|call| is_about_devices(call).then_some(())).is_some()
    }
}

fn is_about_devices(call: &CallOutline) -> bool {
    call.name == "set" || DEVICE_READERS.contains(&call.name.as_str())
}

impl PartialEq for Closure {
    fn eq(&self, other: &Closure) -> bool {
        self.id() == other.id() && self.captured == other.captured
    }
}
