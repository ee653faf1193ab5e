//! Decodes what names devices and inputs: triggers, conditions and actions (docs/devices.md, docs/inputs.md).

mod check;
mod compared;
mod condition;
mod input;
mod set;
mod trigger;

pub(super) use input::read_inputs;
pub(super) use trigger::device_variables;
