//! The views of rules: all of them, one of them, one run.

mod list;
mod one;
mod run;
mod source;
mod strip;
mod verdict;

pub use list::{RulesPage, rules};
pub use one::{RulePage, rule};
pub use run::one_run;
pub(super) use run::why_list;
