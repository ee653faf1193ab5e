//! Who read what: what changes without a message (memory, `holds()`, `running()`) makes its readers ask again.

use super::hearing::Incoming;
use super::slot::{Heard, Listener, Watched};
use super::{Cause, Engine};

impl Engine {
    /// Tells those who read `watched` that it has changed, after what is being handled. `cause` is what changed it: its
    /// depth is how many changes by rules led to this one.
    pub(super) fn note_changed(&mut self, watched: Watched, cause: Cause) {
        if self.slots.is_watched(&watched) {
            self.inbox.push_back(Incoming::Changed { watched, cause });
        }
    }

    /// Asks again, in the rules' order, whatever read `watched`. Too many changes in a row are a loop.
    pub(super) fn tell_readers(&mut self, watched: &Watched, cause: &Cause) {
        for Listener { slot, what } in self.slots.watchers(watched) {
            if cause.depth > self.options.chain {
                self.stop_circle(&slot);
                continue;
            }
            match what {
                Heard::While => self.reconsider(&slot, cause),
                Heard::Until(run, ear) => self.ask_until(run, ear, cause),
                Heard::At(owner, index) => self.ask_at(&slot, owner, index),
                Heard::Tracker(_) | Heard::Trigger(..) => {}
            }
            self.step_ready();
        }
    }
}
