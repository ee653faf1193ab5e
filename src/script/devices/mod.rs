//! Devices and inputs as expressions see them: data that the engine keeps true to what is known, and the functions that read it.

pub(in crate::script) mod commands;
pub(in crate::script) mod functions;
pub(in crate::script) mod handle;
pub(in crate::script) mod inputs;
pub(in crate::script) mod known;
pub(in crate::script) mod reading;
