//! What the loop, the thread of the shadow, and those who ask over the web share. Nobody holds it for long.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::SignedDuration;

use crate::api::Finding;
use crate::api::view::ShadowAnswer;
use crate::explain::LocalTime;
use crate::lang::ShadowSettings;
use crate::rules::Ruleset;
use crate::sim;

use super::kept::Kept;
use super::prints::Prints;

/// What is shared.
pub(super) struct Shared {
    ledger: Mutex<Ledger>,
    /// Rules that are to replace those in the shadow.
    next: Mutex<Option<Ruleset>>,
    /// How many bytes wait to be told.
    pub(super) bytes: AtomicUsize,
    /// How much wasn't told since the thread last looked.
    pub(super) missed: AtomicU64,
    pub(super) is_stopping: AtomicBool,
}

/// The comparison, and how the thread is.
pub(super) struct Ledger {
    pub(super) shadow: sim::Shadow,
    /// How much wasn't told.
    pub(super) missed: u64,
    /// Why the thread has ended.
    pub(super) stopped: Option<String>,
    here: Prints,
    there: Prints,
}

impl Shared {
    pub(super) fn new(settings: &ShadowSettings, score: sim::Score, time: LocalTime) -> Shared {
        let window = SignedDuration::try_from(settings.window).unwrap_or(SignedDuration::MAX);
        let shadow = sim::Shadow::new(settings.compare, window, score, time);
        let (here, there) = (Prints::default(), Prints::default());
        let ledger = Ledger { shadow, missed: 0, stopped: None, here, there };
        Shared {
            ledger: Mutex::new(ledger),
            next: Mutex::default(),
            bytes: AtomicUsize::new(0),
            missed: AtomicU64::new(0),
            is_stopping: AtomicBool::new(false),
        }
    }

    /// Returns the comparison; what a panic left of it is still told.
    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_prints(&self, here: Prints, there: Prints) {
        let mut ledger = self.ledger();
        (ledger.here, ledger.there) = (here, there);
    }

    pub(super) fn set_here(&self, here: Prints) {
        self.ledger().here = here;
    }

    /// Puts `rules` into the shadow, once the thread comes to it.
    pub(super) fn replace_rules(&self, rules: Ruleset) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(rules);
    }

    /// Returns the rules that are to replace those in the shadow.
    pub(super) fn take_rules(&self) -> Option<Ruleset> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Notes that the thread puts `rules` into the shadow.
    pub(super) fn changed(&self, rules: &Ruleset) {
        let mut ledger = self.ledger();
        let there = Prints::of(rules);
        let changed = ledger.there.changed(&there);
        ledger.shadow.change(rules, &changed);
        ledger.there = there;
    }

    /// Counts what wasn't told since this was last asked.
    pub(super) fn note_missed(&self) {
        let missed = self.missed.swap(0, Ordering::Relaxed);
        if missed > 0 {
            let mut ledger = self.ledger();
            ledger.missed += missed;
            ledger.shadow.missed();
        }
    }

    pub(super) fn stop_because(&self, why: String) {
        self.ledger().stopped = Some(why);
    }

    /// Returns what is kept of it.
    pub(super) fn kept(&self, settings: &ShadowSettings) -> Kept {
        let ledger = self.ledger();
        Kept::new(settings, ledger.shadow.score().clone(), ledger.here.clone(), ledger.there.clone())
    }

    pub(super) fn answer(
        &self,
        settings: &ShadowSettings,
        diagnostics: Vec<Finding>,
        stale: Vec<String>,
    ) -> ShadowAnswer {
        let ledger = self.ledger();
        let missed = ledger.missed + self.missed.load(Ordering::Relaxed);
        ShadowAnswer {
            missed,
            stopped: ledger.stopped.clone(),
            diagnostics,
            stale,
            ..ShadowAnswer::new(&settings.rules, settings.compare, settings.window, &ledger.shadow)
        }
    }
}
