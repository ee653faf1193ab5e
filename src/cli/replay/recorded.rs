//! `test --from-recorder`: what the rules publish now, fed with what devices said, against what rules published then.

use std::path::Path;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::api::cause_of;
use crate::cli::progress::Reader;
use crate::cli::{Exit, Failure, print};
use crate::engine::{Cause, CauseKind, Publication};
use crate::model::Origin;
use crate::model::recording::Recorded;
use crate::sim::{Divergence, Published, Replay};

use super::divergence_text;
use super::recording::Recording;
use super::shown::{invariant_json, invariant_line, is_broken, message_of};
use super::subject::Subject;

/// What was due is recorded when it left, and a busy home is late.
const LATE: SignedDuration = SignedDuration::from_secs(2);

/// How long before the first message the replay begins.
const BEFORE: SignedDuration = SignedDuration::from_micros(1);

/// Feeds the rules of `home` with what its recorder has since `since`, and tells whether they decide as they did.
///
/// # Errors
/// When the home can't be read, or nothing was recorded.
pub(in crate::cli) fn test(home: &Path, since: &str, as_json: Form) -> Result<Exit, Failure> {
    let started = Instant::now();
    let Some(subject) = Subject::load(home)? else { return Ok(Exit::No) };
    let mut recording = Recording::since(home, since, Vec::new(), Reader::of(as_json == Form::Json))?;
    let mut comparison = Comparison::new(&subject);
    while let Some(recorded) = recording.next() {
        comparison.take(recorded);
    }
    comparison.end();
    let closed = recording.close();
    let Comparison { mut replay, divergence, fed, compared, untold, .. } = comparison;
    let told: Vec<_> =
        replay.take_invariants().into_iter().filter_map(|news| Some((message_of(&news)?, news))).collect();
    let passed = divergence.is_empty() && !told.iter().any(|(_, news)| is_broken(news));
    let untold = match untold {
        0 => String::new(),
        untold => format!("; {untold} that a person, a webhook, a client or the daemon itself set off are left out"),
    };
    let (compared, fed) = (counted(compared, "publication"), counted(fed, "message"));
    let summary = format!("{compared} of rules compared, fed with {fed} of clients{untold}");
    if as_json == Form::Json {
        let mut answer = divergence_text::answer(&divergence);
        if let Some(answer) = answer.as_object_mut() {
            let test = json!({
                "file": recording.name(), "name": format!("recorded since {since}"),
                "outcome": if passed { "passed" } else { "failed" }, "step": null, "line": 1, "message": summary,
                "duration": started.elapsed().as_secs_f64(),
            });
            answer.insert("tests".to_owned(), Value::Array(vec![test]));
            let invariants = told.iter().map(|(message, news)| invariant_json(news, message)).collect();
            answer.insert("invariants".to_owned(), Value::Array(invariants));
            answer.insert("passed".to_owned(), usize::from(passed).into());
            answer.insert("failed".to_owned(), usize::from(!passed).into());
            answer.insert("coverage".to_owned(), Value::Null);
        }
        print::json(&answer)?;
    } else {
        print::line(&summary);
        for (message, news) in &told {
            print::line(&invariant_line(news, message, &subject.options.calendar.zone));
        }
        if !divergence.is_empty() {
            divergence_text::show(&divergence, ("only now", "only then"), &subject.options.calendar.zone);
            print::line("");
        }
        print::line(&format!("{} passed, {} failed", usize::from(passed), usize::from(!passed)));
    }
    Ok(if passed { closed } else { Exit::No })
}

/// Returns where the rules of `subject` decide otherwise than rules did when it was recorded.
pub(super) fn divergence(subject: &Subject, recording: &mut Recording) -> Divergence {
    let mut comparison = Comparison::new(subject);
    while let Some(recorded) = recording.next() {
        comparison.take(recorded);
    }
    comparison.end();
    comparison.divergence
}

fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// For whom it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// What rules publish now, beside what they published then.
struct Comparison {
    replay: Replay,
    /// When the replay begins. A `while` that is true then begins anew: that is no decision of this time.
    begin: Option<Timestamp>,
    last: Option<Timestamp>,
    /// What hasn't found its like yet.
    now: Vec<Published>,
    then: Vec<Published>,
    divergence: Divergence,
    fed: u64,
    compared: u64,
    untold: u64,
}

impl Comparison {
    fn new(subject: &Subject) -> Comparison {
        Comparison {
            replay: Replay::new(subject.rules.clone(), subject.options.clone()),
            begin: None,
            last: None,
            now: Vec::new(),
            then: Vec::new(),
            divergence: Divergence::default(),
            fed: 0,
            compared: 0,
            untold: 0,
        }
    }

    fn take(&mut self, recorded: Recorded) {
        if self.begin.is_none() {
            // Just before the first message, which has an instant of its own: what it leads to is a decision of this time.
            let begin = recorded.at.checked_sub(BEFORE).unwrap_or(recorded.at);
            self.begin = Some(begin);
            self.replay.begin_at(begin);
        }
        self.last = Some(recorded.at);
        if recorded.message.origin == Origin::Own {
            // It is left out there, and may be where the replay begins.
            self.replay.feed(recorded.clone());
            self.note(recorded);
            return;
        }
        self.fed += u64::from(recorded.message.origin == Origin::Live);
        let at = recorded.at;
        self.replay.feed(recorded);
        self.compare(at);
    }

    /// Notes what a rule published then.
    fn note(&mut self, recorded: Recorded) {
        let Recorded { at, message, rule, cause, .. } = recorded;
        let cause = cause.and_then(|cause| cause_of(&serde_json::from_str(&cause).ok()?));
        let Some(rule) = rule else { return };
        // Who cut a recording may have left out why.
        let cause = cause.unwrap_or(Cause { kind: CauseKind::Condition, depth: 0, run: None, armed: None });
        if is_untold(&cause) {
            self.untold += 1;
            return;
        }
        if matches!(cause.kind, CauseKind::Time { due, .. } if self.begin.is_some_and(|begin| due <= begin)) {
            // The replay begins too late for it.
            return;
        }
        self.compared += 1;
        self.then.push(Published { at, publication: Publication { message, rule, cause } });
    }

    fn end(&mut self) {
        let Some(last) = self.last else { return };
        self.replay.end(last);
        self.compare(Timestamp::MAX);
    }

    /// Takes away what is on both sides. What is too old at `at` to find its like differs.
    fn compare(&mut self, at: Timestamp) {
        let begin = self.begin;
        let now = self.replay.published().into_iter();
        self.now
            .extend(now.filter(|published| Some(published.at) != begin && !is_untold(&published.publication.cause)));
        let then = &mut self.then;
        self.now.retain(|now| match then.iter().position(|then| is_alike(now, then)) {
            Some(index) => {
                then.remove(index);
                false
            }
            None => true,
        });
        let is_old = |published: &Published| at.duration_since(published.at) > LATE + LATE;
        self.divergence.only_here.extend(self.now.extract_if(.., |published| is_old(published)));
        self.divergence.only_there.extend(self.then.extract_if(.., |published| is_old(published)));
    }
}

/// Returns whether it is something that a recording doesn't have.
fn is_untold(cause: &Cause) -> bool {
    match cause.kind {
        CauseKind::Client(_)
        | CauseKind::Event(_)
        | CauseKind::Webhook(_)
        | CauseKind::Person
        | CauseKind::Expired(_) => true,
        CauseKind::Message { .. } | CauseKind::Time { .. } | CauseKind::Condition | CauseKind::Rule(_) => false,
    }
}

/// Returns whether both are the same decision, by whichever rule: a rule may have been renamed.
fn is_alike(now: &Published, then: &Published) -> bool {
    let (a, b) = (&now.publication.message, &then.publication.message);
    now.at.duration_since(then.at).abs() <= LATE
        && a.topic == b.topic
        && a.qos == b.qos
        && a.retain == b.retain
        && a.payload.agrees_with(&b.payload)
}
