//! Triggers: each kind of Home Assistant's as ours.

pub(in crate::lang::import::home_assistant::translate) mod event_trigger;
pub(in crate::lang::import::home_assistant::translate) mod kinds;
pub(in crate::lang::import::home_assistant::translate) mod numeric_trigger;
pub(in crate::lang::import::home_assistant::translate) mod state_trigger;
pub(in crate::lang::import::home_assistant::translate) mod time_trigger;
pub(in crate::lang::import::home_assistant::translate) mod variables;
