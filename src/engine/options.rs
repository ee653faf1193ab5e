//! The settings that the engine gets once, at its start.

use std::sync::Arc;

use crate::devices::PayloadLimit;
use crate::model::Value;
use crate::model::schedule::Calendar;
use crate::script::{Limits, Sandbox};

use super::device::devices::DeviceOptions;

/// The settings that decisions depend on.
#[derive(Debug, Clone)]
pub struct Options {
    /// The home's zone and place.
    pub calendar: Calendar,
    /// What an evaluation may use.
    pub limits: Limits,
    /// How many publications may follow one another without a message from outside.
    pub chain: u32,
    /// How often rules' own publications may trigger one rule in ten seconds.
    pub storm: usize,
    /// How many runs there may be at once.
    pub runs: usize,
    /// How large a payload may be to be kept.
    pub payload: PayloadLimit,
    /// How many samples of a series of the past stay exact.
    pub samples: usize,
    /// Payloads, and values within them, that are skipped.
    pub ignored: Vec<Value>,
    /// What is known of devices before any message tells of them.
    pub devices: Arc<DeviceOptions>,
    /// Feeds `random()`.
    pub seed: u64,
    /// What the keys of buttons are made of, where the home has nothing of that kind yet.
    pub secret: Arc<[u8]>,
    /// What evaluates expressions, for engines that run one after the other and share it; `None`: each has its own. One that is
    /// shared by threads would wait for the others, and end theirs when it takes too long.
    pub sandbox: Option<Arc<Sandbox>>,
    /// Whether what must survive is said at once; otherwise all of it is said by [`super::Engine::flush`]: for homes that lose nothing.
    pub saves_at_once: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            calendar: Calendar::default(),
            limits: Limits::default(),
            chain: 16,
            storm: 100,
            runs: 1000,
            payload: PayloadLimit::default(),
            samples: 2000,
            ignored: Vec::new(),
            devices: Arc::default(),
            seed: 0,
            secret: Arc::from([]),
            sandbox: None,
            saves_at_once: true,
        }
    }
}
