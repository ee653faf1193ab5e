//! `homerule why`: what published a topic last, back to what came from outside.

use clap::Args;
use serde_json::Value;

use super::daemon_client::DaemonArguments;
use super::trace_text::{show, text};
use super::{Exit, Failure, print};
use crate::model::Topic;

/// Shows what published a topic last, and what caused that; the outermost cause first.
#[derive(Debug, Args)]
pub(super) struct Why {
    /// The topic.
    topic: String,
    /// Write one JSON document.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: DaemonArguments,
}

/// How many traces are searched.
const SEARCHED: &str = "100000";

/// A chain is never longer: the daemon stops those that are.
const LONGEST_CHAIN: usize = 1000;

impl Why {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let topic = Topic::parse(&self.topic).map_err(|error| Failure::new(format!("`{}`: {error}", self.topic)))?;
        let answer = self.daemon.client()?.get("/api/traces", &[("limit", SEARCHED)])?;
        let traces = answer.as_array().map(Vec::as_slice).unwrap_or_default();
        let chain = chain(traces, topic.as_str());
        if self.json {
            print::json(&chain)?;
        } else {
            for trace in &chain {
                show(trace);
            }
        }
        if chain.is_empty() {
            if !self.json {
                print::line(&format!("no rule published `{topic}`, as far back as traces are kept"));
            }
            return Ok(Exit::No);
        }
        Ok(Exit::Well)
    }
}

/// Returns the newest trace that published `topic` and those that caused it, the outermost first. `traces` are newest first.
fn chain<'a>(traces: &'a [Value], topic: &str) -> Vec<&'a Value> {
    let mut chain: Vec<&Value> = Vec::new();
    let mut next = traces.iter().find(|trace| publishes(trace, topic));
    while let Some(trace) = next.filter(|_| chain.len() < LONGEST_CHAIN) {
        chain.push(trace);
        let run = trace.get("cause").and_then(|cause| cause.get("run")).and_then(Value::as_u64);
        let caused = |other: &&Value| other.get("run").and_then(Value::as_u64) == run;
        next = run.and_then(|_| traces.iter().find(caused));
    }
    chain.reverse();
    chain
}

fn publishes(trace: &Value, topic: &str) -> bool {
    let steps = trace.get("steps").and_then(Value::as_array).into_iter().flatten();
    steps.into_iter().any(|step| {
        let is_published = matches!(text(step, "what").as_str(), "publish" | "scene");
        let result = text(step, "result");
        is_published && result.strip_prefix(topic).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn trace(run: u64, cause: Option<u64>, publishes: &str) -> Value {
        let steps = json!([{ "what": "publish", "result": publishes }]);
        json!({ "run": run, "cause": { "run": cause }, "steps": steps })
    }

    #[test]
    fn a_chain_goes_back_to_the_outside() {
        let traces = [trace(9, None, "x 1"), trace(3, Some(2), "c 1"), trace(2, Some(1), "b 1"), trace(1, None, "a 1")];
        let runs = |topic: &str| -> Vec<u64> {
            chain(&traces, topic).iter().map(|trace| trace["run"].as_u64().unwrap()).collect()
        };
        assert_eq!(runs("c"), [1, 2, 3]);
        assert_eq!(runs("x"), [9]);
        assert_eq!(runs("c/d"), Vec::<u64>::new());
    }
}
