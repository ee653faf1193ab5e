//! Conditions: in our own words, or as expressions.

pub(in crate::lang::import::home_assistant::translate) mod kinds;
pub(in crate::lang::import::home_assistant::translate) mod sure;
pub(in crate::lang::import::home_assistant::translate) mod time_condition;
