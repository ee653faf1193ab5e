//! The rules in force.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::api::RuleAnswer;
use crate::daemon::home::event_loop::EventLoop;
use crate::daemon::home::named_rule::NoRule;
use crate::daemon::home::view::HomeView;
use crate::engine::Event;
use crate::model::{Map, RuleId, Value};
use crate::rules::RuleEntry;

use super::actions::refuse_at_standby;
use super::problem::Problem;
use super::{Shared, view};

/// How many rules are asked for at once: the loop has other things to do between.
const AT_ONCE: usize = 200;

/// `GET /api/rules`
pub(super) async fn list(State(shared): State<Shared>) -> Result<Json<Vec<RuleAnswer>>, Problem> {
    all(&shared).await.map(Json)
}

/// Returns all rules, each after what made it.
pub(super) async fn all(shared: &Shared) -> Result<Vec<RuleAnswer>, Problem> {
    let ids = shared.link.ask(|home| ids(home)).await?;
    let mut all = Vec::with_capacity(ids.len());
    for part in ids.chunks(AT_ONCE) {
        let part = part.to_vec();
        let question = move |home: &mut HomeView<'_>| {
            let found = part.iter().filter_map(|(id, index)| {
                let entry = index.and_then(|index| home.rules().get(index)).filter(|entry| entry.id() == id).cloned();
                match entry {
                    Some(entry) => Some(answer(home, &entry)),
                    None => made(home, id),
                }
            });
            found.collect::<Vec<RuleAnswer>>()
        };
        all.extend(shared.link.ask(question).await?);
    }
    Ok(all)
}

/// Returns the ids of all rules, each with its place among those in files; those that were made come after what made them.
fn ids(home: &HomeView<'_>) -> Vec<(RuleId, Option<usize>)> {
    let makes = |entry: &RuleEntry| matches!(entry, RuleEntry::EachTopic(_));
    let mut made: BTreeMap<RuleId, Vec<RuleId>> = BTreeMap::new();
    if home.rules().iter().any(makes) {
        for id in home.engine.rule_ids() {
            made.entry(id.maker()).or_default().push(id.clone());
        }
    }
    let mut ids = Vec::with_capacity(home.rules().len());
    for (index, entry) in home.rules().iter().enumerate() {
        ids.push((entry.id().clone(), Some(index)));
        if makes(entry) {
            ids.extend(made.remove(entry.id()).unwrap_or_default().into_iter().map(|id| (id, None)));
        }
    }
    ids
}

/// Returns a rule, or what makes rules with those that it made; empty where there's none.
pub(super) fn answers(home: &mut HomeView<'_>, id: &RuleId) -> Vec<RuleAnswer> {
    let entry = home.rules().iter().find(|entry| entry.id() == id).cloned();
    match entry {
        Some(entry @ RuleEntry::EachTopic(_)) => {
            let ids: Vec<RuleId> =
                home.engine.rule_ids().filter(|other| other.belongs_to(id.as_str())).take(AT_ONCE).cloned().collect();
            let first = answer(home, &entry);
            [first].into_iter().chain(ids.iter().filter_map(|id| made(home, id))).collect()
        }
        Some(entry) => vec![answer(home, &entry)],
        None => made(home, id).into_iter().collect(),
    }
}

/// What of a rule is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    at: Option<String>,
}

/// `GET /api/rules/{id}`, `/verdict`, `/source`
pub(super) async fn one(
    State(shared): State<Shared>,
    Path(path): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    if let Some(id) = path.strip_suffix("/verdict") {
        return Ok(view::rule::verdict(&shared, id.to_owned(), asked.at).await?.into_response());
    }
    if let Some(id) = path.strip_suffix("/source") {
        return Ok(view::rule::source(&shared, id.to_owned()).await?.into_response());
    }
    let question = move |home: &mut HomeView<'_>| {
        let id = find(home, &path)?;
        if let Some(found) = home.rules().iter().find(|rule| *rule.id() == id) {
            return Ok(answer(home, found));
        }
        // The rules that `each: { topic: … }` makes are in no file.
        let id = find_one(home, id.as_str())?;
        made(home, &id).ok_or_else(|| unknown(home, id.as_str()))
    };
    let found: Result<RuleAnswer, Problem> = shared.link.ask(question).await?;
    Ok(Json(found?).into_response())
}

/// `POST /api/rules/{id}/enable`, `/disable`, `/run`, `/resume`. A run may have `{ "with": { … } }`: variables for it.
pub(super) async fn act(
    State(shared): State<Shared>,
    Path(path): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let (id, action) = path.rsplit_once('/').unwrap_or((&path, ""));
    let with = variables(&body)?;
    let event: Box<dyn Fn(RuleId) -> Event + Send> = match action {
        "enable" => Box::new(|rule| Event::Switch { rule, is_enabled: true }),
        "disable" => Box::new(|rule| Event::Switch { rule, is_enabled: false }),
        "run" => Box::new(move |rule| Event::RunRule { rule, with: with.clone() }),
        "resume" => return resume(&shared, id).await,
        _ => return Err(Problem::not_found("a rule is asked to `/enable`, `/disable`, `/run` or `/resume`")),
    };
    refuse_at_standby(&shared).await?;
    let id = id.to_owned();
    let question = move |home: &mut EventLoop| {
        let id = find_one(&home.view(), &id)?;
        let event = event(id);
        home.tell_others(&event);
        home.act_on_rule(event, "a person, by the command line or the web");
        Ok(StatusCode::NO_CONTENT)
    };
    shared.link.act(question).await?
}

/// Returns the variables that a body gives; an empty one gives none.
fn variables(body: &Bytes) -> Result<Map, Problem> {
    match Value::from_payload(body) {
        Value::Null => Ok(Map::default()),
        Value::Map(fields) if fields.keys().all(|key| &**key == "with") => match fields.get("with") {
            None | Some(Value::Null) => Ok(Map::default()),
            Some(Value::Map(with)) => Ok(Map::clone(with)),
            Some(_) => Err(Problem::bad_request("`with` is an object of variables")),
        },
        _ => Err(Problem::bad_request("the body may be empty, or `{ \"with\": { … } }`")),
    }
}

/// Lets a rule that yields to somebody go on.
async fn resume(shared: &Shared, id: &str) -> Result<StatusCode, Problem> {
    let named = id.to_owned();
    refuse_at_standby(shared).await?;
    let question = move |home: &mut EventLoop| {
        let view = home.view();
        let rule = find_one(&view, &named)?;
        if view.engine.overridden(&rule).is_empty() {
            return Err(Problem::conflict(format!("`{rule}` isn't overridden")));
        }
        home.act_on_rule(Event::Resume(rule), "a person, by the command line or the web");
        Ok(StatusCode::NO_CONTENT)
    };
    shared.link.act(question).await?
}

/// Returns the rule that `text` names, or what makes rules.
pub(super) fn find(home: &HomeView<'_>, text: &str) -> Result<RuleId, Problem> {
    home.find_rule(text).map_err(|error| problem(home, text, &error))
}

/// Returns the one rule that `text` names.
pub(super) fn find_one(home: &HomeView<'_>, text: &str) -> Result<RuleId, Problem> {
    home.find_one_rule(text).map_err(|error| problem(home, text, &error))
}

fn problem(home: &HomeView<'_>, text: &str, error: &NoRule) -> Problem {
    let detail = home.no_rule(text, error);
    match error {
        NoRule::Unknown { .. } => Problem::not_found(detail),
        NoRule::Ambiguous(..) | NoRule::Several { .. } => Problem::bad_request(detail),
    }
}

/// Returns the problem of a name that no rule has.
pub(super) fn unknown(home: &HomeView<'_>, text: &str) -> Problem {
    problem(home, text, &NoRule::Unknown { near: None })
}

fn answer(home: &HomeView<'_>, rule: &RuleEntry) -> RuleAnswer {
    let answer = RuleAnswer::new(rule, home.is_enabled(rule)).with_last_run(home.rule_topics.last_run(rule.id()));
    let doing = home.engine.doing(rule.id()).unwrap_or_default();
    RuleAnswer { stale: home.is_stale(rule.place()), doing, ..answer }
}

/// Returns a rule that `each: { topic: … }` made.
fn made(home: &mut HomeView<'_>, id: &RuleId) -> Option<RuleAnswer> {
    let view = home.engine.view(id, home.now)?;
    let answer = RuleAnswer::of(&view.rule, view.is_enabled).with_last_run(home.rule_topics.last_run(id));
    let doing = home.engine.doing(id).unwrap_or_default();
    Some(RuleAnswer { stale: home.is_stale(&view.rule.place), doing, ..answer })
}
