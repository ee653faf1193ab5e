//! A rule's runs in time, small: where one asks about a moment.

use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use crate::api::TraceAnswer;
use crate::page::Look;
use crate::page::chart::{TimeScale, percent, time_axis};
use crate::page::shown::rule_address;

/// How high it is, without the times below.
const HEIGHT: u32 = 26;

/// It goes back at least this far, and at most that far.
const SHORTEST: SignedDuration = SignedDuration::from_mins(10);
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// Returns the strip; `at` is the moment that is asked about.
pub(super) fn strip(look: &Look, rule: &str, traces: &[TraceAnswer<'_>], at: Option<Timestamp>) -> Markup {
    let before = |length: SignedDuration| look.now.checked_sub(length).unwrap_or(look.now);
    let first = traces.iter().map(|trace| trace.first_at.unwrap_or(trace.at)).chain(at).min();
    let from = first.unwrap_or(look.now).clamp(before(LONGEST), before(SHORTEST));
    let scale = TimeScale::new(from, look.now);
    html! {
        svg.timeline.strip #drawing width="100%" height=(HEIGHT + 20) role="img" aria-label="The last runs in time"
            data-from=(from.to_string()) data-to=(look.now.to_string()) {
            (time_axis(look, from, look.now, HEIGHT))
            g.lane data-rule=(rule_address(rule)) { rect.ground x="0" y="0" width="100%" height=(HEIGHT) {} }
            @for trace in traces.iter().rev().filter(|trace| trace.ended_at >= from) {
                @let (begin, end) = (scale.part(trace.at), scale.part(trace.ended_at));
                @if trace.outcome == "skipped" {
                    svg x=(percent(end)) y="9" width="4" height="8" overflow="visible" { rect.skipped x="-1" width="3" height="8" {} }
                } @else if end - begin < 0.004 {
                    svg x=(percent(begin)) y="6" width="8" height="14" overflow="visible" { rect.(trace.outcome) x="-3" width="6" height="14" rx="2" {} }
                } @else {
                    rect.(trace.outcome) x=(percent(begin)) y="6" width=(percent(end - begin)) height="14" rx="2" {}
                }
            }
            @if let Some(at) = at.filter(|at| *at >= from) {
                line.moment x1=(percent(scale.part(at))) x2=(percent(scale.part(at))) y1="0" y2=(HEIGHT) {}
            }
        }
    }
}
