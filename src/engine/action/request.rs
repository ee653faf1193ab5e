//! `http` and `exec`: the shell does them, and its answer comes back as an event.

use crate::model::{Map, Value};
use crate::rules::{Exec, Http};
use crate::script::Failure;

use crate::engine::action::perform::Act;
use crate::engine::run::stepper::Next;
use crate::engine::run::{Run, Thread, Waiting};
use crate::engine::{Answer, Effect, Engine, HttpCall, RequestId, StepKind, StepResult};

impl Engine {
    pub(crate) fn http(&mut self, act: &mut Act<'_>, http: &Http) -> Result<Next, Failure> {
        let method = self.in_scope(act, |engine, scope, reads| engine.text(scope, &http.method, reads))?;
        let url = self.in_scope(act, |engine, scope, reads| engine.text(scope, &http.url, reads))?;
        let mut headers = Vec::new();
        for (name, value) in &http.headers {
            let name = self.in_scope(act, |engine, scope, reads| engine.text(scope, name, reads))?;
            let value = self.in_scope(act, |engine, scope, reads| engine.text(scope, value, reads))?;
            headers.push((name, value));
        }
        let body = match &http.body {
            None => Value::Null,
            Some(body) => self.in_scope(act, |engine, scope, reads| engine.render(scope, body, reads))?,
        };
        let has_type = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if matches!(body, Value::Map(_) | Value::List(_)) && !has_type {
            headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
        }
        let timeout = self.in_scope(act, |engine, scope, reads| engine.duration(scope, &http.timeout, reads))?;
        let result = StepResult::Requested { method: method.clone(), url: url.clone() };
        if act.rule.dry_run {
            self.note_step(act.run, &act.action.path, StepKind::Http, StepResult::Would(Box::new(result)));
            return Ok(Next::GoOn);
        }
        self.note_step(act.run, &act.action.path, StepKind::Http, result);
        let request = self.next_request();
        let call = HttpCall { method, url, headers, body: body.to_payload(), timeout };
        self.effects.push(Effect::Http { request, call });
        Ok(Next::Wait(Waiting::Request(request)))
    }

    pub(crate) fn exec(&mut self, act: &mut Act<'_>, exec: &Exec) -> Result<Next, Failure> {
        let mut command = Vec::new();
        for part in &exec.command {
            command.push(self.in_scope(act, |engine, scope, reads| engine.text(scope, part, reads))?);
        }
        let timeout = self.in_scope(act, |engine, scope, reads| engine.duration(scope, &exec.timeout, reads))?;
        let result = StepResult::Started(command.clone());
        if act.rule.dry_run {
            self.note_step(act.run, &act.action.path, StepKind::Exec, StepResult::Would(Box::new(result)));
            return Ok(Next::GoOn);
        }
        self.note_step(act.run, &act.action.path, StepKind::Exec, result);
        let request = self.next_request();
        self.effects.push(Effect::Exec { request, command, timeout });
        Ok(Next::Wait(Waiting::Request(request)))
    }

    fn next_request(&mut self) -> RequestId {
        let request = RequestId(self.next_request);
        self.next_request += 1;
        request
    }

    /// An HTTP request or a program has ended.
    pub(crate) fn handle_answer(&mut self, request: RequestId, answer: Answer) {
        let waits = |run: &Run| {
            let is_it = |thread: &Thread| thread.waiting == Some(Waiting::Request(request));
            run.threads.iter().find(|(_, thread)| is_it(thread)).map(|(thread, _)| (run.id, thread))
        };
        let Some((run, thread)) = self.runs.values().find_map(waits) else { return };
        match answer {
            Answer::Failed(message) => self.fail_waiting(run, thread, StepKind::Answer, &Failure::plain(message)),
            Answer::Ended { status, body } => {
                let mut http = Map::new();
                http.insert("status".into(), Value::Int(status));
                http.insert("body".into(), body.value().clone());
                self.resume(run, thread, Some(Value::Map(http.into())));
            }
        }
    }
}
