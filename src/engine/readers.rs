//! Who read what: what changes without a message (memory, `holds()`, `running()`) makes its readers ask again.

use std::collections::BTreeSet;

use crate::rules::Start;
use crate::script::Reads;

use super::deadline::Owner;
use super::slot::{Slot, SlotId};
use super::{Cause, CauseKind, Engine, RunId};

/// Something beside a `while` that read what changed.
enum Reader {
    /// The expression of an `at` trigger.
    At(Owner, u16),
    /// An `until`.
    Until(RunId, u64),
}

impl Engine {
    /// Asks again, in the rules' order, whatever read what `changed` says; of one rule only, where `only` is one.
    /// `depth` is how many changes by rules led to this one: too many in a row are a loop.
    pub(super) fn tell_readers(&mut self, depth: u32, only: Option<&SlotId>, changed: impl Fn(&Reads) -> bool) {
        let cause = Cause { kind: CauseKind::Condition, depth, run: None };
        for id in self.readers(only, &changed) {
            let is_while = self.slots.get(&id).is_some_and(|slot| is_reading_while(slot, &changed));
            if depth > self.options.chain {
                self.stop_circle(&id);
                continue;
            }
            if is_while {
                self.reconsider(&id, &cause);
            }
            for reader in self.readers_of(&id, &changed) {
                match reader {
                    Reader::At(owner, index) => self.ask_at(&id, owner, index),
                    Reader::Until(run, ear) => self.ask_until(run, ear, &cause),
                }
            }
            self.step_ready();
        }
    }

    /// Returns the rules of which something read what changed, in their order.
    fn readers(&self, only: Option<&SlotId>, changed: &impl Fn(&Reads) -> bool) -> BTreeSet<SlotId> {
        let reads = |slot: &Slot| {
            is_reading_while(slot, changed) || slot.triggers.iter().any(|trigger| changed(&trigger.reads))
        };
        let is_meant = |id: &SlotId| only.is_none_or(|only| only == id);
        let slots = self.slots.iter().filter(|(id, slot)| is_meant(id) && reads(slot)).map(|(id, _)| id.clone());
        let runs = self.runs.values().filter(|run| run.ears().any(|ear| ear.reads_what(changed)));
        slots.chain(runs.filter_map(|run| run.slot.clone()).filter(|id| is_meant(id))).collect()
    }

    fn readers_of(&self, id: &SlotId, changed: &impl Fn(&Reads) -> bool) -> Vec<Reader> {
        let mut readers = Vec::new();
        if let Some(slot) = self.slots.get(id) {
            let ats = super::alarms::numbered(&slot.triggers).filter(|(_, trigger)| changed(&trigger.reads));
            readers.extend(ats.map(|(index, _)| Reader::At(Owner::Rule, index)));
        }
        for run in self.runs.values().filter(|run| run.slot.as_ref() == Some(id)) {
            for ear in run.ears() {
                let ats = super::alarms::numbered(&ear.triggers).filter(|(_, trigger)| changed(&trigger.reads));
                readers.extend(ats.map(|(index, _)| Reader::At(Owner::Ear(run.id, ear.id), index)));
                if changed(&ear.reads) {
                    readers.push(Reader::Until(run.id, ear.id));
                }
            }
        }
        readers
    }
}

fn is_reading_while(slot: &Slot, changed: &impl Fn(&Reads) -> bool) -> bool {
    matches!(slot.rule.start, Start::While(_)) && changed(&slot.while_state.reads)
}
