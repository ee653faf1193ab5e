//! Closures of scripts: calls them, and does what they ask for by the very same actions that YAML names
//! (docs/language/scripts.md).

use std::sync::Arc;
use std::time::Duration;

use crate::engine::trace::{StepKind, StepResult};
use crate::model::{Place, Value};
use crate::rules::{
    Action, ActionKind, DurationTemplate, Http, IfChanged, Notify, NotifyButton, OnError, Publish, RuleReference,
    SetAction,
};
use crate::script::{Asked, Closure, Command, Failure, Template, Told, UnlessSame};

use super::act::Act;
use super::next::Next;
use super::{perform, timer};

/// How long an HTTP request may take, where the script doesn't say.
const HTTP_TIMEOUT: Duration = Duration::from_secs(10);

/// Calls a closure, and does what it asks for. What it asked before it failed is done.
///
/// # Errors
/// When the closure fails, or what it asks for.
pub(crate) fn call(act: &mut Act<'_>, closure: &Closure) -> Result<Next, Failure> {
    let called = act.evaluate(|evaluator, scope, reads| Ok(evaluator.call(scope, closure, reads)))?;
    act.note(StepKind::Script, StepResult::Done);
    let of_closure = closure.place();
    for Asked { command, place } in called.commands {
        let steps = act.at.run.steps.len();
        let next = carry_out(act, command, place.as_ref().unwrap_or(&of_closure));
        act.at.run.steps.iter_mut().skip(steps).for_each(|step| step.place = place.clone().map(Box::new));
        let next = next?;
        if let Next::End(_) = next {
            return Ok(next);
        }
    }
    called.result.map(|_| Next::GoOn)
}

/// Does one thing that a closure asks for, at `place`.
fn carry_out(act: &mut Act<'_>, command: Command, place: &Place) -> Result<Next, Failure> {
    let kind = match command {
        Command::After { name, delay, closure } => return timer::set(act, name, delay, &closure).map(|()| Next::GoOn),
        Command::Cancel(name) => {
            timer::cancel(act, &name);
            return Ok(Next::GoOn);
        }
        Command::Scene(name) => {
            let scene = act.at.rule.scenes.get(&name).cloned();
            let failure =
                || Failure { place: Some(place.clone()), ..Failure::plain(format!("there is no scene `{name}`")) };
            scene.ok_or_else(failure)?
        }
        Command::Publish { topic, payload, qos, retain, if_changed } => {
            let if_changed = match if_changed {
                UnlessSame::Always => IfChanged::Always,
                UnlessSame::OwnTopic => IfChanged::OwnTopic,
                UnlessSame::Topic(topic) => IfChanged::Topic(text(topic.text())),
            };
            let (topic, payload) = (text(topic.text()), Template::Constant(payload));
            ActionKind::Publish(vec![Publish { topic, payload, qos, retain, if_changed, confirm: None }])
        }
        Command::Set { target, to, if_changed } => {
            let (target, to) = (Template::Constant(target), Template::Constant(to));
            ActionKind::Set(SetAction { target, to, if_changed, confirm: None })
        }
        Command::Notify(told) => ActionKind::Notify(notify(*told)),
        Command::Remember(name, value) => ActionKind::Remember(vec![(name, Template::Constant(value))]),
        Command::Switch { rule, is_enabled } => {
            ActionKind::Switch { rule: RuleReference::Template(text(rule)), is_enabled }
        }
        Command::Log { text: line, level } => ActionKind::Log { text: text(line), level },
        Command::Http { method, url, headers, body, timeout } => ActionKind::Http(Http {
            method: text(method),
            url: text(url),
            headers: headers.into_iter().map(|(name, value)| (text(name), text(value))).collect(),
            body: body.map(Template::Constant),
            timeout: DurationTemplate::Fixed(timeout.unwrap_or(HTTP_TIMEOUT)),
        }),
    };
    let path = Arc::clone(&act.action.path);
    let action = Action { kind, on_error: OnError::Fail, path, place: place.clone() };
    match perform::perform(&mut act.instead(&action)) {
        // A closure doesn't wait: nobody takes the answer to a request.
        Ok(Next::End(outcome)) => Ok(Next::End(outcome)),
        Ok(_) => Ok(Next::GoOn),
        Err(failure) => {
            let place = failure.place.unwrap_or_else(|| place.clone());
            Err(Failure { place: Some(place), ..failure })
        }
    }
}

/// Returns what a closure tells people as the action that does.
fn notify(told: Told) -> Notify {
    let button = |(said, webhook)| NotifyButton { text: text(said), webhook: text(webhook) };
    Notify {
        targets: Template::Constant(told.targets),
        message: Template::Constant(told.message),
        title: told.title.map(Template::Constant),
        priority: told.priority.map(Template::Constant),
        tags: told.tags.map(Template::Constant),
        buttons: told.buttons.into_iter().map(button).collect(),
    }
}

fn text(text: Arc<str>) -> Template {
    Template::Constant(Value::Text(text))
}
