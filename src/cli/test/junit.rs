//! The report of tests as `JUnit` XML, for build servers.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::api::Finding;
use crate::cli::Failure;

use super::runner::{Finished, Ran};

/// Writes the report into the file `path`.
///
/// # Errors
/// When it can't be written.
pub(super) fn write(path: &Path, results: &[Finished<'_>]) -> Result<(), Failure> {
    fs::write(path, report(results))
        .map_err(|error| Failure::new(format!("the report `{}` can't be written: {error}", path.display())))
}

fn report(results: &[Finished<'_>]) -> String {
    let mut suites = String::new();
    let (mut tests, mut failed, mut broken) = (0, 0, 0);
    for finished in results {
        let prefix = &finished.suite.prefix;
        for found in finished.unloaded() {
            broken += 1;
            write_unloaded(&mut suites, prefix, &found);
        }
        for file in &finished.suite.files {
            let ran: Vec<&Ran<'_>> = finished.tests.iter().filter(|ran| ran.file.path == file.path).collect();
            if ran.is_empty() {
                continue;
            }
            let failures = ran.iter().filter(|ran| ran.outcome.failure.is_some()).count();
            tests += ran.len();
            failed += failures;
            write_suite(&mut suites, &format!("{prefix}{}", file.path), &ran, failures);
        }
    }
    let tests = tests + broken;
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites tests=\"{tests}\" failures=\"{failed}\" errors=\"{broken}\">\n{suites}</testsuites>\n"
    )
}

/// Writes a file that doesn't load, as a test that couldn't run.
fn write_unloaded(xml: &mut String, prefix: &str, found: &Finding) {
    let name = attribute(&format!("{prefix}{}", found.file));
    let message = attribute(&format!("{prefix}{}: {}", found.place(), found.message));
    let _ = writeln!(
        xml,
        "  <testsuite name=\"{name}\" tests=\"1\" failures=\"0\" errors=\"1\">\n    \
         <testcase classname=\"{name}\" name=\"loads\"><error message=\"{message}\"/></testcase>\n  \
         </testsuite>"
    );
}

fn write_suite(xml: &mut String, file: &str, ran: &[&Ran<'_>], failures: usize) {
    let name = attribute(file);
    let seconds: f64 = ran.iter().map(|ran| ran.duration.as_secs_f64()).sum();
    let tests = ran.len();
    let _ = writeln!(
        xml,
        "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" time=\"{seconds:.6}\">"
    );
    for ran in ran {
        write_case(xml, &name, ran);
    }
    xml.push_str("  </testsuite>\n");
}

fn write_case(xml: &mut String, class: &str, ran: &Ran<'_>) {
    let name = attribute(&ran.case.name);
    let seconds = ran.duration.as_secs_f64();
    let _ = write!(xml, "    <testcase classname=\"{class}\" name=\"{name}\" time=\"{seconds:.6}\"");
    match &ran.outcome.failure {
        None => xml.push_str("/>\n"),
        Some(failure) => {
            let message = attribute(&format!("{}: {}", failure.place, failure.message));
            let report = escape(&failure.report.to_string());
            let _ = writeln!(xml, ">\n      <failure message=\"{message}\">{report}</failure>\n    </testcase>");
        }
    }
}

/// Returns `text` as it stands in an attribute, where a line break would be read as a space.
fn attribute(text: &str) -> String {
    escape(text).replace('\n', "&#10;").replace('\t', "&#9;")
}

/// Returns `text` as it stands in XML; characters that XML forbids are left out.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(letter),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {}
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_forbids_is_escaped_or_left_out() {
        assert_eq!(escape("a<b & \"c\">\u{1}\n"), "a&lt;b &amp; &quot;c&quot;&gt;\n");
        assert_eq!(attribute("two\nlines"), "two&#10;lines");
    }
}
