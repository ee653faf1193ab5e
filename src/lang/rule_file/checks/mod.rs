//! What is looked up and checked beside the decoding: other rules, the past, values that are ignored, unlikely texts.

pub(in crate::lang::rule_file) mod ignored;
pub(in crate::lang::rule_file) mod past;
pub(in crate::lang::rule_file) mod references;
pub(in crate::lang::rule_file) mod unlikely;
