//! The home under virtual time: its engine and its broker's memory, its clock, and the rules that a test picks.

mod call;
mod heard;
mod local_clock;
mod options;
mod reach;
mod test_home;
mod virtual_home;

pub use call::{Call, CallKind};
pub use options::engine_options;
pub use test_home::TestHome;
pub use virtual_home::{Logged, Published, Turns, VirtualHome};

pub(super) use local_clock::{LocalClock, instant};
pub(super) use test_home::without_instance;
pub(super) use virtual_home::after;
