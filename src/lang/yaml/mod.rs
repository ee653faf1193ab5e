//! YAML: a file's text as a located tree, and what is wrong with text that isn't YAML.

mod brackets;
mod error;
pub(in crate::lang) mod scalar;
pub(in crate::lang) mod tree;
mod writer;

pub use writer::Yaml;
