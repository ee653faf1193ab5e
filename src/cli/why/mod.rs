//! `homerule why`: what published a topic last, back to what came from outside; `why-not` and `trace` beside it.

mod as_test;
mod trace;
mod trace_text;
mod why_not;

pub(super) use as_test::Place;
use std::path::PathBuf;

use clap::Args;

use crate::cli::link::daemon_client::DaemonArguments;
use crate::cli::{Exit, Failure, print};
use crate::model::Topic;
use trace_text::show;

pub(super) use trace::Trace;
pub(super) use why_not::WhyNot;

/// Shows what published a topic last, and what caused that; the outermost cause first.
#[derive(Debug, Args)]
pub(super) struct Why {
    /// The topic.
    topic: String,
    /// Write one JSON document.
    #[arg(long, conflicts_with = "as_test")]
    json: bool,
    /// Write what it depended on as a test that passes now, into this file of the home.
    #[arg(long, value_name = "FILE")]
    as_test: Option<PathBuf>,
    #[command(flatten)]
    daemon: DaemonArguments,
}

impl Why {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let topic = Topic::parse(&self.topic).map_err(|error| Failure::new(format!("`{}`: {error}", self.topic)))?;
        if let Some(file) = &self.as_test {
            return as_test::write(topic.as_str(), file, &self.daemon);
        }
        let (answer, zone) = self.daemon.client()?.get_dated("/api/why", &[("topic", topic.as_str())])?;
        let chain = answer.as_array().map(Vec::as_slice).unwrap_or_default();
        if self.json {
            print::json(&answer)?;
        } else if chain.is_empty() {
            print::line(&format!("nobody published `{topic}`, as far back as the daemon remembers and records"));
        } else {
            for link in chain {
                show(link, &zone);
            }
            print::line(&zone.note());
        }
        Ok(if chain.is_empty() { Exit::No } else { Exit::Well })
    }
}
