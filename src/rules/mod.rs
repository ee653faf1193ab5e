//! Rules as data, checked: what may start them, what must hold, what they do. Made by `lang`, decided by `engine`.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod action;
mod condition;
mod device;
mod index;
mod input;
mod notify;
mod parts;
mod rule;
mod ruleset;
mod trigger;
mod wanted;

pub use crate::model::LogLevel;
pub use action::{
    Action, ActionKind, Block, BlockId, Branch, Case, DurationTemplate, Exec, FormedTriggers, Http, IfChanged, OnError,
    OnTimeout, Publish, RepeatKind, RuleReference, Until, Wait, WaitFor,
};
pub use condition::{Condition, ConditionKind, StateCondition};
pub use device::{Confirm, DeviceChoice, DeviceCondition, DeviceTrigger, PublishConfirm, SetAction};
pub use index::{IndexKey, TopicIndex};
pub use input::{Input, InputKind, Inputs};
pub use notify::{Notify, NotifyButton};
pub use rule::{Mode, Per, Rule, Start, WhileRule};
pub use ruleset::{EachTopic, RuleEntry, Ruleset};
pub use trigger::{ClientChange, HomeEvent, Question, Range, StateTrigger, Trigger, TriggerKind};
pub use wanted::Wanted;
