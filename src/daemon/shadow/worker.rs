//! The thread of the shadow: owns the second engine and its clock, which is that of the loop: it goes on from what was last told.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::oneshot;
use tracing::{error, warn};

use crate::daemon::home::input::{Input, Link};
use crate::daemon::system::clock;
use crate::daemon::system::watchdog::Watchdog;
use crate::engine::{Effect, Engine, Event, Options, Publication, Snapshot};
use crate::lang::ShadowSettings;
use crate::model::Origin;
use crate::rules::Ruleset;
use crate::script::with_deep_stack;
use crate::sim::{By, Decision, Side};

use super::Told;
use super::calls::Calls;
use super::shared::Shared;

/// How often the score is kept.
const KEEP: Duration = Duration::from_mins(5);

/// It looks this often though nothing is due.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);

/// Beyond so many deadlines of one instant, the others come with the next thing that happens.
const SAME_INSTANT: usize = 10_000;

/// What the thread works with.
pub(super) struct Parts {
    pub(super) receiver: Receiver<Told>,
    pub(super) shared: Arc<Shared>,
    pub(super) settings: ShadowSettings,
    pub(super) options: Options,
    pub(super) limit: Duration,
    pub(super) file: PathBuf,
    pub(super) link: Link,
    pub(super) now: Timestamp,
    /// Goes when the thread ends.
    pub(super) farewell: oneshot::Sender<()>,
}

/// The thread.
pub(super) struct Worker {
    parts: Parts,
    engine: Engine,
    ruleset: Ruleset,
    watchdog: Watchdog,
    calls: Calls,
    window: SignedDuration,
    /// The time that was last told, and when that was.
    told: (Timestamp, Instant),
    kept: Instant,
}

impl Worker {
    /// Starts it.
    pub(super) fn start(parts: Parts, engine: (Engine, Vec<Effect>), ruleset: Ruleset) -> std::io::Result<()> {
        let shared = Arc::clone(&parts.shared);
        let run = move || {
            yield_to_the_loop();
            let window = SignedDuration::try_from(parts.settings.window).unwrap_or(SignedDuration::MAX);
            let watchdog = Watchdog::start(engine.0.interrupter(), parts.limit);
            let told = (parts.now, Instant::now());
            let (engine, effects) = engine;
            let mut worker = Worker {
                parts,
                engine,
                ruleset,
                watchdog,
                calls: Calls::default(),
                window,
                told,
                kept: Instant::now(),
            };
            worker.note(effects, worker.parts.now);
            worker.run();
        };
        let run = move || {
            // What it has is its own, and what it shares is whole between two steps.
            if catch_unwind(AssertUnwindSafe(|| with_deep_stack(run))).is_err() {
                error!(
                    "The rules in the shadow ended with a panic; those in force go on. Please report this with the log."
                );
                shared.stop_because("it ended with a panic; please report this with the log".to_owned());
            }
        };
        std::thread::Builder::new().name("shadow".to_owned()).spawn(run).map(|_| ())
    }

    fn run(&mut self) {
        while !self.parts.shared.is_stopping.load(Ordering::Relaxed) {
            match self.parts.receiver.recv_timeout(self.until_due()) {
                Ok(told) => {
                    self.parts.shared.bytes.fetch_sub(told.size(), Ordering::Relaxed);
                    self.look_around();
                    self.take(told);
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.look_around();
                    self.advance(self.time());
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.kept.elapsed() >= KEEP {
                self.kept = Instant::now();
                self.keep(None);
            }
        }
        self.end();
    }

    /// Returns what time it is.
    fn time(&self) -> Timestamp {
        if clock::is_paced() {
            return clock::now().max(self.told.0);
        }
        let passed = SignedDuration::try_from(self.told.1.elapsed()).unwrap_or_default();
        later(self.told.0, passed)
    }

    fn until_due(&self) -> Duration {
        let of_shadow = self.parts.shared.ledger().shadow.next_deadline();
        let due = self.engine.next_deadline().into_iter().chain(of_shadow).chain(self.calls.next_deadline()).min();
        let left = due.map(|due| due.duration_since(self.time()));
        let left = left.map_or(LONGEST_SLEEP, |left| clock::outside(Duration::try_from(left).unwrap_or_default()));
        left.saturating_add(Duration::from_millis(1)).min(LONGEST_SLEEP)
    }

    /// Looks at what came beside the queue.
    fn look_around(&mut self) {
        self.parts.shared.note_missed();
        if let Some(rules) = self.parts.shared.take_rules() {
            let now = self.time();
            self.advance(now);
            self.parts.shared.changed(&rules);
            self.ruleset = rules.clone();
            let effects = self.engine.replace_rules(now, rules);
            self.note(effects, now);
        }
    }

    fn take(&mut self, told: Told) {
        match told {
            Told::Event(now, Event::Answered { request, answer }) => {
                self.note_time(now);
                self.calls.answered_here(request, &answer);
                self.advance(now);
            }
            Told::Event(now, event) => self.happen(now, event),
            Told::Decided(now, effect) => self.decided_here(now, effect),
            Told::Renew(now, snapshot) => {
                self.note_time(now);
                let rules = self.ruleset.clone();
                let (engine, effects) = Engine::restore(now, rules, snapshot, self.parts.options.clone());
                self.watchdog = Watchdog::start(engine.interrupter(), self.parts.limit);
                self.engine = engine;
                self.calls = Calls::default();
                self.parts.shared.ledger().shadow.missed();
                self.note(effects, now);
            }
            Told::Nudge => {}
        }
    }

    fn note_time(&mut self, now: Timestamp) {
        self.told = (now, Instant::now());
    }

    fn happen(&mut self, now: Timestamp, event: Event) {
        self.note_time(now);
        if let Event::ClockChanged { forward } = event {
            self.parts.shared.ledger().shadow.shift(SignedDuration::from_millis(forward));
        } else {
            self.advance(now);
        }
        let heard = match &event {
            Event::MessageFrom { message, client } => Some((message, By::Client(Arc::clone(client)))),
            Event::Message(message) => Some((message, By::Somebody)),
            _ => None,
        };
        let heard = heard.filter(|(message, _)| message.origin == Origin::Live);
        if heard.is_some_and(|(message, by)| self.parts.shared.ledger().shadow.heard(now, message, by)) {
            // What the rules in the shadow have said already is no news to them.
            return;
        }
        self.handle(now, event);
    }

    fn handle(&mut self, now: Timestamp, event: Event) {
        let effects = self.engine.handle(now, event);
        self.note(effects, now);
    }

    /// Fires what is due until `now`, each at its own time, and judges what nothing is like any more.
    fn advance(&mut self, now: Timestamp) {
        for _ in 0..SAME_INSTANT {
            let Some(due) = self.engine.next_deadline().filter(|due| *due <= now) else { break };
            self.handle(due, Event::Tick);
        }
        for (request, answer) in self.calls.answers(now, self.window) {
            self.handle(now, Event::Answered { request, answer });
        }
        self.parts.shared.ledger().shadow.settle(now);
    }

    /// Takes down what the rules in the shadow decided, and does nothing of it.
    fn note(&mut self, effects: Vec<Effect>, now: Timestamp) {
        for effect in effects {
            match effect {
                Effect::Publish(publication) => {
                    let by = by(&publication);
                    self.parts.shared.ledger().shadow.published_there(now, &publication.message, by);
                }
                Effect::Trace(trace) => self.parts.shared.ledger().shadow.traced(Side::There, &trace),
                Effect::Http { request, rule, call } => {
                    let decision = Decision::of_request(now, &call, By::Rule(rule, None));
                    self.calls.ask(request, &decision, false, self.window);
                    self.parts.shared.ledger().shadow.called(Side::There, decision);
                }
                Effect::Deliver { request, rule, target, call } => {
                    let decision = Decision::of_notice(now, &target, &call, By::Rule(rule, None));
                    self.calls.ask(request, &decision, false, self.window);
                    self.parts.shared.ledger().shadow.called(Side::There, decision);
                }
                Effect::Exec { request, rule, command, timeout: _ } => {
                    let decision = Decision::of_program(now, &command, By::Rule(rule, None));
                    self.calls.ask(request, &decision, true, self.window);
                    self.parts.shared.ledger().shadow.called(Side::There, decision);
                }
                Effect::Recall(recall) => {
                    // A loop that has no time for it leaves the rules without that past.
                    let ask = Input::Request(Box::new(move |home| home.recall_for_shadow(recall)));
                    let _ = self.parts.link.try_send(ask);
                }
                Effect::Tell(_)
                | Effect::Save { .. }
                | Effect::Log { .. }
                | Effect::Invariant(_)
                | Effect::Notify { .. }
                | Effect::Alert(_) => {}
            }
        }
    }

    /// Takes down what the rules in force decided.
    fn decided_here(&mut self, now: Timestamp, effect: Effect) {
        self.note_time(now);
        let mut ledger = self.parts.shared.ledger();
        match effect {
            Effect::Publish(publication) => {
                self.engine.note_commanded(&publication.message);
                ledger.shadow.published_here(now, &publication.message, by(&publication));
            }
            Effect::Trace(trace) => ledger.shadow.traced(Side::Here, &trace),
            Effect::Http { request, rule, call } => {
                let decision = Decision::of_request(now, &call, By::Rule(rule, None));
                self.calls.asked_here(request, &decision);
                ledger.shadow.called(Side::Here, decision);
            }
            Effect::Deliver { request, rule, target, call } => {
                let decision = Decision::of_notice(now, &target, &call, By::Rule(rule, None));
                self.calls.asked_here(request, &decision);
                ledger.shadow.called(Side::Here, decision);
            }
            Effect::Exec { request, rule, command, timeout: _ } => {
                let decision = Decision::of_program(now, &command, By::Rule(rule, None));
                self.calls.asked_here(request, &decision);
                ledger.shadow.called(Side::Here, decision);
            }
            Effect::Tell(_)
            | Effect::Save { .. }
            | Effect::Log { .. }
            | Effect::Invariant(_)
            | Effect::Alert(_)
            | Effect::Notify { .. }
            | Effect::Recall(_) => {}
        }
    }

    /// Takes what still waits, and keeps what is known.
    fn end(&mut self) {
        while let Ok(told) = self.parts.receiver.try_recv() {
            self.take(told);
        }
        let mut snapshot = Snapshot::default();
        self.engine.keep_all();
        for effect in self.engine.flush() {
            if let Effect::Save { key, value } = effect {
                snapshot.apply(&key, value.as_ref());
            }
        }
        self.keep(Some((self.told.0, snapshot)));
    }

    fn keep(&self, end: Option<(Timestamp, Snapshot)>) {
        let kept = self.parts.shared.kept(&self.parts.settings);
        let kept = match end {
            Some((at, snapshot)) => kept.ended(at, snapshot),
            None => kept,
        };
        if let Err(error) = kept.write(&self.parts.file) {
            warn!("The shadow's score can't be kept in `{}`: {error}.", self.parts.file.display());
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Whoever waits for the end waits no longer.
        let _ = std::mem::replace(&mut self.parts.farewell, oneshot::channel().0).send(());
    }
}

fn by(publication: &Publication) -> By {
    By::Rule(publication.rule.clone(), publication.cause.run)
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Leaves the processor to the loop where both want it.
#[cfg(target_os = "linux")]
fn yield_to_the_loop() {
    // On Linux this is of the thread alone. Without the right to it, it goes as it is.
    let _ = rustix::process::setpriority_process(None, 10);
}

#[cfg(not(target_os = "linux"))]
fn yield_to_the_loop() {}
