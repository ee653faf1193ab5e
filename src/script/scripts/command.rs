//! What a closure asks to be done: its commands, carried out in their order once it has ended.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{LogLevel, Name, Place, Qos, Topic, Value};

use super::closure::Closure;

/// A command, and where in the scripts it was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// What is to be done.
    pub command: Command,
    /// Where the function is called that asks for it; `None` where that isn't known.
    pub place: Option<Place>,
}

/// One thing that a closure asks to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// `publish(topic, payload, options)`.
    Publish {
        /// Where to.
        topic: Topic,
        /// What.
        payload: Value,
        /// How surely it is delivered.
        qos: Qos,
        /// Whether the broker keeps it.
        retain: bool,
        /// When not to publish.
        if_changed: UnlessSame,
    },
    /// `scene(name)`.
    Scene(Name),
    /// `set(device, properties, options)`.
    Set {
        /// Which devices: a name, a list of them, or a map that selects.
        target: Value,
        /// The properties and what they are to be: a map.
        to: Value,
        /// Whether what a device says already is left out.
        if_changed: bool,
    },
    /// `notify(targets, message, options)`.
    Notify(Box<Told>),
    /// `after(duration, closure)`, with a name or without.
    After {
        /// The timer's name; one of that name is replaced.
        name: Option<Name>,
        /// How much later.
        delay: Duration,
        /// What is then called, without arguments.
        closure: Closure,
    },
    /// `cancel(name)`: ends the rule's timer of that name.
    Cancel(Name),
    /// `remember(name, value)`.
    Remember(Name, Value),
    /// `enable(rule)` (true) and `disable(rule)` (false).
    Switch {
        /// The rule, as users write it.
        rule: Arc<str>,
        /// Which of both.
        is_enabled: bool,
    },
    /// `log(text)`, `print(text)`, `debug(value)`.
    Log {
        /// What.
        text: Arc<str>,
        /// How loudly.
        level: LogLevel,
    },
    /// `http(map)`: a request whose answer nobody waits for.
    Http {
        /// `GET`, `POST`, …
        method: Arc<str>,
        /// Where to.
        url: Arc<str>,
        /// Names and values.
        headers: Vec<(Arc<str>, Arc<str>)>,
        /// What is sent.
        body: Option<Value>,
        /// How long the answer may take; `None`: as long as usual.
        timeout: Option<Duration>,
    },
}

/// What people are told.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Told {
    /// To whom: the name of a target, or a list of them.
    pub targets: Value,
    /// What.
    pub message: Value,
    /// Its title.
    pub title: Option<Value>,
    /// How urgent it is.
    pub priority: Option<Value>,
    /// A word that is shown with it, or a list of them.
    pub tags: Option<Value>,
    /// What can be answered: texts, and the webhooks that they are.
    pub buttons: Vec<(Arc<str>, Arc<str>)>,
}

/// When a message is not published, since nothing would change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum UnlessSame {
    /// It always is.
    #[default]
    Always,
    /// Not if the topic's last payload equals it.
    OwnTopic,
    /// Not if this topic's state matches it.
    Topic(Topic),
}
