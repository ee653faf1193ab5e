//! What belongs together: an event, and what the file says of single occurrences of it (`RECURRENCE-ID`).

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::DateTime;

use super::event::Read;
use super::recurring::local_of;
use crate::model::agenda::Series;

/// Returns the series of events.
pub(super) fn series(read: Vec<Read>) -> Vec<Series> {
    let mut alone = Vec::new();
    let mut by_uid: BTreeMap<String, Vec<Read>> = BTreeMap::new();
    for one in read {
        if one.uid.is_empty() {
            alone.push(one);
        } else {
            by_uid.entry(one.uid.clone()).or_default().push(one);
        }
    }
    let alone = alone.into_iter().filter(|one| !one.is_cancelled).map(|one| single(&one));
    alone.chain(by_uid.into_values().flat_map(of_one)).collect()
}

/// Returns the series of what has one `uid`.
fn of_one(all: Vec<Read>) -> Vec<Series> {
    let (single_ones, whole): (Vec<Read>, Vec<Read>) = all.into_iter().partition(|one| one.instead_of.is_some());
    let newest = whole.iter().map(|one| one.sequence).max();
    let mut whole: Vec<Read> = whole.into_iter().filter(|one| Some(one.sequence) == newest).collect();
    whole.dedup_by(|left, right| left.start == right.start && left.event == right.event);
    let [main] = whole.as_slice() else {
        // Several of one `uid` shouldn't be, and are: each counts for itself.
        let all = whole.iter().chain(&single_ones).filter(|one| !one.is_cancelled);
        return all.map(single).collect();
    };
    if main.is_cancelled {
        return Vec::new();
    }
    let mut series = vec![single(main)];
    for (at, one) in newest_of_each(&single_ones, main) {
        let recurring = &main.recurring;
        let is_excluded = recurring.excluded.contains(&at) || recurring.excluded_days.contains(&at.date());
        if is_excluded && one.sequence <= main.sequence {
            continue;
        }
        let follow = one.instead_of.as_ref().is_some_and(|(_, follow)| *follow);
        if follow && let Some(first) = series.first_mut() {
            let rest = rest_of(first, at, one);
            first.before = Some(at);
            series.extend((!one.is_cancelled).then_some(rest));
            continue;
        }
        for known in &mut series {
            known.excluded.insert(at);
        }
        series.extend((!one.is_cancelled).then(|| once(one)));
    }
    series
}

/// Returns what is said of single occurrences of `main`, by the time at which they would have begun; the newest of each. Those
/// of which all that follow is changed come last, the latest first.
fn newest_of_each<'a>(single_ones: &'a [Read], main: &Read) -> Vec<(DateTime, &'a Read)> {
    let mut found: BTreeMap<(bool, DateTime), &Read> = BTreeMap::new();
    for one in single_ones {
        let Some((time, follow)) = &one.instead_of else { continue };
        let known = found.entry((*follow, local_of(time, &main.start))).or_insert(one);
        if one.sequence >= known.sequence {
            *known = one;
        }
    }
    let (of_rest, single): (Vec<_>, Vec<_>) = found.into_iter().partition(|((follow, _), _)| *follow);
    let in_order = single.into_iter().chain(of_rest.into_iter().rev());
    in_order.map(|((_, at), one)| (at, one)).collect()
}

/// Returns the rest of a series from the occurrence on that would have begun at `at`, as `one` says it.
fn rest_of(series: &Series, at: DateTime, one: &Read) -> Series {
    let mut rest = series.clone();
    rest.event = Arc::new(one.event.clone());
    rest.length = one.length;
    rest.not_before = Some(at);
    rest.shift = one.start.local_in(series.zone.as_ref()).duration_since(at);
    rest
}

/// Returns a series as it is said.
fn single(one: &Read) -> Series {
    let mut series = once(one);
    if !one.recurring.is_over {
        series.rules.clone_from(&one.recurring.rules);
    }
    series.dates.clone_from(&one.recurring.dates);
    series.excluded.clone_from(&one.recurring.excluded);
    series.excluded_days.clone_from(&one.recurring.excluded_days);
    series
}

fn once(one: &Read) -> Series {
    Series::once(one.event.clone(), one.start.zone.clone(), one.local(), one.length)
}
