//! The home: all entities, how each is read, and which of them go through Home Assistant.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::attribute;
use super::codec::Codec;
use super::entity::{Entity, Field, InputKind, Source};
use super::guess;
use super::known::KnownDevice;
use super::registries::{Registered, Registries, plain};
use crate::lang::import::home_assistant::expression::quoted;

/// The entities of a home.
#[derive(Debug, Default)]
pub(in crate::lang::import::home_assistant) struct Home {
    /// Those of the entities file and of helpers.
    pub(in crate::lang::import::home_assistant) entities: BTreeMap<String, Entity>,
    pub(in crate::lang::import::home_assistant) registries: Registries,
    pub(in crate::lang::import::home_assistant) known: Vec<KnownDevice>,
    /// The first level of the topics on which Home Assistant says its states.
    pub(in crate::lang::import::home_assistant) prefix: String,
    /// The entities that something read or commanded.
    used: RefCell<BTreeMap<String, Entity>>,
    /// The actions that Home Assistant is asked for.
    pub(in crate::lang::import::home_assistant) calls: RefCell<BTreeSet<String>>,
    /// Whether nobody says where the home is, so that homerule.yaml has a placeholder.
    pub(in crate::lang::import::home_assistant) has_no_place: bool,
    /// Whether the entities file names entities.
    pub(in crate::lang::import::home_assistant) has_file: bool,
    /// What is read, since it was last asked: what triggers are written for.
    reads: RefCell<Vec<(&'static str, String, Option<String>)>>,
    /// The entities whose state something reads.
    read: RefCell<BTreeSet<String>>,
    /// The units of helpers, by their entity ids.
    pub(in crate::lang::import::home_assistant) units: BTreeMap<String, String>,
    /// Attributes of entities known here that are read through Home Assistant, since these were last asked for.
    left: RefCell<BTreeSet<(String, String)>>,
    /// Whether an attribute is read through Home Assistant.
    pub(in crate::lang::import::home_assistant) reads_attributes: RefCell<bool>,
}

impl Home {
    pub(in crate::lang::import::home_assistant) fn new(
        registries: Registries,
        known: Vec<KnownDevice>,
        prefix: String,
    ) -> Home {
        Home { registries, known, prefix, ..Home::default() }
    }

    /// Returns what an entity is. One that nothing is known about goes through Home Assistant.
    pub(in crate::lang::import::home_assistant) fn entity(&self, id: &str) -> Entity {
        let found = self.find(id);
        self.used.borrow_mut().entry(id.to_owned()).or_insert_with(|| found.clone());
        found
    }

    /// Returns the unit of a helper.
    pub(in crate::lang::import::home_assistant) fn unit_of(&self, id: &str) -> Option<String> {
        self.units.get(id).cloned()
    }

    /// Returns the attributes that were read through Home Assistant since, though their entities are known here.
    pub(in crate::lang::import::home_assistant) fn take_left(&self) -> BTreeSet<(String, String)> {
        self.left.take()
    }

    /// Returns an attribute as a running Home Assistant says it.
    fn bridged_attribute(&self, entity: &Entity, attribute: &str) -> Field {
        *self.reads_attributes.borrow_mut() = true;
        let topic = format!("{}/{}/{}/{attribute}", self.prefix, entity.domain(), entity.object());
        topic_field(&topic, None, Codec::Raw)
    }

    /// Returns an attribute that the source of its entity doesn't say, as a running Home Assistant says it.
    fn left_attribute(&self, entity: &Entity, attribute: &str) -> Field {
        self.left.borrow_mut().insert((entity.id.clone(), attribute.to_owned()));
        self.bridged_attribute(entity, attribute)
    }

    /// Returns the entities that something read or commanded.
    pub(in crate::lang::import::home_assistant) fn used(&self) -> BTreeMap<String, Entity> {
        self.used.borrow().clone()
    }

    /// Does something of which nothing is noted: what it reads and calls doesn't count.
    pub(in crate::lang::import::home_assistant) fn aside<T>(&self, inner: impl FnOnce() -> T) -> T {
        let (used, calls, read) = (self.used(), self.calls.borrow().clone(), self.read.borrow().clone());
        let reads_attributes = *self.reads_attributes.borrow();
        let done = inner();
        self.used.replace(used);
        self.calls.replace(calls);
        self.read.replace(read);
        self.reads_attributes.replace(reads_attributes);
        done
    }

    fn find(&self, id: &str) -> Entity {
        if let Some(entity) = self.entities.get(id) {
            return entity.clone();
        }
        let registered = self.registries.entities.get(id);
        let name = registered.and_then(|entity| entity.name.clone());
        let source = match id {
            "sun.sun" => Source::Sun,
            "sensor.time" => Source::Clock { format: "%H:%M" },
            "sensor.date" => Source::Clock { format: "%Y-%m-%d" },
            "sensor.date_time" => Source::Clock { format: "%Y-%m-%d, %H:%M" },
            "sensor.date_time_iso" => Source::Clock { format: "%Y-%m-%dT%H:%M:00" },
            _ => registered.and_then(|entity| self.of_registry(id, entity)).unwrap_or(Source::Bridge),
        };
        Entity { id: id.to_owned(), name, source }
    }

    /// Returns the device of an entity, where the home knows it.
    pub(in crate::lang::import::home_assistant) fn known_device(
        &self,
        registered: &super::registries::RegisteredDevice,
    ) -> Option<&KnownDevice> {
        let identifiers: Vec<String> = registered.identifiers.iter().map(|(_, id)| id.clone()).collect();
        self.known.iter().find(|device| {
            let (source, id) = device.id.split_once('/').unwrap_or(("", &device.id));
            identifiers.iter().any(|identifier| match source {
                "zigbee2mqtt" => {
                    let own = identifier.strip_prefix("zigbee2mqtt_").unwrap_or(identifier);
                    own.eq_ignore_ascii_case(id)
                        || id
                            .strip_prefix("group-")
                            .is_some_and(|group| own.ends_with(&format!("_{group}")) && own.contains("bridge"))
                }
                "tasmota" | "shelly" => plain(identifier) == plain(id),
                _ => identifier == id,
            }) || registered
                .connections
                .iter()
                .any(|address| plain(id) == *address || device.addresses.iter().any(|own| plain(own) == *address))
        })
    }

    fn of_registry(&self, id: &str, entity: &Registered) -> Option<Source> {
        let registered = self.registries.device_of(entity)?;
        let device = self.known_device(registered)?;
        let (domain, object) = id.split_once('.')?;
        let property = guess::property(device, domain, entity.class.as_deref(), &entity.unique_id, object)?;
        Some(Source::Device { name: device.name.clone(), property })
    }

    /// Returns the device of a name, where the home knows it.
    pub(in crate::lang::import::home_assistant) fn device_named(&self, name: &str) -> Option<&KnownDevice> {
        self.known.iter().find(|device| device.name == name || device.id == name)
    }

    /// Returns the topic on which Home Assistant says an entity's state.
    pub(in crate::lang::import::home_assistant) fn topic(&self, entity: &Entity) -> String {
        format!("{}/{}/{}/state", self.prefix, entity.domain(), entity.object())
    }

    /// Returns how an entity's state, or an attribute of it, is read.
    ///
    /// # Errors
    /// When it can't be, with the reason.
    pub(in crate::lang::import::home_assistant) fn field(
        &self,
        entity: &Entity,
        attribute: Option<&str>,
    ) -> Result<Field, String> {
        let field = match attribute {
            None => self.state_of(entity),
            Some(attribute) => self.attribute_of(entity, attribute),
        }?;
        self.read.borrow_mut().insert(entity.id.clone());
        let heard = (field.word, field.name.clone(), field.path.clone());
        let mut reads = self.reads.borrow_mut();
        if !field.word.is_empty() && !reads.contains(&heard) {
            reads.push(heard);
        }
        drop(reads);
        Ok(field)
    }

    /// Forgets what was read before.
    pub(in crate::lang::import::home_assistant) fn start_reading(&self) {
        self.reads.borrow_mut().clear();
    }

    /// Returns what was read since: the word of a trigger, what it names, and the field.
    pub(in crate::lang::import::home_assistant) fn was_read(&self) -> Vec<(&'static str, String, Option<String>)> {
        self.reads.borrow().clone()
    }

    /// Returns whether something reads an entity's state.
    pub(in crate::lang::import::home_assistant) fn is_read(&self, id: &str) -> bool {
        self.read.borrow().contains(id)
    }

    fn state_of(&self, entity: &Entity) -> Result<Field, String> {
        match &entity.source {
            Source::Bridge => Ok(topic_field(&self.topic(entity), None, Codec::Raw)),
            Source::Derived { topic, .. } | Source::Timer { topic, .. } => Ok(topic_field(topic, None, Codec::Raw)),
            Source::Topic(topic) => Ok(topic_field(&topic.topic, topic.path.as_deref(), topic.codec(entity.domain()))),
            Source::Device { name, property } => {
                Ok(device_field(name, property, guess::codec(entity.domain(), property)))
            }
            Source::Input { name, kind } => Ok(input_field(name, kind)),
            Source::Sun => {
                let codec = Codec::Words(vec![
                    ("above_horizon".to_owned(), true.into()),
                    ("below_horizon".to_owned(), false.into()),
                ]);
                Ok(computed("sun.up", codec))
            }
            Source::Clock { format } => Ok(computed(&format!("strftime(now.unix, {})", quoted(format)), Codec::Text)),
            Source::Schedule { rule } => Ok(computed(&format!("holds({})", quoted(rule)), Codec::OnOff)),
            Source::Automation { rule } => Ok(computed(&format!("enabled({})", quoted(rule)), Codec::OnOff)),
            Source::Script { rule } => Ok(computed(&format!("running({})", quoted(rule)), Codec::OnOff)),
            Source::Scene { .. } => Err(format!("`{}` is a scene, whose state is when it was last used", entity.id)),
        }
    }

    fn attribute_of(&self, entity: &Entity, attribute: &str) -> Result<Field, String> {
        let unknown = || format!("`{}` has no attribute `{attribute}` here", entity.id);
        match &entity.source {
            Source::Bridge => Ok(self.bridged_attribute(entity, attribute)),
            Source::Topic(topic) => Ok(match topic.attributes.get(attribute) {
                Some(path) => topic_field(&topic.topic, Some(path), Codec::Raw),
                None => self.left_attribute(entity, attribute),
            }),
            Source::Device { name, property } => {
                let domain = entity.domain();
                if domain == "event" && attribute == "event_type" {
                    return Ok(device_field(name, property, Codec::Text));
                }
                let known = attribute::of_device(domain, attribute)
                    .map(|(word, scale)| (word.to_owned(), scale as fn(&str) -> String))
                    .or_else(|| {
                        let known = self.device_named(name)?.property(attribute)?;
                        Some((known.name.clone(), (|value: &str| value.to_owned()) as fn(&str) -> String))
                    });
                let Some((word, scale)) = known else { return Ok(self.left_attribute(entity, attribute)) };
                // A property that the entity's own has an ending of: `on_left` has `brightness_left`.
                let ending = property.split_once('_').filter(|(base, _)| *base == "on").map(|(_, ending)| ending);
                let word = ending
                    .map(|ending| format!("{word}_{ending}"))
                    .filter(|named| self.device_named(name).is_some_and(|device| device.property(named).is_some()))
                    .unwrap_or(word);
                let codec = attribute::codec(attribute)
                    .ok_or_else(|| format!("`{attribute}` has another scale here: compare it in a template"));
                let mut field = device_field(name, &word, Codec::Raw);
                field.expression = scale(&field.expression);
                field.text = format!("ha::text({})", field.expression);
                field.codec = codec.unwrap_or(Codec::Raw);
                Ok(field)
            }
            Source::Sun => {
                let expression = match attribute {
                    "elevation" => "sun.elevation",
                    "azimuth" => "sun.azimuth",
                    "next_rising" => "ha::next_sun(sun.sunrise?.unix)",
                    "next_setting" => "ha::next_sun(sun.sunset?.unix)",
                    "next_dawn" | "next_dusk" | "next_noon" | "next_midnight" | "rising" => {
                        return Ok(self.left_attribute(entity, attribute));
                    }
                    _ => return Err(unknown()),
                };
                Ok(computed(expression, Codec::Raw))
            }
            Source::Automation { rule } if attribute == "last_triggered" => {
                Ok(computed(&format!("last_run({})?.at", quoted(rule)), Codec::Text))
            }
            Source::Automation { rule } | Source::Script { rule } if attribute == "current" => {
                Ok(computed(&format!("(if running({}) {{ 1 }} else {{ 0 }})", quoted(rule)), Codec::Raw))
            }
            Source::Script { rule } if attribute == "last_triggered" => {
                Ok(computed(&format!("last_run({})?.at", quoted(rule)), Codec::Text))
            }
            Source::Timer { rule, .. } if matches!(attribute, "remaining" | "finishes_at") => {
                let rule = quoted(rule);
                let text = match attribute {
                    "remaining" => format!("ha::span_text(round(remaining({rule})))"),
                    _ => format!("strftime(now.unix + remaining({rule}), '%Y-%m-%dT%H:%M:%S+00:00', 'UTC')"),
                };
                Ok(computed(&format!("(if running({rule}) {{ {text} }} else {{ () }})"), Codec::Raw))
            }
            Source::Input { name, kind: InputKind::Number { min, max, step, .. } } => {
                let number = match attribute {
                    "min" => min,
                    "max" => max,
                    "step" => step,
                    _ => return Err(unknown()),
                };
                let _ = name;
                Ok(computed(&number.to_string(), Codec::Raw))
            }
            Source::Input { name, kind: InputKind::Time } => {
                let name = quoted(name);
                let index = match attribute {
                    "hour" => 0,
                    "minute" => 1,
                    "second" => 2,
                    _ => return Err(unknown()),
                };
                Ok(computed(&format!("ha::time_part(inputs[{name}], {index})"), Codec::Raw))
            }
            Source::Input { kind: InputKind::Choice { options }, .. } if attribute == "options" => {
                let options = options.iter().map(|option| quoted(option)).collect::<Vec<_>>();
                Ok(computed(&format!("[{}]", options.join(", ")), Codec::Raw))
            }
            _ => Err(unknown()),
        }
    }

    /// Notes that Home Assistant is asked for an action.
    pub(in crate::lang::import::home_assistant) fn note_call(&self, action: &str) {
        self.calls.borrow_mut().insert(action.to_owned());
    }

    /// Returns what an entity is called there: its name, or what its id says.
    pub(in crate::lang::import::home_assistant) fn friendly_name(entity: &Entity) -> Option<String> {
        if let Some(name) = &entity.name {
            return Some(name.clone());
        }
        match &entity.source {
            Source::Device { name, .. } => Some(name.clone()),
            _ => None,
        }
    }
}

fn topic_field(topic: &str, path: Option<&str>, codec: Codec) -> Field {
    let expression = match path {
        Some(path) => format!("state({}, {})", quoted(topic), quoted(path)),
        None => format!("state({})", quoted(topic)),
    };
    let text = match (path, &codec) {
        (None, Codec::Raw) => format!("ha::states({})", quoted(topic)),
        _ => format!("ha::known({})", codec.text_of(&expression)),
    };
    Field { word: "state", name: topic.to_owned(), path: path.map(ToOwned::to_owned), codec, expression, text }
}

fn device_field(name: &str, property: &str, codec: Codec) -> Field {
    let device = format!("device({})", quoted(name));
    let expression = if crate::lang::import::home_assistant::expression::is_name(property) {
        format!("{device}.{property}")
    } else {
        format!("{device}[{}]", quoted(property))
    };
    let text = format!("ha::said({device}.available, {})", codec.text_of(&expression));
    Field { word: "device", name: name.to_owned(), path: Some(property.to_owned()), codec, expression, text }
}

fn input_field(name: &str, kind: &InputKind) -> Field {
    let codec = match kind {
        InputKind::Toggle => Codec::OnOff,
        InputKind::Number { .. } => Codec::Number,
        InputKind::Time => Codec::Clock,
        InputKind::Choice { .. } | InputKind::Text | InputKind::Date { .. } | InputKind::Button => Codec::Text,
    };
    let expression = if crate::lang::import::home_assistant::expression::is_name(name) {
        format!("inputs.{name}")
    } else {
        format!("inputs[{}]", quoted(name))
    };
    let text = match kind {
        InputKind::Number { .. } => format!("ha::float_text({expression})"),
        _ => codec.text_of(&expression),
    };
    Field { word: "input", name: name.to_owned(), path: None, codec, expression, text }
}

/// Something that only expressions read.
fn computed(expression: &str, codec: Codec) -> Field {
    let text = codec.text_of(expression);
    Field { word: "", name: String::new(), path: None, codec, expression: expression.to_owned(), text }
}
