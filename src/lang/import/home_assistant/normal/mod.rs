//! The normal form: one spelling of everything that Home Assistant takes in several, old and new.

mod action;
mod automation;
mod condition;
mod entry;
mod trigger;

pub(super) use automation::{automation, sequence_of};
