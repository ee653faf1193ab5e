//! How a test ended, and why.

use std::collections::BTreeSet;

use crate::explain::Report;
use crate::model::{Place, RuleId, Topic};
use crate::sim::coverage::Exercised;
use crate::sim::home::Published;

/// How a test ended.
#[derive(Debug, Clone)]
pub struct TestOutcome {
    /// Why it failed; `None`: it passed.
    pub failure: Option<Failure>,
    /// What it has exercised of the rules.
    pub exercised: Exercised,
    /// Runs that failed though the test expects no failed run of their rule: the rule, and why.
    pub failed_runs: BTreeSet<(RuleId, String)>,
    /// Steps that no rule can hear, in words: a webhook that none has.
    pub unheard: BTreeSet<String>,
    /// What rules published while its recording was played, which a snapshot holds; `None`: none was, or not to its end.
    pub replayed: Option<Vec<Published>>,
    /// Topics that rules published to, and that its recording has as well without saying who published it.
    pub doubtful: BTreeSet<Topic>,
}

impl TestOutcome {
    /// Returns how a test ended that couldn't begin.
    #[must_use]
    pub fn failed(failure: Failure) -> TestOutcome {
        TestOutcome {
            failure: Some(failure),
            exercised: Exercised::default(),
            failed_runs: BTreeSet::new(),
            unheard: BTreeSet::new(),
            replayed: None,
            doubtful: BTreeSet::new(),
        }
    }
}

/// Why a test failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The step, counted from 1; `None`: before the first or after the last.
    pub step: Option<usize>,
    /// Where the test says what failed.
    pub place: Place,
    /// What failed; stands alone.
    pub message: String,
    /// What was expected beside what happened, and why it happened.
    pub report: Report,
}
