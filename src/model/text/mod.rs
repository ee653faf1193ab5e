//! Texts: patterns with stars, names that were probably meant, and texts with a limit.

mod bounded;
mod near;
mod one_line;
mod star;

pub use bounded::{BoundedText, TextTooLong};
pub use near::{nearest, slips};
pub use one_line::one_line;
pub use star::matches_star;
