//! Work on rule files over the web: check a text, try it on what was recorded, save it.

pub(super) mod attempt;
pub(super) mod check;
pub(super) mod file;
pub(super) mod incident_test;
