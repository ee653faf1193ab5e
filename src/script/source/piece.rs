//! What a text that code puts together is made of, as far as that is written out.

use crate::model::Name;

/// A part of a text that an expression makes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Piece {
    /// Written out.
    Text(String),
    /// The value of a variable.
    Variable(Name),
    /// Whatever.
    Unknown,
}
