//! Reports mistakes in expressions, and text that a comment cuts off.

use crate::lang::yaml::tree::{Node, Scalar};
use crate::lang::{Applies, Code, Severity};
use crate::model::PlacedText;
use crate::script::{Expression, ExpressionError, ExpressionErrorKind};

use super::{Reader, file_span};

impl Reader<'_> {
    /// Reports a mistake in the expression `text`.
    pub(in crate::lang) fn expression_error(&mut self, text: &PlacedText, error: &ExpressionError) {
        let code = Code::of(error.kind);
        let span = file_span(text, error.at.clone());
        let help = quotes_help(error, text).or_else(|| error.help.clone());
        self.findings.error(code, span, error.message.clone()).help_if(help);
    }

    /// Warns about comparisons that can never be true.
    pub(in crate::lang) fn doubts(&mut self, expression: &Expression) {
        for doubt in expression.doubts() {
            let span = file_span(expression.source(), doubt.at.clone());
            self.findings.warning(Code::of(doubt.kind), span, doubt.message.clone()).help_if(doubt.help.clone());
        }
    }

    /// Returns whether ` #` cuts off unquoted text, and reports it if the rest looks like part of the text.
    pub(super) fn is_cut(&mut self, node: &Node, scalar: &Scalar) -> bool {
        if !scalar.is_plain || node.span.is_empty() {
            return false;
        }
        let line = self.text.line(node.span.end);
        let Some(end) = self.text.line_range(line).map(|range| range.end) else { return false };
        let rest = self.text.get(node.span.end..end);
        let comment = rest.trim_start();
        let Some(after) = comment.strip_prefix('#') else { return false };
        // `#{` starts a map in an expression, and no comment has an expression in it; `#1` may start either.
        let severity = match after.chars().next() {
            Some('{') => Severity::Error,
            _ if after.contains("${") => Severity::Error,
            Some(letter) if letter.is_ascii_digit() => Severity::Warning,
            _ => return false,
        };
        let start = node.span.end + rest.len() - comment.len();
        let span = start..start + comment.trim_end().len();
        let text = self.text.get(node.span.start..span.end).to_owned();
        let whole = node.span.start..span.end;
        let quoted =
            if text.contains(['"', '\\']) { format!("'{}'", text.replace('\'', "''")) } else { format!("\"{text}\"") };
        let found =
            self.findings.error(Code::CUT_BY_COMMENT, span, "the text ends here, because ` #` starts a comment");
        found.help(format!("write `{quoted}`; if this is a comment, put a space after the `#`"));
        let applies = if severity == Severity::Error { Applies::Safe } else { Applies::Unsure };
        found.fix(whole, quoted, applies);
        found.severity = severity;
        severity == Severity::Error
    }
}

/// Returns the help for a name that nothing sets where text is likely: right of a comparison, or in capitals.
fn quotes_help(error: &ExpressionError, text: &PlacedText) -> Option<String> {
    if error.kind != ExpressionErrorKind::UnknownVariable {
        return None;
    }
    let source = text.as_str();
    let name = source.get(error.at.clone())?;
    if ["true", "false"].contains(&name.to_lowercase().as_str()) {
        return Some(format!("write `{}`", name.to_lowercase()));
    }
    let before = source.get(..error.at.start)?.trim_end();
    let is_compared = ["==", "!="].iter().any(|operator| before.ends_with(operator));
    let is_capital = name.chars().any(char::is_uppercase);
    (is_compared || is_capital).then(|| format!("did you mean the text `'{name}'`? Text needs quotes"))
}
