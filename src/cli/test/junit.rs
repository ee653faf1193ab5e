//! The report of tests as `JUnit` XML, for build servers.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

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
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for finished in results {
        let prefix = &finished.suite.prefix;
        for (file, broken) in &finished.suite.broken {
            let name = escape(&format!("{prefix}{file}"));
            let message = escape(&broken.first().map(|found| found.message.clone()).unwrap_or_default());
            let _ = writeln!(
                xml,
                "  <testsuite name=\"{name}\" tests=\"1\" failures=\"0\" errors=\"1\">\n    \
                 <testcase classname=\"{name}\" name=\"loads\"><error message=\"{message}\"/></testcase>\n  \
                 </testsuite>"
            );
        }
        for file in &finished.suite.files {
            let ran: Vec<&Ran<'_>> = finished.tests.iter().filter(|ran| ran.file.path == file.path).collect();
            if ran.is_empty() {
                continue;
            }
            let failures = ran.iter().filter(|ran| ran.outcome.failure.is_some()).count();
            let name = escape(&format!("{prefix}{}", file.path));
            let _ = writeln!(xml, "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{failures}\">", ran.len());
            for ran in ran {
                write_case(&mut xml, &name, ran);
            }
            xml.push_str("  </testsuite>\n");
        }
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn write_case(xml: &mut String, class: &str, ran: &Ran<'_>) {
    let name = escape(&ran.case.name);
    let seconds = ran.duration.as_secs_f64();
    let _ = write!(xml, "    <testcase classname=\"{class}\" name=\"{name}\" time=\"{seconds:.6}\"");
    match &ran.outcome.failure {
        None => xml.push_str("/>\n"),
        Some(failure) => {
            let message = escape(&format!("{}: {}", failure.place, failure.message));
            let report = escape(&failure.report.to_string());
            let _ = writeln!(xml, ">\n      <failure message=\"{message}\">{report}</failure>\n    </testcase>");
        }
    }
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
    }
}
