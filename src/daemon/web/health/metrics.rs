//! What is counted, in Prometheus' text format.

use std::fmt::{Display, Write};

use crate::api::{LinkStatus, NotificationStatus, Status};
use crate::daemon::broker::Counted;
use crate::daemon::observers::Counters;

/// What is shown.
pub(in crate::daemon::web) struct Shown {
    pub(in crate::daemon::web) status: Status,
    pub(in crate::daemon::web) counters: Counters,
    pub(in crate::daemon::web) topics: usize,
    pub(in crate::daemon::web) failures_passed_over: u64,
    /// Of our own broker; `None`: another one is used.
    pub(in crate::daemon::web) broker: Option<Counted>,
}

/// The text that grows.
struct Text(String);

impl Shown {
    /// Returns all of it.
    pub(in crate::daemon::web) fn text(&self) -> String {
        let Shown { status, counters, .. } = self;
        let mut text = Text(String::new());
        text.counter("messages_received_total", "Messages that clients published.", counters.received);
        text.counter("messages_published_total", "Messages that rules published.", counters.published);
        text.counter("runs_total", "Runs that ended.", counters.runs);
        text.counter("runs_failed_total", "Runs that failed.", counters.failed_runs);
        let help = "Parts of conditions that failed beside a part that decided.";
        text.counter("condition_failures_passed_over_total", help, self.failures_passed_over);
        let broken = status.invariants.iter().filter(|it| it.broken_since.is_some()).count();
        text.gauge("invariants", "Invariants in force.", status.invariants.len());
        text.gauge("invariants_broken", "Invariants that are broken now.", broken);
        let help = "How often an invariant was broken.";
        text.counter("invariants_broken_total", help, counters.broken_invariants);
        text.gauge("rules", "Rules in force.", status.rules.loaded);
        text.gauge("rules_enabled", "Rules that are switched on.", status.rules.enabled);
        let help = "The longest time that a question, by the page or another program, has held up everything else since the start.";
        text.gauge("longest_question_seconds", help, counters.longest_question.as_secs_f64());
        text.gauge("topics", "Topics with a known state.", self.topics);
        let help = "Whether each file of the home is in force, and the store keeps what it should.";
        text.gauge("healthy", help, u8::from(status.healthy));
        text.gauge("uptime_seconds", "Seconds since the start.", status.uptime);
        if let Some(notifications) = &status.notifications {
            text.notifications(notifications);
        }
        if let Some(broker) = &self.broker {
            text.broker(broker);
        }
        if let Some(link) = &status.link {
            text.link(link);
        }
        if let Some(instance) = &status.instance {
            text.gauge("instance_leads", "Whether this instance leads.", u8::from(instance.role == "leader"));
            text.gauge("instance_epoch", "How often leadership has changed hands.", instance.epoch);
        }
        text.0
    }
}

impl Text {
    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.add(name, "counter", help, value);
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.add(name, "gauge", help, value);
    }

    fn add(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.head(name, kind, help);
        // Writing to a string doesn't fail.
        let _ = writeln!(self.0, "homerule_{name} {value}");
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP homerule_{name} {help}\n# TYPE homerule_{name} {kind}");
    }

    fn notifications(&mut self, notifications: &NotificationStatus) {
        self.gauge("notifications_waiting", "Notifications that wait for their target.", notifications.waiting);
        let help = "Deliveries of notifications that were tried.";
        self.counter("notification_attempts_total", help, notifications.attempts);
        self.counter("notifications_delivered_total", "Notifications that were delivered.", notifications.delivered);
        self.counter("notifications_given_up_total", "Notifications that were given up.", notifications.given_up);
    }

    fn link(&mut self, link: &LinkStatus) {
        self.gauge("link_connected", "Whether the other broker has let us in.", u8::from(link.connected));
        self.gauge("link_waiting_messages", "Messages that wait to be published or acknowledged.", link.waiting);
        self.gauge("link_subscriptions", "Filters that are subscribed.", link.subscriptions);
        self.counter("link_connects_total", "How often the broker let us in.", link.connects);
        self.counter("link_messages_received_total", "Messages that came from the broker.", link.received);
        self.counter("link_messages_sent_total", "Messages that were sent to the broker.", link.sent);
        self.counter("link_messages_dropped_total", "Messages of ours that were dropped.", link.dropped);
        self.counter("link_echoes_total", "Our own messages that a broker of 3.1.1 sent back.", link.echoes);
    }

    fn broker(&mut self, broker: &Counted) {
        let Counted { status, stats, counts, buffered_bytes } = broker;
        self.gauge("broker_clients_connected", "Clients that are connected.", status.connected);
        self.gauge("broker_sessions", "Sessions, those of absent clients among them.", status.sessions);
        self.gauge("broker_retained_messages", "Retained messages.", status.retained);
        self.gauge("broker_retained_bytes", "Bytes of retained messages.", status.retained_bytes);
        self.gauge("broker_queued_bytes", "Bytes that wait for all clients.", status.queued_bytes);
        self.gauge("broker_buffered_bytes", "Bytes in the buffers of all connections.", buffered_bytes);
        self.counter("broker_bytes_received_total", "Bytes that came.", stats.bytes_received);
        self.counter("broker_bytes_sent_total", "Bytes that left.", stats.bytes_sent);
        self.counter("broker_messages_received_total", "Messages that clients published.", stats.messages_received);
        self.counter("broker_messages_sent_total", "Messages that subscribers were sent.", stats.messages_sent);
        self.counter("broker_connects_total", "Clients that were let in.", stats.connects);
        self.counter("broker_refused_total", "Clients that weren't let in.", stats.refused);
        self.counter("broker_too_many_connections_total", "Connections beyond the limit.", stats.too_many_connections);
        self.counter(
            "broker_failed_handshakes_total",
            "Failed handshakes of TLS and WebSocket.",
            counts.failed_handshakes,
        );
        self.counter("broker_wrong_passwords_total", "Wrong passwords.", counts.wrong_passwords);
        let help = "Clients that had to wait after wrong passwords.";
        self.counter("broker_throttled_logins_total", help, counts.throttled);
        let help = "Connections that were taken over by another with the same client identifier.";
        self.counter("broker_takeovers_total", help, stats.takeovers);
        let help = "Clients that were disconnected since nothing came for 1.5 times their keep alive.";
        self.counter("broker_timeouts_total", help, stats.timeouts);
        let help = "Clients that were disconnected since they broke the protocol or a limit.";
        self.counter("broker_protocol_errors_total", help, stats.faults);
        self.counter("broker_wills_total", "Wills that were published.", stats.wills);
        self.counter("broker_sessions_expired_total", "Sessions that expired.", stats.sessions_expired);
        let help = "Messages and subscriptions that weren't taken or delivered, by the reason.";
        self.head("broker_dropped_total", "counter", help);
        for (why, count) in &stats.dropped {
            let _ = writeln!(self.0, "homerule_broker_dropped_total{{reason=\"{}\"}} {count}", why.as_str());
        }
    }
}
