//! Topics for the page: level by level, or those that a filter matches.

use crate::api::StateAnswer;
use crate::api::view::{Branch, branches};
use crate::daemon::home::view::HomeView;
use crate::daemon::web::Shared;
use crate::daemon::web::problem::Problem;
use crate::model::{Devices, Topic, TopicFilter, TopicState};

/// How many topics one page has.
const PAGE: usize = 100;

/// Up to so many topics are shown at once, with all their levels.
const FEW: usize = 300;

/// The most branches of one level.
const MOST_BRANCHES: usize = 500;

/// Topics of one page.
pub(in crate::daemon::web) struct Found {
    pub(in crate::daemon::web) all: usize,
    pub(in crate::daemon::web) found: usize,
    pub(in crate::daemon::web) branches: Vec<Branch>,
    pub(in crate::daemon::web) states: Vec<StateAnswer>,
    pub(in crate::daemon::web) next: Option<String>,
}

/// Returns what is below `under`.
pub(in crate::daemon::web) async fn below(shared: &Shared, under: String) -> Result<Found, Problem> {
    let question = move |home: &mut HomeView<'_>| {
        let states = home.engine.states();
        let below = states.iter().filter(|(topic, _)| topic.as_str().starts_with(&under));
        let mut found = branches(&under, below.map(|(topic, state)| (topic.as_str(), state.at)));
        found.truncate(MOST_BRANCHES);
        let count: usize = found.iter().map(|branch| branch.below + usize::from(branch.is_topic)).sum();
        if count <= FEW {
            let all = states.iter().filter(|(topic, _)| topic.as_str().starts_with(&under));
            let topics: Vec<(Topic, TopicState)> = all.map(|(topic, state)| (topic.clone(), state.clone())).collect();
            return (states.len(), found, topics, Devices::new(&home.settings.devices));
        }
        let topics = found.iter().filter(|branch| branch.is_topic);
        let topics =
            topics.filter_map(|branch| Some((Topic::parse(&branch.path).ok()?, states.get(&branch.path)?.clone())));
        let topics: Vec<(Topic, TopicState)> = topics.collect();
        (states.len(), found, topics, Devices::new(&home.settings.devices))
    };
    let (all, branches, topics, devices) = shared.link.ask(question).await?;
    let states: Vec<StateAnswer> =
        topics.iter().map(|(topic, state)| StateAnswer::new(topic, state, &devices)).collect();
    Ok(Found { all, found: states.len(), branches, states, next: None })
}

/// Returns the topics that `filter` matches, those after `after`.
pub(in crate::daemon::web) async fn matching(
    shared: &Shared,
    filter: TopicFilter,
    after: Option<String>,
) -> Result<Found, Problem> {
    let question = move |home: &mut HomeView<'_>| {
        let states = home.engine.states();
        let (mut found, mut topics) = (0, Vec::new());
        for (topic, state) in states.iter().filter(|(topic, _)| filter.matches(topic)) {
            found += 1;
            let is_later = after.as_deref().is_none_or(|after| topic.as_str() > after);
            if is_later && topics.len() <= PAGE {
                topics.push((topic.clone(), state.clone()));
            }
        }
        (states.len(), found, topics, Devices::new(&home.settings.devices))
    };
    let (all, found, mut topics, devices) = shared.link.ask(question).await?;
    let has_more = topics.len() > PAGE;
    topics.truncate(PAGE);
    let next = topics.last().filter(|_| has_more).map(|(topic, _)| topic.to_string());
    let states = topics.iter().map(|(topic, state)| StateAnswer::new(topic, state, &devices)).collect();
    Ok(Found { all, found, branches: Vec::new(), states, next })
}
