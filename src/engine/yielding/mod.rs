//! `yields`: rules step back when something else than rules changes what they command (docs/safety.md).
//!
//! What rules command is noted for the topics that are watched ([`noting`]); what those topics say is compared with it
//! ([`report`]); a change by somebody else begins an override of each rule that watches it ([`begin`]), which ends by time, by its
//! `until`, or when a person says so ([`end`]).

pub(crate) mod begin;
pub(crate) mod commanded;
pub(crate) mod device;
pub(crate) mod end;
pub(crate) mod noting;
pub(crate) mod overridden;
pub(crate) mod related;
pub(crate) mod report;
pub(crate) mod state;

pub use state::{Overridden, OverriddenBy};
