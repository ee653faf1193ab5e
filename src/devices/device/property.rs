//! A property of a device: what it holds, where it is read, and how it is written.

use std::sync::Arc;

use crate::devices::codec::Codec;
use crate::devices::device::reader::Reader;
use crate::devices::template::Template;
use crate::model::{Qos, Value};

/// A property of a device.
#[derive(Debug, Clone, PartialEq)]
pub struct Property {
    /// Its name, in the words of docs/devices.md where it is one of them.
    pub name: Arc<str>,
    /// What it holds.
    pub holds: Holds,
    /// Its unit, after conversion.
    pub unit: Option<Arc<str>>,
    /// Where it is read; none where the device never says it.
    pub reads: Vec<Read>,
    /// How it is written; none where it can only be read.
    pub write: Option<Write>,
    /// Whether the source says that nothing tells what became of a command.
    pub is_optimistic: bool,
}

/// What a property holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Holds {
    /// True or false.
    Boolean,
    /// A number.
    Number(Range),
    /// One of these words.
    Words(Arc<[Arc<str>]>),
    /// A text.
    Text,
    /// `#rrggbb`.
    Color,
    /// An event: each message is one. The words are those that are known, if any.
    Event(Arc<[Arc<str>]>),
    /// Nothing: it can only be pressed.
    Press,
    /// How long a change takes, in seconds.
    Duration,
    /// True, false, or a map with `tone`, `volume` and `duration`.
    Sound,
    /// Anything.
    Any,
}

/// Which numbers a property holds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Range {
    /// The least.
    pub min: Option<f64>,
    /// The most.
    pub max: Option<f64>,
    /// The steps between them.
    pub step: Option<f64>,
    /// Whether only whole ones.
    pub is_whole: bool,
}

/// Where a property is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// Which of the device's topics.
    pub topic: usize,
    /// How.
    pub reader: Reader,
}

/// How a property is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    /// Which of the device's topics.
    pub topic: usize,
    /// How the value gets into a message.
    pub form: Form,
    /// How it travels.
    pub codec: Codec,
    /// The words that a command may use besides what the property holds.
    pub words: Arc<[Arc<str>]>,
    /// The place among the messages of one command: lower comes first.
    pub order: i8,
    /// Which property must be sent with it as true, if any: `on`, where the protocol wants it with each change of a light.
    pub needs: Option<usize>,
    /// How surely it is delivered.
    pub qos: Qos,
    /// Whether the broker keeps it.
    pub retain: bool,
}

/// How a value gets into a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// It is the payload.
    Payload,
    /// It is a member of a JSON map, which others of the same command share.
    Member(Arc<[Arc<str>]>),
    /// A template makes the payload of `value`.
    Template(Template),
    /// A template makes the payload of this variable and those of the others of the same command.
    Shared {
        /// The variable.
        variable: Arc<str>,
        /// What is rendered, unless the command turns the device off.
        on: Template,
        /// What is rendered where it does.
        off: Template,
    },
    /// A command of Tasmota: the last level of the topic; several go as one `Backlog0`.
    Tasmota(Arc<str>),
    /// A call of Shelly's RPC, whose parameters others of the same command share.
    Rpc {
        /// The method, such as `Light.Set`; where there is no parameter, the value is the method.
        method: Arc<str>,
        /// The component's number.
        component: u32,
        /// The parameter's name, with `.` between keys; none where the method needs none.
        parameter: Option<Arc<str>>,
    },
}

impl Holds {
    /// Returns whether each message is an event rather than a state.
    #[must_use]
    pub fn is_event(&self) -> bool {
        matches!(self, Holds::Event(_))
    }

    /// Returns what it is, in a word for lists of devices.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Holds::Boolean => "boolean",
            Holds::Number(_) => "number",
            Holds::Words(_) => "words",
            Holds::Text => "text",
            Holds::Color => "color",
            Holds::Event(_) => "event",
            Holds::Press => "press",
            Holds::Duration => "duration",
            Holds::Sound => "sound",
            Holds::Any => "any",
        }
    }
}

impl Range {
    /// The whole numbers from 0 to 100.
    pub const PERCENT: Range = Range { min: Some(0.0), max: Some(100.0), step: Some(1.0), is_whole: true };

    /// Returns whether the number lies within.
    #[must_use]
    pub fn contains(&self, number: f64) -> bool {
        self.min.is_none_or(|min| number >= min) && self.max.is_none_or(|max| number <= max)
    }
}

impl Property {
    /// Returns whether a command that set it can be seen to have worked.
    #[must_use]
    pub fn can_confirm(&self) -> bool {
        let is_said = !self.reads.is_empty() && !self.is_optimistic;
        is_said && !matches!(self.holds, Holds::Press | Holds::Duration | Holds::Event(_)) && &*self.name != "effect"
    }

    /// Returns whether two values are the same to the device: what would be sent is compared, so that a value that the device
    /// rounds is equal to itself.
    #[must_use]
    pub fn is_same(&self, one: &Value, other: &Value) -> bool {
        let codec = self.write.as_ref().map(|write| &write.codec);
        let codec = codec.or_else(|| self.reads.first().map(|read| &read.reader.codec));
        one == other || codec.is_some_and(|codec| codec.is_same(one, other))
    }

    /// Returns whether what the device says is what a command wanted, its words (`arm_away`, `open`) included.
    #[must_use]
    pub fn confirms(&self, wanted: &Value, said: &Value) -> bool {
        let outcomes = wanted.as_text().and_then(outcomes);
        match (outcomes, said) {
            (Some(outcomes), Value::Text(said)) => {
                outcomes.contains(&&**said) || self.is_same(wanted, &Value::text(&**said))
            }
            (_, said) => match (&self.holds, wanted) {
                (Holds::Sound, Value::Map(_)) => said == &Value::Bool(true),
                _ => self.is_same(wanted, said),
            },
        }
    }
}

/// Returns what a device says once it does what a command's word asks.
fn outcomes(word: &str) -> Option<&'static [&'static str]> {
    Some(match word {
        "open" => &["opening", "open", "opened"],
        "close" => &["closing", "closed"],
        "stop" => &["stopped", "idle", "docked", "paused"],
        "disarm" => &["disarmed"],
        "arm_home" => &["armed_home", "arming"],
        "arm_away" => &["armed_away", "arming"],
        "arm_night" => &["armed_night", "arming"],
        "arm_vacation" => &["armed_vacation", "arming"],
        "arm_custom_bypass" => &["armed_custom_bypass", "arming"],
        "trigger" => &["triggered"],
        "start" => &["cleaning", "mowing"],
        "pause" => &["paused"],
        "dock" => &["docked", "returning"],
        "spot" => &["cleaning"],
        _ => return None,
    })
}
