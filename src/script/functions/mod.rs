//! The functions that expressions and scripts may call: one row says all there is to know of each.
//!
//! To add one, add its row to the file of its subject. Its checks, its help and its line in `docs/language/functions.md`
//! come from there.

pub(super) mod acting;
pub(super) mod arguments;
mod changes;
pub(super) mod elsewhere;
mod formats;
pub(super) mod function;
mod home;
pub(super) mod internal;
mod lists;
mod moments;
mod notifying;
mod numbers;
pub(super) mod reference;
pub(super) mod table;
mod texts;
mod values;
