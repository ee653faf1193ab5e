//! The functions that expressions and scripts may call.

pub(super) mod commands;
pub(super) mod function;
pub(super) mod home;
pub(super) mod lists;
pub(super) mod literals;
pub(super) mod plain;
pub(super) mod reference;
pub(super) mod script_functions;
pub(super) mod table;
