//! Requests and programs of rules in the shadow: none is made. One that the rules in force make too gets the same answer; others get
//! what a test's get: nothing, with the status of success.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::engine::{Answer, RequestId};
use crate::model::Payload;
use crate::sim::Decision;

/// How many of each kind are known at most.
const MOST: usize = 1000;

/// How long an answer to the rules in force is waited for.
const PATIENCE: SignedDuration = SignedDuration::from_mins(2);

/// Requests and programs.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// Those of the rules in the shadow that wait.
    waiting: Vec<Waiting>,
    /// Those of the rules in force: open, or answered of late.
    here: BTreeMap<RequestId, Here>,
}

#[derive(Debug)]
struct Waiting {
    request: RequestId,
    what: Arc<str>,
    /// Whether it is a program.
    is_program: bool,
    since: Timestamp,
    due: Timestamp,
}

#[derive(Debug)]
struct Here {
    what: Arc<str>,
    at: Timestamp,
    answer: Option<Answer>,
    /// Whether one in the shadow took its answer, or waits for it.
    taken_by: Option<RequestId>,
}

impl Calls {
    /// The rules in the shadow ask for something at `decision.at`.
    pub(super) fn ask(&mut self, request: RequestId, decision: &Decision, is_program: bool, window: SignedDuration) {
        let due = later(decision.at, window);
        let what = what(decision);
        if self.waiting.len() < MOST {
            self.waiting.push(Waiting { request, what, is_program, since: decision.at, due });
        }
    }

    /// The rules in force asked for something.
    pub(super) fn asked_here(&mut self, request: RequestId, decision: &Decision) {
        self.here.retain(|_, here| later(here.at, PATIENCE) >= decision.at);
        if self.here.len() >= MOST {
            self.here.pop_first();
        }
        let here = Here { what: what(decision), at: decision.at, answer: None, taken_by: None };
        self.here.insert(request, here);
    }

    /// The rules in force got an answer.
    pub(super) fn answered_here(&mut self, request: RequestId, answer: &Answer) {
        if let Some(here) = self.here.get_mut(&request) {
            here.answer = Some(answer.clone());
        }
    }

    /// Returns the answers that are there at `now`.
    pub(super) fn answers(&mut self, now: Timestamp, window: SignedDuration) -> Vec<(RequestId, Answer)> {
        let mut answers = Vec::new();
        let here = &mut self.here;
        self.waiting.retain_mut(|waiting| {
            let is_its = |here: &&mut Here| {
                here.taken_by == Some(waiting.request)
                    || (here.taken_by.is_none()
                        && here.what == waiting.what
                        && here.at.duration_since(waiting.since).abs() <= window)
            };
            let like = here.values_mut().find(is_its);
            let is_over = now > waiting.due;
            match like {
                Some(like) => {
                    like.taken_by = Some(waiting.request);
                    match like.answer.clone() {
                        Some(answer) => answers.push((waiting.request, answer)),
                        None if now > later(waiting.since, PATIENCE) => {
                            answers.push((waiting.request, nothing(waiting.is_program)));
                        }
                        None => {
                            waiting.due = later(waiting.since, PATIENCE);
                            return true;
                        }
                    }
                }
                None if is_over => answers.push((waiting.request, nothing(waiting.is_program))),
                None => return true,
            }
            false
        });
        answers
    }

    /// Returns when something is due.
    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        let due = self.waiting.iter().map(|waiting| waiting.due).min()?;
        Some(later(due, SignedDuration::from_nanos(1)))
    }
}

/// Returns what was asked for, all of it.
fn what(decision: &Decision) -> Arc<str> {
    format!("{} {}", decision.topic, decision.payload.text().unwrap_or_default()).into()
}

fn nothing(is_program: bool) -> Answer {
    Answer::Ended { status: if is_program { 0 } else { 200 }, body: Payload::default(), retry_after: None }
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::By;

    const WINDOW: SignedDuration = SignedDuration::from_secs(1);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn get(seconds: i64) -> Decision {
        let payload = Payload::default();
        Decision { at: at(seconds), topic: "GET http://a/b".into(), payload, retain: false, by: By::Somebody }
    }

    fn answer(body: &str) -> Answer {
        Answer::Ended { status: 200, body: Payload::from_bytes(body.to_owned()), retry_after: None }
    }

    #[test]
    fn what_both_ask_for_is_answered_alike() {
        let mut calls = Calls::default();
        calls.ask(RequestId(1), &get(0), false, WINDOW);
        calls.asked_here(RequestId(7), &get(0));
        assert_eq!(calls.answers(at(30), WINDOW), [], "the other one waits, too");
        calls.answered_here(RequestId(7), &answer("rain"));
        assert_eq!(calls.answers(at(31), WINDOW), [(RequestId(1), answer("rain"))]);
        assert_eq!((calls.answers(at(32), WINDOW), calls.next_deadline()), (vec![], None));
    }

    #[test]
    fn what_only_the_shadow_asks_for_is_answered_with_nothing() {
        let mut calls = Calls::default();
        calls.ask(RequestId(1), &get(0), false, WINDOW);
        assert_eq!(calls.answers(at(1), WINDOW), []);
        assert_eq!(calls.answers(at(2), WINDOW), [(RequestId(1), answer(""))]);
    }
}
