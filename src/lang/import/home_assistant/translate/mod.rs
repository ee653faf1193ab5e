//! Translation: triggers, conditions and actions into rules.

mod action;
mod bridge;
mod condition;
mod derived;
mod device_automation;
mod duration;
mod helper;
mod keys;
mod made;
mod names;
mod refused;
mod rule;
mod shared;
mod trigger;
mod work;

pub(super) use bridge::bridge;
pub(super) use derived::{MadeScene, derived, scene};
pub(super) use helper::Helpers;
pub(super) use names::Names;
pub(super) use names::SceneName;
pub(super) use refused::refused;
pub(super) use rule::{Made, Source as RuleSource, automation, script};
pub(super) use shared::Shared;
