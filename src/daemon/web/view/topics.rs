//! Topics for the page: level by level, or those that a filter matches.

use std::sync::Arc;

use crate::api::StateAnswer;
use crate::api::view::{Branch, branches};
use crate::daemon::home::view::HomeView;
use crate::daemon::web::Shared;
use crate::daemon::web::problem::Problem;
use crate::model::{Devices, Topic, TopicFilter, TopicState, is_inner};

/// How many topics one page has.
const PAGE: usize = 100;

/// Up to so many topics are shown at once, with all their levels.
const FEW: usize = 300;

/// The most branches of one level.
const MOST_BRANCHES: usize = 500;

/// Topics of one page.
pub(in crate::daemon::web) struct Found {
    pub(in crate::daemon::web) all: usize,
    pub(in crate::daemon::web) count: usize,
    pub(in crate::daemon::web) branches: Vec<Branch>,
    pub(in crate::daemon::web) states: Vec<StateAnswer>,
    pub(in crate::daemon::web) next: Option<String>,
}

/// Returns the topics that clients see: what devices and inputs are stands in views of its own.
fn of_the_broker<'a>(home: &'a HomeView<'_>) -> impl Iterator<Item = (&'a Topic, &'a TopicState)> {
    home.engine.states().iter().filter(|(topic, _)| !is_inner(topic.as_str()))
}

/// Returns what is below `under`.
pub(in crate::daemon::web) async fn below(shared: &Shared, under: String) -> Result<Found, Problem> {
    let prefix = under.clone();
    let question = move |home: &mut HomeView<'_>| {
        let (mut all, mut below) = (0, Vec::new());
        for (topic, state) in of_the_broker(home) {
            all += 1;
            if topic.as_str().starts_with(&prefix) {
                below.push((topic.clone(), state.at));
            }
        }
        (all, below)
    };
    let (all, topics) = shared.link.ask(question).await?;
    let (branches, wanted) = super::beside(move || {
        let mut found = branches(&under, topics.iter().map(|(topic, at)| (topic.as_str(), *at)));
        found.truncate(MOST_BRANCHES);
        let wanted: Vec<Topic> = if topics.len() <= FEW {
            topics.into_iter().map(|(topic, _)| topic).collect()
        } else {
            found.iter().filter(|branch| branch.is_topic).filter_map(|branch| Topic::parse(&branch.path).ok()).collect()
        };
        (found, wanted)
    })
    .await?;
    let question = move |home: &mut HomeView<'_>| {
        let states = home.engine.states();
        let known = wanted.into_iter().filter_map(|topic| Some((states.get(topic.as_str())?.clone(), topic)));
        let known: Vec<(TopicState, Topic)> = known.collect();
        (known, Devices::new(&home.settings.devices), Arc::clone(home.engine.secrets()))
    };
    let (known, devices, secrets) = shared.link.ask(question).await?;
    let states: Vec<StateAnswer> =
        known.iter().map(|(state, topic)| StateAnswer::new(topic, state, &devices, &secrets)).collect();
    Ok(Found { all, count: states.len(), branches, states, next: None })
}

/// Returns the topics that `filter` matches, those after `after`.
pub(in crate::daemon::web) async fn matching(
    shared: &Shared,
    filter: TopicFilter,
    after: Option<String>,
) -> Result<Found, Problem> {
    let question = move |home: &mut HomeView<'_>| {
        let (mut all, mut found, mut topics) = (0, 0, Vec::new());
        for (topic, state) in of_the_broker(home) {
            all += 1;
            if !filter.matches(topic) {
                continue;
            }
            found += 1;
            let is_later = after.as_deref().is_none_or(|after| topic.as_str() > after);
            if is_later && topics.len() <= PAGE {
                topics.push((topic.clone(), state.clone()));
            }
        }
        (all, found, topics, Devices::new(&home.settings.devices), Arc::clone(home.engine.secrets()))
    };
    let (all, found, mut topics, devices, secrets) = shared.link.ask(question).await?;
    let has_more = topics.len() > PAGE;
    topics.truncate(PAGE);
    let next = topics.last().filter(|_| has_more).map(|(topic, _)| topic.to_string());
    let states = topics.iter().map(|(topic, state)| StateAnswer::new(topic, state, &devices, &secrets)).collect();
    Ok(Found { all, count: found, branches: Vec::new(), states, next })
}
