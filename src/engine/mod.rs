//! The core: decides what an event leads to. It has no clock, no files and no sockets; time is told to it.
//!
//! One message, from end to end: [`Engine::handle`] fires the deadlines that are due (`live::deadlines`), `dispatch` notes
//! the state and finds the subscribers, `trigger` decides whether a trigger fires, `run::admission` whether its rule may
//! run, `run::stepper` does the actions one by one (`action`), and what they publish goes through the same way before
//! `handle` returns.
//!
//! Each room is a submachine that owns its state (`core` holds them together); what they want done later goes into the
//! inbox, and what the shell must do into the effects.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod action;
mod activation;
mod clock_change;
mod condition;
mod consistency;
mod core;
mod device;
mod dispatch;
mod effect;
#[expect(clippy::module_inception, reason = "the engine is the noun of this room")]
mod engine;
mod event;
mod history;
mod inbox;
mod instant;
mod invariant;
mod kept;
mod live;
mod often;
mod options;
mod people;
mod reload;
mod run;
mod trace;
mod trigger;
mod view;
mod waits;
mod while_rule;
mod yielding;

pub use condition::by_time::{ByTime, RuleByTime};
pub use device::devices::DeviceOptions;
pub use effect::{ALERT_TOPIC, Alert, AlertKind, Effect, HttpCall, Publication, RequestId};
pub use engine::Engine;
pub use event::{Answer, Event};
pub use invariant::{Breach, InvariantChange, InvariantNews, InvariantView};
pub use kept::{SaveKey, Snapshot};
pub use options::Options;
pub use people::notify::{Notice, NoticeButton, NoticesView, Undelivered};
pub use trace::{
    Armed, Awaited, BlockedBy, Cause, CauseKind, DeviceStep, DueEvent, Fault, Loop, Missing, NoRoom, Outcome, Refusal,
    Room, RunId, Step, StepKind, StepResult, StopReason, StoppedBy, Trace, Verdict, WaitsFor, WhyFalse, WhyUnknown,
};
pub use view::{ArmedHold, Doing, Judged, RuleView, TriggerSources, WaitKind, Waits};
pub use yielding::{Overridden, OverriddenBy};
