//! How many files the system lets us have open: each client is one of them.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that are open besides those of clients: the database, recordings, those of the home, and requests of rules and over the web.
const BESIDES: u64 = 256;

/// Asks the system for room for `clients`, and as many that are still shaking hands. Returns how many files may be open where that
/// is too few.
pub(in crate::daemon) fn make_room(clients: usize) -> Option<u64> {
    let wanted = u64::try_from(clients).unwrap_or(u64::MAX).saturating_mul(2).saturating_add(BESIDES);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= wanted) {
        return None;
    }
    let best = maximum.map_or(wanted, |maximum| maximum.min(wanted));
    // Where the system says no, it stays as it was.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(best), maximum });
    getrlimit(Resource::Nofile).current.filter(|current| *current < wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_made_within_what_the_system_allows_and_too_little_is_told() {
        assert_eq!(make_room(1), None);
        let maximum = getrlimit(Resource::Nofile).maximum;
        assert_eq!(make_room(usize::MAX).is_some(), maximum.is_some());
    }
}
