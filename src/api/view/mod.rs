//! What the page shows and programs can have too: what is going on now, how a rule would be judged, what was before.

mod device;
mod difference;
mod file;
mod graph;
mod history;
mod now;
mod past_events;
mod shadow;
mod topics;
mod verdict;
mod why;

pub use device::{DeviceRule, PropertyHistory};
pub use difference::{Difference, RuleDifference};
pub use file::{SourceAnswer, SourcePart};
pub use graph::{GraphAnswer, GraphArrow, GraphBox};
pub use history::{History, Point, thin_out};
pub use now::{Now, Recent, RecentKind, Waiting, Wrong, WrongKind};
pub use past_events::{HoldSpan, PastRun, TimelineAnswer};
pub use shadow::{ShadowAnswer, ShadowDifferenceAnswer, ShadowRule, ShadowWhy};
pub use topics::{Branch, branches};
pub use verdict::{VerdictAnswer, VerdictPart, VerdictSubject};
pub use why::{WhyLink, why_links};
