//! YAML as Home Assistant reads it: what a file contains, each part with its file and line, and its comments.

mod comments;
mod node;
mod parse;
mod scalar;

pub(super) use comments::Comment;
pub(super) use node::{Entry, Kind, Node, Place, Scalar, Secret};
pub(super) use parse::parse;
pub(super) use scalar::Value;
