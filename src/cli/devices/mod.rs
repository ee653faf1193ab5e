//! `homerule devices`, `homerule set` and `homerule input`: what devices there are, and setting them and inputs by hand.

mod input;
mod list;
mod set;

pub(super) use input::Input;
pub(super) use list::Devices;
pub(super) use set::Set;
