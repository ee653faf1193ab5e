//! The sources of devices: each reads definitions from messages, and tells what devices there are.
//!
//! A new source is a file here, and a row in [`drivers`].

mod home_assistant;
mod homie;
mod own;
mod parts;
pub(in crate::devices) mod shelly;
mod tasmota;
mod zigbee2mqtt;

use std::fmt;
use std::sync::Arc;

use crate::devices::device::{Device, DeviceId};
use crate::devices::settings::DeviceSettings;
use crate::model::{Payload, Topic};

/// A source of devices.
pub trait Driver: fmt::Debug + Send + Sync {
    /// Returns how the topics end that it may claim: no others are asked about.
    fn endings(&self) -> &'static [Ending];

    /// Returns whether messages of this topic tell of devices.
    fn claims(&self, topic: &str) -> bool;

    /// Takes what a message tells; an empty payload takes it back.
    fn note(&mut self, topic: &Topic, payload: &Payload, told: &mut Told);

    /// Tells what is there without any message.
    fn start(&mut self, told: &mut Told) {
        let _ = told;
    }
}

/// How a topic ends: its last level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It is this.
    Level(&'static str),
    /// It has a number in it, as `switch:0` has.
    Numbered,
}

impl Ending {
    /// Returns whether a topic ends like this whose last level is `last`.
    fn fits(self, last: &[u8]) -> bool {
        match self {
            Ending::Level(level) => level.as_bytes() == last,
            Ending::Numbered => last.contains(&b':'),
        }
    }
}

/// How the topics end of which messages may tell of devices. It's asked for each message, and most topics end otherwise.
#[derive(Debug, Default)]
pub(in crate::devices) struct Endings(Vec<Ending>);

impl Endings {
    /// Returns those of these drivers.
    pub(in crate::devices) fn of(drivers: &[Box<dyn Driver>]) -> Endings {
        let mut endings: Vec<Ending> = Vec::new();
        for ending in drivers.iter().flat_map(|driver| driver.endings()) {
            if !endings.contains(ending) {
                endings.push(*ending);
            }
        }
        Endings(endings)
    }

    /// Returns whether a driver may claim `topic`.
    pub(in crate::devices) fn fit(&self, topic: &str) -> bool {
        let bytes = topic.as_bytes();
        let begin = bytes.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
        let last = bytes.get(begin..).unwrap_or_default();
        self.0.iter().any(|ending| ending.fits(last))
    }
}

/// What a source told.
#[derive(Debug, Default)]
pub struct Told {
    /// Devices that are there, new or changed or the same.
    pub devices: Vec<Device>,
    /// Devices that are there no longer.
    pub gone: Vec<DeviceId>,
    /// What can't be read (or can again), by what it is about: an id or a topic.
    pub faults: Vec<(Arc<str>, Option<Arc<str>>)>,
}

impl Told {
    /// Tells that something can't be read.
    pub fn fault(&mut self, about: &str, text: impl Into<Arc<str>>) {
        self.faults.push((about.into(), Some(text.into())));
    }

    /// Tells that it can.
    pub fn sound(&mut self, about: &str) {
        self.faults.push((about.into(), None));
    }
}

/// Makes a source's drivers: none where it is switched off, one for each of its base topics.
type Row = fn(&DeviceSettings) -> Vec<Box<dyn Driver>>;

/// Returns the drivers of the sources that are switched on.
#[must_use]
pub fn drivers(settings: &DeviceSettings) -> Vec<Box<dyn Driver>> {
    let rows: [Row; 6] = [
        zigbee2mqtt::drivers,
        tasmota::drivers,
        home_assistant::drivers,
        homie::drivers,
        shelly::drivers,
        own::drivers,
    ];
    rows.iter().flat_map(|row| row(settings)).collect()
}
