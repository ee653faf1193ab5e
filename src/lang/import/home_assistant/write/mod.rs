//! Writing: YAML as a person would write it, with comments.

mod doc;
mod scalar;

pub(super) use doc::Doc;
pub(super) use scalar::{json, scalar};
