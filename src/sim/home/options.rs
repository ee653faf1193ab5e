//! What the engine of a home is told of its settings, wherever it runs.

use std::sync::Arc;

use crate::devices::PayloadLimit;
use crate::engine::{DeviceOptions, Options};
use crate::lang::Settings;
use crate::model::schedule::Calendar;

/// Returns the options of an engine for `settings`; `seed` feeds `random()`.
#[must_use]
pub fn engine_options(settings: &Settings, calendar: Calendar, devices: Arc<DeviceOptions>, seed: u64) -> Options {
    Options {
        calendar,
        limits: settings.limits,
        chain: settings.chain,
        storm: settings.storm,
        runs: settings.runs,
        payload: PayloadLimit::new(settings.payload, devices.settings.clone()),
        samples: settings.samples,
        ignored: settings.ignored.clone(),
        devices,
        seed,
        secret: Arc::from([]),
        sandbox: None,
        saves_at_once: true,
    }
}
