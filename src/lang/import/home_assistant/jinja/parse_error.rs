//! Why a template can't be read.

/// Why a template can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::lang::import::home_assistant) struct TemplateError {
    /// The byte of the template.
    pub(in crate::lang::import::home_assistant) at: usize,
    pub(in crate::lang::import::home_assistant) message: String,
}
