//! Actions: what a rule does, step by step (docs/language/actions.md).
//!
//! A rule's lists of actions stand in one arena, [`super::Rule::blocks`]: a run's place is a block and an
//! index, which survives a restart as long as the rule is the same.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{LogLevel, Name, Place, Qos, RuleId, Value};
use crate::script::{Closure, Expression, Template};

use super::{Condition, Notify, PublishConfirm, SetAction, Snapshot, Trigger};

/// A list of actions, by its place in [`super::Rule::blocks`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BlockId(pub u32);

/// A list of actions.
#[derive(Debug, Clone)]
pub struct Block {
    /// Where it stands in its rule: `then`, `then[1].else`.
    pub path: Arc<str>,
    /// The actions, in order.
    pub actions: Vec<Action>,
}

/// One action.
#[derive(Debug, Clone)]
pub struct Action {
    /// What it does.
    pub kind: ActionKind,
    /// What happens to the run when it fails.
    pub on_error: OnError,
    /// Where it stands in its rule: `then[1].else[0]`.
    pub path: Arc<str>,
    /// Where it stands in its file.
    pub place: Place,
}

/// What happens to a run when one of its actions fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// The run ends, failed.
    #[default]
    Fail,
    /// It goes on with the next action.
    Continue,
}

/// What happens when a rule that is to run can't: its mode drops the run, or it's disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnDropped {
    /// The action fails.
    #[default]
    Fail,
    /// The run goes on.
    Continue,
}

/// The kinds of actions.
#[derive(Debug, Clone)]
pub enum ActionKind {
    /// Publishes messages, in order: one for `publish`, several for a map of topics.
    Publish(Vec<Publish>),
    /// Publishes each topic of a scene, then commands its devices.
    Scene {
        /// The scene's name.
        name: Arc<str>,
        /// Its messages.
        messages: Vec<Publish>,
        /// What its devices are told.
        sets: Vec<SetAction>,
        /// The constants of its file, where that is another than the rule's: the messages read these.
        constants: Vec<(Name, Value)>,
    },
    /// Publishes each topic of the scene of this name, which is one of [`super::Rule::scenes`].
    SceneByName(Template),
    /// Commands devices.
    Set(SetAction),
    /// Sets inputs, in order.
    Input(Vec<(Name, Template)>),
    /// Tells people something.
    Notify(Notify),
    /// Calls a closure of a script.
    Script(Closure),
    /// Waits.
    Delay(DurationTemplate),
    /// Waits for something.
    Wait(Wait),
    /// One of two ways.
    If {
        /// Decides.
        condition: Condition,
        /// Where it holds.
        then: BlockId,
        /// Where it doesn't.
        otherwise: Option<BlockId>,
    },
    /// The first branch whose condition holds.
    Choose {
        /// The branches, in order.
        branches: Vec<Branch>,
        /// Where none holds.
        otherwise: Option<BlockId>,
    },
    /// The case whose key the value equals.
    ChooseCase {
        /// Gives the value.
        on: Expression,
        /// The cases, in order.
        cases: Vec<Case>,
        /// Where none is equal.
        otherwise: Option<BlockId>,
    },
    /// Does a list again and again.
    Repeat {
        /// How often.
        kind: RepeatKind,
        /// The list.
        body: BlockId,
    },
    /// Does lists side by side, and goes on when all are done.
    Parallel(Vec<BlockId>),
    /// Sets variables of the run, in order; each may read those before it.
    Let(Vec<(Name, Template)>),
    /// Sets values that last.
    Remember(Vec<(Name, Template)>),
    /// Runs another rule's `then`.
    Run {
        /// The rule.
        rule: RuleReference,
        /// The variables that it sees.
        with: Vec<(Name, Template)>,
        /// Whether it waits for it.
        waits: bool,
        /// What happens if its mode drops the run, or it's disabled.
        on_dropped: OnDropped,
    },
    /// Switches a rule on (true) or off (false).
    Switch {
        /// The rule.
        rule: RuleReference,
        /// Which of both.
        is_enabled: bool,
    },
    /// Ends a rule's runs.
    Cancel(RuleReference),
    /// Moves the end of what a rule waits for.
    Extend {
        /// The rule.
        rule: RuleReference,
        /// Where to.
        to: ExtendTo,
    },
    /// Clears what a rule remembers.
    Forget(RuleReference),
    /// Ends the override of a rule.
    Resume(RuleReference),
    /// Remembers what topics and devices say now.
    Snapshot(Snapshot),
    /// Commands devices back to what a snapshot remembers, and publishes what topics said.
    Restore {
        /// Its name, or what it was taken of.
        name: Template,
        /// Where each topic's payload goes, with `topic` as where it came from; `None`: nowhere is said.
        to: Option<Template>,
    },
    /// Writes to the log and the trace.
    Log {
        /// What.
        text: Template,
        /// How loudly.
        level: LogLevel,
    },
    /// An HTTP request.
    Http(Http),
    /// Runs a program.
    Exec(Exec),
    /// Ends the run.
    Stop(Template),
}

/// A message to publish.
#[derive(Debug, Clone)]
pub struct Publish {
    /// Gives the topic.
    pub topic: Template,
    /// Gives the payload.
    pub payload: Template,
    /// How surely it is delivered.
    pub qos: Qos,
    /// Whether the broker keeps it.
    pub retain: bool,
    /// When not to publish.
    pub if_changed: IfChanged,
    /// What must be said after it; `None`: nothing is waited for.
    pub confirm: Option<PublishConfirm>,
}

/// When a message is not published, since nothing would change.
#[derive(Debug, Clone, Default)]
pub enum IfChanged {
    /// It always is.
    #[default]
    Always,
    /// Not if the topic's last payload equals it.
    OwnTopic,
    /// Not if this topic's state matches it, key by key.
    Topic(Template),
}

/// A duration, fixed or given by a template.
#[derive(Debug, Clone)]
pub enum DurationTemplate {
    /// Known at load.
    Fixed(Duration),
    /// A text as users write durations, known at run.
    Template(Template),
}

/// `wait`: until something happens, or a time is over.
#[derive(Debug, Clone)]
pub struct Wait {
    /// What is waited for.
    pub what: WaitFor,
    /// How long at most; `None`: for ever.
    pub timeout: Option<DurationTemplate>,
    /// What happens then.
    pub on_timeout: OnTimeout,
}

/// What a wait waits for.
#[derive(Debug, Clone)]
pub enum WaitFor {
    /// Any of these.
    Triggers(Vec<Trigger>),
    /// Any of those that the run makes of these.
    Formed(FormedTriggers),
    /// That this holds.
    Until(Condition),
}

/// Triggers whose texts read what only a run knows.
#[derive(Clone)]
pub struct FormedTriggers {
    /// What these texts are, in their order.
    pub texts: Vec<Template>,
    /// What is like the triggers, but hears whatever they may hear.
    pub shape: Vec<Trigger>,
    /// Makes the triggers.
    pub form: FormTriggers,
}

/// Makes triggers, given the values of their texts. An error says what is wrong with one. Pure.
type FormTriggers = Arc<dyn Fn(&[Value]) -> Result<Vec<Trigger>, String> + Send + Sync>;

impl fmt::Debug for FormedTriggers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FormedTriggers").field("texts", &self.texts).field("shape", &self.shape).finish_non_exhaustive()
    }
}

/// What happens when a wait's time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnTimeout {
    /// The run ends, stopped.
    #[default]
    Stop,
    /// It goes on.
    Continue,
    /// It does these first.
    Do(BlockId),
}

/// A branch of `choose`.
#[derive(Debug, Clone)]
pub struct Branch {
    /// Decides.
    pub condition: Condition,
    /// What is done where it holds.
    pub then: BlockId,
}

/// A case of `choose: EXPR`.
#[derive(Debug, Clone)]
pub struct Case {
    /// What the value equals.
    pub value: Value,
    /// What is done then.
    pub then: BlockId,
}

/// How often a `repeat` does its list.
#[derive(Debug, Clone)]
pub enum RepeatKind {
    /// So many times; a whole number.
    Times(Template),
    /// As long as this holds, asked before each turn.
    While(Condition),
    /// Until this holds, asked after each turn.
    Until(Condition),
    /// Once for each item of a list.
    Each(Template),
    /// Now and each interval, until something happens.
    Every {
        /// The interval.
        interval: DurationTemplate,
        /// What ends it.
        until: Until,
    },
}

/// What ends a `repeat` with `every`.
#[derive(Debug, Clone)]
pub enum Until {
    /// That this holds.
    Condition(Condition),
    /// Any of these happens.
    Triggers(Vec<Trigger>),
    /// Any of those that the run makes of these happens.
    Formed(FormedTriggers),
}

/// A rule that an action names.
#[derive(Debug, Clone)]
pub enum RuleReference {
    /// Found at load.
    Fixed(RuleId),
    /// Found at run: a template gives what the user would write, in the file of this rule.
    Template(Template),
}

/// `http`: a request.
#[derive(Debug, Clone)]
pub struct Http {
    /// `GET` unless told; a text.
    pub method: Template,
    /// Where to.
    pub url: Template,
    /// Headers, by name.
    pub headers: Vec<(Template, Template)>,
    /// What is sent: a text as it is, a map or list as JSON.
    pub body: Option<Template>,
    /// How long the answer may take.
    pub timeout: DurationTemplate,
}

/// `exec`: runs a program, without a shell.
#[derive(Debug, Clone)]
pub struct Exec {
    /// The program, then its arguments.
    pub command: Vec<Template>,
    /// How long it may run.
    pub timeout: DurationTemplate,
}

/// Where the end of what a rule waits for is moved to.
#[derive(Debug, Clone)]
pub enum ExtendTo {
    /// So much later.
    By(DurationTemplate),
    /// The next time that it is this time of day, or this time.
    Until(Template),
}
