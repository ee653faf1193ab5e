//! Evaluates a rule's expressions and templates in the world of the moment.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::history::Histories;
use crate::model::{Fingerprint, RuleId, Topic, TopicFilter, Value, is_inner};
use crate::rules::{DurationTemplate, Question};
use crate::script::{Called, Closure, Expression, Failure, Frame, Interrupter, Reads, Sandbox, Template, World};

use crate::engine::condition::scope::Scope;
use crate::engine::options::Options;

/// What expressions have read.
#[derive(Debug, Default)]
struct Asked {
    known: BTreeSet<Arc<str>>,
    new: Vec<TopicFilter>,
}

impl Asked {
    fn add(&mut self, filter: &TopicFilter) {
        let plain = filter.plain();
        if !self.known.contains(plain.as_str()) {
            self.known.insert(plain.into());
            self.new.push(filter.clone());
        }
    }
}

/// The sandbox, the world that it is lent, and what `random()` depends on.
pub(crate) struct Evaluator {
    sandbox: Arc<Sandbox>,
    pub(crate) world: World,
    seed: u64,
    /// The number of the message or deadline being handled.
    pub(crate) sequence: u64,
    /// Evaluations since then.
    draws: u64,
    /// The rules of which an evaluation was ended since it took too long, since that was last asked.
    pub(crate) interrupted: BTreeSet<RuleId>,
    /// Whether any ever was: until then nobody need count.
    pub(crate) was_ever_interrupted: bool,
    /// What expressions have read, where that is noted: topics and filters.
    asked: Option<Asked>,
    /// How many parts of conditions have failed beside a part that decided.
    pub(crate) failures_passed_over: u64,
}

impl Evaluator {
    pub(crate) fn new(now: Timestamp, options: &Options) -> Evaluator {
        Evaluator {
            sandbox: options.sandbox.clone().unwrap_or_else(|| Arc::new(Sandbox::new(options.limits))),
            world: World {
                now,
                calendar: options.calendar.clone(),
                history: Histories::new(options.samples, options.ignored.clone()),
                ..World::default()
            },
            seed: options.seed,
            sequence: 0,
            draws: 0,
            interrupted: BTreeSet::new(),
            was_ever_interrupted: false,
            asked: None,
            failures_passed_over: 0,
        }
    }

    /// From now on notes what expressions read.
    pub(crate) fn note_reads(&mut self) {
        self.asked.get_or_insert_default();
    }

    /// Returns what was read for the first time since that was last asked.
    pub(crate) fn take_asked(&mut self) -> Vec<TopicFilter> {
        self.asked.as_mut().map(|asked| std::mem::take(&mut asked.new)).unwrap_or_default()
    }

    /// Notes that messages of these topics are needed.
    pub(crate) fn ask<'a>(&mut self, filters: impl Iterator<Item = &'a TopicFilter>) {
        if let Some(asked) = &mut self.asked {
            filters.for_each(|filter| asked.add(filter));
        }
    }

    fn note(&mut self, reads: &Reads) {
        let Some(asked) = &mut self.asked else { return };
        // What has a value may have it from before a restart, and would keep it for ever.
        for topic in reads.topics.iter().filter(|topic| !is_inner(topic.as_str())) {
            if !asked.known.contains(topic.as_str())
                && let Ok(filter) = TopicFilter::parse(topic.as_str())
            {
                asked.add(&filter);
            }
        }
        reads.filters.iter().for_each(|filter| asked.add(filter));
    }

    /// Returns what ends an evaluation that takes too long.
    pub(crate) fn interrupter(&self) -> Interrupter {
        self.sandbox.interrupter()
    }

    fn note_interruption<T>(&mut self, rule: &RuleId, result: &Result<T, Failure>) {
        if result.as_ref().is_err_and(|failure| failure.is_interrupted) {
            self.interrupted.insert(rule.clone());
        }
    }

    /// Counts one more message or deadline.
    pub(crate) fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.draws = 0;
        self.sequence
    }

    /// Evaluates an expression of the scope's rule.
    ///
    /// # Errors
    /// When it fails or reaches a limit.
    pub(crate) fn value(
        &mut self,
        scope: &Scope<'_>,
        expression: &Expression,
        reads: &mut Reads,
    ) -> Result<Value, Failure> {
        note_each_message(scope, expression, reads);
        let entropy = self.entropy(&scope.rule.id);
        let variables = |name: &str| scope.get(name);
        let mut frame = Frame { rule: &scope.rule.id, variables: &variables, entropy, reads };
        let result = self.sandbox.evaluate(&mut self.world, expression, &mut frame);
        self.note(reads);
        self.note_interruption(&scope.rule.id, &result);
        result
    }

    /// Calls a closure of the scope's rule.
    pub(crate) fn call(&mut self, scope: &Scope<'_>, closure: &Closure, reads: &mut Reads) -> Called {
        let entropy = self.entropy(&scope.rule.id);
        let variables = |name: &str| scope.get(name);
        let mut frame = Frame { rule: &scope.rule.id, variables: &variables, entropy, reads };
        let called = self.sandbox.call(&mut self.world, closure, &scope.names(), &mut frame);
        self.note(reads);
        self.note_interruption(&scope.rule.id, &called.result);
        called
    }

    /// Answers what a `where` asks.
    ///
    /// # Errors
    /// When it fails, or a closure asks for something to be done.
    pub(crate) fn answer(
        &mut self,
        scope: &Scope<'_>,
        question: &Question,
        reads: &mut Reads,
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

    /// Renders a template of the scope's rule.
    ///
    /// # Errors
    /// When an expression in it fails, or `()` stands within a text.
    pub(crate) fn render(
        &mut self,
        scope: &Scope<'_>,
        template: &Template,
        reads: &mut Reads,
    ) -> Result<Value, Failure> {
        if let Some(value) = template.as_constant() {
            return Ok(value.clone());
        }
        let entropy = self.entropy(&scope.rule.id);
        let variables = |name: &str| scope.get(name);
        let mut frame = Frame { rule: &scope.rule.id, variables: &variables, entropy, reads };
        let result = self.sandbox.render(&mut self.world, template, &mut frame);
        self.note(reads);
        self.note_interruption(&scope.rule.id, &result);
        result
    }

    /// Renders a template that must give a topic.
    ///
    /// # Errors
    /// As [`Evaluator::render`], and when what it gives isn't a topic.
    pub(crate) fn topic(
        &mut self,
        scope: &Scope<'_>,
        template: &Template,
        reads: &mut Reads,
    ) -> Result<Topic, Failure> {
        let text = match self.render(scope, template, reads)? {
            Value::Text(text) => text,
            value => text_of(&value)?.into(),
        };
        Topic::from_shared(Arc::clone(&text))
            .map_err(|error| Failure::plain(format!("`{text}` isn't a valid topic: {error}")))
    }

    /// Renders a template that must give a text; a number or boolean is taken as its text.
    ///
    /// # Errors
    /// As [`Evaluator::render`], and when it gives nothing.
    pub(crate) fn text(
        &mut self,
        scope: &Scope<'_>,
        template: &Template,
        reads: &mut Reads,
    ) -> Result<String, Failure> {
        text_of(&self.render(scope, template, reads)?)
    }

    /// Returns the duration, known or rendered.
    ///
    /// # Errors
    /// As [`Evaluator::render`], and when what it gives isn't a duration.
    pub(crate) fn duration(
        &mut self,
        scope: &Scope<'_>,
        duration: &DurationTemplate,
        reads: &mut Reads,
    ) -> Result<std::time::Duration, Failure> {
        match duration {
            DurationTemplate::Fixed(duration) => Ok(*duration),
            DurationTemplate::Template(template) => {
                let text = self.text(scope, template, reads)?;
                crate::model::parse_duration(&text).map_err(|error| Failure::plain(error.to_string()))
            }
        }
    }

    /// What `random()` depends on: the seed, the rule, the message, and which evaluation of it this is.
    fn entropy(&mut self, rule: &RuleId) -> u64 {
        self.draws += 1;
        let mut hash = Fingerprint::seeded(self.seed);
        hash.bytes(rule.as_str().as_bytes());
        hash.number(self.sequence);
        hash.number(self.draws);
        hash.value()
    }
}

/// Returns a value as the text that is expected.
fn text_of(value: &Value) -> Result<String, Failure> {
    match value {
        Value::Null => Err(Failure::plain("a text is expected, and the template gives nothing".to_owned())),
        value => Ok(value.to_string()),
    }
}

/// An instance of `each: {topic: …}` that reads `msg` reads the state of its topic.
fn note_each_message(scope: &Scope<'_>, expression: &Expression, reads: &mut Reads) {
    let Some(topic) = &scope.rule.each_topic else { return };
    let reads_it = scope.firing.is_none_or(|firing| firing.payload.is_none());
    if reads_it && expression.variables().contains("msg") {
        reads.topics.insert(topic.clone());
    }
}
