//! Decides who is let in. Passwords are checked beside the loop, few at a time, and those who guess wait.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::broker::access::{Throttle, Users, household};
use crate::broker::reason::Reason;
use crate::broker::{Conn, Credentials, Verdict};

use super::gate::Gate;

/// So many passwords are checked at a time: each check takes a processor, and memory, for a while.
const AT_ONCE: usize = 8;

/// So much memory may all checks take together.
const MEMORY: usize = 256 << 20;

/// Who is being let in.
pub(super) struct Admission {
    /// Those who have passwords; `None`: nobody does.
    users: Option<Arc<Users>>,
    throttle: Throttle,
    running: usize,
    waiting: Waiting,
    results: mpsc::UnboundedSender<Checked>,
    /// How many passwords were wrong.
    pub(super) wrong: u64,
    /// How many weren't looked at, since others from there had been wrong.
    pub(super) throttled: u64,
}

/// A password that is to be checked.
struct Check {
    conn: Conn,
    address: IpAddr,
    user: Arc<str>,
    password: Bytes,
}

/// A password that was checked.
pub(super) struct Checked {
    check: Check,
    /// By which file.
    users: Arc<Users>,
    is_right: bool,
}

impl Admission {
    /// Returns an admission, and what brings it the results of its checks.
    pub(super) fn new(users: Option<Users>) -> (Admission, mpsc::UnboundedReceiver<Checked>) {
        let (results, checked) = mpsc::unbounded_channel();
        let admission = Admission {
            users: users.map(Arc::new),
            throttle: Throttle::default(),
            running: 0,
            waiting: Waiting::default(),
            results,
            wrong: 0,
            throttled: 0,
        };
        (admission, checked)
    }

    /// From now on goes by these users. Returns those of before.
    pub(super) fn change(&mut self, users: Users) -> Option<Arc<Users>> {
        self.users.replace(Arc::new(users))
    }

    /// Returns the users in force.
    pub(super) fn users(&self) -> Option<&Arc<Users>> {
        self.users.as_ref()
    }

    /// Decides about a client, or begins to: `None`; then the verdict comes by [`Admission::checked`].
    pub(super) fn ask(
        &mut self,
        now: Timestamp,
        conn: Conn,
        address: SocketAddr,
        gate: &Gate,
        common_name: Option<&Arc<str>>,
        credentials: Credentials,
    ) -> Option<Verdict> {
        if gate.names_by_certificate {
            let verdict = common_name.map(|name| Verdict::Accepted(Some(Arc::clone(name))));
            return Some(verdict.unwrap_or(Verdict::Refused(Reason::NotAuthorized)));
        }
        let Credentials { user, password, .. } = credentials;
        let (Some(user), Some(_)) = (user, &self.users) else {
            // Nobody vouches for a name without a file of users: it is let in as nobody.
            let may = gate.lets_anonymous_in;
            return Some(if may { Verdict::Accepted(None) } else { Verdict::Refused(Reason::NotAuthorized) });
        };
        let check = Check { conn, address: address.ip(), user, password: password.unwrap_or_default() };
        if let Some(verdict) = self.refusal(now, &check) {
            return Some(verdict);
        }
        self.waiting.push(check);
        self.go_on();
        None
    }

    /// Returns the refusal of one who has to wait.
    fn refusal(&mut self, now: Timestamp, check: &Check) -> Option<Verdict> {
        self.throttle.wait(now, check.address, &check.user)?;
        self.throttled += 1;
        Some(Verdict::Refused(Reason::ConnectionRateExceeded))
    }

    /// Takes the result of a check. Returns what is decided by it: of this client, and of those that waited and need not be
    /// checked any more.
    pub(super) fn checked(&mut self, now: Timestamp, checked: Checked) -> Vec<(Conn, Verdict)> {
        self.running = self.running.saturating_sub(1);
        let Checked { check, users, is_right } = checked;
        let mut verdicts = Vec::new();
        if self.users.as_ref().is_some_and(|current| !Arc::ptr_eq(current, &users)) {
            // The file has changed since.
            self.waiting.push(check);
        } else if is_right {
            self.throttle.note_right(check.address, &check.user);
            verdicts.push((check.conn, Verdict::Accepted(Some(check.user))));
        } else {
            self.wrong += 1;
            self.throttle.note_wrong(now, check.address, &check.user);
            verdicts.push((check.conn, Verdict::Refused(Reason::NotAuthorized)));
        }
        for check in self.waiting.take_all() {
            match self.refusal(now, &check) {
                Some(verdict) => verdicts.push((check.conn, verdict)),
                None => self.waiting.push(check),
            }
        }
        self.go_on();
        verdicts
    }

    /// Begins as many checks as may run at a time.
    fn go_on(&mut self) {
        let Some(users) = &self.users else { return };
        let most = (MEMORY / users.memory_of_check().max(1)).clamp(1, AT_ONCE);
        while self.running < most {
            let Some(check) = self.waiting.pop() else { return };
            self.running += 1;
            let (users, results) = (Arc::clone(users), self.results.clone());
            tokio::task::spawn_blocking(move || {
                let is_right = users.check(&check.user, &check.password);
                // Nobody waits for it only when the daemon stops.
                let _ = results.send(Checked { check, users, is_right });
            });
        }
    }
}

/// Passwords that wait to be checked. The addresses take turns, so that one with many guesses doesn't hold up the others.
#[derive(Default)]
struct Waiting {
    by_address: BTreeMap<IpAddr, VecDeque<Check>>,
    /// Whose turn it was last.
    last: Option<IpAddr>,
}

impl Waiting {
    fn push(&mut self, check: Check) {
        self.by_address.entry(household(check.address)).or_default().push_back(check);
    }

    /// Returns the first one of the address whose turn it is.
    fn pop(&mut self) -> Option<Check> {
        let next = self.last.and_then(|last| self.by_address.range((Excluded(last), Unbounded)).next());
        let address = *next.or_else(|| self.by_address.first_key_value())?.0;
        self.last = Some(address);
        let checks = self.by_address.get_mut(&address)?;
        let check = checks.pop_front();
        if checks.is_empty() {
            self.by_address.remove(&address);
        }
        check
    }

    /// Returns all of them, those of one address in their order.
    fn take_all(&mut self) -> impl Iterator<Item = Check> + use<> {
        std::mem::take(&mut self.by_address).into_values().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::{Broker, Peer, Settings};

    #[test]
    fn addresses_take_turns() {
        let mut core = Broker::new(Timestamp::UNIX_EPOCH, Settings::default());
        let peer = Peer { address: "x".into(), listener: "x".into() };
        let conn = core.open(Timestamp::UNIX_EPOCH, peer).unwrap();
        let mut waiting = Waiting::default();
        let check = |last: u8, user: &str| {
            let address = IpAddr::from([192, 168, 1, last]);
            Check { conn, address, user: user.into(), password: Bytes::new() }
        };
        for (last, user) in [(1, "a"), (1, "b"), (1, "c"), (7, "lamp"), (9, "phone")] {
            waiting.push(check(last, user));
        }
        let order: Vec<String> = std::iter::from_fn(|| waiting.pop()).map(|check| check.user.to_string()).collect();
        assert_eq!(order, ["a", "lamp", "phone", "b", "c"]);
    }
}
