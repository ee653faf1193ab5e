//! Whoever looks on: the screen, listeners over the web, and what is remembered for questions.

pub(super) mod broadcast;
pub(super) mod heard;
pub(super) mod rule_topics;
pub(super) mod screen;
pub(super) mod traces;
