//! Rules as data, checked: what may start them, what must hold, what they do. Made by `lang`, decided by `engine`.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod action;
mod condition;
mod device;
mod ignored;
mod index;
mod input;
mod notify;
mod parts;
mod rule;
mod ruleset;
mod safety;
mod sequence;
mod snapshot;
mod texts;
mod trigger;
mod wanted;

pub use crate::model::LogLevel;
pub use action::{
    Action, ActionKind, Block, BlockId, Branch, Case, DurationTemplate, Exec, ExtendTo, FormedTriggers, Http,
    IfChanged, OnDropped, OnError, OnTimeout, Publish, RepeatKind, RuleReference, Until, Wait, WaitFor,
};
pub use condition::{Condition, ConditionKind, DeviceCondition, StateCondition};
pub use device::{Confirm, PublishConfirm, SetAction};
pub use ignored::Ignored;
pub use index::{IndexKey, TopicIndex};
pub use input::{Input, InputKind, Inputs};
pub use notify::{NOTICE_VARIABLES, Notify, NotifyButton, NtfyTarget, Target, TargetKind, Targets, TelegramTarget};
pub use rule::{Mode, Per, RateLimit, Rule, Start, Storm, WhileRule};
pub use ruleset::{EachTopic, RuleEntry, Ruleset};
pub use safety::{EXPECT, Expect, Invariant, InvariantForm, Watched, Yields};
pub use sequence::{Order, PartOf, Sequence};
pub use snapshot::{Snapshot, SnapshotPart, parts as snapshot_parts, snapshot_key, snapshot_name};
pub use trigger::{
    ClientChange, DeviceChoice, DeviceTrigger, HomeEvent, Question, Range, StateTrigger, Trigger, TriggerKind,
};
pub use wanted::Wanted;
