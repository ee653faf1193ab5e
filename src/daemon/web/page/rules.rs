//! The views of rules and runs.

use std::collections::BTreeSet;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;

use crate::api::view::{SourceAnswer, VerdictAnswer, Waiting, why_links};
use crate::api::{ObstacleAnswer, RuleAnswer, TraceAnswer};
use crate::daemon::observers::traces::Kept;
use crate::daemon::web::problem::Problem;
use crate::daemon::web::rules::{all, answers, find, find_one};
use crate::daemon::web::{Shared, view, why, work};
use crate::daemon::why::{asked_time, chain_of_run};
use crate::engine::Trace;
use crate::explain::LocalTime;
use crate::model::RuleId;
use crate::page::{self, RulePage, RulesPage, View};

use super::reply::{Refused, Shown, Visit, look};

/// How many rules one page has.
const PAGE: usize = 100;

/// How many runs of a rule are shown.
const MOST_RUNS: usize = 100;

/// What is searched for among the rules.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    text: String,
    #[serde(default)]
    tag: String,
    #[serde(default)]
    outcome: String,
    #[serde(default)]
    page: Option<usize>,
}

impl Wanted {
    fn is_met(&self, rule: &RuleAnswer) -> bool {
        let text = self.text.trim().to_lowercase();
        let has = |field: &str| field.to_lowercase().contains(&text);
        let texts = [Some(&rule.id), rule.name.as_ref(), rule.description.as_ref()];
        let is_text = text.is_empty() || texts.into_iter().flatten().any(|field| has(field));
        let is_tag = self.tag.is_empty() || rule.tags.contains(&self.tag);
        let last = rule.last_run.as_ref().map(|last| last.outcome.as_str());
        let is_outcome = match self.outcome.as_str() {
            "" => true,
            "never" => last.is_none(),
            "running" => rule.doing.running_since.is_some(),
            "off" => !rule.enabled,
            outcome => last == Some(outcome),
        };
        is_text && is_tag && is_outcome
    }
}

/// `GET /rules`
pub(super) async fn list(
    State(shared): State<Shared>,
    visit: Visit,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Refused> {
    let rules = all(&shared).await?;
    let look = look(&shared).await?;
    visit
        .page(look, Shown::new(View::Rules, "Rules", "run switch diagnostics"), move |look| {
            let tags: BTreeSet<String> = rules.iter().flat_map(|rule| rule.tags.iter().cloned()).collect();
            let tags: Vec<String> = tags.into_iter().collect();
            let count = rules.len();
            let found: Vec<RuleAnswer> = rules.into_iter().filter(|rule| wanted.is_met(rule)).collect();
            let last = found.len().div_ceil(PAGE).max(1);
            let this = wanted.page.unwrap_or(1).clamp(1, last);
            let first = (this - 1) * PAGE;
            let shown = found.get(first..(first + PAGE).min(found.len())).unwrap_or_default();
            page::rules(
                look,
                &RulesPage {
                    rules: shown,
                    found: found.len(),
                    all: count,
                    text: &wanted.text,
                    tag: &wanted.tag,
                    outcome: &wanted.outcome,
                    tags: &tags,
                    pages: (this, last),
                },
            )
        })
        .await
}

/// What of a rule is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    outcome: String,
    #[serde(default)]
    at: String,
}

/// All that the view of one rule shows.
struct Gathered {
    rule: RuleAnswer,
    instances: Vec<RuleAnswer>,
    verdict: Option<VerdictAnswer>,
    obstacle: Option<ObstacleAnswer>,
    source: Option<SourceAnswer>,
    waiting: Vec<Waiting>,
    running: Vec<Trace>,
    kept: Vec<Kept>,
    time: LocalTime,
    at: Option<Timestamp>,
    trouble: Option<String>,
}

/// `GET /rules/{id}`
pub(super) async fn one(
    State(shared): State<Shared>,
    visit: Visit,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refused> {
    let gathered = gather(&shared, &id, &asked).await?;
    let look = look(&shared).await?;
    let title = gathered.rule.name.clone().unwrap_or_else(|| gathered.rule.id.clone());
    // What a past moment was doesn't change.
    let live = if gathered.at.is_some() { "switch diagnostics" } else { "message publish run switch diagnostics" };
    visit
        .page(look, Shown::new(View::Rules, title, live), move |look| {
            let time = &gathered.time;
            let running = gathered.running.iter().rev().map(|trace| TraceAnswer::new(trace, time));
            let traces: Vec<TraceAnswer<'_>> =
                running.chain(gathered.kept.iter().map(|kept| kept.answer(time))).collect();
            page::rule(
                look,
                &RulePage {
                    rule: &gathered.rule,
                    instances: &gathered.instances,
                    verdict: gathered.verdict.as_ref(),
                    obstacle: gathered.obstacle.as_ref(),
                    source: gathered.source.as_ref(),
                    waiting: &gathered.waiting,
                    traces: &traces,
                    outcome: &asked.outcome,
                    at: gathered.at,
                    trouble: gathered.trouble.as_deref(),
                },
            )
        })
        .await
}

async fn gather(shared: &Shared, id: &str, asked: &Asked) -> Result<Gathered, Problem> {
    let named = id.to_owned();
    let found = shared.link.ask(move |home| {
        let rule = find(home, &named)?;
        let mut answers = answers(home, &rule);
        if answers.is_empty() {
            return Err(super::super::rules::unknown(home, &named));
        }
        let first = answers.remove(0);
        let source = view::rule::source_of(home, &rule);
        let waiting = view::rule::waiting(home, &rule);
        Ok((rule, first, answers, source, waiting))
    });
    let (id, rule, instances, source, waiting) = found.await??;
    let (running, kept, time, now) = {
        let id = id.clone();
        let question = move |home: &mut crate::daemon::home::view::HomeView<'_>| {
            let kept = home.traces.last(Some(id.as_str()), MOST_RUNS);
            (home.engine.runs_of(&id, home.now), kept, home.local_time(), home.now)
        };
        shared.link.ask(question).await?
    };
    let is_one = {
        let id = id.clone();
        shared.link.ask(move |home| find_one(home, id.as_str()).is_ok()).await?
    };
    let mut gathered = Gathered {
        rule,
        instances,
        verdict: None,
        obstacle: None,
        source,
        waiting,
        running,
        kept,
        time,
        at: None,
        trouble: None,
    };
    if !is_one {
        return Ok(gathered);
    }
    let at = Some(asked.at.clone()).filter(|at| !at.is_empty());
    if let Some(text) = &at {
        let zone = shared.link.ask(|home| home.engine.calendar().zone.clone()).await?;
        match asked_time(text, now, &zone) {
            Ok(moment) => gathered.at = Some(moment),
            Err(why) => gathered.trouble = Some(why),
        }
    }
    let at = at.filter(|_| gathered.at.is_some());
    let (found, words) = why::obstacle(shared, id.to_string(), at.clone()).await?;
    gathered.obstacle = Some(ObstacleAnswer::new(&found, &words));
    match view::rule::verdict(shared, id.to_string(), at).await {
        Ok(axum::Json(verdict)) => gathered.verdict = Some(verdict),
        Err(problem) => gathered.trouble = Some(problem.detail().to_owned()),
    }
    Ok(gathered)
}

/// `GET /runs/{id}`
pub(super) async fn run(
    State(shared): State<Shared>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let (trace, time) = view::run::gather(&shared, &id).await?;
    let of = std::sync::Arc::clone(&trace);
    let chain = shared.link.ask(move |home| chain_of_run(home, &of)).await?;
    let look = look(&shared).await?;
    let title = format!("Run {id} of {}", trace.rule);
    visit
        .page(look, Shown::new(View::Rules, title, "run"), move |look| {
            let before = chain.map(|chain| why_links(&chain, &time)).unwrap_or_default();
            page::one_run(look, &TraceAnswer::new(&trace, &time), &before)
        })
        .await
}

/// `GET /test/rules/{id}`: what the rule last published, as a test to download.
pub(super) async fn test(State(shared): State<Shared>, Path(id): Path<String>) -> Result<Response, Refused> {
    let rule: RuleId = shared.link.ask(move |home| find_one(home, &id)).await??;
    let (path, text) = work::incident_test::of_rule(&shared, &rule).await?;
    let name = path.rsplit('/').next().unwrap_or("rule.test.yaml");
    let plain: String = name
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || ".-_".contains(letter) { letter } else { '_' })
        .collect();
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/yaml; charset=utf-8"));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{plain}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}
