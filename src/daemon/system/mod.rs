//! What the system gives: the clock, the log, systemd, and a thread that watches over long evaluations.

pub(super) mod clock;
pub(super) mod logging;
pub(super) mod open_files;
pub(super) mod sd_notify;
pub(super) mod watchdog;
pub(super) mod zone;
