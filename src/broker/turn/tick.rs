//! Something is due.

use std::sync::Arc;

use jiff::Timestamp;

use crate::broker::connection::{Conn, Stage};
use crate::broker::filter::Filter;
use crate::broker::happening::{End, Fault};
use crate::broker::keep::Key;
use crate::broker::reason::Reason;
use crate::broker::routing::Posted;
use crate::broker::session::{SessionSlot, Subscription};
use crate::broker::sys;
use crate::broker::timers::Timer;
use crate::broker::{Broker, Event, Happening};

use super::deliver::Kind;
use super::send::Fan;
use super::subscribe::copy_of;

impl Broker {
    /// Does what is due until `now`.
    pub fn tick(&mut self, now: Timestamp) {
        self.tell_time(now);
        self.speaker = None;
        while let Some(timer) = self.timers.take_due(self.now) {
            match timer {
                Timer::Connect(conn) => {
                    self.fail(conn, Fault::new(Reason::MaximumConnectTime, "it took too long to say who it is"));
                }
                Timer::KeepAlive(conn) => self.check_silence(conn),
                Timer::Rate(conn) => self.go_on(conn),
                Timer::Crowd(conn) => self.stop_waiting(conn),
                Timer::Will(slot) => {
                    self.publish_will(slot);
                    self.keep_session(slot);
                }
                Timer::Expiry(slot) => {
                    self.stats.sessions_expired += 1;
                    self.end_session(slot);
                }
                Timer::Held => self.check_expected(),
                Timer::Retained => self.forget_expired(),
                Timer::Sys => self.tell_sys(),
            }
        }
    }

    fn check_silence(&mut self, conn: Conn) {
        let is_paused = !self.wants_input(conn);
        let now = self.now;
        let Some(connection) = self.connections.get_mut(conn) else { return };
        if is_paused {
            connection.heard_at = now;
        }
        let heard_at = connection.heard_at;
        let Some(silence) = connection.link().and_then(|link| link.silence) else { return };
        let Ok(due) = heard_at.checked_add(silence) else { return };
        if due > now {
            self.timers.set(Timer::KeepAlive(conn), due);
            return;
        }
        self.say_goodbye(conn, Reason::KeepAliveTimeout, None);
        self.end(conn, End::Silent);
    }

    /// Goes on with a client that sent too much.
    fn go_on(&mut self, conn: Conn) {
        let now = self.now;
        if let Some(connection) = self.connections.get_mut(conn) {
            connection.heard_at = now;
        }
        self.make_ready(conn);
        self.mark_dirty(conn);
    }

    fn check_expected(&mut self) {
        for (will, session, number) in self.expected.take_wills(self.now) {
            self.events.push_back(Event::Will(session.who.clone(), will));
            if let Some(number) = number {
                self.keep(&Key::Session(number), Some(session.write(self.skew)));
            }
        }
        for missing in self.expected.take_missing(self.now) {
            if let Some(number) = missing.number {
                self.forget_kept_session(number, missing.filter_texts());
            }
            let messages = missing.held();
            if messages > 0 {
                self.happened(Happening::HeldExpired { client: Arc::clone(&missing.session.who.client), messages });
            }
        }
        if let Some(due) = self.expected.due() {
            self.timers.set(Timer::Held, due);
        }
    }

    pub(super) fn forget_expired(&mut self) {
        while let Some(topic) = self.retained.expired(self.now) {
            self.retained.remove(&topic);
            self.keep(&Key::Retained(topic), None);
        }
        self.time_retained();
    }

    /// Tells what is below `$SYS`, for as long as somebody wants to know it.
    fn tell_sys(&mut self) {
        if !self.subscriptions.has_first_level(sys::SYS) {
            return;
        }
        for posted in self.sys_messages() {
            self.route(&Arc::new(posted), None);
        }
        self.time_sys();
    }

    /// Tells a new subscriber what is below `$SYS` at once.
    pub(super) fn begin_sys(&mut self, slot: SessionSlot, filter: &Filter, subscription: Subscription) {
        let messages = self.sys_messages();
        for posted in messages.into_iter().filter(|posted| filter.matches(posted.topic.as_str())) {
            let posted: Arc<Posted> = Arc::new(posted);
            let copy = copy_of(&posted, subscription, false);
            self.deliver(slot, &mut Fan::new(&posted, self.now, false), copy, Kind::Live);
        }
        if self.timers.due(Timer::Sys).is_none() {
            self.time_sys();
        }
    }

    fn time_sys(&mut self) {
        self.timers.set(Timer::Sys, self.now.checked_add(sys::EVERY).unwrap_or(Timestamp::MAX));
    }

    fn sys_messages(&mut self) -> Vec<Posted> {
        let stored =
            self.retained.len() + self.sessions.iter().map(|(_, session)| session.outgoing.len()).sum::<usize>();
        let counts = sys::Counts {
            version: &self.settings.version,
            uptime: self.now.duration_since(self.started_at),
            connected: self.connected,
            total: self.sessions.len(),
            stored,
            retained: self.retained.len(),
            subscriptions: self.subscriptions.len(),
        };
        self.sys.messages(self.now, &counts, &self.stats)
    }

    /// Returns how many peers haven't been let in.
    #[must_use]
    pub fn opening(&self) -> usize {
        let is_opening = |conn: &Conn| {
            let stage = self.connections.get(*conn).map(|connection| &connection.stage);
            matches!(stage, Some(Stage::Opening | Stage::Admitting(_)))
        };
        self.connections.all().iter().filter(|conn| is_opening(conn)).count()
    }
}
