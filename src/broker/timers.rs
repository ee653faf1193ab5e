//! The timers: what is due when, each known by what it is for.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::connection::Conn;
use super::session::SessionSlot;

/// What a timer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// A peer must have said who it is.
    Connect(Conn),
    /// A client must have said something.
    KeepAlive(Conn),
    /// A client that sent too much is read from again.
    Rate(Conn),
    /// A publisher has waited long enough for a client that reads slowly.
    Crowd(Conn),
    /// A will is published.
    Will(SessionSlot),
    /// A session is forgotten.
    Expiry(SessionSlot),
    /// What is held for clients that were here before the start is held no longer.
    Held,
    /// Something that is retained is of no more use.
    Retained,
    /// What is below `$SYS` is told anew.
    Sys,
}

/// The timers that are set.
#[derive(Debug, Default)]
pub(super) struct Timers {
    set: BTreeMap<Timer, Timestamp>,
    due: BTreeSet<(Timestamp, Timer)>,
}

impl Timers {
    /// Sets `timer`, wherever it was set before.
    pub(super) fn set(&mut self, timer: Timer, due: Timestamp) {
        if let Some(before) = self.set.insert(timer, due) {
            self.due.remove(&(before, timer));
        }
        self.due.insert((due, timer));
    }

    /// Stops `timer`, if it is set.
    pub(super) fn stop(&mut self, timer: Timer) {
        if let Some(due) = self.set.remove(&timer) {
            self.due.remove(&(due, timer));
        }
    }

    /// Returns when `timer` is due; `None`: it isn't set.
    pub(super) fn due(&self, timer: Timer) -> Option<Timestamp> {
        self.set.get(&timer).copied()
    }

    /// Returns the peer that must say who it is first.
    pub(super) fn first_opening(&self) -> Option<Conn> {
        self.due.iter().find_map(|(_, timer)| match timer {
            Timer::Connect(conn) => Some(*conn),
            Timer::KeepAlive(_)
            | Timer::Rate(_)
            | Timer::Crowd(_)
            | Timer::Will(_)
            | Timer::Expiry(_)
            | Timer::Held
            | Timer::Retained
            | Timer::Sys => None,
        })
    }

    /// Returns when the first of them is due.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Returns the first that is due, and stops it.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<Timer> {
        let (due, timer) = *self.due.first()?;
        if due > now {
            return None;
        }
        self.stop(timer);
        Some(timer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_is_due_once_and_where_it_was_last_set() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut timers = Timers::default();
        timers.set(Timer::Sys, at(1));
        timers.set(Timer::Sys, at(5));
        timers.set(Timer::Held, at(3));
        assert_eq!(timers.next(), Some(at(3)));
        assert_eq!(timers.take_due(at(2)), None);
        assert_eq!(timers.take_due(at(9)), Some(Timer::Held));
        timers.stop(Timer::Held);
        assert_eq!(timers.due(Timer::Sys), Some(at(5)));
        assert_eq!(timers.take_due(at(9)), Some(Timer::Sys));
        assert_eq!((timers.take_due(at(9)), timers.next()), (None, None));
    }
}
