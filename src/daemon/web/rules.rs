//! The rules in force.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use crate::daemon::answer::RuleAnswer;
use crate::daemon::event_loop::EventLoop;
use crate::daemon::named_rule::NoRule;
use crate::engine::Event;
use crate::model::RuleId;
use crate::rules::RuleEntry;

use super::Shared;
use super::problem::Problem;

/// `GET /api/rules`
pub(super) async fn list(State(shared): State<Shared>) -> Result<Json<Vec<RuleAnswer>>, Problem> {
    let question = |home: &mut EventLoop| home.rules().iter().map(|rule| answer(home, rule)).collect();
    Ok(Json(shared.link.ask(question).await?))
}

/// `GET /api/rules/{id}`
pub(super) async fn one(State(shared): State<Shared>, Path(id): Path<String>) -> Result<Json<RuleAnswer>, Problem> {
    let question = move |home: &mut EventLoop| {
        let id = find(home, &id)?;
        let found = home.rules().iter().find(|rule| *rule.id() == id).map(|rule| answer(home, rule));
        // The rules that `each: { topic: … }` makes are in no file.
        let made = || home.engine.view(&id).map(|view| RuleAnswer::of(&view.rule, view.is_enabled));
        found.or_else(made).ok_or_else(|| unknown(&id.to_string()))
    };
    shared.link.ask(question).await?.map(Json)
}

/// `POST /api/rules/{id}/enable`, `/disable`, `/run`
pub(super) async fn act(State(shared): State<Shared>, Path(path): Path<String>) -> Result<StatusCode, Problem> {
    let (id, action) = path.rsplit_once('/').unwrap_or((&path, ""));
    let event: fn(RuleId) -> Event = match action {
        "enable" => |rule| Event::Switch { rule, is_enabled: true },
        "disable" => |rule| Event::Switch { rule, is_enabled: false },
        "run" => Event::RunRule,
        _ => return Err(Problem::not_found("a rule is asked to `/enable`, `/disable` or `/run`")),
    };
    let id = id.to_owned();
    let question = move |home: &mut EventLoop| {
        let id = find_one(home, &id)?;
        home.act_on_rule(event(id), "a person, by the command line or the web");
        Ok(StatusCode::NO_CONTENT)
    };
    shared.link.ask(question).await?
}

/// Returns the rule that `text` names, or what makes rules.
pub(super) fn find(home: &EventLoop, text: &str) -> Result<RuleId, Problem> {
    home.find_rule(text).map_err(|error| problem(text, error))
}

/// Returns the one rule that `text` names.
pub(super) fn find_one(home: &EventLoop, text: &str) -> Result<RuleId, Problem> {
    home.find_one_rule(text).map_err(|error| problem(text, error))
}

fn problem(text: &str, error: NoRule) -> Problem {
    match error {
        NoRule::Unknown { near: Some(near) } => {
            Problem::not_found(format!("there is no rule `{text}`; did you mean `{near}`?"))
        }
        NoRule::Unknown { near: None } => unknown(text),
        NoRule::Ambiguous(first, second) => {
            Problem::bad_request(format!("`{text}` may be `{first}` or `{second}`: name the file too"))
        }
        NoRule::Several { rule, example: Some(example) } => {
            Problem::bad_request(format!("`{rule}` is one rule for each topic: name one of them, such as `{example}`"))
        }
        NoRule::Several { rule, example: None } => Problem::bad_request(format!(
            "`{rule}` is one rule for each topic, and none of its topics has been seen yet"
        )),
    }
}

/// Returns the problem of a name that no rule has.
pub(super) fn unknown(text: &str) -> Problem {
    Problem::not_found(format!("there is no rule `{text}`; `/api/rules` lists them"))
}

fn answer(home: &EventLoop, rule: &RuleEntry) -> RuleAnswer {
    RuleAnswer::new(rule, home.is_enabled(rule))
}
