//! Whether there is room for what the daemon keeps.

use super::finding::Finding;
use super::patient::Patient;
use crate::disk::recorded::shelf::{Room, room};
use crate::disk::recorded::{folder, recorded_files};
use crate::model::format_size;

/// With less than this, the store soon can't keep what rules wait for.
const LEAST: u64 = 50 << 20;

pub(super) fn check(patient: &Patient) -> Vec<Finding> {
    let shown = patient.disk().display();
    let Some(room) = room(patient.disk()) else {
        return vec![Finding::warning(
            format!("the system doesn't say how full the disk of `{shown}` is"),
            "look with `df -h`",
        )];
    };
    let recorded = recorded_files(&folder(&patient.home, &patient.settings)).unwrap_or_default();
    let recorded = recorded.iter().map(|file| file.size).sum();
    let wanted = patient.settings.recorder.as_ref().map_or(0, |recorder| recorder.max_size);
    vec![look(&shown.to_string(), room, recorded, wanted)]
}

fn look(shown: &str, room: Room, recorded: u64, wanted: u64) -> Finding {
    let (free, all) = (size(room.free), size(room.all));
    if room.free < LEAST {
        return Finding::error(
            format!("the disk of `{shown}` is full: {free} of {all} are free"),
            "make room, or the home forgets at a restart what changes from now on",
        );
    }
    let missing = wanted.saturating_sub(recorded);
    if room.free < missing.saturating_add(LEAST) {
        return Finding::warning(
            format!("{free} of {all} are free on the disk of `{shown}`; recordings may take {} more", size(missing)),
            "make room, or set a smaller `recorder: { max_size: … }` in homerule.yaml",
        );
    }
    Finding::ok(format!("{free} of {all} are free on the disk of `{shown}`"))
}

fn size(bytes: u64) -> String {
    format_size(usize::try_from(bytes).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::finding::Outcome;

    #[test]
    fn a_disk_without_room_for_the_store_is_an_error_and_for_the_recorder_a_warning() {
        let outcome = |free: u64, recorded: u64| {
            look("/", Room { free: free << 20, all: 1 << 40 }, recorded << 20, 500 << 20).outcome
        };
        assert_eq!(outcome(10, 0), Outcome::Error);
        assert_eq!(outcome(400, 0), Outcome::Warning);
        assert_eq!(outcome(400, 450), Outcome::Ok);
        assert_eq!(outcome(600, 0), Outcome::Ok);
    }
}
