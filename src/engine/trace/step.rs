//! Steps of a trace: what a run did or asked, and what came of it.
//!
//! Each message that fires a rule makes some, and hardly any is ever read: they are kept as what they are made of.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Label, Place, Topic, Value};
use crate::rules::ActionKind;

use super::{BlockedBy, StepResult, Verdict, WhyUnknown};

/// One thing that a run did or asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The place in the rule: `when[0]`, `if`, `then[1].else[0]`.
    pub path: Arc<str>,
    /// When.
    pub at: Timestamp,
    /// What it is.
    pub kind: StepKind,
    /// What came of it.
    pub result: StepResult,
    /// The values that it read, by what was read.
    pub values: Vec<(Label, Value)>,
    /// For what a closure does: where its script asks for it. Few steps have one, so it takes little room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Box<Place>>,
}

impl Step {
    /// Returns a step that read nothing.
    #[must_use]
    pub fn new(path: &Arc<str>, at: Timestamp, kind: StepKind, result: StepResult) -> Step {
        Step { path: Arc::clone(path), at, kind, result, values: Vec::new(), place: None }
    }

    /// Returns how it was judged, if it's a condition.
    #[must_use]
    pub fn verdict(&self) -> Option<&Verdict> {
        match &self.result {
            StepResult::Judged { verdict, .. } => Some(verdict),
            _ => None,
        }
    }

    /// Returns the topics that a condition read and that had no value then: perhaps others were meant.
    #[must_use]
    pub fn topics_without_value(&self) -> Vec<Topic> {
        // A name without levels may be a variable's.
        let null = self.values.iter().filter(|(_, value)| value.is_null()).map(|(label, _)| label.to_string());
        let read = null.filter(|name| name.contains('/'));
        let unknown = match self.verdict() {
            Some(Verdict::Unknown(why)) => match &**why {
                WhyUnknown::NoValueYet(topic) => Some(topic.clone()),
                WhyUnknown::NoNumber { .. } | WhyUnknown::TooLarge { .. } => None,
            },
            Some(Verdict::True | Verdict::False(_) | Verdict::Failed(_)) | None => None,
        };
        read.filter_map(|topic| Topic::parse(&topic).ok()).chain(unknown).collect()
    }
}

/// The kinds of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// What set off the run, or what its `wait` was for.
    Trigger,
    /// A timer that was due.
    Timer,
    /// A condition.
    Condition,
    /// What blocked the rule; the store calls it `gate`.
    #[serde(rename = "gate")]
    Blocked(BlockedBy),
    /// `publish`.
    Publish,
    /// `scene`.
    Scene,
    /// `set`, of devices.
    Set,
    /// `input`.
    Input,
    /// `notify`.
    Notify,
    /// A closure of a script.
    Script,
    /// `delay`.
    Delay,
    /// `wait`.
    Wait,
    /// `if`.
    If,
    /// `choose`.
    Choose,
    /// `repeat`.
    Repeat,
    /// `parallel`.
    Parallel,
    /// `let`.
    Let,
    /// `remember`.
    Remember,
    /// `run`.
    Run,
    /// `enable`.
    Enable,
    /// `disable`.
    Disable,
    /// `cancel`, of a rule's runs or a timer.
    Cancel,
    /// `extend`.
    Extend,
    /// `forget`.
    Forget,
    /// `resume`.
    Resume,
    /// `snapshot`.
    Snapshot,
    /// `restore`.
    Restore,
    /// `log`.
    Log,
    /// `http`.
    Http,
    /// `exec`.
    Exec,
    /// `stop`.
    Stop,
    /// `after` of a script: it sets a timer.
    After,
    /// What was waited for, from outside or another run.
    Answer,
    /// The `until` of a `wait` or `repeat`.
    Until,
    /// The time that an `at` gives.
    At,
    /// What a run that hasn't ended waits for.
    Waits,
}

impl StepKind {
    /// The kinds that have a word of their own.
    const PLAIN: [StepKind; 35] = [
        StepKind::Trigger,
        StepKind::Timer,
        StepKind::Condition,
        StepKind::Publish,
        StepKind::Scene,
        StepKind::Set,
        StepKind::Input,
        StepKind::Notify,
        StepKind::Script,
        StepKind::Delay,
        StepKind::Wait,
        StepKind::If,
        StepKind::Choose,
        StepKind::Repeat,
        StepKind::Parallel,
        StepKind::Let,
        StepKind::Remember,
        StepKind::Run,
        StepKind::Enable,
        StepKind::Disable,
        StepKind::Cancel,
        StepKind::Extend,
        StepKind::Forget,
        StepKind::Resume,
        StepKind::Snapshot,
        StepKind::Restore,
        StepKind::Log,
        StepKind::Http,
        StepKind::Exec,
        StepKind::Stop,
        StepKind::After,
        StepKind::Answer,
        StepKind::Until,
        StepKind::At,
        StepKind::Waits,
    ];

    /// Returns what a step of this action is.
    #[must_use]
    pub fn of(action: &ActionKind) -> StepKind {
        match action {
            ActionKind::Publish(_) => StepKind::Publish,
            ActionKind::Scene { .. } | ActionKind::SceneByName(_) => StepKind::Scene,
            ActionKind::Set(_) => StepKind::Set,
            ActionKind::Input(_) => StepKind::Input,
            ActionKind::Notify(_) => StepKind::Notify,
            ActionKind::Script(_) => StepKind::Script,
            ActionKind::Delay(_) => StepKind::Delay,
            ActionKind::Wait(_) => StepKind::Wait,
            ActionKind::If { .. } => StepKind::If,
            ActionKind::Choose { .. } | ActionKind::ChooseCase { .. } => StepKind::Choose,
            ActionKind::Repeat { .. } => StepKind::Repeat,
            ActionKind::Parallel(_) => StepKind::Parallel,
            ActionKind::Let(_) => StepKind::Let,
            ActionKind::Remember(_) => StepKind::Remember,
            ActionKind::Run { .. } => StepKind::Run,
            ActionKind::Switch { is_enabled: true, .. } => StepKind::Enable,
            ActionKind::Switch { is_enabled: false, .. } => StepKind::Disable,
            ActionKind::Cancel(_) => StepKind::Cancel,
            ActionKind::Extend { .. } => StepKind::Extend,
            ActionKind::Forget(_) => StepKind::Forget,
            ActionKind::Resume(_) => StepKind::Resume,
            ActionKind::Snapshot(_) => StepKind::Snapshot,
            ActionKind::Restore { .. } => StepKind::Restore,
            ActionKind::Log { .. } => StepKind::Log,
            ActionKind::Http(_) => StepKind::Http,
            ActionKind::Exec(_) => StepKind::Exec,
            ActionKind::Stop(_) => StepKind::Stop,
        }
    }

    /// Returns the kind's word in answers for programs, where it's `what`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            StepKind::Trigger => "trigger",
            StepKind::Timer => "timer",
            StepKind::Condition => "condition",
            StepKind::Blocked(by) => by.word(),
            StepKind::Publish => "publish",
            StepKind::Scene => "scene",
            StepKind::Set => "set",
            StepKind::Input => "input",
            StepKind::Notify => "notify",
            StepKind::Script => "script",
            StepKind::Delay => "delay",
            StepKind::Wait => "wait",
            StepKind::If => "if",
            StepKind::Choose => "choose",
            StepKind::Repeat => "repeat",
            StepKind::Parallel => "parallel",
            StepKind::Let => "let",
            StepKind::Remember => "remember",
            StepKind::Run => "run",
            StepKind::Enable => "enable",
            StepKind::Disable => "disable",
            StepKind::Cancel => "cancel",
            StepKind::Extend => "extend",
            StepKind::Forget => "forget",
            StepKind::Resume => "resume",
            StepKind::Snapshot => "snapshot",
            StepKind::Restore => "restore",
            StepKind::Log => "log",
            StepKind::Http => "http",
            StepKind::Exec => "exec",
            StepKind::Stop => "stop",
            StepKind::After => "after",
            StepKind::Answer => "answer",
            StepKind::Until => "until",
            StepKind::At => "at",
            StepKind::Waits => "waits",
        }
    }

    /// Returns the kind that `word` is for.
    pub(super) fn from_word(word: &str) -> Option<StepKind> {
        let mut kinds = StepKind::PLAIN.into_iter().chain(BlockedBy::ALL.into_iter().map(StepKind::Blocked));
        kinds.find(|kind| kind.word() == word)
    }
}
