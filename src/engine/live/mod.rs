//! The rules in force: their live parts, who is told of what, and what is due when.

pub(crate) mod deadlines;
pub(crate) mod facts;
pub(crate) mod saved;
pub(crate) mod table;
pub(crate) mod tracks;
