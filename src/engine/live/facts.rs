//! Who read what: what changes without a message (memory, `holds()`, `running()`) makes its readers ask again.

use crate::engine::live::table::{Fact, Interest, Subscriber};
use crate::engine::trigger::dispatch::Incoming;
use crate::engine::{Cause, Engine};

impl Engine {
    /// Tells those who read `fact` that it has changed, after what is being handled. `cause` is what changed it: its
    /// depth is how many changes by rules led to this one.
    pub(crate) fn note_changed(&mut self, fact: Fact, cause: Cause) {
        if self.live.is_watched(&fact) {
            self.inbox.push_back(Incoming::Changed { fact, cause });
        }
    }

    /// Asks again, in the rules' order, whatever read `fact`. Too many changes in a row are a loop.
    pub(crate) fn tell_readers(&mut self, fact: &Fact, cause: &Cause) {
        for Subscriber { slot, what } in self.live.readers_of(fact) {
            if cause.depth > self.options.chain {
                self.stop_circle(&slot);
                continue;
            }
            match what {
                Interest::While => self.reconsider(&slot, cause),
                Interest::Until(run, wait) => self.recheck_until(run, wait, cause),
                Interest::At(owner, index) => self.recheck_at_expression(&slot, owner, index),
                Interest::Tracker(_) | Interest::Trigger(..) => {}
            }
            self.step_ready();
        }
    }
}
