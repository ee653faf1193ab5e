//! Wrong tokens by the address that they came from: whoever guesses has to wait.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many may be wrong within [`WITHIN`].
const MOST: usize = 10;

/// How long one counts.
const WITHIN: Duration = Duration::from_mins(1);

/// Of how many addresses it's known.
const MOST_ADDRESSES: usize = 4096;

/// Wrong tokens of the last minute.
#[derive(Debug, Default)]
pub(super) struct Tries(Mutex<BTreeMap<IpAddr, VecDeque<Instant>>>);

impl Tries {
    /// Returns whether too many came from `address`.
    pub(super) fn are_too_many(&self, address: IpAddr) -> bool {
        let mut all = self.lock();
        let Some(tries) = all.get_mut(&address.to_canonical()) else { return false };
        forget(tries, Instant::now());
        tries.len() >= MOST
    }

    /// Notes one that came from `address`.
    pub(super) fn note(&self, address: IpAddr) {
        let now = Instant::now();
        let mut all = self.lock();
        if all.len() >= MOST_ADDRESSES {
            all.retain(|_, tries| {
                forget(tries, now);
                !tries.is_empty()
            });
        }
        if all.len() >= MOST_ADDRESSES {
            // Whoever has that many addresses is slowed down by nothing; memory stays bounded.
            all.pop_first();
        }
        all.entry(address.to_canonical()).or_default().push_back(now);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<IpAddr, VecDeque<Instant>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn forget(tries: &mut VecDeque<Instant>, now: Instant) {
    while tries.front().is_some_and(|at| now.duration_since(*at) >= WITHIN) {
        tries.pop_front();
    }
}
