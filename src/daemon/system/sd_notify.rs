//! Tells systemd that the daemon is ready, reloading, stopping or alive, where systemd asks for it.

use std::env;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use tracing::debug;

/// Sends `state`, as `sd_notify(3)` writes it: `READY=1`.
pub(in crate::daemon) fn notify(state: &str) {
    let Some(path) = env::var("NOTIFY_SOCKET").ok().filter(|path| !path.is_empty()) else { return };
    if let Err(error) = send(&path, state) {
        debug!(%error, "systemd couldn't be told `{state}`.");
    }
}

/// Returns how often systemd wants a sign of life; `None` where it doesn't.
pub(in crate::daemon) fn watchdog() -> Option<Duration> {
    let micros: u64 = env::var("WATCHDOG_USEC").ok()?.parse().ok()?;
    // Twice as often as it must be, as systemd advises.
    (micros > 0).then(|| Duration::from_micros(micros) / 2)
}

fn send(path: &str, state: &str) -> std::io::Result<()> {
    let address = match path.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(path)?,
    };
    UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address).map(|_| ())
}
