//! The variables that an expression of a rule may read at one moment, looked up when it asks.

use std::sync::Arc;

use crate::model::{Map, Name, Value};
use crate::rules::Rule;
use crate::script::BUILT_IN_VARIABLES;

use crate::engine::trigger::firing::{Firing, OfDevice};

/// Where variables are looked up: those of the run, of its thread, of the firing, of the rule.
pub(crate) struct Scope<'a> {
    pub(crate) rule: &'a Rule,
    pub(crate) memory: Arc<Map>,
    /// What triggered the run; `None` for the condition of a `while`.
    pub(crate) firing: Option<&'a Firing>,
    /// Variables of `let` and `with`.
    pub(crate) locals: &'a Map,
    /// What `wait`, `repeat` and `http` are in the thread.
    pub(crate) thread: ThreadScope,
    /// The last message of the topic that the rule was made for, by `each: {topic: …}`.
    pub(crate) each_message: Value,
}

/// The variables that a thread of a run sets as it goes.
#[derive(Debug, Clone, Default)]
pub(crate) struct ThreadScope {
    pub(crate) wait: Value,
    pub(crate) repeat: Value,
    pub(crate) http: Value,
}

impl Scope<'_> {
    /// Returns the variable `name`; `()` where nothing sets it now.
    pub(crate) fn get(&self, name: &str) -> Value {
        match name {
            "memory" => return Value::Map(Arc::clone(&self.memory)),
            "wait" => return self.thread.wait.clone(),
            "repeat" => return self.thread.repeat.clone(),
            "http" => return self.thread.http.clone(),
            _ => {}
        }
        if let Some(value) = self.locals.get(name) {
            return value.clone();
        }
        if let Some(value) = self.firing.and_then(|firing| firing.get(name)) {
            return value;
        }
        if let Some(value) = self.each_topic(name) {
            return value;
        }
        self.constant(name).cloned().unwrap_or_default()
    }

    /// Returns the names of all that is set.
    pub(crate) fn names(&self) -> Vec<Name> {
        let built_in = BUILT_IN_VARIABLES.iter().filter(|name| !matches!(**name, "memory" | "now" | "sun" | "inputs"));
        let named = self.firing.into_iter().flat_map(|firing| firing.named.iter().map(|(name, _)| name.clone()));
        let constants = self.rule.constants.iter().map(|(name, _)| name.clone());
        built_in
            .map(|name| Name::from(*name))
            .chain(
                self.firing
                    .into_iter()
                    .filter(|firing| firing.device.is_some())
                    .flat_map(|_| OfDevice::NAMES.map(Name::from)),
            )
            .chain(self.locals.keys().cloned())
            .chain(named)
            .chain(constants)
            .collect()
    }

    fn each_topic(&self, name: &str) -> Option<Value> {
        let topic = self.rule.each_topic.as_ref()?;
        match name {
            "topic" => Some(Value::Text(topic.text())),
            "msg" => Some(self.each_message.clone()),
            _ => None,
        }
    }

    fn constant(&self, name: &str) -> Option<&Value> {
        let is_it = |constant: &&(Name, Value)| *constant.0 == *name;
        self.rule.constants.iter().find(is_it).map(|(_, value)| value)
    }
}
