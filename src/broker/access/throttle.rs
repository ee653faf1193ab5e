//! How long a client that guesses passwords has to wait.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// So many wrong passwords cost nothing: people mistype.
const FREE: u32 = 5;

/// The first wait; each wrong password after it doubles it.
const FIRST: Duration = Duration::from_secs(1);

/// The longest wait.
const LONGEST: Duration = Duration::from_mins(1);

/// How long wrong passwords are remembered after the last one.
const REMEMBERED: Duration = Duration::from_mins(15);

/// The users of one address that are counted apart: the next ones share one count.
const MOST_USERS: usize = 32;

/// The addresses that are remembered; beyond, the one that was wrong longest ago is forgotten.
const MOST_ADDRESSES: usize = 4096;

/// The wrong passwords, by address and user: one device with an old password locks out no other.
#[derive(Debug, Clone, Default)]
pub struct Throttle {
    addresses: BTreeMap<IpAddr, Address>,
}

#[derive(Debug, Clone)]
struct Address {
    users: BTreeMap<Arc<str>, Guesses>,
    /// Of all users beyond those that are counted apart.
    others: Guesses,
    last: Timestamp,
}

#[derive(Debug, Clone, Copy, Default)]
struct Guesses {
    wrong: u32,
    /// `None`: it needn't wait.
    until: Option<Timestamp>,
}

impl Throttle {
    /// Returns how much longer this client has to wait before its password is looked at; `None`: not at all.
    #[must_use]
    pub fn wait(&self, now: Timestamp, address: IpAddr, user: &str) -> Option<Duration> {
        let guesses = self.addresses.get(&household(address))?.guesses(user);
        let left = guesses.until?.duration_since(now);
        // A clock that was set back doesn't lock anybody out for longer.
        Duration::try_from(left).ok().filter(|left| !left.is_zero()).map(|left| left.min(LONGEST))
    }

    /// Notes a wrong password.
    pub fn note_wrong(&mut self, now: Timestamp, address: IpAddr, user: &str) {
        self.forget(now);
        let fresh = || Address { users: BTreeMap::new(), others: Guesses::default(), last: now };
        let address = self.addresses.entry(household(address)).or_insert_with(fresh);
        address.last = now;
        let guesses = address.guesses_mut(user);
        guesses.wrong = guesses.wrong.saturating_add(1);
        if guesses.wrong >= FREE {
            let doublings = (guesses.wrong - FREE).min(16);
            let wait = (FIRST * 2_u32.pow(doublings)).min(LONGEST);
            guesses.until = SignedDuration::try_from(wait).ok().and_then(|wait| now.checked_add(wait).ok());
        }
    }

    /// Notes a right password: what was wrong before counts no more.
    pub fn note_right(&mut self, address: IpAddr, user: &str) {
        let address = household(address);
        let Some(known) = self.addresses.get_mut(&address) else { return };
        known.users.remove(user);
        if known.users.is_empty() && known.others.wrong == 0 {
            self.addresses.remove(&address);
        }
    }

    fn forget(&mut self, now: Timestamp) {
        let is_old = |address: &Address| now.duration_since(address.last).unsigned_abs() > REMEMBERED;
        if self.addresses.len() < MOST_ADDRESSES {
            return;
        }
        self.addresses.retain(|_, address| !is_old(address));
        if self.addresses.len() >= MOST_ADDRESSES {
            let oldest = self.addresses.iter().min_by_key(|(_, address)| address.last).map(|(address, _)| *address);
            oldest.and_then(|oldest| self.addresses.remove(&oldest));
        }
    }
}

impl Address {
    fn guesses(&self, user: &str) -> Guesses {
        match self.users.get(user) {
            Some(guesses) => *guesses,
            None if self.users.len() < MOST_USERS => Guesses::default(),
            None => self.others,
        }
    }

    fn guesses_mut(&mut self, user: &str) -> &mut Guesses {
        if !self.users.contains_key(user) && self.users.len() >= MOST_USERS {
            return &mut self.others;
        }
        self.users.entry(user.into()).or_default()
    }
}

/// Returns what counts as one address: of IPv6 the network, since each device has as many addresses as it likes.
#[must_use]
pub fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let network = address.to_bits() >> 64 << 64;
            IpAddr::V6(network.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 168, 1, last])
    }

    #[test]
    fn after_five_wrong_ones_the_waits_double_up_to_a_minute() {
        let mut throttle = Throttle::default();
        let mut waits = Vec::new();
        let mut now = 0;
        for _ in 0..13 {
            throttle.note_wrong(at(now), address(1), "ann");
            let wait = throttle.wait(at(now), address(1), "ann").map_or(0, |wait| wait.as_secs());
            waits.push(wait);
            now += i64::try_from(wait).unwrap();
            assert_eq!(throttle.wait(at(now), address(1), "ann"), None, "the wait is over");
        }
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }

    #[test]
    fn others_do_not_wait() {
        let mut throttle = Throttle::default();
        for _ in 0..5 {
            throttle.note_wrong(at(0), address(1), "ann");
        }
        assert!(throttle.wait(at(0), address(1), "ann").is_some());
        assert_eq!(throttle.wait(at(0), address(1), "bob"), None);
        assert_eq!(throttle.wait(at(0), address(2), "ann"), None);
        throttle.note_right(address(1), "ann");
        assert_eq!(throttle.wait(at(0), address(1), "ann"), None);
    }

    #[test]
    fn one_network_of_ipv6_is_one_address() {
        let mut throttle = Throttle::default();
        for host in 0..5_u16 {
            throttle.note_wrong(at(0), IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, host]), "ann");
        }
        assert!(throttle.wait(at(0), "2001:db8:0:1::77".parse().unwrap(), "ann").is_some());
        assert_eq!(throttle.wait(at(0), "2001:db8:0:2::77".parse().unwrap(), "ann"), None);
        for _ in 0..5 {
            throttle.note_wrong(at(0), "::ffff:10.0.0.1".parse().unwrap(), "ann");
        }
        assert!(throttle.wait(at(0), "10.0.0.1".parse().unwrap(), "ann").is_some());
    }

    #[test]
    fn guessing_many_users_does_not_escape_and_takes_bounded_memory() {
        let mut throttle = Throttle::default();
        for user in 0..100_000 {
            throttle.note_wrong(at(0), address(1), &format!("user{user}"));
        }
        assert_eq!(throttle.addresses.values().next().unwrap().users.len(), MOST_USERS);
        assert!(throttle.wait(at(0), address(1), "another").is_some());
        for host in 0..u16::try_from(MOST_ADDRESSES).unwrap() {
            let [high, low] = host.to_be_bytes();
            throttle.note_wrong(at(1), IpAddr::from([10, 0, high, low]), "ann");
        }
        assert_eq!(throttle.addresses.len(), MOST_ADDRESSES);
        assert_eq!(throttle.wait(at(1), address(1), "another"), None, "the oldest is forgotten");
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let mut throttle = Throttle::default();
        for _ in 0..5 {
            throttle.note_wrong(at(0), address(1), "ann");
        }
        assert!(throttle.wait(at(-100_000), address(1), "ann").unwrap() <= LONGEST);
    }
}
