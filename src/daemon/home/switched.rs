//! Who switched a rule, and when: told where it is asked why a rule is disabled.

use jiff::Timestamp;

use crate::engine::Event;

use super::event_loop::EventLoop;

/// A rule that somebody switched.
#[derive(Debug, Clone)]
pub(in crate::daemon) struct Switched {
    /// When.
    pub(in crate::daemon) at: Timestamp,
    /// Which way.
    pub(in crate::daemon) is_enabled: bool,
    /// By whom, in words.
    pub(in crate::daemon) by: &'static str,
}

impl EventLoop {
    /// Does to a rule what a person asks for; `by` says who, in words.
    pub(in crate::daemon) fn act_on_rule(&mut self, event: Event, by: &'static str) {
        if let Event::Switch { rule, is_enabled } = &event {
            let switched = Switched { at: self.now(), is_enabled: *is_enabled, by };
            self.switches.insert(rule.clone(), switched);
        }
        self.decide(event);
    }
}
