//! The rules in force.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use crate::api::RuleAnswer;
use crate::daemon::home::event_loop::EventLoop;
use crate::daemon::home::named_rule::NoRule;
use crate::daemon::home::view::HomeView;
use crate::engine::Event;
use crate::model::RuleId;
use crate::rules::RuleEntry;

use super::Shared;
use super::problem::Problem;

/// `GET /api/rules`
pub(super) async fn list(State(shared): State<Shared>) -> Result<Json<Vec<RuleAnswer>>, Problem> {
    let question = |home: &mut HomeView<'_>| {
        let mut answers = Vec::new();
        for entry in home.rules().to_vec() {
            answers.push(answer(home, &entry));
            if let RuleEntry::EachTopic(each) = &entry {
                let is_made = |id: &&RuleId| id.belongs_to(each.id.as_str());
                let ids: Vec<RuleId> = home.engine.rule_ids().filter(is_made).cloned().collect();
                answers.extend(ids.iter().filter_map(|id| made(home, id)));
            }
        }
        answers
    };
    Ok(Json(shared.link.ask(question).await?))
}

/// `GET /api/rules/{id}`
pub(super) async fn one(State(shared): State<Shared>, Path(id): Path<String>) -> Result<Json<RuleAnswer>, Problem> {
    let question = move |home: &mut HomeView<'_>| {
        let id = find(home, &id)?;
        if let Some(found) = home.rules().iter().find(|rule| *rule.id() == id) {
            return Ok(answer(home, found));
        }
        // The rules that `each: { topic: … }` makes are in no file.
        let id = find_one(home, id.as_str())?;
        made(home, &id).ok_or_else(|| unknown(home, id.as_str()))
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
        let id = find_one(&home.view(), &id)?;
        home.act_on_rule(event(id), "a person, by the command line or the web");
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
