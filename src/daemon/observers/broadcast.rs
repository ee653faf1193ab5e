//! What happens, for whoever listens to the event stream. Who reads too slowly misses some, and is told; who was cut off and
//! comes back gets what came meanwhile, as far as it's kept.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::json;
use tokio::sync::broadcast::{Receiver, Sender, channel};

use crate::api::{MessageLine, TraceAnswer, Via};
use crate::engine::{StepKind, StepResult, Trace};
use crate::explain::LocalTime;
use crate::model::{Message, RuleId};

/// How many events a slow listener may lag behind.
const LAG: usize = 1024;

/// How many bytes of events are kept for those who come back.
const KEPT_BYTES: usize = 4 << 20;

/// How long after the last listener went events are still kept.
const AWAY: SignedDuration = SignedDuration::from_mins(2);

/// One event of the stream.
#[derive(Debug, Clone)]
pub(in crate::daemon) struct StreamEvent {
    /// Its number since the start.
    number: u64,
    /// `message`, `publish`, `run`, `switch` or `diagnostics`.
    pub(in crate::daemon) kind: &'static str,
    /// Its JSON.
    pub(in crate::daemon) document: Arc<str>,
}

/// What a listener gets.
pub(in crate::daemon) struct Listening {
    /// What came since the event that the listener knows.
    pub(in crate::daemon) before: VecDeque<StreamEvent>,
    /// Whether that event isn't known, so that some may be missing.
    pub(in crate::daemon) has_missed: bool,
    /// What comes.
    pub(in crate::daemon) events: Receiver<StreamEvent>,
    /// How the ids of this start begin.
    pub(in crate::daemon) start: Arc<str>,
}

/// Sends events to whoever listens.
pub(in crate::daemon) struct Broadcast {
    sender: Sender<StreamEvent>,
    /// Tells the ids of this start from those of others.
    start: Arc<str>,
    next: u64,
    kept: VecDeque<StreamEvent>,
    bytes: usize,
    /// When somebody last listened; `None`: nobody did, or it's too long ago.
    heard_at: Option<Timestamp>,
}

impl StreamEvent {
    /// Returns its id: one that no other event has, of this start or another.
    pub(in crate::daemon) fn id(&self, start: &str) -> String {
        format!("{start}-{}", self.number)
    }
}

impl Broadcast {
    /// Returns one for a daemon that starts at `now`.
    pub(in crate::daemon) fn new(now: Timestamp) -> Broadcast {
        Broadcast {
            sender: channel(LAG).0,
            start: format!("{:x}", now.as_microsecond()).into(),
            next: 1,
            kept: VecDeque::new(),
            bytes: 0,
            heard_at: None,
        }
    }

    /// Listens from now on, or from after the event with the id `last` on.
    pub(in crate::daemon) fn listen(&self, last: Option<&str>) -> Listening {
        let events = self.sender.subscribe();
        let start = Arc::clone(&self.start);
        let Some(last) = last.filter(|last| !last.is_empty()) else {
            return Listening { before: VecDeque::new(), has_missed: false, events, start };
        };
        let number = last.strip_prefix(&*self.start).and_then(|rest| rest.strip_prefix('-')?.parse::<u64>().ok());
        let first = self.kept.front().map_or(self.next, |event| event.number);
        match number.filter(|number| *number + 1 >= first && *number < self.next) {
            Some(number) => {
                let before = self.kept.iter().filter(|event| event.number > number).cloned().collect();
                Listening { before, has_missed: false, events, start }
            }
            None => Listening { before: VecDeque::new(), has_missed: true, events, start },
        }
    }

    /// A client published `message`.
    pub(in crate::daemon) fn message(&mut self, now: Timestamp, message: &Message, client: Option<&str>) {
        self.send(now, "message", || MessageLine::new(now, message, Via::Client(client)));
    }

    /// A rule published `message`.
    pub(in crate::daemon) fn publication(&mut self, now: Timestamp, message: &Message, rule: &RuleId) {
        self.send(now, "publish", || MessageLine::new(now, message, Via::Rule(rule)));
    }

    /// A run ended, or a rule didn't run.
    pub(in crate::daemon) fn trace(&mut self, now: Timestamp, trace: &Trace, time: impl FnOnce() -> LocalTime) {
        for step in &trace.steps {
            let (StepKind::Enable | StepKind::Disable, StepResult::Rule(rule)) = (step.kind, &step.result) else {
                continue;
            };
            self.switch(now, rule, step.kind == StepKind::Enable, trace.rule.as_str());
        }
        self.send(now, "run", || serde_json::to_value(TraceAnswer::new(trace, &time())).unwrap_or_default());
    }

    /// Somebody switched a rule; `by` says who, in words.
    pub(in crate::daemon) fn switch(&mut self, now: Timestamp, rule: &RuleId, is_enabled: bool, by: &str) {
        self.send(now, "switch", || json!({ "rule": rule.as_str(), "enabled": is_enabled, "at": now, "by": by }));
    }

    /// The files of the home were read again; `reloaded` says what came of it.
    pub(in crate::daemon) fn diagnostics(&mut self, now: Timestamp, reloaded: &impl Serialize) {
        self.send(now, "diagnostics", || reloaded);
    }

    /// Makes the document only if somebody listens, or did a little while ago.
    fn send<T: Serialize>(&mut self, now: Timestamp, kind: &'static str, document: impl FnOnce() -> T) {
        let number = self.next;
        self.next += 1;
        if self.sender.receiver_count() > 0 {
            self.heard_at = Some(now);
        }
        let is_awaited = self.heard_at.is_some_and(|at| now.duration_since(at) < AWAY);
        if !is_awaited {
            // Who knows none of these has missed some.
            self.heard_at = None;
            self.kept.clear();
            self.bytes = 0;
            return;
        }
        let Ok(json) = serde_json::to_string(&document()) else { return };
        let event = StreamEvent { number, kind, document: json.into() };
        self.bytes += event.document.len();
        self.kept.push_back(event.clone());
        while self.kept.len() > LAG || self.bytes > KEPT_BYTES {
            let Some(oldest) = self.kept.pop_front() else { break };
            self.bytes -= oldest.document.len();
        }
        // The last listener may have gone just now.
        let _ = self.sender.send(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Origin, Payload, Qos, Topic};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_717_264_800 + second).unwrap()
    }

    fn say(broadcast: &mut Broadcast, second: i64) {
        let rule = RuleId::from_text("a:b");
        broadcast.switch(at(second), &rule, true, "somebody");
    }

    fn numbers(listening: &Listening) -> Vec<u64> {
        listening.before.iter().map(|event| event.number).collect()
    }

    #[test]
    fn who_comes_back_gets_what_came_meanwhile() {
        let mut broadcast = Broadcast::new(at(0));
        let first = broadcast.listen(None);
        (1..=3).for_each(|second| say(&mut broadcast, second));
        let mut events = first.events;
        let id = events.try_recv().unwrap().id(&first.start);
        drop(events);
        say(&mut broadcast, 4);
        let again = broadcast.listen(Some(&id));
        assert_eq!((numbers(&again), again.has_missed), (vec![2, 3, 4], false));
        let latest = broadcast.listen(Some(&format!("{}-4", again.start)));
        assert_eq!((numbers(&latest), latest.has_missed), (vec![], false));
    }

    #[test]
    fn an_id_of_another_start_or_of_long_ago_is_not_known() {
        let mut broadcast = Broadcast::new(at(0));
        let listening = broadcast.listen(None);
        say(&mut broadcast, 1);
        let start = listening.start.clone();
        for unknown in [format!("{}-1", Broadcast::new(at(5)).start), format!("{start}-7"), "nonsense".to_owned()] {
            assert!(broadcast.listen(Some(&unknown)).has_missed, "{unknown}");
        }
        drop(listening);
        say(&mut broadcast, 300);
        assert!(broadcast.kept.is_empty(), "nobody listens, so nothing is kept");
        assert!(broadcast.listen(Some(&format!("{start}-1"))).has_missed);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut broadcast = Broadcast::new(at(0));
        let _listening = broadcast.listen(None);
        let payload = Payload::from_bytes("x".repeat(100_000));
        let topic = Topic::parse("a").unwrap();
        let message =
            Message { topic, payload, qos: Qos::AtMostOnce, retain: false, origin: Origin::Live, expires_at: None };
        for second in 0..100 {
            broadcast.message(at(second), &message, None);
            assert!(broadcast.bytes <= KEPT_BYTES);
        }
        assert!(broadcast.kept.len() > 30, "{}", broadcast.kept.len());
        (0..3000).for_each(|second| say(&mut broadcast, second));
        assert_eq!(broadcast.kept.len(), LAG);
    }
}
