//! `homerule check --fix`: applies the fixes that are safe, and leaves no file worse than it was.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::disk;
use crate::lang::{Applies, Diagnostic, Fix, Severity, Source, Sources, apply_fixes};

use crate::cli::Failure;

/// How many rounds there are at most: one fix may uncover what the next one resolves.
const MOST_ROUNDS: usize = 20;

/// Finds all mistakes in the files of a home.
type Check<'c> = &'c dyn Fn(&Sources) -> Vec<Diagnostic>;

/// A home's files with those of their safe fixes applied that make nothing worse.
#[derive(Debug)]
pub(in crate::cli) struct Fixed {
    /// The files.
    pub(in crate::cli) sources: Sources,
    /// How many fixes were applied, by file.
    pub(in crate::cli) counts: BTreeMap<Arc<str>, usize>,
}

impl Fixed {
    /// Returns `sources` with the safe fixes of what `check` finds in them. Each change is checked before it's kept.
    pub(in crate::cli) fn of(sources: &Sources, check: Check<'_>) -> Fixed {
        let mut fixed = Fixed { sources: sources.clone(), counts: BTreeMap::new() };
        let mut found = check(sources);
        for _ in 0..MOST_ROUNDS {
            let mut is_done = true;
            for (file, fixes) in safe_fixes(&found) {
                // All at once if that resolves all of them; otherwise the first one that makes nothing worse.
                let alone = fixes.iter().map(|fix| (std::slice::from_ref(fix), 0));
                let kept = [(fixes.as_slice(), fixes.len())].into_iter().chain(alone).find_map(|(fixes, resolved)| {
                    let changed = fixed.with(&file, fixes)?;
                    let after = check(&changed);
                    is_no_worse(&found, &after, &file, resolved).then_some((changed, after, fixes.len()))
                });
                if let Some((sources, after, count)) = kept {
                    is_done = false;
                    (fixed.sources, found) = (sources, after);
                    *fixed.counts.entry(file).or_default() += count;
                }
            }
            if is_done {
                break;
            }
        }
        fixed
    }

    /// Returns the files with `fixes` applied to one of them; `None` if that changes nothing.
    fn with(&self, file: &Arc<str>, fixes: &[Fix]) -> Option<Sources> {
        let text = text_of(&self.sources, file)?;
        let fixed = apply_fixes(text, fixes);
        (fixed != text).then(|| {
            let mut sources = self.sources.clone();
            sources.insert(Arc::clone(file), Source::Content(fixed.as_bytes().into()));
            sources
        })
    }

    /// Writes the changed files to the folder of the home, whose files were `original`.
    ///
    /// # Errors
    /// When a file can't be written, or isn't what it was any more.
    pub(in crate::cli) fn write(&self, home: &Path, original: &Sources) -> Result<(), Failure> {
        for file in self.counts.keys() {
            if let (Some(old), Some(new)) = (text_of(original, file), text_of(&self.sources, file)) {
                disk::replace_file(&home.join(&**file), old, new)
                    .map_err(|error| Failure::new(format!("can't fix `{file}`: {error}")))?;
            }
        }
        Ok(())
    }
}

/// Returns the safe fixes of each file.
fn safe_fixes(found: &[Diagnostic]) -> BTreeMap<Arc<str>, Vec<Fix>> {
    let mut fixes: BTreeMap<Arc<str>, Vec<Fix>> = BTreeMap::new();
    for found in found {
        if let Some(fix) = found.fix.as_ref().filter(|fix| fix.applies == Applies::Safe) {
            fixes.entry(Arc::clone(&found.label.file)).or_default().push(fix.clone());
        }
    }
    fixes
}

/// Returns whether a change to `file` leaves the home no worse: the file has at least `resolved` mistakes fewer, and the
/// others have no more; or the file can be read now, which may uncover others.
fn is_no_worse(before: &[Diagnostic], after: &[Diagnostic], file: &str, resolved: usize) -> bool {
    let is_read =
        |found: &[Diagnostic]| !found.iter().any(|found| *found.label.file == *file && found.code.is_about_syntax());
    if is_read(before) != is_read(after) {
        return is_read(after);
    }
    let count = |found: &[Diagnostic], severity: Severity, is_own: bool| {
        let is_counted = |found: &&Diagnostic| found.severity == severity && (*found.label.file == *file) == is_own;
        found.iter().filter(is_counted).count()
    };
    let (errors, warnings) = (Severity::Error, Severity::Warning);
    let total = |found: &[Diagnostic]| count(found, errors, true) + count(found, warnings, true);
    count(after, errors, true) <= count(before, errors, true)
        && total(after) + resolved <= total(before)
        && count(after, Severity::Error, false) <= count(before, Severity::Error, false)
}

fn text_of<'s>(sources: &'s Sources, file: &str) -> Option<&'s str> {
    match sources.get(file)? {
        Source::Content(bytes) => std::str::from_utf8(bytes).ok(),
        Source::Unreadable(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Home;

    fn fixed(files: &[(&str, &str)]) -> Fixed {
        let source = |(path, text): &(&str, &str)| (Arc::from(*path), Source::Content(text.as_bytes().into()));
        let sources: Sources = files.iter().map(source).collect();
        Fixed::of(&sources, &|sources| Home::load(sources).diagnostics)
    }

    fn fixed_text(yaml: &str) -> (String, usize) {
        let fixed = fixed(&[("rules/a.yaml", yaml)]);
        (text_of(&fixed.sources, "rules/a.yaml").unwrap().to_owned(), fixed.counts.values().sum())
    }

    #[test]
    fn several_slips_of_a_file_are_fixed_together() {
        let broken = "rules:\n  é: { whne: a/b, enabled: yes, then: { pubilsh: a/c, payload: 1, retian: on } }\n";
        let wanted = "rules:\n  é: { when: a/b, enabled: true, then: { publish: a/c, payload: 1, retain: true } }\n";
        assert_eq!(fixed_text(broken), (wanted.to_owned(), 5));
    }

    #[test]
    fn a_fix_that_makes_a_file_readable_uncovers_the_next() {
        let broken = "rules:\n  r:\n    name: @home\n    whne: a/b\n    then: { a/c: ${msg} }\n";
        let wanted = "rules:\n  r:\n    name: \"@home\"\n    when: a/b\n    then: { a/c: \"${msg}\" }\n";
        assert_eq!(fixed_text(broken), (wanted.to_owned(), 3));
    }

    #[test]
    fn a_guess_is_left_alone() {
        for guess in [
            "rules: { r: { when: a/b, then: { run: othr } }, other: { when: a/b, then: { a/c: 1 } } }",
            "rules: { r: { when: { state: a/b, for: 30 }, then: { a/c: 1 } } }",
            "rules: { r: { trigger: a/b, then: { a/c: 1 } } }",
        ] {
            assert_eq!(fixed_text(guess), (guess.to_owned(), 0));
        }
    }

    #[test]
    fn a_fix_that_makes_a_file_worse_is_left_out_and_the_others_are_applied() {
        // `delay` has no `timeout` and no `on_timeout`: with it there would be two mistakes instead of one.
        let broken = "rules: { r: { whne: a/b, then: { wait: 5m, timeout: 1m, on_timeout: stop } } }";
        let wanted = "rules: { r: { when: a/b, then: { wait: 5m, timeout: 1m, on_timeout: stop } } }";
        assert_eq!(fixed_text(broken), (wanted.to_owned(), 1));
    }
}
