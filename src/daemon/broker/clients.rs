//! Which clients speak MQTT 5.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The ids of the connected clients that speak MQTT 5. The broker tells a client's version at its connection only.
#[derive(Default)]
pub(super) struct Clients {
    version_5: Mutex<HashSet<String>>,
}

impl Clients {
    /// Notes that `client` connects with this protocol version (4 is MQTT 3.1.1).
    pub(super) fn note(&self, client: &str, version: u8) {
        let mut version_5 = self.lock();
        if version >= 5 {
            version_5.insert(client.to_owned());
        } else {
            version_5.remove(client);
        }
    }

    /// Forgets `client`, which has gone.
    pub(super) fn forget(&self, client: &str) {
        self.lock().remove(client);
    }

    /// Returns whether `client` speaks MQTT 5.
    pub(super) fn speaks_version_5(&self, client: &str) -> bool {
        self.lock().contains(client)
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        // A set of names is whole after any panic.
        self.version_5.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
