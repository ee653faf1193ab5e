//! Does one action (spec 2.6). What it publishes is noted at once and heard after what is being handled.

use std::sync::Arc;

use crate::model::{Map, Message, Name, Origin, Payload, RuleId, Topic, Value};
use crate::rules::{
    Action, ActionKind, Condition, DurationTemplate, Exec, Http, IfChanged, LogLevel, OnError, Publish, RepeatKind,
    Rule, RuleReference, Until,
};
use crate::script::{Failure, Reads, Template};

use super::condition::{Judging, Verdict, failure_text};
use super::gates::{Admission, Candidate};
use super::hearing::{Incoming, holds};
use super::occasion::Occasion;
use super::run::{ActionPlace, Caller, Part, Repeat, Run, Waiting};
use super::scope::Scope;
use super::slot::SlotId;
use super::stepping::Next;
use super::trigger::later;
use super::{Answer, Cause, CauseKind, Effect, Engine, HttpCall, Outcome, Publication, RequestId, StoppedBy};

/// How deep runs may call one another without a wait.
const DEEPEST_CALL: u32 = 16;

/// One action of a run that is being done.
struct Act<'a> {
    slot: &'a SlotId,
    rule: &'a Rule,
    run: &'a mut Run,
    thread: u32,
    action: &'a Action,
}

impl Engine {
    /// Does one action of a thread.
    ///
    /// # Errors
    /// When it fails; the trace says so already.
    pub(super) fn act(
        &mut self,
        slot: &SlotId,
        rule: &Rule,
        run: &mut Run,
        thread: u32,
        place: ActionPlace,
        action: &Action,
    ) -> Result<Next, Failure> {
        let done = self.perform(&mut Act { slot, rule, run, thread, action }, place);
        if let Err(failure) = &done {
            self.note_failure(run, &action.path, word(&action.kind), failure);
            if action.on_error == OnError::Continue {
                self.say(Some(&rule.id), LogLevel::Warn, failure_text(failure));
            }
        }
        done
    }

    fn perform(&mut self, act: &mut Act<'_>, place: ActionPlace) -> Result<Next, Failure> {
        let action = act.action;
        let path = &action.path;
        match &action.kind {
            ActionKind::Publish(messages) | ActionKind::Scene { messages, .. } => self.publish_all(act, messages),
            ActionKind::Delay(duration) => self.delay(act, duration),
            ActionKind::Wait(wait) => self.begin_wait(act.slot, act.rule, act.run, act.thread, place, wait),
            ActionKind::If { condition, then, otherwise } => {
                let branch = match self.judge_action(act, condition)? {
                    Verdict::True => Some(*then),
                    Verdict::False(_) => *otherwise,
                    // Unknown: neither branch, and on it goes.
                    Verdict::Unknown(_) | Verdict::Failed(_) => None,
                };
                Ok(branch.map_or(Next::GoOn, Next::Enter))
            }
            ActionKind::Choose { branches, otherwise } => {
                let mut chosen = *otherwise;
                for branch in branches {
                    if holds(&self.judge_action(act, &branch.condition)?) {
                        chosen = Some(branch.then);
                        break;
                    }
                }
                Ok(chosen.map_or(Next::GoOn, Next::Enter))
            }
            ActionKind::ChooseCase { on, cases, otherwise } => {
                let value = self.in_scope(act, |engine, scope, reads| engine.value(scope, on, reads))?;
                let case = cases.iter().find(|case| value.matches(&case.value));
                self.note_step(act.run, path, "choose", value.to_string());
                Ok(case.map(|case| case.then).or(*otherwise).map_or(Next::GoOn, Next::Enter))
            }
            ActionKind::Repeat { kind, .. } => self.begin_repeat(act, place, kind),
            ActionKind::Parallel(blocks) => Ok(Next::Fork(blocks.clone())),
            ActionKind::Let(variables) => self.set_variables(act, variables),
            ActionKind::Remember(variables) => self.remember(act, variables),
            ActionKind::Run { rule, with } => self.call_rule(act, rule, with),
            ActionKind::Switch { rule, is_enabled } => self.switch_rule(act, rule, *is_enabled),
            ActionKind::Cancel(rule) => self.cancel_rule(act, rule),
            ActionKind::Log { text, level } => self.log(act, text, *level),
            ActionKind::Http(http) => self.http(act, http),
            ActionKind::Exec(exec) => self.exec(act, exec),
            ActionKind::Stop(reason) => {
                let reason = self.in_scope(act, |engine, scope, reads| engine.render(scope, reason, reads))?;
                self.note_step(act.run, path, "stop", reason.to_string());
                Ok(Next::End(Outcome::Stopped(reason.to_string())))
            }
        }
    }

    /// Publishes messages in order.
    fn publish_all(&mut self, act: &mut Act<'_>, messages: &[Publish]) -> Result<Next, Failure> {
        for publish in messages {
            if let Some(outcome) = self.publish(act, publish)? {
                return Ok(Next::End(outcome));
            }
        }
        Ok(Next::GoOn)
    }

    /// Publishes one message. Returns how the run ends, where this was one too many.
    fn publish(&mut self, act: &mut Act<'_>, publish: &Publish) -> Result<Option<Outcome>, Failure> {
        let topic = self.in_scope(act, |engine, scope, reads| engine.topic(scope, &publish.topic, reads))?;
        if topic.as_str().starts_with('$') {
            return Err(Failure::plain(format!("rules can't publish to `{topic}`: `$` topics belong to the broker")));
        }
        let value = self.in_scope(act, |engine, scope, reads| engine.render(scope, &publish.payload, reads))?;
        if value.is_null() && publish.payload.as_constant().is_none() {
            return Err(Failure::plain(format!("the payload for `{topic}` is `()`: write `null` to clear a topic")));
        }
        if let Some(reason) = self.is_unchanged(act, publish, &topic, &value)? {
            self.note_step(act.run, &act.action.path, word(&act.action.kind), reason);
            return Ok(None);
        }
        let payload = Payload::from_value(&value);
        let line = format!("{topic} {}", payload.text().unwrap_or("(binary)"));
        if act.rule.dry_run {
            self.note_step(act.run, &act.action.path, word(&act.action.kind), format!("would publish {line}"));
            return Ok(None);
        }
        let depth = act.run.occasion.cause.depth + 1;
        if depth > self.options.chain {
            let outcome = self.stop_chain(act.slot, &act.rule.id, &topic);
            self.note_step(act.run, &act.action.path, word(&act.action.kind), format!("not sent: {line}"));
            return Ok(Some(outcome));
        }
        self.note_step(act.run, &act.action.path, word(&act.action.kind), line);
        let message = Message { topic, payload, qos: publish.qos, retain: publish.retain, origin: Origin::Own };
        self.effects.push(Effect::Publish(Publication {
            message: message.clone(),
            rule: act.rule.id.clone(),
            cause: Cause { run: Some(act.run.id), ..act.run.occasion.cause.clone() },
        }));
        self.inbox.push_back(Incoming::Message { message, depth, run: Some(act.run.id) });
        Ok(None)
    }

    /// Returns why a message isn't published, where `if_changed` says so.
    fn is_unchanged(
        &mut self,
        act: &mut Act<'_>,
        publish: &Publish,
        topic: &Topic,
        value: &Value,
    ) -> Result<Option<String>, Failure> {
        match &publish.if_changed {
            IfChanged::Always => Ok(None),
            IfChanged::OwnTopic => {
                let last = self.last_published(topic).or_else(|| self.value_of(topic.as_str()));
                Ok((last.as_ref() == Some(value)).then(|| format!("unchanged: `{topic}` is {value}")))
            }
            IfChanged::Topic(other) => {
                let other = self.in_scope(act, |engine, scope, reads| engine.topic(scope, other, reads))?;
                let is_so = self.value_of(other.as_str()).is_some_and(|state| state.matches(value));
                Ok(is_so.then(|| format!("unchanged: `{other}` is {value} already")))
            }
        }
    }

    /// Returns what a rule published to `topic` that hasn't been heard yet.
    fn last_published(&self, topic: &Topic) -> Option<Value> {
        self.inbox.iter().rev().find_map(|incoming| match incoming {
            Incoming::Message { message, .. } if message.topic == *topic => Some(message.payload.value().clone()),
            _ => None,
        })
    }

    fn value_of(&self, topic: &str) -> Option<Value> {
        self.evaluator.world.states.get(topic).map(|state| state.payload.value().clone())
    }

    fn delay(&mut self, act: &mut Act<'_>, duration: &DurationTemplate) -> Result<Next, Failure> {
        let duration = self.in_scope(act, |engine, scope, reads| engine.duration(scope, duration, reads))?;
        self.note_step(act.run, &act.action.path, "delay", crate::model::format_duration(duration));
        Ok(Next::Wait(Waiting::Time(later(self.now(), duration))))
    }

    fn begin_repeat(&mut self, act: &mut Act<'_>, at: ActionPlace, kind: &RepeatKind) -> Result<Next, Failure> {
        let now = self.now();
        let mut repeat = Repeat { at, turn: 0, times: None, items: Vec::new(), interval: None, turn_due: now };
        match kind {
            RepeatKind::Times(times) => {
                let times = self.in_scope(act, |engine, scope, reads| engine.render(scope, times, reads))?;
                repeat.times = Some(whole_number(&times)?);
            }
            RepeatKind::Each(list) => {
                let list = self.in_scope(act, |engine, scope, reads| engine.render(scope, list, reads))?;
                let Value::List(items) = &list else {
                    return Err(Failure::plain(format!("`each` needs a list, and this is {}: {list}", list.kind())));
                };
                repeat.times = Some(items.len() as u64);
                repeat.items = items.to_vec();
            }
            RepeatKind::While(_) | RepeatKind::Until(_) => {}
            RepeatKind::Every { interval, until } => {
                let interval = self.in_scope(act, |engine, scope, reads| engine.duration(scope, interval, reads))?;
                if interval.is_zero() {
                    return Err(Failure::plain("`every` of a `repeat` can't be 0s"));
                }
                repeat.interval = Some(interval);
                self.listen_until(act.slot, act.rule, act.run, act.thread, at, until)?;
            }
        }
        self.note_step(act.run, &act.action.path, "repeat", String::new());
        Ok(Next::Loop(Box::new(repeat)))
    }

    /// Makes a `repeat` with `every` listen for what ends it.
    fn listen_until(
        &mut self,
        slot: &SlotId,
        rule: &Rule,
        run: &mut Run,
        thread: u32,
        at: ActionPlace,
        until: &Until,
    ) -> Result<(), Failure> {
        match until {
            Until::Triggers(triggers) => self.add_trigger_ear(slot, rule, run, thread, at, triggers, None),
            Until::Condition(condition) => {
                let (_, reads) = self.judge_condition_in_run(slot, rule, run, thread, condition)?;
                self.add_condition_ear(slot, run, thread, at, reads, None);
                Ok(())
            }
        }
    }

    fn set_variables(&mut self, act: &mut Act<'_>, variables: &[(Name, Template)]) -> Result<Next, Failure> {
        for (name, template) in variables {
            let value = self.in_scope(act, |engine, scope, reads| engine.render(scope, template, reads))?;
            self.note_step(act.run, &act.action.path, "let", format!("{name} = {value}"));
            act.run.variables.insert(Arc::clone(name), value);
        }
        Ok(Next::GoOn)
    }

    fn remember(&mut self, act: &mut Act<'_>, variables: &[(Name, Template)]) -> Result<Next, Failure> {
        for (name, template) in variables {
            let value = self.in_scope(act, |engine, scope, reads| engine.render(scope, template, reads))?;
            self.note_step(act.run, &act.action.path, "remember", format!("{name} = {value}"));
            if let Some(slot) = self.slots.get_mut(act.slot) {
                Arc::make_mut(&mut slot.memory).insert(Arc::clone(name), value);
            }
        }
        self.unsaved.rules.insert(act.slot.clone());
        let depth = act.run.occasion.cause.depth + 1;
        if depth <= self.options.chain {
            self.inbox.push_back(Incoming::MemoryChanged { slot: act.slot.clone(), depth });
        }
        Ok(Next::GoOn)
    }

    /// `run`: another rule's `then`, in its mode; the thread waits for it.
    fn call_rule(
        &mut self,
        act: &mut Act<'_>,
        reference: &RuleReference,
        with: &[(Name, Template)],
    ) -> Result<Next, Failure> {
        let (id, slot) = self.referred(act, reference)?;
        let mut given = Map::new();
        for (name, template) in with {
            let value = self.in_scope(act, |engine, scope, reads| engine.render(scope, template, reads))?;
            given.insert(Arc::clone(name), value);
        }
        if act.rule.dry_run {
            self.note_step(act.run, &act.action.path, "run", format!("would run {id}"));
            return Ok(Next::GoOn);
        }
        let Some(known) = self.slots.get(&slot) else { return Err(Failure::plain(format!("no rule `{id}`"))) };
        if !known.is_enabled() {
            return Err(Failure::plain(format!("`{id}` is disabled")));
        }
        if known.resting_until.is_some() {
            return Err(Failure::plain(format!("`{id}` rests after a loop")));
        }
        if act.run.call_depth >= DEEPEST_CALL {
            return Err(Failure::plain(format!("{DEEPEST_CALL} rules run one another in a chain")));
        }
        let rule = Arc::clone(&known.rule);
        if rule.then.is_none() {
            return Err(Failure::plain(format!("`{id}` has no `then`")));
        }
        self.note_step(act.run, &act.action.path, "run", id.to_string());
        let cause = Cause {
            kind: CauseKind::Rule(act.rule.id.clone()),
            depth: act.run.occasion.cause.depth,
            run: Some(act.run.id),
        };
        let occasion = Occasion::of_cause(Arc::clone(&act.action.path), cause);
        let variables = self.compute_variables(&slot, &rule, &occasion, given)?;
        let key = self.key(&slot, &rule, &occasion, &variables)?;
        let caller = Caller { run: act.run.id, thread: act.thread };
        let admission = self.admit(Candidate {
            slot,
            rule,
            part: Part::Then,
            key,
            occasion,
            variables,
            steps: Vec::new(),
            caller: Some(caller),
            call_depth: act.run.call_depth + 1,
        });
        match admission {
            Admission::Admitted(callee) => Ok(Next::Wait(Waiting::Run(callee))),
            Admission::Dropped => Err(Failure::plain(format!("`{id}` runs already, and its mode drops this run"))),
        }
    }

    /// A run that another one called has ended.
    pub(super) fn callee_ended(&mut self, caller: Caller, callee: &RuleId, outcome: &Outcome) {
        let why = match outcome {
            Outcome::Finished | Outcome::Stopped(_) => return self.resume(caller.run, caller.thread, None),
            Outcome::Cancelled(StoppedBy::Caller) => return,
            Outcome::Cancelled(_) | Outcome::Skipped(_) => format!("`{callee}` was cancelled"),
            Outcome::Failed(message) => format!("`{callee}` failed: {message}"),
        };
        self.fail_waiting(caller.run, caller.thread, "run", &Failure::plain(why));
    }

    fn switch_rule(&mut self, act: &mut Act<'_>, reference: &RuleReference, is_enabled: bool) -> Result<Next, Failure> {
        let (id, slot) = self.referred(act, reference)?;
        let word = if is_enabled { "enable" } else { "disable" };
        if act.rule.dry_run {
            self.note_step(act.run, &act.action.path, word, format!("would {word} {id}"));
            return Ok(Next::GoOn);
        }
        self.note_step(act.run, &act.action.path, word, id.to_string());
        self.switch(&slot, is_enabled);
        Ok(Next::GoOn)
    }

    fn cancel_rule(&mut self, act: &mut Act<'_>, reference: &RuleReference) -> Result<Next, Failure> {
        let (id, slot) = self.referred(act, reference)?;
        if act.rule.dry_run {
            self.note_step(act.run, &act.action.path, "cancel", format!("would cancel {id}"));
            return Ok(Next::GoOn);
        }
        self.note_step(act.run, &act.action.path, "cancel", id.to_string());
        self.cancel_runs(&slot, StoppedBy::Cancel);
        Ok(Next::GoOn)
    }

    /// Returns the rule that an action names.
    fn referred(&mut self, act: &mut Act<'_>, reference: &RuleReference) -> Result<(RuleId, SlotId), Failure> {
        let id = match reference {
            RuleReference::Fixed(id) => id.clone(),
            RuleReference::Template(template) => {
                let text = self.in_scope(act, |engine, scope, reads| engine.text(scope, template, reads))?;
                let found = self.evaluator.world.rule_names.find(&text, act.rule.id.file());
                match found.as_slice() {
                    [id] => id.clone(),
                    [] => return Err(Failure::plain(format!("no rule `{text}`"))),
                    _ => return Err(Failure::plain(format!("several rules are called `{text}`: name the file too"))),
                }
            }
        };
        let slot = self.slots.find(&id).cloned().ok_or_else(|| Failure::plain(format!("no rule `{id}`")))?;
        Ok((id, slot))
    }

    fn log(&mut self, act: &mut Act<'_>, text: &Template, level: LogLevel) -> Result<Next, Failure> {
        let text = self.in_scope(act, |engine, scope, reads| engine.render(scope, text, reads))?.to_string();
        self.note_step(act.run, &act.action.path, "log", text.clone());
        self.say(Some(&act.rule.id), level, text);
        Ok(Next::GoOn)
    }

    fn http(&mut self, act: &mut Act<'_>, http: &Http) -> Result<Next, Failure> {
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
        let timeout = self.in_scope(act, |engine, scope, reads| engine.duration(scope, &http.timeout, reads))?;
        let line = format!("{method} {url}");
        if act.rule.dry_run {
            self.note_step(act.run, &act.action.path, "http", format!("would ask {line}"));
            return Ok(Next::GoOn);
        }
        self.note_step(act.run, &act.action.path, "http", line);
        let request = self.next_request();
        let call = HttpCall { method, url, headers, body: body.to_payload(), timeout };
        self.effects.push(Effect::Http { request, call });
        Ok(Next::Wait(Waiting::Request(request)))
    }

    fn exec(&mut self, act: &mut Act<'_>, exec: &Exec) -> Result<Next, Failure> {
        let mut command = Vec::new();
        for part in &exec.command {
            command.push(self.in_scope(act, |engine, scope, reads| engine.text(scope, part, reads))?);
        }
        let timeout = self.in_scope(act, |engine, scope, reads| engine.duration(scope, &exec.timeout, reads))?;
        let line = command.join(" ");
        if act.rule.dry_run {
            self.note_step(act.run, &act.action.path, "exec", format!("would run {line}"));
            return Ok(Next::GoOn);
        }
        self.note_step(act.run, &act.action.path, "exec", line);
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
    pub(super) fn hear_answer(&mut self, request: RequestId, answer: Answer) {
        let waits = |run: &Run| {
            let is_it = |thread: &super::run::Thread| thread.waiting == Some(Waiting::Request(request));
            run.threads.iter().find(|(_, thread)| is_it(thread)).map(|(thread, _)| (run.id, *thread))
        };
        let Some((run, thread)) = self.runs.values().find_map(waits) else { return };
        match answer {
            Answer::Failed(message) => self.fail_waiting(run, thread, "answer", &Failure::plain(message)),
            Answer::Ended { status, body } => {
                let mut http = Map::new();
                http.insert("status".into(), Value::Int(status));
                http.insert("body".into(), body.value().clone());
                self.resume(run, thread, Some(Value::Map(http.into())));
            }
        }
    }

    /// Judges the condition of an `if` or `choose`, and notes it in the trace.
    ///
    /// # Errors
    /// When it fails.
    fn judge_action(&mut self, act: &mut Act<'_>, condition: &Condition) -> Result<Verdict, Failure> {
        let (verdict, _) = self.judge_condition_in_run(act.slot, act.rule, act.run, act.thread, condition)?;
        Ok(verdict)
    }

    /// Judges a loop's condition; unknown counts as false.
    ///
    /// # Errors
    /// When it fails.
    pub(super) fn judge_in_run(
        &mut self,
        slot: &SlotId,
        rule: &Rule,
        run: &mut Run,
        thread: u32,
        condition: &Condition,
    ) -> Result<bool, Failure> {
        let (verdict, _) = self.judge_condition_in_run(slot, rule, run, thread, condition)?;
        Ok(holds(&verdict))
    }

    /// Judges a condition within a run, notes it in the trace, and returns what it read.
    ///
    /// # Errors
    /// When it fails.
    pub(super) fn judge_condition_in_run(
        &mut self,
        slot_id: &SlotId,
        rule: &Rule,
        run: &mut Run,
        thread: u32,
        condition: &Condition,
    ) -> Result<(Verdict, Reads), Failure> {
        let each_message = self.each_message(rule);
        let Some(slot) = self.slots.get(slot_id) else { return Ok((Verdict::False(None), Reads::default())) };
        let scope = Scope {
            rule,
            memory: Arc::clone(&slot.memory),
            occasion: Some(&run.occasion),
            locals: &run.variables,
            thread: run.threads.get(&thread).map(super::run::Thread::scope).unwrap_or_default(),
            each_message,
        };
        let mut judging = Judging::new(&scope, &slot.trackers);
        let verdict = self.evaluator.judge(&mut judging, condition);
        let (reads, steps) = (judging.reads, judging.steps);
        for step in steps {
            run.note(step);
        }
        match verdict {
            Verdict::Failed(failure) => Err(failure),
            verdict => Ok((verdict, reads)),
        }
    }

    /// Evaluates something in the scope of an action's thread.
    fn in_scope<T>(
        &mut self,
        act: &mut Act<'_>,
        evaluate: impl FnOnce(&mut super::evaluator::Evaluator, &Scope<'_>, &mut Reads) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let scope = Scope {
            rule: act.rule,
            memory: self.memory(act.slot),
            occasion: Some(&act.run.occasion),
            locals: &act.run.variables,
            thread: act.run.threads.get(&act.thread).map(super::run::Thread::scope).unwrap_or_default(),
            each_message: self.each_message(act.rule),
        };
        evaluate(&mut self.evaluator, &scope, &mut Reads::default())
    }
}

/// Returns the action's word, as users write it.
fn word(kind: &ActionKind) -> &'static str {
    match kind {
        ActionKind::Publish(_) => "publish",
        ActionKind::Scene { .. } => "scene",
        ActionKind::Delay(_) => "delay",
        ActionKind::Wait(_) => "wait",
        ActionKind::If { .. } => "if",
        ActionKind::Choose { .. } | ActionKind::ChooseCase { .. } => "choose",
        ActionKind::Repeat { .. } => "repeat",
        ActionKind::Parallel(_) => "parallel",
        ActionKind::Let(_) => "let",
        ActionKind::Remember(_) => "remember",
        ActionKind::Run { .. } => "run",
        ActionKind::Switch { is_enabled: true, .. } => "enable",
        ActionKind::Switch { is_enabled: false, .. } => "disable",
        ActionKind::Cancel(_) => "cancel",
        ActionKind::Log { .. } => "log",
        ActionKind::Http(_) => "http",
        ActionKind::Exec(_) => "exec",
        ActionKind::Stop(_) => "stop",
    }
}

/// Returns a number of turns.
fn whole_number(value: &Value) -> Result<u64, Failure> {
    let number = match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and in range")]
        Value::Float(number) if number.fract() == 0.0 && (0.0..1e15).contains(number) => Some(*number as u64),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.ok_or_else(|| Failure::plain(format!("`times` needs a whole number, and this is {}: {value}", value.kind())))
}
