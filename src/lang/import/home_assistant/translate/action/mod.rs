//! Actions: sequences, and calls by what they are about.

pub(in crate::lang::import::home_assistant::translate) mod call;
pub(in crate::lang::import::home_assistant::translate) mod command;
pub(in crate::lang::import::home_assistant::translate) mod finite;
pub(in crate::lang::import::home_assistant::translate) mod flow;
pub(in crate::lang::import::home_assistant::translate) mod helper_call;
pub(in crate::lang::import::home_assistant::translate) mod notify;
pub(in crate::lang::import::home_assistant::translate) mod publish;
pub(in crate::lang::import::home_assistant::translate) mod request;
pub(in crate::lang::import::home_assistant::translate) mod target;
pub(in crate::lang::import::home_assistant::translate) mod timer_call;
pub(in crate::lang::import::home_assistant::translate) mod wait;
