//! The rule files themselves: read, and saved where `web.edit` allows it.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use axum::extract::{Path as UrlPath, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::daemon::web::Shared;
use crate::daemon::web::problem::Problem;
use crate::daemon::web::view::beside;
use crate::disk::home_files::is_test;
use crate::disk::replace_file;

use super::attempt::refused;
use super::check::Candidate;

/// Whether `file` is a rule file's path in the folder of the rules.
///
/// # Errors
/// Where it's outside, or none that holds rules.
pub(super) fn rule_file(rules: &str, file: &str) -> Result<(), Problem> {
    let folder = rules.trim_start_matches("./").trim_end_matches('/');
    let outside = || Problem::bad_request(format!("`{file}` isn't in `{folder}/`, the folder of the rules"));
    let inside = file.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')).ok_or_else(outside)?;
    let is_plain = |component: Component<'_>| match component {
        Component::Normal(name) => !name.to_string_lossy().starts_with('.'),
        _ => false,
    };
    let path = Path::new(inside);
    if inside.contains("//") || inside.contains("/./") || inside.contains('\0') || !path.components().all(is_plain) {
        return Err(outside());
    }
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    if !matches!(ending, "yaml" | "yml" | "rhai") || is_test(file) {
        return Err(Problem::bad_request(format!(
            "`{file}` isn't a rule file: it must end in `.yaml`, `.yml` or `.rhai`"
        )));
    }
    Ok(())
}

/// Returns what tells one text from another.
pub(in crate::daemon::web) fn tag(text: &[u8]) -> String {
    let digest = Sha256::digest(text);
    format!("\"{}\"", hex(digest.get(..16).unwrap_or_default()))
}

/// Returns bytes as hexadecimal digits.
pub(in crate::daemon::web) fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Reads a rule file as it's on the disk; `None` where there's none.
///
/// # Errors
/// When it can't be read, isn't text, or leads out of the folder of the rules.
pub(in crate::daemon::web) fn read(home: &Path, rules: &str, file: &str) -> Result<Option<String>, Problem> {
    rule_file(rules, file)?;
    let path = home.join(file);
    let Ok(found) = fs::canonicalize(&path) else { return Ok(None) };
    let folder = fs::canonicalize(home.join(rules)).map_err(|error| unreadable(file, &error))?;
    if !found.starts_with(&folder) {
        return Err(Problem::bad_request(format!("`{file}` leads out of the folder of the rules")));
    }
    match fs::read(&found) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(Problem::conflict(format!("`{file}` isn't text in UTF-8"))),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(file, &error)),
    }
}

fn unreadable(file: &str, error: &io::Error) -> Problem {
    Problem::internal(format!("`{file}` can't be read: {error}"))
}

/// `GET /api/files/{path}`: the text as it's on the disk, with its `ETag`.
pub(in crate::daemon::web) async fn get(
    State(shared): State<Shared>,
    UrlPath(file): UrlPath<String>,
) -> Result<Response, Problem> {
    let (home, rules) = (shared.home.clone(), shared.rules.clone());
    let name = file.clone();
    let text = beside(move || read(&home, &rules, &name)).await??;
    let text = text.ok_or_else(|| Problem::not_found(format!("there's no file `{file}`")))?;
    let tag = tag(text.as_bytes());
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    let mut response = ([(header::CONTENT_TYPE, plain)], text).into_response();
    set_tag(&mut response, &tag);
    Ok(response)
}

fn set_tag(response: &mut Response, tag: &str) {
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
}

/// What must be so for a file to be saved.
#[derive(Debug, Clone)]
enum Only {
    /// It's what it was.
    IfSame(String),
    /// It isn't there.
    IfNew,
}

impl Only {
    fn of(headers: &HeaderMap) -> Result<Only, Problem> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
        match (text(header::IF_MATCH), text(header::IF_NONE_MATCH)) {
            (Some(tag), _) => Ok(Only::IfSame(tag)),
            (None, Some(none)) if none.trim() == "*" => Ok(Only::IfNew),
            _ => Err(Problem::new(
                StatusCode::PRECONDITION_REQUIRED,
                "send the file's `ETag` as `If-Match`, or `If-None-Match: *` for a new file",
            )),
        }
    }

    fn holds(&self, known: Option<&str>) -> bool {
        match (self, known) {
            (Only::IfSame(tags), Some(text)) => {
                let known = tag(text.as_bytes());
                tags.split(',').any(|tag| tag.trim() == known || tag.trim() == "*")
            }
            (Only::IfNew, None) => true,
            (Only::IfSame(_), None) | (Only::IfNew, Some(_)) => false,
        }
    }
}

/// `PUT /api/files/{path}`: saves a rule file in one step, if its text loads and the file is what it was.
pub(in crate::daemon::web) async fn put(
    State(shared): State<Shared>,
    UrlPath(file): UrlPath<String>,
    headers: HeaderMap,
    text: String,
) -> Result<Response, Problem> {
    rule_file(&shared.rules, &file)?;
    if !shared.may_edit {
        return Err(Problem::forbidden(
            "rules can't be changed over the web: `web: { edit: true }` in homerule.yaml allows it",
        ));
    }
    let only = Only::of(&headers)?;
    let sources = shared.link.ask(|home| home.sources.clone()).await?;
    let (home, rules) = (shared.home.clone(), shared.rules.clone());
    beside(move || {
        let known = read(&home, &rules, &file)?;
        if !only.holds(known.as_deref()) {
            let detail = format!("`{file}` was changed meanwhile: read it again");
            return Err(Problem::new(StatusCode::PRECONDITION_FAILED, detail));
        }
        let candidate = Candidate::new(sources, &file, &text);
        if candidate.home.diagnostics.iter().any(|found| is_error_in(found, &file)) || !candidate.loads() {
            return Ok(refused(&candidate, &file, false));
        }
        let path = home.join(&file);
        write(&path, known.as_deref(), &text)
            .map_err(|error| Problem::conflict(format!("`{file}` can't be saved: {error}")))?;
        let status = if known.is_some() { StatusCode::NO_CONTENT } else { StatusCode::CREATED };
        let mut response = status.into_response();
        set_tag(&mut response, &tag(text.as_bytes()));
        Ok(response)
    })
    .await?
}

fn is_error_in(found: &crate::lang::Diagnostic, file: &str) -> bool {
    found.severity == crate::lang::Severity::Error && *found.label.file == *file
}

fn write(path: &PathBuf, known: Option<&str>, text: &str) -> io::Result<()> {
    if let Some(known) = known {
        return replace_file(path, known, text);
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = fs::File::create_new(path)?;
    io::Write::write_all(&mut file, text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rule_files_in_the_folder_of_the_rules_are_files() {
        for file in ["rules/a.yaml", "rules/living/tv.yml", "rules/x.rhai", "rules/lib/x.rhai"] {
            assert!(rule_file("rules", file).is_ok(), "{file}");
        }
        for file in [
            "homerule.yaml",
            "rules/../homerule.yaml",
            "rules/./a.yaml",
            "/etc/a.yaml",
            "rules//a.yaml",
            "rules/.hidden.yaml",
            "rules/a.test.yaml",
            "rules/a.txt",
            "rules/",
            "rulesx/a.yaml",
            "",
        ] {
            assert_eq!(rule_file("rules", file).unwrap_err().status(), StatusCode::BAD_REQUEST, "{file}");
        }
        assert!(rule_file("./my/rules/", "my/rules/a.yaml").is_ok());
    }

    #[test]
    fn a_file_is_saved_only_if_it_is_what_it_was() {
        let headers = |name: header::HeaderName, value: &str| HeaderMap::from_iter([(name, value.parse().unwrap())]);
        let same = Only::of(&headers(header::IF_MATCH, &tag(b"a"))).unwrap();
        assert!(same.holds(Some("a")) && !same.holds(Some("b")) && !same.holds(None));
        let new = Only::of(&headers(header::IF_NONE_MATCH, "*")).unwrap();
        assert!(new.holds(None) && !new.holds(Some("a")));
        assert_eq!(Only::of(&HeaderMap::new()).unwrap_err().status(), StatusCode::PRECONDITION_REQUIRED);
    }
}
