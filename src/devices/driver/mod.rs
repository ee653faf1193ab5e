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
    /// Returns whether messages of this topic tell of devices. Asked for each message, so it must be quick.
    fn claims(&self, topic: &str) -> bool;

    /// Takes what a message tells; an empty payload takes it back.
    fn note(&mut self, topic: &Topic, payload: &Payload, told: &mut Told);

    /// Tells what is there without any message.
    fn start(&mut self, told: &mut Told) {
        let _ = told;
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
