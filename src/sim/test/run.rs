//! A test that runs: its steps on a virtual home, one after the other, up to the first that fails.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::{DeviceOptions, Event, InvariantChange, Options, Outcome};
use crate::explain::Report;
use crate::lang::test_file::{
    Expectation, Expected, ExpectedCall, ExpectedMessage, ExpectedSet, ExpectedTime, PublishStep,
    Recorded as RecordedTest, Restart, RuleSelection, Step, StepKind, TestCase, TestFile,
};
use crate::model::recording::Recorded;
use crate::model::{Message, Origin, Payload, Place, RuleId, Topic, nearest};
use crate::rules::Ruleset;

use crate::sim::coverage::Exercised;
use crate::sim::home::{
    Call, CallKind, LocalClock, Published, TestHome, VirtualHome, after, instant, without_instance,
};
use crate::sim::replay::Replay;
use crate::sim::report::{self, Comparison, Outside};

use super::calls::expect_calls;
use super::device;
use super::invariants;
use super::outcome::{Failure, TestOutcome};
use super::snapshot::{self, Material, Snapshot};
use super::tried::Tried;

/// A test that runs.
pub struct TestRun<'a> {
    case: &'a TestCase,
    home: &'a TestHome,
    /// The home that lives.
    world: VirtualHome,
    /// How many publications, traces, requests and programs earlier expectations have seen.
    seen: Seen,
    unheard: BTreeSet<String>,
    doubtful: BTreeSet<Topic>,
    /// The publications after these that `expect_set` has accounted for.
    accounted: BTreeSet<usize>,
    /// The invariants that it was to break, and did.
    broken: BTreeSet<Arc<str>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    invariants: usize,
    published: usize,
    traces: usize,
    http: usize,
    exec: usize,
    notified: usize,
}

/// What a step says that fails: the message, and the report.
type StepResult = Result<(), (String, Report)>;

impl<'a> TestRun<'a> {
    /// Runs a test of `file` to its end, or to the first step that fails. `material` is the recording that it plays.
    #[must_use]
    pub fn run(
        file: &'a TestFile,
        case: &'a TestCase,
        home: &'a TestHome,
        material: Option<Material<'_>>,
    ) -> TestOutcome {
        let rules = match home.rules_of(file) {
            Ok(rules) => rules,
            Err((selection, why)) => {
                return TestOutcome::failed(Failure {
                    step: None,
                    place: selection.place,
                    message: why,
                    report: Report::default(),
                });
            }
        };
        let options = home.options_of(file, &case.name);
        let Some((recorded, material)) = case.recorded.as_ref().zip(material) else {
            let mut run = TestRun::start(case, home, rules, options);
            run.world.obey(case.obeying.clone().unwrap_or_else(|| file.obeying.clone()));
            return run.finish(None);
        };
        match TestRun::play(case, home, (rules, options), material.messages) {
            Ok(mut run) => {
                run.world.obey(case.obeying.clone().unwrap_or_else(|| file.obeying.clone()));
                run.finish(Some((recorded, &material.snapshot)))
            }
            Err(message) => TestOutcome::failed(Failure {
                step: None,
                place: recorded.replay.place.clone(),
                message,
                report: Report::default(),
            }),
        }
    }

    fn failed_runs(&self) -> BTreeSet<(RuleId, String)> {
        let steps = self.case.steps.iter();
        let expected: Vec<&str> = steps
            .filter_map(|step| match &step.kind {
                StepKind::Expect(Expectation::Run(run)) if run.outcome == Some("failed") => Some(&*run.rule),
                _ => None,
            })
            .collect();
        let is_expected = |rule: &RuleId| {
            let texts = [rule.as_str(), rule.key(), without_instance(rule.as_str()), without_instance(rule.key())];
            texts.iter().any(|text| expected.contains(text))
        };
        let failed = self.world.traces.iter().filter_map(|trace| match &trace.outcome {
            Outcome::Failed(why) if !is_expected(&trace.rule) => Some((trace.rule.clone(), why.to_string())),
            _ => None,
        });
        let of_invariants = self.world.invariants.iter().filter_map(|news| match &news.change {
            InvariantChange::Failed(why) => Some((news.invariant.clone(), why.clone())),
            InvariantChange::Armed | InvariantChange::Broken(_) | InvariantChange::Held => None,
        });
        failed.chain(of_invariants).collect()
    }

    /// Runs the steps of a test, and returns what rules published in all of them.
    ///
    /// # Errors
    /// When a step fails, or the file chooses no rules; with what was wrong.
    pub fn publications(file: &'a TestFile, case: &'a TestCase, home: &'a TestHome) -> Result<Vec<Published>, String> {
        TestRun::run_steps(file, case, home).map(|run| run.world.published)
    }

    /// Runs the steps of a test, and returns what came of it: what a test that is being written may expect.
    ///
    /// # Errors
    /// When a step fails, or the file chooses no rules; with what was wrong.
    pub fn tried(file: &'a TestFile, case: &'a TestCase, home: &'a TestHome) -> Result<Tried, String> {
        let mut run = TestRun::run_steps(file, case, home)?;
        let (published, calls) = (run.world.published.clone(), run.world.calls.clone());
        run.world.end();
        Ok(Tried::of(published, &calls, &run.world.traces))
    }

    fn run_steps(file: &'a TestFile, case: &'a TestCase, home: &'a TestHome) -> Result<TestRun<'a>, String> {
        let rules = home.rules_of(file).map_err(|(_, why)| why)?;
        let mut run = TestRun::start(case, home, rules, home.options_of(file, &case.name));
        run.world.obey(case.obeying.clone().unwrap_or_else(|| file.obeying.clone()));
        for step in &case.steps {
            run.step(step).map_err(|(message, _)| message)?;
        }
        Ok(run)
    }

    fn start(case: &'a TestCase, home: &'a TestHome, rules: Ruleset, options: Options) -> TestRun<'a> {
        let options = with_given_inputs(case, options);
        let start = instant(case.at.unwrap_or(TestCase::DEFAULT_START), &options.calendar);
        let world = VirtualHome::start(start, rules, options, case.retained(), case.answers.clone());
        TestRun::new(case, home, world)
    }

    fn new(case: &'a TestCase, home: &'a TestHome, world: VirtualHome) -> TestRun<'a> {
        let (unheard, doubtful) = (BTreeSet::new(), BTreeSet::new());
        TestRun {
            case,
            home,
            world,
            seen: Seen::default(),
            unheard,
            doubtful,
            accounted: BTreeSet::new(),
            broken: BTreeSet::new(),
        }
    }

    /// Starts a home and feeds it with a recording; the clock stops at the last message.
    fn play(
        case: &'a TestCase,
        home: &'a TestHome,
        (rules, options): (Ruleset, Options),
        messages: &mut dyn Iterator<Item = Recorded>,
    ) -> Result<TestRun<'a>, String> {
        let start = case.at.map(|at| instant(at, &options.calendar));
        let clock = LocalClock::new(&options.calendar, start.unwrap_or(Timestamp::MAX));
        let mut replay = Replay::new(rules, options).beginning(start, case.retained().collect(), case.answers.clone());
        let mut last = None;
        for recorded in messages {
            if last.is_none()
                && let Some(start) = start.filter(|start| *start > recorded.at)
            {
                let (start, first) = (clock.text(start), clock.text(recorded.at));
                return Err(format!("the test begins at {start}, and the recording at {first}, before that"));
            }
            last = Some(recorded.at);
            replay.feed(recorded);
        }
        let last = last.ok_or_else(|| "there is no message in the recording".to_owned())?;
        let foreign = replay.foreign().clone();
        let world = replay.into_home(last);
        let published = world.published.iter().map(|published| &published.publication.message.topic);
        let doubtful = published.filter(|topic| foreign.contains(*topic)).cloned().collect();
        Ok(TestRun { doubtful, ..TestRun::new(case, home, world) })
    }

    /// Compares what the recording led to, runs the steps, and ends the home.
    fn finish(mut self, played: Option<(&RecordedTest, &Snapshot)>) -> TestOutcome {
        let replayed = played.map(|_| self.expected_of(&self.world.published));
        let differs = played.and_then(|(recorded, snapshot)| self.compare(recorded, snapshot));
        let failure = differs.or_else(|| self.steps());
        self.world.end();
        let failed_runs = self.failed_runs();
        let exercised =
            Exercised { traces: self.world.traces, turns: self.world.turns, invariants: self.world.invariants };
        let TestRun { unheard, doubtful, .. } = self;
        TestOutcome { failure, exercised, failed_runs, unheard, replayed, doubtful }
    }

    /// Compares what rules published up to here with what was accepted.
    fn compare(&mut self, recorded: &RecordedTest, snapshot: &Snapshot) -> Option<Failure> {
        if *snapshot == Snapshot::None {
            return None;
        }
        let named = snapshot::named(recorded);
        let published = self.expected_of(&self.world.published);
        self.seen.published = self.world.published.len();
        let (message, report) = snapshot::compare(snapshot, &named.path, &published, &mut self.world).err()?;
        self.seen.traces = self.world.traces.len();
        Some(Failure { step: None, place: named.place.clone(), message, report })
    }

    /// Returns those of `published` that the test doesn't ignore.
    fn expected_of(&self, published: &[Published]) -> Vec<Published> {
        let is_ignored =
            |topic: &Topic| is_our_own(topic) || self.case.ignore.iter().any(|filter| filter.matches(topic));
        published.iter().filter(|published| !is_ignored(&published.publication.message.topic)).cloned().collect()
    }

    fn steps(&mut self) -> Option<Failure> {
        let of_test = |message: String| {
            let (place, report) = (self.case.place.clone(), Report::default());
            Failure { step: None, place, message, report }
        };
        if let Err(message) = device::check_given(self.world.engine(), &self.case.given_inputs) {
            return Some(of_test(message));
        }
        if let Err((message, report)) = self.hold_invariants() {
            return Some(Failure { step: None, place: self.case.place.clone(), message, report });
        }
        for (index, step) in self.case.steps.iter().enumerate() {
            if let Err((message, report)) = self.step(step).and_then(|()| self.hold_invariants()) {
                let message = format!("`{}` at {}: {message}", step.kind.word(), self.clock());
                return Some(Failure { step: Some(index + 1), place: step.place.clone(), message, report });
            }
        }
        if let Err((place, message)) = self.all_broken() {
            return Some(Failure { step: None, place, message, report: Report::default() });
        }
        if let Err(message) = device::check_obeying(&self.world) {
            let (place, report) = (self.case.place.clone(), Report::default());
            return Some(Failure { step: None, place, message, report });
        }
        self.nothing_left().err().map(|(message, report)| {
            let message = format!("at the test's end, at {}: {message}", self.clock());
            Failure { step: None, place: self.case.place.clone(), message, report }
        })
    }

    fn step(&mut self, step: &Step) -> StepResult {
        match &step.kind {
            StepKind::Publish(publish) => self.publish(publish),
            StepKind::After(time) => self.world.pass(*time),
            StepKind::Until(time) => return self.until(*time),
            StepKind::Restart(restart) => return self.restart(restart),
            StepKind::Reload(selections) => return self.reload(selections),
            StepKind::Client { id, is_connected: true } => self.world.handle(Event::ClientConnected(Arc::clone(id))),
            StepKind::Client { id, is_connected: false } => {
                self.world.handle(Event::ClientDisconnected(Arc::clone(id)));
            }
            StepKind::Webhook { name, body, .. } => {
                self.note_unheard(name);
                self.world.handle(Event::Webhook { name: Arc::clone(name), body: body.clone() });
            }
            StepKind::Device(step) => {
                return device::say(&mut self.world, step).map_err(|why| (why, Report::default()));
            }
            StepKind::Input(step) => return device::input(&mut self.world, step),
            StepKind::Resume(rule) => return self.resume(rule),
            StepKind::Expect(expectation) => return self.expect(expectation),
        }
        Ok(())
    }

    fn resume(&mut self, rule: &str) -> StepResult {
        let rule = report::find_rule(rule, &self.world).map_err(|why| (why, Report::default()))?;
        let of_rule = |id: &&RuleId| id.as_str() == rule || without_instance(id.as_str()) == rule;
        let ids: Vec<RuleId> = self.world.engine().rule_ids().filter(of_rule).cloned().collect();
        for id in ids {
            self.world.handle(Event::Resume(id));
        }
        Ok(())
    }

    /// Compares what devices were told; what `expect_set` accounts for, no `expect` sees.
    fn expect_set(&mut self, expected: &Expected<ExpectedSet>) -> StepResult {
        let first = self.seen.published;
        let published: Vec<(usize, &Published)> = self.world.published.iter().enumerate().skip(first).collect();
        let published: Vec<(usize, &Published)> =
            published.into_iter().filter(|(index, _)| !self.accounted.contains(index)).collect();
        let accounted = device::compare(expected, &published, &self.world)?;
        self.accounted.extend(accounted);
        Ok(())
    }

    /// Notes where no rule hears the webhook `name`: it may be misspelt.
    fn note_unheard(&mut self, name: &str) {
        if self.world.engine().has_webhook(name) {
            return;
        }
        let known = self.world.engine().webhooks();
        let near = nearest(name, known.iter().map(|known| &**known));
        let hint = match (near, known.is_empty()) {
            (Some(near), _) => format!("; did you mean `{near}`?"),
            (None, true) => "; no rule in force has a `webhook:`".to_owned(),
            (None, false) => {
                let known: Vec<String> = known.iter().map(|known| format!("`{known}`")).collect();
                format!("; known here: {}", known.join(", "))
            }
        };
        self.unheard.insert(format!("no rule hears the webhook `{name}`{hint}"));
    }

    fn publish(&mut self, step: &PublishStep) {
        let begin = self.world.now();
        for (offset, payload) in &step.payloads {
            self.world.advance(after(begin, *offset));
            self.world.publish(message(step, payload));
        }
    }

    fn until(&mut self, time: ExpectedTime) -> StepResult {
        let now = self.world.now();
        let due = self.world.clock().due(time, now);
        if due < now {
            return Err((format!("{time} is in the past: the test's clock is beyond it"), Report::default()));
        }
        self.world.advance(due);
        Ok(())
    }

    fn restart(&mut self, restart: &Restart) -> StepResult {
        let begin = self.world.now();
        let up = after(begin, restart.down);
        if restart.is_killed {
            self.world.kill();
        } else {
            self.world.stop();
        }
        for step in &restart.meanwhile {
            for (offset, payload) in &step.payloads {
                let at = after(begin, *offset);
                if at > up {
                    let message = format!("what devices publish to `{}` meanwhile outlasts the time down", step.topic);
                    return Err((message, Report::default()));
                }
                self.world.publish_while_down(at, &message(step, payload));
            }
        }
        self.world.restart(up);
        Ok(())
    }

    fn reload(&mut self, selections: &[RuleSelection]) -> StepResult {
        let rules = self.home.select(selections).map_err(|(_, why)| (why, Report::default()))?;
        self.world.replace_rules(rules);
        Ok(())
    }

    fn expect(&mut self, expectation: &Expectation) -> StepResult {
        match expectation {
            Expectation::Published(expected) => self.expect_published(expected),
            Expectation::Set(expected) => self.expect_set(expected),
            Expectation::State(expected) => {
                let report = report::of_states(expected, &mut self.world);
                report.map_or(Ok(()), |(message, report)| Err((message, report)))
            }
            Expectation::Run(expected) => report::check_runs(expected, &mut self.world).map_or(Ok(()), Err),
            Expectation::Http(expected) => {
                let is_http = |call: &&Call| matches!(call.kind, CallKind::Http(_));
                let seen = self.seen.http;
                let calls: Vec<Call> = self.world.calls.iter().filter(is_http).skip(seen).cloned().collect();
                self.seen.http += calls.len();
                expect_calls(&Expected::InOrder(expected.clone()), &calls, Outside::Http, &mut self.world)
            }
            Expectation::Notified(expected) => self.expect_notified(expected),
            Expectation::Exec(expected) => {
                let is_exec = |call: &&Call| matches!(call.kind, CallKind::Exec(_));
                let seen = self.seen.exec;
                let calls: Vec<Call> = self.world.calls.iter().filter(is_exec).skip(seen).cloned().collect();
                self.seen.exec += calls.len();
                expect_calls(&Expected::InOrder(expected.clone()), &calls, Outside::Exec, &mut self.world)
            }
        }
    }

    /// Compares what people were told; a publication of it that this accounts for, no `expect` sees.
    fn expect_notified(&mut self, expected: &Expected<ExpectedCall>) -> StepResult {
        let told = self.world.calls.iter().filter(|call| matches!(call.kind, CallKind::Notify(..)));
        let told: Vec<Call> = told.skip(self.seen.notified).cloned().collect();
        self.seen.notified += told.len();
        let publication = |call: &Call| match &call.kind {
            CallKind::Notify(_, published) => *published,
            CallKind::Http(_) | CallKind::Exec(_) => None,
        };
        // What an `expect` has seen by its topic is accounted for.
        let is_new = |call: &&Call| {
            publication(call).is_none_or(|index| index >= self.seen.published || self.accounted.contains(&index))
        };
        let told: Vec<Call> = told.iter().filter(is_new).cloned().collect();
        expect_calls(expected, &told, Outside::Notify, &mut self.world)?;
        self.accounted.extend(told.iter().filter_map(publication));
        Ok(())
    }

    fn expect_published(&mut self, expected: &Expected<ExpectedMessage>) -> StepResult {
        let first = self.seen.published;
        let new = self.world.published.iter().enumerate().skip(first);
        let new = new.filter(|(index, _)| !self.accounted.contains(index)).map(|(_, published)| published.clone());
        let published = self.expected_of(&new.collect::<Vec<_>>());
        let first_trace = self.seen.traces;
        self.seen.published = self.world.published.len();
        self.seen.traces = self.world.traces.len();
        let clock = self.world.clock();
        let comparison =
            Comparison::new(expected, &published, |expected, published| report::relate(expected, published, &clock));
        if comparison.is_exact() {
            return Ok(());
        }
        Err(report::of_published(expected, &published, &comparison, &mut self.world, first_trace))
    }

    /// Holds that no publication is left that nothing expected.
    fn nothing_left(&mut self) -> StepResult {
        if !self.case.strict {
            return Ok(());
        }
        self.expect_published(&Expected::AnyOrder(Vec::new()))
    }

    /// Holds that no invariant was broken since this was last asked, but those that the test names.
    fn hold_invariants(&mut self) -> StepResult {
        let news = self.world.invariants.get(self.seen.invariants..).unwrap_or_default().to_vec();
        self.seen.invariants = self.world.invariants.len();
        for news in news {
            let InvariantChange::Broken(_) = news.change else { continue };
            let named = self.case.breaks.iter().find(|(name, _)| invariants::is_named(&news.invariant, name));
            match named {
                Some((name, _)) => self.broken.insert(Arc::clone(name)),
                None => return Err(invariants::broken(&news, &mut self.world)),
            };
        }
        Ok(())
    }

    /// Holds that all invariants were broken that the test names.
    fn all_broken(&self) -> Result<(), (Place, String)> {
        let Some((name, place)) = self.case.breaks.iter().find(|(name, _)| !self.broken.contains(name)) else {
            return Ok(());
        };
        Err((place.clone(), invariants::not_broken(name, self.world.rules())))
    }

    fn clock(&self) -> String {
        self.world.clock().text(self.world.now())
    }
}

/// Returns whether a topic is one of homerule's own, which no `expect` counts, but for calls of Home Assistant.
fn is_our_own(topic: &Topic) -> bool {
    topic.as_str().starts_with("homerule/") && topic.as_str() != "homerule/home_assistant/call"
}

/// Returns the options of a test in which inputs are what it says at the start.
fn with_given_inputs(case: &TestCase, options: Options) -> Options {
    if case.given_inputs.is_empty() {
        return options;
    }
    let given_inputs = case.given_inputs.iter().cloned().collect();
    let devices = DeviceOptions { given_inputs, ..(*options.devices).clone() };
    Options { devices: Arc::new(devices), ..options }
}

fn message(step: &PublishStep, payload: &Payload) -> Message {
    Message {
        topic: step.topic.clone(),
        payload: payload.clone(),
        qos: step.qos,
        retain: step.retain,
        origin: Origin::Live,
        expires_at: None,
    }
}
