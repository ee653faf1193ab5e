//! The views of devices, and that of inputs.

mod control;
mod inputs;
mod list;
mod one;
mod undelivered;

pub use inputs::inputs;
pub use list::{DevicesPage, devices};
pub use one::{DevicePage, device};
