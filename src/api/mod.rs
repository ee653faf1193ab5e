//! What programs read and write: the JSON documents of the HTTP interface, the command line and `run --json`, as types that
//! both sides share.

mod cause;
mod chain;
mod client;
mod device;
mod finding;
mod input;
mod notification;
mod obstacle;
mod publication;
mod rule;
mod schemas;
mod state;
mod status;
mod trace;
pub mod view;

pub use crate::analysis::{BoxKind, Drawing, DrawnBox};
pub use crate::model::recording::{MessageLine, Via};
pub use cause::{CauseAnswer, cause_of};
pub use chain::chain_answer;
pub use client::{BrokerStatus, ClientAnswer};
pub use device::{DeviceAnswer, DeviceDiagnostic, DevicesAnswer, PropertyAnswer};
pub use finding::{Finding, findings};
pub use input::InputAnswer;
pub use notification::{NotificationStatus, UndeliveredNotification};
pub use obstacle::{NearAnswer, ObstacleAnswer};
pub use publication::publication_line;
pub use rule::{LastRun, RuleAnswer};
pub use schemas::schemas;
pub use state::StateAnswer;
pub use status::{
    FailingRule, InstanceStatus, InvariantStatus, LinkStatus, RecorderStatus, RuleCounts, Status, StoreStatus,
};
pub use trace::{EndedBy, StepAnswer, TraceAnswer};
