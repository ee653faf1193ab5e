//! Texts: patterns with stars, names that were probably meant, and texts with a limit.

mod bounded;
mod near;
mod star;

pub use bounded::{BoundedText, TextTooLong};
pub use near::{nearest, slips};
pub use star::matches_star;
