//! The watchdog: a thread that ends an evaluation that takes too long, so that one rule holds up no other. It looks again
//! and again while rules evaluate something, and sleeps while none does: a home at rest wakes nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::script::Interrupter;

/// Watches evaluations until it is dropped.
#[derive(Debug)]
pub(in crate::daemon) struct Watchdog {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    /// Ends each evaluation that takes longer than `limit`, as soon as it counts its next operation.
    pub(in crate::daemon) fn start(interrupter: Interrupter, limit: Duration) -> Watchdog {
        let is_over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&is_over);
        let watch = move || watch(&interrupter, limit, &told);
        // Without it, the limit of operations ends what hangs.
        let thread = thread::Builder::new().name("watchdog".to_owned()).spawn(watch).ok();
        Watchdog { is_over, thread }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

fn watch(interrupter: &Interrupter, limit: Duration, is_over: &AtomicBool) {
    let pause = (limit / 5).clamp(Duration::from_millis(1), Duration::from_millis(100));
    let watchdog = thread::current();
    interrupter.wakes(move || watchdog.unpark());
    let mut seen: Option<(u64, Instant)> = None;
    let mut begun = interrupter.begun();
    while !is_over.load(Ordering::Relaxed) {
        thread::park_timeout(pause);
        let before = std::mem::replace(&mut begun, interrupter.begun());
        if before == begun && interrupter.sleeps() {
            while interrupter.is_sleeping() && !is_over.load(Ordering::Relaxed) {
                thread::park();
            }
        }
        let now = Instant::now();
        seen = match (interrupter.running(), seen) {
            (None, _) => None,
            (Some(running), Some((known, since))) if running == known => {
                // It began up to one pause before it was first seen.
                if now.duration_since(since) + pause >= limit {
                    interrupter.interrupt(running);
                }
                seen
            }
            (Some(running), _) => Some((running, now)),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Effect, Engine, Event, Options, Outcome};
    use crate::lang::{Home, Source, Sources};
    use crate::model::{Message, Origin, Payload, Qos, Topic};
    use crate::script::Limits;

    #[test]
    fn a_script_that_hangs_is_ended_though_the_watchdog_slept_and_rests_after_the_third_time() {
        let script = "rule(\"hangs\", #{ when: \"a/b\", then: || { loop {} } });";
        let source = Source::Content(script.as_bytes().into());
        let sources: Sources = [("rules/a.rhai".into(), source)].into();
        let home = Home::load(&sources);
        assert!(!home.has_errors(), "{:?}", home.diagnostics);
        let limit = Duration::from_millis(20);
        let limits = Limits { operations: u64::MAX, evaluation: limit, ..Limits::default() };
        let now = "2024-06-01T12:00:00Z".parse().unwrap();
        let (mut engine, _) = Engine::new(now, home.ruleset, Options { limits, ..Options::default() });
        let _ = engine.handle(now, Event::Started);
        let interrupter = engine.interrupter();
        let _watchdog = Watchdog::start(interrupter.clone(), limit);
        while !interrupter.is_sleeping() {
            thread::sleep(Duration::from_millis(1));
        }
        let message = Message {
            topic: Topic::parse("a/b").unwrap(),
            payload: Payload::from_bytes(b"1".to_vec()),
            qos: Qos::default(),
            retain: false,
            origin: Origin::Live,
            expires_at: None,
        };
        let mut alerts = Vec::new();
        let mut outcomes = Vec::new();
        for _ in 0..4 {
            for effect in engine.handle(now, Event::Message(message.clone())) {
                match effect {
                    Effect::Trace(trace) => outcomes.push(trace.outcome.clone()),
                    Effect::Alert(alert) => alerts.push(alert.message),
                    _ => {}
                }
            }
        }
        let hung = "rules/a.rhai:1:37: the script takes longer than 20 ms (`rule(\"hangs\", #{ when: \"a/b\", then: || { loop {} } \
                    });`)";
        let is_hung = |outcome: &Outcome| matches!(outcome, Outcome::Failed(fault) if fault.to_string() == hung);
        assert!(outcomes.iter().take(3).all(is_hung), "{outcomes:?}");
        assert_eq!(outcomes.get(3).map(Outcome::word), Some("skipped"), "{outcomes:?}");
        let rests = "3 runs in a row needed more than";
        assert!(alerts.iter().any(|alert| alert.starts_with(rests)), "{alerts:?}");
    }
}
