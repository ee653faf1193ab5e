//! Files and their tags: `!include` and its relatives, `!secret` and `!env_var`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::folder::{Fetched, Folder};
use crate::lang::Code;
use crate::lang::import::home_assistant::report::{Finding, Reason};
use crate::lang::import::home_assistant::yaml::{Comment, Entry, Kind, Node, Place, Secret, parse};

/// How many files may include each other in a row.
const DEEPEST: usize = 16;

/// How many files a configuration may read.
const MOST_FILES: usize = 10_000;

/// A file that was read.
#[derive(Debug)]
pub(in crate::lang::import::home_assistant) struct Loaded {
    /// Its lines, to quote them.
    pub(in crate::lang::import::home_assistant) lines: Vec<String>,
    pub(in crate::lang::import::home_assistant) comments: Vec<Comment>,
}

/// Reads files, and remembers what it read.
pub(in crate::lang::import::home_assistant) struct Loader<'a> {
    folder: &'a Folder<'a>,
    /// All files that were read, by their path.
    pub(in crate::lang::import::home_assistant) files: BTreeMap<Arc<str>, Loaded>,
    /// What couldn't be read.
    pub(in crate::lang::import::home_assistant) findings: Vec<Finding>,
    secrets: BTreeMap<String, Option<BTreeMap<String, Node>>>,
    open: Vec<Arc<str>>,
}

impl<'a> Loader<'a> {
    pub(in crate::lang::import::home_assistant) fn new(folder: &'a Folder<'a>) -> Loader<'a> {
        Loader { folder, files: BTreeMap::new(), findings: Vec::new(), secrets: BTreeMap::new(), open: Vec::new() }
    }

    /// Returns a file's text; `None` if there is none. What can't be read is found.
    pub(in crate::lang::import::home_assistant) fn text(&mut self, path: &str) -> Option<String> {
        match (self.folder.read)(path) {
            Fetched::Missing => None,
            Fetched::Refused(reason) => {
                self.refuse(path, 1, format!("`{path}` isn't read: {reason}"));
                None
            }
            Fetched::Content(bytes) => match String::from_utf8(bytes) {
                Ok(text) => Some(text),
                Err(error) => {
                    let line = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
                    let line = line.filter(|byte| **byte == b'\n').count() + 1;
                    let advice = "Home Assistant doesn't read it either: save it as UTF-8";
                    self.refuse(path, line, format!("`{path}` isn't UTF-8 text. {advice}"));
                    None
                }
            },
        }
    }

    /// Returns the YAML files below a folder.
    pub(in crate::lang::import::home_assistant) fn list(&self, path: &str) -> Option<Vec<String>> {
        (self.folder.list)(path)
    }

    pub(in crate::lang::import::home_assistant) fn refuse(&mut self, file: &str, line: usize, reason: String) {
        let finding =
            Finding { file: file.into(), line, name: file.to_owned(), reason: Reason::new(Code::NOT_READ, reason) };
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// Returns a file's content, tags resolved; `None` if it's missing, empty or can't be read.
    pub(in crate::lang::import::home_assistant) fn file(&mut self, path: &str) -> Option<Node> {
        let text = self.text(path)?;
        let file: Arc<str> = path.into();
        if self.files.len() >= MOST_FILES {
            self.refuse(path, 1, format!("more than {MOST_FILES} files are included"));
            return None;
        }
        let parsed = parse(&file, &text);
        let lines = text.lines().map(|line| line.strip_prefix('\u{feff}').unwrap_or(line).to_owned()).collect();
        match parsed {
            Ok((node, comments)) => {
                self.files.insert(Arc::clone(&file), Loaded { lines, comments });
                let mut node = node?;
                self.open.push(file);
                self.resolve(&mut node);
                self.open.pop();
                Some(node)
            }
            Err(error) => {
                self.files.insert(file, Loaded { lines, comments: Vec::new() });
                self.refuse(path, error.line, error.message);
                None
            }
        }
    }

    /// Resolves the tags within `node`, except `!input`.
    fn resolve(&mut self, node: &mut Node) {
        match &mut node.kind {
            Kind::List(items) => items.iter_mut().for_each(|item| self.resolve(item)),
            Kind::Map(entries) => entries.iter_mut().for_each(|entry| self.resolve(&mut entry.value)),
            Kind::Tagged(tag, inner) if &**tag != "!input" => {
                let (tag, inner) = (Arc::clone(tag), (**inner).clone());
                node.kind = self.tagged(&tag, &inner).unwrap_or_else(|reason| {
                    let code = if &*tag == "!secret" { Code::SECRET_NOT_TAKEN } else { Code::NOT_READ };
                    Kind::Broken(Arc::new(Reason::new(code, reason)))
                });
            }
            Kind::Scalar(_) | Kind::Tagged(..) | Kind::Broken(_) => {}
        }
    }

    fn tagged(&mut self, tag: &str, inner: &Node) -> Result<Kind, String> {
        let argument = inner.as_scalar().map(|scalar| scalar.text.trim().to_owned()).unwrap_or_default();
        match tag {
            "!secret" => self.secret(&inner.place, &argument),
            "!env_var" => {
                let (name, default) = argument.split_once(' ').unwrap_or((&argument, ""));
                let mut node = Node::text_at(&inner.place, default);
                if let Kind::Scalar(scalar) = &mut node.kind {
                    scalar.secret = Some(Secret::Environment(name.into()));
                }
                Ok(node.kind)
            }
            "!include" => {
                let path = self.beside(&inner.place, &argument)?;
                let before = self.findings.len();
                match self.included(&path)? {
                    Some(node) => Ok(node.kind),
                    None if self.findings.len() > before => Err(format!("`{path}` can't be read")),
                    None if self.files.contains_key(&*path) => Ok(Node::list_at(&inner.place, Vec::new()).kind),
                    None => {
                        let reason = format!("`{argument}` is included here, but there is no such file");
                        self.refuse(&inner.place.file, inner.place.line, reason.clone());
                        Err(reason)
                    }
                }
            }
            "!include_dir_list" | "!include_dir_merge_list" | "!include_dir_named" | "!include_dir_merge_named" => {
                self.include_folder(tag, &inner.place, &argument)
            }
            "!lambda" => Err("`!lambda` is a tag of ESPHome: Home Assistant doesn't read it".to_owned()),
            tag => Err(format!("the tag `{tag}` isn't one that Home Assistant knows")),
        }
    }

    fn included(&mut self, path: &str) -> Result<Option<Node>, String> {
        let reason = if self.open.iter().any(|open| &**open == path) {
            format!("`{path}` includes itself")
        } else if self.open.len() >= DEEPEST {
            format!("files include each other more than {DEEPEST} deep")
        } else {
            return Ok(self.file(path));
        };
        let file = self.open.last().cloned().unwrap_or_default();
        self.refuse(&file, 1, reason.clone());
        Err(reason)
    }

    #[expect(clippy::case_sensitive_file_extension_comparisons, reason = "Home Assistant reads only small letters")]
    fn include_folder(&mut self, tag: &str, place: &Place, argument: &str) -> Result<Kind, String> {
        let folder = self.beside(place, argument)?;
        let Some(paths) = self.list(&folder) else {
            let reason = format!("`{argument}` is included here, but there is no such folder");
            self.refuse(&place.file, place.line, reason.clone());
            return Err(reason);
        };
        let (mut list, mut map) = (Vec::new(), Vec::new());
        for path in paths {
            let name = path.rsplit('/').next().unwrap_or(&path);
            if name == "secrets.yaml" || !name.ends_with(".yaml") {
                continue;
            }
            let Some(node) = self.included(&path)? else { continue };
            match tag {
                "!include_dir_list" => list.push(node),
                "!include_dir_named" => {
                    let key = Node::text_at(&node.place, name.trim_end_matches(".yaml"));
                    map.push(Entry { key, value: node });
                }
                "!include_dir_merge_list" => match node.kind {
                    Kind::List(items) => list.extend(items),
                    _ => self.refuse(&path, 1, format!("`{path}` is included in a list, but isn't one")),
                },
                _ => match node.kind {
                    Kind::Map(entries) => map.extend(entries),
                    _ => self.refuse(&path, 1, format!("`{path}` is included in a map, but isn't one")),
                },
            }
        }
        Ok(if tag.ends_with("list") { Kind::List(list) } else { Kind::Map(map) })
    }

    /// Returns the path of what a file names beside itself.
    fn beside(&mut self, place: &Place, argument: &str) -> Result<String, String> {
        let folder = place.file.rsplit_once('/').map_or("", |(folder, _)| folder);
        within(folder, argument).ok_or_else(|| {
            let reason = format!("`{argument}` is outside of the configuration, so it isn't read");
            self.refuse(&place.file, place.line, reason.clone());
            reason
        })
    }

    /// Returns a secret: from `secrets.yaml` beside the file, or in a folder above.
    fn secret(&mut self, place: &Place, name: &str) -> Result<Kind, String> {
        let mut folder = place.file.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        loop {
            let path = if folder.is_empty() { "secrets.yaml".to_owned() } else { format!("{folder}/secrets.yaml") };
            if let Some(mut found) = self.secrets_of(&path).and_then(|secrets| secrets.get(name).cloned()) {
                if let Kind::Scalar(scalar) = &mut found.kind {
                    scalar.secret = Some(Secret::Named(name.into()));
                }
                return Ok(found.kind);
            }
            if folder.is_empty() {
                return Err(format!("the secret `{name}` isn't in secrets.yaml"));
            }
            folder = folder.rsplit_once('/').map_or("", |(above, _)| above).to_owned();
        }
    }

    fn secrets_of(&mut self, path: &str) -> Option<&BTreeMap<String, Node>> {
        if !self.secrets.contains_key(path) {
            let text = self.text(path);
            let parsed = text.map(|text| parse(&path.into(), &text));
            let secrets = match parsed {
                Some(Ok((Some(node), _))) => {
                    let entries = node.as_map().unwrap_or_default().iter();
                    Some(entries.map(|entry| (entry.name().to_owned(), entry.value.clone())).collect())
                }
                Some(Err(error)) => {
                    // The message may quote a value.
                    self.refuse(path, error.line, "this isn't YAML, so no secret can be read".to_owned());
                    None
                }
                Some(Ok((None, _))) | None => None,
            };
            self.secrets.insert(path.to_owned(), secrets);
        }
        self.secrets.get(path)?.as_ref()
    }
}

/// Returns the path that `argument` names from `folder`; `None` if it leads out of the configuration.
pub(super) fn within(folder: &str, argument: &str) -> Option<String> {
    if argument.starts_with('/') || argument.contains('\\') || argument.contains('\0') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in argument.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
