//! `homerule graph`: topics and rules as a picture.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::home::home_folder::meant;
use super::home::known::known;
use super::test::Suite;
use super::{Exit, Failure, print};
use crate::analysis::{Graph as Home, Picture, Shown};
use crate::model::TopicFilter;

/// Shows the home's topics and rules as a picture: what wakes which rule, what it asks, and what it publishes.
#[derive(Debug, Args)]
pub(super) struct Graph {
    /// The home's folder.
    #[arg(default_value = ".", value_parser = meant)]
    home: PathBuf,
    /// What to write.
    #[arg(long, value_enum, default_value_t = Format::Svg)]
    format: Format,
    /// Only this rule, and what is beside it: its id, or its key.
    #[arg(long, value_name = "RULE")]
    rule: Option<String>,
    /// Only this topic, or those of a filter, and what is beside it.
    #[arg(long, value_name = "TOPIC")]
    topic: Option<String>,
}

/// A language of pictures.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// For a browser.
    Svg,
    /// For Graphviz.
    Dot,
    /// For pages that show Mermaid.
    Mermaid,
}

impl Graph {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let Some(suite) = Suite::of_home(&self.home)? else { return Ok(Exit::No) };
        let known = known(&self.home, &suite, &suite.settings);
        let graph = Home::new(&suite.rules, &known);
        let picture = Picture::new(&graph, &known.devices.directory(), &self.shown(&suite, &graph)?);
        let text = match self.format {
            Format::Svg => picture.to_svg(),
            Format::Dot => picture.to_dot(),
            Format::Mermaid => picture.to_mermaid(),
        };
        print::bytes(text.as_bytes());
        Ok(Exit::Well)
    }

    /// Returns which part of the home is meant.
    fn shown(&self, suite: &Suite, graph: &Home) -> Result<Shown, Failure> {
        let mut shown = Shown::default();
        if let Some(name) = &self.rule {
            shown.rules = Shown::rules_named(&suite.rules, name).map_err(|near| {
                let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                Failure::new(format!("there is no rule `{name}`{hint}"))
            })?;
        }
        if let Some(text) = &self.topic {
            let filter = TopicFilter::parse(text).map_err(|error| Failure::new(format!("`{text}`: {error}")))?;
            shown.topics = graph.topics_meeting(&filter);
            if shown.topics.is_empty() {
                return Err(Failure::new(format!("no rule reads `{text}` or publishes to it")));
            }
        }
        Ok(shown)
    }
}
