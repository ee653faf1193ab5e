//! zigbee2mqtt: its bridge tells of all devices and groups in two messages.

mod exposes;
mod group;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, btree_map};
use std::sync::Arc;

use serde_json::value::RawValue;

use super::parts::{flag, get, list, text};
use super::{Driver, Ending, Told};
use crate::devices::device::address::Address;
use crate::devices::device::kind::Kind;
use crate::devices::device::property::Property;
use crate::devices::device::reader::Extract;
use crate::devices::device::{Availability, AvailabilityMode, Device, DeviceId, SaysAvailable, Source};
use crate::devices::settings::DeviceSettings;
use crate::model::{Payload, Topic, TopicFilter, Value};
use exposes::Model;
use group::Member;

/// The state topic's place among a device's topics, and the command topic's.
const STATE: usize = 0;
const SET: usize = 1;

/// The most devices of one bridge.
const MOST_DEVICES: usize = 10_000;

/// The most models that are kept read.
const MOST_MODELS: usize = 5_000;

/// Returns a driver for each base topic.
pub(super) fn drivers(settings: &DeviceSettings) -> Vec<Box<dyn Driver>> {
    let bases = settings.discovery.zigbee2mqtt.iter().enumerate();
    bases.map(|(number, base)| Box::new(Zigbee2Mqtt::new(base, number == 0)) as Box<dyn Driver>).collect()
}

/// What one bridge tells.
#[derive(Debug)]
struct Zigbee2Mqtt {
    base: Arc<str>,
    devices_topic: String,
    groups_topic: String,
    is_first: bool,
    /// The devices by id, with a fingerprint of what was told of each.
    known: BTreeMap<DeviceId, u128>,
    by_print: BTreeMap<u128, DeviceId>,
    groups: BTreeSet<DeviceId>,
    /// What the members of groups are, by IEEE address.
    members: BTreeMap<Arc<str>, Member>,
    last_groups: Option<Payload>,
    /// The models read so far, by a fingerprint of their exposes: devices of one share what they have.
    models: BTreeMap<u128, Model>,
    says: Says,
    /// What says that the bridge can be reached; none where its topic isn't one.
    bridge: Option<Arc<SaysAvailable>>,
}

impl Zigbee2Mqtt {
    fn new(base: &Arc<str>, is_first: bool) -> Zigbee2Mqtt {
        let says = Says::new();
        let bridge = TopicFilter::parse(&format!("{base}/bridge/state")).ok().map(|topic| Arc::new(says.at(topic)));
        Zigbee2Mqtt {
            says,
            bridge,
            base: Arc::clone(base),
            devices_topic: format!("{base}/bridge/devices"),
            groups_topic: format!("{base}/bridge/groups"),
            is_first,
            known: BTreeMap::new(),
            by_print: BTreeMap::new(),
            groups: BTreeSet::new(),
            members: BTreeMap::new(),
            last_groups: None,
            models: BTreeMap::new(),
        }
    }

    fn note_devices(&mut self, payload: &Payload, told: &mut Told) {
        let Some(items) = items(&self.devices_topic, payload, told) else { return };
        let mut seen = BTreeMap::new();
        for item in items {
            if seen.len() >= MOST_DEVICES {
                let text = format!("it lists more than {MOST_DEVICES} devices: the others are passed over");
                told.fault(&self.devices_topic, text);
                break;
            }
            let print = fingerprint(item.get());
            // The list comes again whenever one device changes: the others aren't read.
            if let Some(id) = self.by_print.get(&print) {
                seen.entry(Arc::clone(id)).or_insert(print);
                continue;
            }
            let Some(entry) = Entry::read(item) else { continue };
            let Some(address) = entry.text("ieee_address") else { continue };
            if entry.text("type").is_some_and(|kind| kind.eq_ignore_ascii_case("coordinator")) {
                continue;
            }
            let id: DeviceId = format!("{}/{address}", Source::Zigbee2Mqtt).into();
            if let btree_map::Entry::Vacant(place) = seen.entry(id) {
                place.insert(print);
                let (device, member) = self.device(&entry, &address);
                self.members.insert(address.into(), member);
                told.devices.push(device);
            }
        }
        told.gone.extend(self.known.keys().filter(|id| !seen.contains_key(*id)).cloned());
        let is_member = |address: &Arc<str>| seen.contains_key(&*format!("{}/{address}", Source::Zigbee2Mqtt));
        self.members.retain(|address, _| is_member(address));
        self.by_print = seen.iter().map(|(id, print)| (*print, Arc::clone(id))).collect();
        self.known = seen;
        if self.models.len() > MOST_MODELS {
            self.models.clear();
        }
        // What a group can do depends on its members.
        if let Some(groups) = self.last_groups.clone() {
            self.note_groups(&groups, told);
        }
    }

    fn device(&mut self, entry: &Entry<'_>, address: &str) -> (Device, Member) {
        let name = entry.text("friendly_name").unwrap_or_else(|| address.to_owned());
        let mut device = Device::new(Source::Zigbee2Mqtt, address, &name);
        device.addresses.extend(Address::parse(address));
        let model = entry.raw("definition").map(|raw| self.model(raw)).unwrap_or_default();
        device.model = model.name.clone().or_else(|| entry.text("model_id").map(Arc::from));
        device.refuses = refusal(entry).map(Arc::from);
        device.kind = model.kind;
        device.properties = Arc::clone(&model.properties);
        device.diagnostics.clone_from(&model.diagnostics);
        self.place(&mut device, &name);
        (device, Member { kind: model.kind, properties: model.properties })
    }

    /// Returns what a definition says, which devices of one model share.
    fn model(&mut self, raw: &RawValue) -> Model {
        let key = fingerprint(raw.get());
        if let Some(model) = self.models.get(&key) {
            return model.clone();
        }
        let definition = Value::from_payload(raw.get().as_bytes());
        let exposes = get(&definition, "exposes").cloned().unwrap_or_default();
        let described = text(&definition, "description").unwrap_or_default();
        let mut model = exposes::model(&exposes, described, flag(&definition, "supports_ota"));
        model.name = match (text(&definition, "vendor"), text(&definition, "model")) {
            (Some(vendor), Some(model)) => Some(format!("{vendor} {model}").into()),
            (_, model) => model.map(Arc::from),
        };
        self.models.insert(key, model.clone());
        model
    }

    /// Gives a device or group its topics.
    fn place(&self, device: &mut Device, name: &str) {
        let filter =
            |topic: String| Topic::parse(&topic).ok().and_then(|topic| TopicFilter::parse(topic.as_str()).ok());
        let topics = [format!("{}/{name}", self.base), format!("{}/{name}/set", self.base)];
        let topics: Option<Vec<TopicFilter>> = topics.into_iter().map(filter).collect();
        let (Some(topics), Some(available)) = (topics, filter(format!("{}/{name}/availability", self.base))) else {
            device.properties = Arc::new([]);
            device
                .diagnostics
                .push(format!("`{name}` can't be part of a topic: rename the device in zigbee2mqtt").into());
            return;
        };
        device.topics = topics;
        device.speaks_by_attribute = true;
        device.availability = Availability {
            says: vec![self.says.at(available)],
            mode: AvailabilityMode::Latest,
            bridge: self.bridge.clone(),
        };
    }

    fn note_groups(&mut self, payload: &Payload, told: &mut Told) {
        let Some(items) = items(&self.groups_topic, payload, told) else { return };
        let mut seen = BTreeSet::new();
        for item in items {
            let value = Value::from_payload(item.get().as_bytes());
            let Some(Value::Int(number)) = get(&value, "id") else { continue };
            let id = if self.is_first { format!("group-{number}") } else { format!("{}/group-{number}", self.base) };
            let name = text(&value, "friendly_name").map_or_else(|| format!("group_{number}"), str::to_owned);
            let mut device = Device::new(Source::Zigbee2Mqtt, id, &name);
            let member = group::merged(&value, &self.members);
            device.kind = member.kind;
            device.properties = member.properties;
            device.model = Some("Zigbee group".into());
            let members = list(&value, "members").iter().filter_map(|member| text(member, "ieee_address"));
            device.members = members.filter_map(Address::parse).collect();
            self.place(&mut device, &name);
            seen.insert(Arc::clone(&device.id));
            told.devices.push(device);
        }
        told.gone.extend(self.groups.difference(&seen).cloned());
        self.groups = seen;
        self.last_groups = Some(payload.clone());
    }
}

impl Driver for Zigbee2Mqtt {
    fn endings(&self) -> &'static [Ending] {
        &[Ending::Level("devices"), Ending::Level("groups")]
    }

    fn claims(&self, topic: &str) -> bool {
        topic == self.devices_topic || topic == self.groups_topic
    }

    fn note(&mut self, topic: &Topic, payload: &Payload, told: &mut Told) {
        if topic.as_str() == self.devices_topic {
            self.note_devices(payload, told);
        } else {
            self.note_groups(payload, told);
        }
    }
}

/// Returns the items of a list; a list that can't be read leaves what was told before.
fn items<'a>(topic: &str, payload: &'a Payload, told: &mut Told) -> Option<Vec<&'a RawValue>> {
    if payload.is_empty() {
        told.sound(topic);
        return Some(Vec::new());
    }
    match serde_json::from_slice(payload.bytes()) {
        Ok(items) => {
            told.sound(topic);
            Some(items)
        }
        Err(error) => {
            told.fault(topic, format!("the list of zigbee2mqtt isn't readable: {error}"));
            None
        }
    }
}

/// A device in the bridge's list, its parts not read yet.
struct Entry<'a> {
    parts: BTreeMap<Cow<'a, str>, &'a RawValue>,
}

impl<'a> Entry<'a> {
    fn read(item: &'a RawValue) -> Option<Entry<'a>> {
        Some(Entry { parts: serde_json::from_str(item.get()).ok()? })
    }

    fn raw(&self, key: &str) -> Option<&'a RawValue> {
        self.parts.get(key).copied().filter(|raw| raw.get() != "null")
    }

    fn text(&self, key: &str) -> Option<String> {
        serde_json::from_str(self.raw(key)?.get()).ok().filter(|text: &String| !text.is_empty())
    }

    fn is(&self, key: &str, word: &str) -> bool {
        self.raw(key).is_some_and(|raw| raw.get() == word)
    }
}

/// Returns why a device can't be commanded, if so.
fn refusal(entry: &Entry<'_>) -> Option<&'static str> {
    match () {
        () if entry.is("disabled", "true") => Some("it is disabled in zigbee2mqtt"),
        () if entry.is("supported", "false") => Some("zigbee2mqtt doesn't support it"),
        () if entry.raw("definition").is_none() => Some("zigbee2mqtt doesn't know what it is"),
        () => None,
    }
}

/// The key `state` and the words `online` and `offline`, shared by all devices.
#[derive(Debug)]
struct Says {
    key: Arc<str>,
    yes: Arc<[Arc<str>]>,
    no: Arc<[Arc<str>]>,
}

impl Says {
    fn new() -> Says {
        Says { key: "state".into(), yes: Arc::new(["online".into()]), no: Arc::new(["offline".into()]) }
    }

    /// Returns what says in `{"state": "online"}`, or in the bare word of older versions, that a device can be reached.
    fn at(&self, topic: TopicFilter) -> SaysAvailable {
        let (yes, no) = (Arc::clone(&self.yes), Arc::clone(&self.no));
        SaysAvailable { topic, extract: Extract::KeyOrText(Arc::clone(&self.key)), yes, no }
    }
}

/// Returns 128 bits that two texts don't share by chance.
fn fingerprint(text: &str) -> u128 {
    // FNV-1a over words of 8 bytes, in two halves of other primes: what is hashed are megabytes.
    let mut halves = [0xcbf2_9ce4_8422_2325_u64, 0x9e37_79b9_7f4a_7c15];
    let mut mix = |word: u64| {
        let [one, other] = &mut halves;
        *one = (*one ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(29);
        *other = (*other ^ word.rotate_left(32)).wrapping_mul(0xff51_afd7_ed55_8ccd).rotate_left(31);
    };
    let mut chunks = text.as_bytes().chunks_exact(8);
    for chunk in chunks.by_ref() {
        mix(chunk.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
    }
    mix(chunks.remainder().iter().fold(1, |word, byte| word << 8 | u64::from(*byte)));
    mix(u64::try_from(text.len()).unwrap_or(u64::MAX));
    u128::from(halves[0]) << 64 | u128::from(halves[1])
}

impl Default for Model {
    fn default() -> Model {
        Model { kind: Kind::Sensor, name: None, properties: Arc::new([]), diagnostics: Vec::new() }
    }
}

/// Returns properties as a device shares them.
fn shared(properties: Vec<Property>) -> Arc<[Property]> {
    properties.into()
}
