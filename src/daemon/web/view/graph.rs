//! The home as a graph: what is needed for it comes from the loop, and the picture is made beside it.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;

use crate::analysis::{Graph, Picture, Shown};
use crate::api::view::GraphAnswer;
use crate::daemon::home::view::HomeView;
use crate::daemon::web::Shared;
use crate::daemon::web::problem::Problem;
use crate::devices::{Device, Directory};
use crate::model::{Topic, TopicFilter, is_inner};
use crate::rules::{RuleEntry, Ruleset};

use super::beside;

/// The farthest that one can look around what is asked for.
const FARTHEST: usize = 6;

/// What is asked for.
#[derive(Debug, Clone, Default, Deserialize)]
pub(in crate::daemon::web) struct Asked {
    /// Only this rule, by id or key, and what is near it.
    pub(in crate::daemon::web) rule: Option<String>,
    /// Only this topic, or those of a filter, and what is near.
    pub(in crate::daemon::web) topic: Option<String>,
    /// Only the topics of this device, by id or name, and what is near.
    pub(in crate::daemon::web) device: Option<String>,
    /// How many steps away something may be.
    pub(in crate::daemon::web) reach: Option<usize>,
    /// The most boxes; without it all.
    pub(in crate::daemon::web) most: Option<usize>,
    /// Which of the pages that a large home has; of the view alone.
    pub(in crate::daemon::web) page: Option<usize>,
}

impl Asked {
    /// Returns whether a part of the home is asked for.
    pub(in crate::daemon::web) fn is_part(&self) -> bool {
        let has = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
        has(&self.rule) || has(&self.topic) || has(&self.device)
    }
}

/// What the loop knows of a home for its graph.
pub(in crate::daemon::web) struct Home {
    rules: Ruleset,
    devices: Vec<Arc<Device>>,
    topics: Vec<Topic>,
}

/// The graph of a home.
pub(in crate::daemon::web) struct Drawn {
    rules: Ruleset,
    devices: Directory,
    graph: Graph,
}

/// `GET /api/graph?rule=&topic=&device=&reach=&most=`
pub(in crate::daemon::web) async fn graph(
    State(shared): State<Shared>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<GraphAnswer>, Problem> {
    let Query(asked) = asked.map_err(|error| Problem::bad_request(error.body_text()))?;
    let home = look(&shared).await?;
    beside(move || Ok(Json(GraphAnswer::new(&home.draw().picture(&asked)?)))).await?
}

/// Returns what the graph is made of.
pub(in crate::daemon::web) async fn look(shared: &Shared) -> Result<Home, Problem> {
    let question = |home: &mut HomeView<'_>| {
        let rules = home.ruleset();
        // Which topics there are matters only to rules that are made for topics.
        let is_each = rules.entries.iter().any(|entry| matches!(entry, RuleEntry::EachTopic(_)));
        let states = is_each.then(|| home.engine.states().iter());
        let topics = states.into_iter().flatten().map(|(topic, _)| topic).filter(|topic| !is_inner(topic.as_str()));
        Home { topics: topics.cloned().collect(), devices: home.engine.registry().devices().cloned().collect(), rules }
    };
    Ok(shared.link.ask(question).await?)
}

impl Home {
    /// Returns its graph.
    pub(in crate::daemon::web) fn draw(self) -> Drawn {
        let Home { rules, devices, topics } = self;
        let devices = Directory::new(devices);
        Drawn { graph: Graph::of(&rules, topics.iter(), &devices), rules, devices }
    }
}

impl Drawn {
    /// Returns the ids of all rules, in their order; of those that one made, that one.
    pub(in crate::daemon::web) fn rules(&self) -> Vec<String> {
        let mut known = BTreeSet::new();
        let ids = self.rules.entries.iter().map(|entry| entry.id().maker().to_string());
        ids.filter(|id| known.insert(id.clone())).collect()
    }

    /// Returns the picture of what is asked for.
    pub(in crate::daemon::web) fn picture(&self, asked: &Asked) -> Result<Picture, Problem> {
        Ok(self.part(&self.shown(asked)?))
    }

    /// Returns the picture of a part.
    pub(in crate::daemon::web) fn part(&self, shown: &Shown) -> Picture {
        Picture::new(&self.graph, &self.devices, shown)
    }

    fn shown(&self, asked: &Asked) -> Result<Shown, Problem> {
        let usual = Shown::default();
        let reach = asked.reach.unwrap_or(usual.reach).min(FARTHEST);
        let mut shown = Shown { reach, most: asked.most.unwrap_or(usual.most).max(1), ..usual };
        let given = |text: &Option<String>| {
            text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(ToOwned::to_owned)
        };
        let hint = |near: Option<String>| near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        if let Some(name) = given(&asked.rule) {
            shown.rules = Shown::rules_named(&self.rules, &name)
                .map_err(|near| Problem::not_found(format!("there is no rule `{name}`{}", hint(near))))?;
        }
        if let Some(text) = given(&asked.topic) {
            let filter = TopicFilter::parse(&text)
                .map_err(|error| Problem::bad_request(format!("`{text}` isn't a valid topic filter: {error}")))?;
            shown.topics = self.graph.topics_meeting(&filter);
            if shown.topics.is_empty() {
                return Err(Problem::not_found(format!("no rule reads `{text}` or publishes to it")));
            }
        }
        if let Some(name) = given(&asked.device) {
            let found = self.devices.named(&name);
            if found.is_empty() {
                return Err(Problem::not_found(format!("no device is called `{name}`")));
            }
            let topics = found.iter().flat_map(|device| &device.topics);
            let used: BTreeSet<String> = topics.flat_map(|filter| self.graph.topics_meeting(filter)).collect();
            if used.is_empty() {
                return Err(Problem::not_found(format!("no rule reads or commands `{name}`")));
            }
            shown.topics.extend(used);
        }
        Ok(shown)
    }
}
