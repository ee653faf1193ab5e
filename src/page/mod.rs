//! The page: HTML and SVG made from the types of `api`, and the few files that a browser gets with them.
//!
//! Pure: it takes values and gives text, and decides nothing. Whatever comes from outside is text in it, never markup: the
//! templates escape, and what can't be seen or turns a line around is written out (`shown`). No style and no script stands
//! in a page, so that the browser may refuse all of those (docs/page.md).
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod asset;
mod chart;
mod device;
mod graph;
mod layout;
mod look;
mod now;
mod rule;
mod shadow;
mod shown;
mod timeline;
mod topic;
mod trial;

pub use device::{DevicePage, DevicesPage, device, devices, inputs};
pub use graph::{GraphPage, graph};
pub use layout::{Frame, View, page, problem_page, sign_in_page};
pub use look::Look;
pub use now::{now, recent_list};
pub use rule::{RulePage, RulesPage, one_run, rule, rules};
pub use shadow::shadow;
pub use shown::encoded;
pub use timeline::{TimelinePage, timeline};
pub use topic::{TopicPage, TopicsPage, topic, topics};
pub use trial::{TrialPage, difference, findings, trial};
