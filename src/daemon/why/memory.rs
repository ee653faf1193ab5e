//! What's in the daemon's memory, as `explain` asks for it.

use std::sync::Arc;

use jiff::Timestamp;

use crate::daemon::home::view::HomeView;
use crate::daemon::observers::traces::Kept;
use crate::engine::{RunId, Trace};
use crate::explain::{
    Beyond, Chain, Extent, Facts, Gaps, History as _, Incident, Memory, Obstacle, Scene, Switcher,
    obstacle as explain_obstacle, switched_off_by,
};
use crate::model::{RuleId, Topic};

/// Returns what published `topic` last and what caused that, as far as memory reaches.
pub(in crate::daemon) fn chain(home: &HomeView<'_>, topic: &Topic) -> Chain {
    let under_way = home.engine.runs_under_way(home.now);
    let find_run = |run: RunId| {
        let running = under_way.iter().find(|trace| trace.run == Some(run));
        running.map(|trace| Arc::new(trace.clone())).or_else(|| home.traces.of_run(run).cloned())
    };
    let spoke_last = |topic: &Topic| home.heard.spoke_last(topic).map(|spoke| (spoke.at, spoke.speaker.clone()));
    Chain::of(topic, &Memory { now: home.now, heard: home.heard, spoke_last: &spoke_last, run: &find_run })
}

/// Returns what led to a run, as far as memory reaches: what published the message that set it off; `None` if no message
/// of another run did.
pub(in crate::daemon) fn chain_of_run(home: &HomeView<'_>, trace: &Trace) -> Option<Chain> {
    let (topic, at) = trace.cause.message()?;
    let until = at.unwrap_or(trace.at);
    let speaker = home.heard.last(topic, until, &|_| true).map(|heard| (heard.at, heard.speaker));
    let spoke_last = |asked: &Topic| speaker.clone().filter(|_| asked == topic);
    let find_run = |run: RunId| home.traces.of_run(run).cloned();
    Some(Chain::of(topic, &Memory { now: until, heard: home.heard, spoke_last: &spoke_last, run: &find_run }))
}

/// Returns what kept `rule` from running when it last might have, up to `until`, as far as memory reaches, and where to look
/// further; `None`: there is no such rule. Without `until`, it is up to now.
pub(in crate::daemon) fn obstacle(
    home: &mut HomeView<'_>,
    rule: &RuleId,
    until: Option<Timestamp>,
) -> Option<(Obstacle, Option<Beyond>)> {
    let view = home.engine.view(rule, home.now)?;
    let sources = home.engine.trigger_sources(rule)?;
    let mut running = home.engine.runs_under_way(home.now);
    running.retain(|trace| trace.rule == *rule);
    running.reverse();
    Some(explain_obstacle(&Facts {
        view: &view,
        sources: &sources,
        now: home.now,
        until,
        states: home.engine.states(),
        heard: home.heard,
        heard_since: home.heard.since(),
        running,
        traces: home.traces.last(Some(rule.as_str()), usize::MAX).iter().map(Kept::repeated).collect(),
        switched_off: if view.is_enabled { None } else { switched_off(home, rule) },
        time: home.local_time(),
    }))
}

/// Returns who switched a rule off last, as far as that's known.
fn switched_off(home: &HomeView<'_>, rule: &RuleId) -> Option<(Timestamp, Switcher)> {
    let by_person = home.switches.get(rule).filter(|switched| !switched.is_enabled);
    let by_person = by_person.map(|switched| (switched.at, Switcher::Person(switched.by)));
    let kept = home.traces.last(None, usize::MAX);
    let by_rule = switched_off_by(kept.iter().map(|kept| &*kept.trace), rule);
    [by_person, by_rule].into_iter().flatten().max_by_key(|(at, by)| (*at, matches!(by, Switcher::Person(_))))
}

/// Returns what the publication at the end of `chain` depended on, as far as memory reaches, and what's missing then.
///
/// # Errors
/// If no rule published it, or the rule is gone; in words.
pub(in crate::daemon) fn incident(
    home: &mut HomeView<'_>,
    chain: &Chain,
    extent: Extent,
) -> Result<(Incident, Gaps), String> {
    let now = home.now;
    let rules: Vec<_> = chain.links().iter().flat_map(crate::explain::Link::rules).collect();
    let views: Vec<_> = rules.into_iter().filter_map(|id| Some((home.engine.view(&id, now)?.rule, id))).collect();
    let (states, heard, heard_since) = (home.engine.states(), home.heard, home.heard.since());
    let scene = Scene { states, heard, heard_since, said_on: &|topic| home.engine.said_on(topic) };
    Incident::of(chain, extent, &scene, &|id| {
        views.iter().find(|(_, known)| known == id).map(|(rule, _)| Arc::clone(rule))
    })
}
