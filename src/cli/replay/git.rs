//! Reads the files of a home as they were at a revision of git.

use std::path::Path;
use std::process::{Command, Output};

use crate::cli::Failure;
use crate::disk::home_files::SETTINGS;
use crate::lang::{Home, Source, Sources};

/// Returns the settings and rule files of the home in `folder` at `revision`.
///
/// # Errors
/// When there is no git, no repository, or no such revision.
pub(super) fn read_home(folder: &Path, revision: &str) -> Result<Sources, Failure> {
    if revision.is_empty() || revision.starts_with('-') {
        return Err(Failure::new(format!("`git:{revision}` isn't a revision; use e.g. `git:HEAD` or `git:main~3`")));
    }
    let listed = git(folder, &["ls-tree", "-r", "-z", "--name-only", revision, "."])?;
    let paths: Vec<String> =
        listed.split(|byte| *byte == 0).map(|path| String::from_utf8_lossy(path).into_owned()).collect();
    let mut sources = Sources::new();
    let read = |path: &str| -> Result<Source, Failure> {
        let content = git(folder, &["cat-file", "blob", &format!("{revision}:./{path}")])?;
        Ok(Source::Content(content.into()))
    };
    if paths.iter().any(|path| path == SETTINGS) {
        sources.insert(SETTINGS.into(), read(SETTINGS)?);
    }
    let rules = Home::load(&sources).settings.rules;
    let rules = format!("{}/", rules.trim_matches('/'));
    for path in paths.iter().filter(|path| path.starts_with(&rules) && is_read(path)) {
        sources.insert(path.as_str().into(), read(path)?);
    }
    Ok(sources)
}

/// Returns whether the file at `path` holds rules or a script, and isn't hidden.
fn is_read(path: &str) -> bool {
    let has_ending = [".yaml", ".yml", ".rhai"].iter().any(|ending| path.ends_with(ending));
    has_ending && !path.split('/').any(|part| part.starts_with('.') || part.ends_with('~'))
}

fn git(folder: &Path, arguments: &[&str]) -> Result<Vec<u8>, Failure> {
    let output = Command::new("git").arg("-C").arg(folder).args(arguments).output();
    let Output { status, stdout, stderr } =
        output.map_err(|error| Failure::new(format!("`git` can't be run: {error}")))?;
    if status.success() {
        return Ok(stdout);
    }
    let said = String::from_utf8_lossy(&stderr);
    let reason = said.lines().next().unwrap_or("it failed").trim_start_matches("fatal: ").to_owned();
    Err(Failure::new(format!("git, asked for the rules of `{}`, says: {reason}", folder.display())))
}
