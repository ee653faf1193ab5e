//! Closures of scripts: calls them, and does what they ask by the very same actions that YAML names (spec 4).

use std::sync::Arc;

use crate::model::{Place, Value};
use crate::rules::{Action, ActionKind, DurationTemplate, Http, IfChanged, OnError, Publish, Question, RuleReference};
use crate::script::{Asked, Closure, Command, Failure, Template, UnlessSame};

use crate::engine::action::perform::Act;
use crate::engine::run::ActionPlace;
use crate::engine::run::stepper::Next;
use crate::engine::{Engine, StepKind, StepResult};

/// How long an HTTP request may take, where the script doesn't say.
const HTTP_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

impl Engine {
    /// Calls a closure, and does what it asks for. What it asked before it failed is done.
    pub(crate) fn call_closure(
        &mut self,
        act: &mut Act<'_>,
        place: ActionPlace,
        closure: &Closure,
    ) -> Result<Next, Failure> {
        let called = self.in_scope(act, |evaluator, scope, reads| Ok(evaluator.call(scope, closure, reads)))?;
        let path = Arc::clone(&act.action.path);
        self.note_step(act.run, &path, StepKind::Script, StepResult::Done);
        let where_it_stands = closure.place();
        for Asked { command, place: asked_at } in called.commands {
            let steps = act.run.steps.len();
            let next = self.carry_out(act, place, command, asked_at.as_ref().unwrap_or(&where_it_stands));
            act.run.steps.iter_mut().skip(steps).for_each(|step| step.place = asked_at.clone().map(Box::new));
            let next = next?;
            if let Next::End(_) = next {
                return Ok(next);
            }
        }
        called.result.map(|_| Next::GoOn)
    }

    /// Does one thing that a closure asks for.
    fn carry_out(
        &mut self,
        act: &mut Act<'_>,
        place: ActionPlace,
        command: Command,
        stands: &Place,
    ) -> Result<Next, Failure> {
        let kind = match command {
            Command::After { name, delay, closure } => return self.set_timer(act, name, delay, &closure),
            Command::Cancel(name) => {
                self.cancel_timer(act, &name);
                return Ok(Next::GoOn);
            }
            Command::Scene(name) => {
                let scene = act.rule.scenes.get(&name).cloned();
                scene.ok_or_else(|| Failure {
                    place: Some(stands.clone()),
                    ..Failure::plain(format!("there is no scene `{name}`"))
                })?
            }
            Command::Publish { topic, payload, qos, retain, if_changed } => {
                let if_changed = match if_changed {
                    UnlessSame::Always => IfChanged::Always,
                    UnlessSame::OwnTopic => IfChanged::OwnTopic,
                    UnlessSame::Topic(topic) => IfChanged::Topic(text(topic.text())),
                };
                let (topic, payload) = (text(topic.text()), Template::Constant(payload));
                ActionKind::Publish(vec![Publish { topic, payload, qos, retain, if_changed }])
            }
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
        let action = Action { kind, on_error: OnError::Fail, path, place: stands.clone() };
        let inner = &mut Act { slot: act.slot, rule: act.rule, run: act.run, thread: act.thread, action: &action };
        match self.perform(inner, place) {
            // A closure doesn't wait: nobody hears the answer to a request.
            Ok(Next::End(outcome)) => Ok(Next::End(outcome)),
            Ok(_) => Ok(Next::GoOn),
            Err(failure) => {
                let stands = failure.place.unwrap_or_else(|| stands.clone());
                Err(Failure { place: Some(stands), ..failure })
            }
        }
    }
}

impl crate::engine::condition::evaluator::Evaluator {
    /// Answers what a `where` asks.
    ///
    /// # Errors
    /// When it fails.
    pub(crate) fn answer(
        &mut self,
        scope: &crate::engine::condition::scope::Scope<'_>,
        question: &Question,
        reads: &mut crate::script::Reads,
    ) -> Result<Value, Failure> {
        match question {
            Question::Expression(expression) => self.value(scope, expression, reads),
            Question::Closure(closure) => {
                let called = self.call(scope, closure, reads);
                if called.result.is_ok() && !called.commands.is_empty() {
                    let why = "a closure of `where` answers, and does nothing: what it does belongs to `then`";
                    return Err(Failure { place: Some(closure.place()), ..Failure::plain(why) });
                }
                called.result
            }
        }
    }
}

fn text(text: Arc<str>) -> Template {
    Template::Constant(Value::Text(text))
}
