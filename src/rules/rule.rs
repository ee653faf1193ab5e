//! A rule: what starts it, what must hold, what it does, and what happens when it is triggered again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::model::history::Asked;
use crate::model::{Name, Place, RuleId, Topic, Value};
use crate::script::{Expression, Template};

use super::{Action, ActionKind, Block, BlockId, Condition, Invariant, Trigger, Yields};

/// A rule, checked.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own in rule files")]
pub struct Rule {
    /// Its full id.
    pub id: RuleId,
    /// For people.
    pub name: Option<Arc<str>>,
    /// For people.
    pub description: Option<Arc<str>>,
    /// For people.
    pub tags: Vec<Arc<str>>,
    /// The numbers of the warnings that it allows: 170 for `HR170`.
    pub allow: Vec<u16>,
    /// Whether the file switches it on.
    pub enabled: bool,
    /// What starts it.
    pub start: Start,
    /// The constants of its file and the variables of `each`, known at load.
    pub constants: Vec<(Name, Value)>,
    /// The topic that this instance of `each: {topic: …}` is for: gives `topic` and `msg`.
    pub each_topic: Option<Topic>,
    /// Variables computed when the rule is triggered, or begins; each may read those before it.
    pub variables: Vec<(Name, Template)>,
    /// What must hold.
    pub condition: Option<Condition>,
    /// All lists of actions of the rule.
    pub blocks: Vec<Block>,
    /// What it does.
    pub then: Option<BlockId>,
    /// What it does when the condition is false, or a `while` ends.
    pub otherwise: Option<BlockId>,
    /// The scenes that it may name at run, each as the action that publishes it.
    pub scenes: Arc<BTreeMap<Name, ActionKind>>,
    /// What happens when it is triggered while it runs.
    pub mode: Mode,
    /// How many runs of one key there may be, running and waiting together: of `queued` and `parallel`.
    pub max: usize,
    /// Which runs count as the same.
    pub per: Per,
    /// How long triggers are ignored after a run started; for a `while`: from one change to the next.
    pub cooldown: Option<Duration>,
    /// How many runs of one key may begin in a time; `None`: any number.
    pub limit: Option<RateLimit>,
    /// What happens when it runs very often.
    pub storm: Storm,
    /// Whether it only traces what it would do to the outside.
    pub dry_run: bool,
    /// Whether it asks until when rules wait.
    pub asks_waits: bool,
    /// What it asks of the past of topics, where that is written out.
    pub past: Vec<Asked>,
    /// When it steps back, since something else than rules changed what it commands.
    pub yields: Option<Yields>,
    /// Whether its commands count as a person's.
    pub hand: bool,
    /// What it demands, where it's no rule but an invariant: then it has no actions.
    pub invariant: Option<Invariant>,
    /// Where its key stands.
    pub place: Place,
    /// A hash of what the rule means: equal for rules that differ in comments, layout or place only.
    pub fingerprint: u64,
}

/// How many runs may begin in a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// How many.
    pub times: usize,
    /// In how long.
    pub within: Duration,
}

/// What happens when a rule runs more often than homes do (docs/language/loops.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Storm {
    /// It's told, beyond `limits.storm` runs in ten seconds.
    #[default]
    Tell,
    /// It's told, beyond so many.
    Beyond(usize),
    /// It rests, as after a loop.
    Stop,
    /// Nothing: it's meant.
    Off,
}

/// What starts a rule.
#[derive(Debug, Clone)]
pub enum Start {
    /// Any of these triggers.
    When(Vec<Trigger>),
    /// A condition, as long as it holds.
    While(WhileRule),
}

/// `while` and the keys that go with it (docs/language/while.md).
#[derive(Debug, Clone)]
pub struct WhileRule {
    /// What must hold.
    pub condition: Condition,
    /// How often `then` runs again; `None`: once.
    pub every: Option<Duration>,
    /// How long it must hold before the rule begins.
    pub hold: Duration,
    /// How long it must not hold before the rule ends.
    pub linger: Duration,
}

/// What happens when a rule is triggered while a run of the same key goes on (docs/language/modes.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// The trigger is ignored, and counted.
    Single,
    /// The run is ended, a new one starts.
    #[default]
    Restart,
    /// The new run waits for its turn.
    Queued,
    /// Both run.
    Parallel,
}

impl Mode {
    /// All modes with their words.
    pub const ALL: [(&'static str, Mode); 4] =
        [("single", Mode::Single), ("restart", Mode::Restart), ("queued", Mode::Queued), ("parallel", Mode::Parallel)];
}

/// Which runs of a rule count as the same.
#[derive(Debug, Clone, Default)]
pub enum Per {
    /// Those whose trigger has the same captures.
    #[default]
    Captures,
    /// Those for which these give the same values; none: all.
    Expressions(Vec<Expression>),
}

impl Rule {
    /// Returns a rule that nothing starts, that does nothing, and that no home has.
    #[must_use]
    pub fn vacant() -> Rule {
        Rule {
            id: RuleId::new("", ""),
            name: None,
            description: None,
            tags: Vec::new(),
            allow: Vec::new(),
            enabled: false,
            start: Start::When(Vec::new()),
            constants: Vec::new(),
            each_topic: None,
            variables: Vec::new(),
            condition: None,
            blocks: Vec::new(),
            then: None,
            otherwise: None,
            scenes: Arc::default(),
            mode: Mode::default(),
            max: 0,
            per: Per::default(),
            cooldown: None,
            limit: None,
            storm: Storm::Off,
            dry_run: true,
            asks_waits: false,
            past: Vec::new(),
            yields: None,
            hand: false,
            invariant: None,
            place: Place { file: Arc::from(""), line: 0, column: 0 },
            fingerprint: 0,
        }
    }

    /// Returns the list of actions `id`; empty for an id of another rule.
    #[must_use]
    pub fn block(&self, id: BlockId) -> &[Action] {
        let index = usize::try_from(id.0).unwrap_or(usize::MAX);
        self.blocks.get(index).map_or(&[], |block| &block.actions)
    }
}
