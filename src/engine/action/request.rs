//! `http` and `exec`: the shell does them, and its answer comes back as an event.

use crate::engine::core::Core;
use crate::engine::effect::{Effect, HttpCall, RequestId};
use crate::engine::event::Answer;
use crate::engine::run::thread::Waiting;
use crate::engine::run::unwind;
use crate::engine::trace::{StepKind, StepResult};
use crate::model::{Map, Value};
use crate::rules::{Exec, Http};
use crate::script::Failure;

use super::act::Act;
use super::next::Next;

/// Makes an HTTP request.
///
/// # Errors
/// When a template fails.
pub(crate) fn http(act: &mut Act<'_>, http: &Http) -> Result<Next, Failure> {
    let method = act.evaluate(|engine, scope, reads| engine.text(scope, &http.method, reads))?;
    let url = act.evaluate(|engine, scope, reads| engine.text(scope, &http.url, reads))?;
    let mut headers = Vec::new();
    for (name, value) in &http.headers {
        let name = act.evaluate(|engine, scope, reads| engine.text(scope, name, reads))?;
        let value = act.evaluate(|engine, scope, reads| engine.text(scope, value, reads))?;
        headers.push((name, value));
    }
    let body = match &http.body {
        None => Value::Null,
        Some(body) => act.evaluate(|engine, scope, reads| engine.render(scope, body, reads))?,
    };
    let has_type = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if matches!(body, Value::Map(_) | Value::List(_)) && !has_type {
        headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
    let timeout = act.evaluate(|engine, scope, reads| engine.duration(scope, &http.timeout, reads))?;
    let result = StepResult::Requested { method: method.clone(), url: url.clone() };
    if act.at.rule.dry_run {
        act.note(StepKind::Http, StepResult::Would(Box::new(result)));
        return Ok(Next::GoOn);
    }
    act.note(StepKind::Http, result);
    let request = act.at.core.runs.next_request();
    let call = HttpCall { method, url, headers, body: body.to_payload(), timeout };
    act.at.core.effects.push(Effect::Http { request, rule: act.at.rule.id.clone(), call });
    Ok(Next::Wait(Waiting::Request(request)))
}

/// Runs a program.
///
/// # Errors
/// When a template fails.
pub(crate) fn exec(act: &mut Act<'_>, exec: &Exec) -> Result<Next, Failure> {
    let mut command = Vec::new();
    for part in &exec.command {
        command.push(act.evaluate(|engine, scope, reads| engine.text(scope, part, reads))?);
    }
    let timeout = act.evaluate(|engine, scope, reads| engine.duration(scope, &exec.timeout, reads))?;
    let result = StepResult::Started(command.clone());
    if act.at.rule.dry_run {
        act.note(StepKind::Exec, StepResult::Would(Box::new(result)));
        return Ok(Next::GoOn);
    }
    act.note(StepKind::Exec, result);
    let request = act.at.core.runs.next_request();
    act.at.core.effects.push(Effect::Exec { request, rule: act.at.rule.id.clone(), command, timeout });
    Ok(Next::Wait(Waiting::Request(request)))
}

/// An HTTP request or a program has ended.
pub(crate) fn answer(core: &mut Core, request: RequestId, answer: Answer) {
    let Some((run, thread)) = core.runs.waiting_for(request) else { return };
    match answer {
        Answer::Failed(message) => unwind::fail_waiting(core, run, thread, StepKind::Answer, &Failure::plain(message)),
        Answer::Ended { status, body, retry_after: _ } => {
            let mut http = Map::default();
            http.insert("status".into(), Value::Int(status));
            http.insert("body".into(), body.value().clone());
            core.runs.resume(run, thread, Some(Value::Map(http.into())));
        }
    }
}
