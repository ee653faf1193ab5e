//! The view Timeline: a lane for each rule and each chosen topic, with what ran, what held and what didn't run.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use crate::api::view::{History, PastRun, TimelineAnswer};

use super::Look;
use super::chart::{TimeScale, bars, colours, percent, time_axis};
use super::look::exact;
use super::shown::{counted, encoded, one_line, rule_address};

/// How high a lane is; its name is in it.
const LANE: u32 = 40;

/// The most lanes of rules.
const MOST_LANES: usize = 60;

/// The most arrows.
const MOST_ARROWS: usize = 300;

/// The view Timeline.
pub struct TimelinePage<'a> {
    /// What is drawn.
    pub answer: &'a TimelineAnswer,
    /// The topics that were chosen.
    pub topics: &'a [String],
    /// What is wrong with what was asked.
    pub trouble: Option<&'a str>,
}

/// Returns the view.
#[must_use]
pub fn timeline(look: &Look, view: &TimelinePage<'_>) -> Markup {
    let answer = view.answer;
    let (from, to) = (answer.from, answer.to);
    let address = |from: Timestamp, to: Timestamp| address(view.topics, from, to);
    let length = to.duration_since(from);
    let part = |part: i32| length / part.max(1);
    let shifted = |by: SignedDuration| (later(from, by), later(to, by));
    let (earlier, after) = (shifted(-part(2)), shifted(part(2)));
    let closer = (later(from, part(4)), later(to, -part(4)));
    let wider = (later(from, -part(2)), later(to, part(2)));
    let lanes = lanes(answer);
    html! {
        div.headline {
            h1 { "Timeline" }
            nav.chips aria-label="Time" {
                a rel="prev" href=(address(earlier.0, earlier.1)) data-key="ArrowLeft" { "← Earlier" }
                a rel="next" href=(address(after.0, after.1)) data-key="ArrowRight" { "Later →" }
                a href=(address(closer.0, closer.1)) data-key="+" { "Zoom in" }
                a href=(address(wider.0, wider.1)) data-key="-" { "Zoom out" }
                @for (hours, words) in [(1, "Last hour"), (24, "Last day"), (168, "Last week")] {
                    a href={ "/timeline?" (topic_query(view.topics)) "last=" (hours) "h" } { (words) }
                }
            }
        }
        p.muted { (look.short(from)) " to " (look.short(to)) ", " (exact(length))
            @if answer.known_since > from { " · runs are known one by one since " (look.short(answer.known_since)) "; before, what rules published is" }
            @if answer.left_out > 0 { " · " (answer.left_out) " earlier ones aren't shown" }
        }
        form.filter method="get" action="/timeline" {
            label { span { "Add the lane of a topic" } input type="text" name="topic" placeholder="home/hall/motion" autocomplete="off"; }
            @for topic in view.topics { input type="hidden" name="topic" value=(topic); }
            input type="hidden" name="from" value=(from.to_string());
            input type="hidden" name="to" value=(to.to_string());
            button type="submit" { "Add" }
            @if !view.topics.is_empty() { a.quiet href={ "/timeline?from=" (encoded(&from.to_string())) "&to=" (encoded(&to.to_string())) } { "Remove the topics" } }
        }
        @if let Some(trouble) = view.trouble { p.card.problem { (super::shown::prose(trouble)) } }
        @if lanes.is_empty() && answer.lanes.is_empty() {
            p.card.calm { "Nothing ran in this time." }
        } @else {
            div.card.time-card {
                (drawing(look, answer, &lanes))
            }
            p.legend-line {
                @for (class, words) in [("finished", "ran"), ("failed", "failed"), ("cancelled", "cancelled or stopped"), ("skipped", "didn't run"), ("hold", "held"), ("published", "published")] {
                    span { svg.swatch width="14" height="12" aria-hidden="true" { rect.(class) y="1" width="14" height="10" rx="2" {} } " " (words) } " "
                }
                span.muted { "A click on a run shows it; beside one, it asks why the rule didn't run then." }
            }
            (table(look, answer))
        }
    }
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(at)
}

fn topic_query(topics: &[String]) -> String {
    topics.iter().map(|topic| format!("topic={}&", encoded(topic))).collect::<Vec<_>>().concat()
}

fn address(topics: &[String], from: Timestamp, to: Timestamp) -> String {
    let (from, to) = (format!("{from:.3}"), format!("{to:.3}"));
    format!("/timeline?{}from={}&to={}", topic_query(topics), encoded(&from), encoded(&to))
}

/// Returns the rules that have a lane, in the order in which they first did something.
fn lanes(answer: &TimelineAnswer) -> Vec<&str> {
    let mut lanes: Vec<(&str, Timestamp)> = Vec::new();
    let mut add = |rule, at| {
        if !lanes.iter().any(|(known, _)| *known == rule) && lanes.len() < MOST_LANES {
            lanes.push((rule, at));
        }
    };
    // What ran has a lane before what never did.
    for run in answer.runs.iter().chain(&answer.skips) {
        add(&run.rule, run.at);
    }
    for hold in &answer.holds {
        add(&hold.rule, hold.at);
    }
    lanes.into_iter().map(|(rule, _)| rule).collect()
}

fn drawing(look: &Look, answer: &TimelineAnswer, lanes: &[&str]) -> Markup {
    let scale = TimeScale::new(answer.from, answer.to);
    let topics = u32::try_from(answer.lanes.len()).unwrap_or_default();
    let rules = u32::try_from(lanes.len()).unwrap_or_default();
    let height = (topics + rules) * LANE;
    let top = |index: usize| (topics + u32::try_from(index).unwrap_or_default()) * LANE;
    let of_rule = |rule: &str| lanes.iter().position(|known| *known == rule).map(top);
    let said = format!(
        "{} and {} of {} rules",
        counted(answer.runs.len(), "run"),
        counted(answer.skips.len(), "time without one"),
        lanes.len()
    );
    html! {
        svg.timeline #drawing width="100%" height=(height + 22) role="group" aria-label=(said)
            data-from=(answer.from.to_string()) data-to=(answer.to.to_string()) {
            (time_axis(look, answer.from, answer.to, height))
            @for (index, lane) in (0_u32..).zip(&answer.lanes) { (topic_lane(look, lane, index * LANE)) }
            @for (index, rule) in lanes.iter().enumerate() {
                @let y = top(index);
                g.lane data-rule=(rule_address(rule)) {
                    rect.ground x="0" y=(y) width="100%" height=(LANE) {}
                    line x1="0" x2="100%" y1=(y + LANE) y2=(y + LANE) {}
                    a href=(rule_address(rule)) { text.name x="6" y=(y + 14) { (one_line(rule)) } }
                }
            }
            @for hold in &answer.holds {
                @if let Some(y) = of_rule(&hold.rule) {
                    @let (a, b) = (scale.part(hold.at), scale.part(hold.ended_at));
                    rect.hold x=(percent(a)) y=(y + 27) width=(percent((b - a).max(0.001))) height="4" {
                        title { "held from " (look.short(hold.at)) " to " (look.short(hold.ended_at)) }
                    }
                }
            }
            @for skip in &answer.skips {
                @if let Some(y) = of_rule(&skip.rule) { (skipped(look, &scale, skip, y)) }
            }
            (arrows(answer, &scale, &of_rule))
            @for run in &answer.runs {
                @if let Some(y) = of_rule(&run.rule) { (one_run(look, &scale, run, y)) }
            }
        }
    }
}

fn topic_lane(look: &Look, lane: &History, y: u32) -> Markup {
    html! {
        g.lane.of-topic {
            rect.ground x="0" y=(y) width="100%" height=(LANE) {}
            line x1="0" x2="100%" y1=(y + LANE) y2=(y + LANE) {}
            (bars(look, lane, &colours(lane), y + 19, 14))
            a href=(super::shown::topic_address(&lane.topic)) { text.name x="6" y=(y + 14) { (one_line(&lane.topic)) } }
        }
    }
}

fn one_run(look: &Look, scale: &TimeScale, run: &PastRun, y: u32) -> Markup {
    let (from, to) = (scale.part(run.at), scale.part(run.ended_at));
    let length = run.ended_at.duration_since(run.at);
    let told = format!("{}: {} at {}", run.rule, run.outcome, look.short(run.at));
    let told = if length.as_millis() > 0 { format!("{told}, took {}", exact(length)) } else { told };
    let address = match run.run {
        Some(number) => format!("/runs/{number}"),
        None => format!("{}?at={}", rule_address(&run.rule), encoded(&run.at.to_string())),
    };
    html! {
        a href=(address) aria-label=(one_line(&told)) {
            // What took no time has a width all the same.
            @if to - from < 0.004 {
                svg x=(percent(from)) y=(y + 19) width="8" height="14" overflow="visible" { rect.(run.outcome) x="-3" width="7" height="14" rx="2" { title { (one_line(&told)) } } }
            } @else {
                rect.(run.outcome) x=(percent(from)) y=(y + 19) width=(percent(to - from)) height="14" rx="2" { title { (one_line(&told)) } }
            }
        }
    }
}

fn skipped(look: &Look, scale: &TimeScale, skip: &PastRun, y: u32) -> Markup {
    let by = skip.by.as_deref().unwrap_or_default();
    let times = if skip.times > 1 { format!(", {} times", skip.times) } else { String::new() };
    let told = format!("didn't run: {by} at {}{times}", look.short(skip.ended_at));
    html! {
        svg x=(percent(scale.part(skip.ended_at))) y=(y + 21) width="4" height="10" overflow="visible" {
            rect.skipped x="-1" width="3" height="10" { title { (told) } }
        }
    }
}

/// Returns arrows from runs to those that they led to.
fn arrows(answer: &TimelineAnswer, scale: &TimeScale, of_rule: &dyn Fn(&str) -> Option<u32>) -> Markup {
    let runs: BTreeMap<u64, &PastRun> = answer.runs.iter().filter_map(|run| Some((run.run?, run))).collect();
    let pairs = answer.runs.iter().filter_map(|run| Some((*runs.get(&run.caused_by?)?, run)));
    html! {
        defs { marker #arrow viewBox="0 0 6 6" refX="5" refY="3" markerWidth="6" markerHeight="6" orient="auto" { path d="M0 0 6 3 0 6z" {} } }
        g.arrows aria-hidden="true" {
            @for (cause, effect) in pairs.take(MOST_ARROWS) {
                @if let (Some(from), Some(to)) = (of_rule(&cause.rule), of_rule(&effect.rule)) {
                    @if from != to {
                        @let x = percent(scale.part(effect.at));
                        line x1=(x) y1=(if from < to { from + 33 } else { from + 19 }) x2=(x) y2=(if from < to { to + 18 } else { to + 34 }) marker-end="url(#arrow)" {}
                    }
                }
            }
        }
    }
}

/// Returns the same as a list, for those who don't see the drawing.
fn table(look: &Look, answer: &TimelineAnswer) -> Markup {
    let mut all: Vec<&PastRun> = answer.runs.iter().chain(&answer.skips).collect();
    all.sort_by_key(|run| std::cmp::Reverse(run.at));
    html! {
        details #list {
            summary { "The same as a list" }
            ul.rows.card {
                @for run in all.iter().take(200) {
                    li {
                        span.at { (look.time(run.at)) }
                        span.what {
                            (super::shown::rule_link(&run.rule)) " "
                            @match run.run { Some(number) => a.plain href={ "/runs/" (number) } { (super::shown::outcome(&run.outcome)) }, None => (super::shown::outcome(&run.outcome)) }
                            @if let Some(by) = &run.by { " " span.muted { (by) } }
                            @if run.times > 1 { " " span.muted { (run.times) " times" } }
                        }
                    }
                }
            }
        }
    }
}
