//! The report of tests as people read it: nothing of those that passed, all of those that failed.

use clap::builder::styling::{AnsiColor, Style};

use crate::cli::print;
use crate::explain::LineKind;

use super::runner::{Finished, Ran};

/// Writes the failures of a home's tests.
pub(super) fn write_failures(finished: &Finished<'_>) {
    let suite = finished.suite;
    print::diagnostics(&suite.errors, &suite.sources, &suite.prefix);
    for (_, found) in &suite.broken {
        print::diagnostics(found, &suite.sources, &suite.prefix);
    }
    for ran in &finished.tests {
        write_failure(ran, &suite.prefix);
        write_notes(ran, &suite.prefix);
    }
}

fn write_failure(ran: &Ran<'_>, prefix: &str) {
    let Some(failure) = &ran.outcome.failure else { return };
    let red = AnsiColor::Red.on_default().bold();
    let bold = Style::new().bold();
    print::line(&format!("{red}FAILED{red:#} {bold}{}{bold:#}", ran.case.name));
    let step = failure.step.map_or(String::new(), |step| format!("step {step}, "));
    print::line(&format!("{prefix}{}: {step}{}", failure.place, failure.message));
    if !failure.report.lines.is_empty() {
        print::line("");
    }
    for line in &failure.report.lines {
        let style = style(line.kind);
        let text = if line.text.is_empty() { String::new() } else { format!("  {style}{}{style:#}", line.text) };
        print::line(&text);
    }
    print::line("");
}

/// Says what may make a test pass for the wrong reason: runs that failed, and steps that nothing can hear.
fn write_notes(ran: &Ran<'_>, prefix: &str) {
    let yellow = AnsiColor::Yellow.on_default().bold();
    let (place, name) = (&ran.case.place, &ran.case.name);
    for unheard in &ran.outcome.unheard {
        print::line(&format!("{yellow}note{yellow:#} {prefix}{place}: in `{name}`, {unheard}"));
    }
    if ran.outcome.failure.is_some() {
        return;
    }
    for (rule, why) in &ran.outcome.failed_runs {
        print::line(&format!(
            "{yellow}note{yellow:#} {prefix}{place}: `{name}` passed, though a run of `{rule}` failed:"
        ));
        print::line(&format!("  {why}"));
        print::line(&format!("  where that is meant, write `expect_run: {{ rule: {rule}, outcome: failed }}`"));
        print::line("");
    }
}

fn style(kind: LineKind) -> Style {
    match kind {
        LineKind::Heading => Style::new().bold(),
        LineKind::Same => Style::new().dimmed(),
        LineKind::Missing => AnsiColor::Red.on_default(),
        LineKind::Unexpected => AnsiColor::Green.on_default(),
        LineKind::Differs => AnsiColor::Yellow.on_default(),
        LineKind::Plain => Style::new(),
    }
}
