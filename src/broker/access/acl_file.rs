//! Reads mosquitto's ACL file: `topic`, `user` and `pattern` lines.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::FileError;
use super::acl::{Access, Parts, Pattern};
use super::acl_filter::AclFilter;

/// Reads the file whose content is `bytes`.
///
/// # Errors
/// All lines that are wrong.
pub(super) fn read(bytes: &[u8]) -> Result<Parts, Vec<FileError>> {
    let mut reader = AclReader::default();
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let number = index + 1;
        let read = match std::str::from_utf8(line) {
            Ok(line) => reader.read(number, line),
            Err(_) => Err("this line isn't UTF-8".to_owned()),
        };
        reader.errors.extend(read.err().map(|message| FileError::new(number, message)));
    }
    if reader.errors.is_empty() { Ok(reader.parts) } else { Err(reader.errors) }
}

#[derive(Default)]
struct AclReader {
    parts: Parts,
    /// The user whose part is being read.
    user: Option<Arc<str>>,
    /// Where each user's part begins.
    begun: BTreeMap<Arc<str>, usize>,
    errors: Vec<FileError>,
}

impl AclReader {
    fn read(&mut self, number: usize, line: &str) -> Result<(), String> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let (word, rest) = split_word(line);
        match word {
            "topic" => {
                let (text, access) = entry(word, rest)?;
                let filter = AclFilter::parse(text).ok_or_else(|| not_a_filter(text))?;
                let part = match &self.user {
                    None => &mut self.parts.anonymous,
                    Some(user) => self.parts.users.entry(Arc::clone(user)).or_default(),
                };
                part.add(filter, access);
            }
            "pattern" => {
                let (text, access) = entry(word, rest)?;
                self.parts.patterns.add(Pattern::parse(text).ok_or_else(|| not_a_filter(text))?, access);
            }
            "user" if rest.is_empty() => return Err("`user` needs a name: `user kitchen`".to_owned()),
            "user" => self.begin_user(number, rest.into())?,
            other => return Err(format!("`{other}` isn't `topic`, `user` or `pattern`")),
        }
        Ok(())
    }

    fn begin_user(&mut self, number: usize, user: Arc<str>) -> Result<(), String> {
        self.user = Some(Arc::clone(&user));
        match self.begun.entry(user) {
            Entry::Vacant(entry) => {
                entry.insert(number);
                Ok(())
            }
            Entry::Occupied(entry) => {
                let (user, line) = (entry.key(), entry.get());
                Err(format!("user `{user}` is in line {line} already; put all of their topics below that line"))
            }
        }
    }
}

/// Returns the filter of a `topic` or `pattern` line, and what it grants; `None`: it denies.
fn entry<'l>(word: &str, rest: &'l str) -> Result<(&'l str, Option<Access>), String> {
    if rest.is_empty() {
        return Err(format!("`{word}` needs a topic: `{word} readwrite home/#`"));
    }
    // A topic alone may be read and written; one with a blank needs a word in front of it.
    Ok(match split_word(rest) {
        (text, "") | ("readwrite", text) => (text, Some(Access::ReadWrite)),
        ("read", text) => (text, Some(Access::Read)),
        ("write", text) => (text, Some(Access::Write)),
        ("deny", text) => (text, None),
        (other, _) => return Err(format!("`{other}` isn't `read`, `write`, `readwrite` or `deny`")),
    })
}

fn not_a_filter(text: &str) -> String {
    format!("`{text}` isn't a valid topic filter: `+` has a level of its own, and `#` is the last one")
}

fn split_word(text: &str) -> (&str, &str) {
    text.split_once([' ', '\t']).map_or((text, ""), |(word, rest)| (word, rest.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_line_refuses_the_file_and_all_of_them_are_told() {
        let text = "topic\ntopic reed a\nuser\ntopik a\npattern read a/#/b\nuser u\ntopic ok\nuser u\n";
        let errors: Vec<String> = read(text.as_bytes()).unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(
            errors,
            [
                "line 1: `topic` needs a topic: `topic readwrite home/#`",
                "line 2: `reed` isn't `read`, `write`, `readwrite` or `deny`",
                "line 3: `user` needs a name: `user kitchen`",
                "line 4: `topik` isn't `topic`, `user` or `pattern`",
                "line 5: `a/#/b` isn't a valid topic filter: `+` has a level of its own, and `#` is the last one",
                "line 8: user `u` is in line 6 already; put all of their topics below that line",
            ]
        );
        let broken = read(b"topic a\r\ntopic \xff\r\n").unwrap_err();
        assert_eq!(broken[0].in_file("acl.txt"), "acl.txt:2: this line isn't UTF-8");
    }

    #[test]
    fn blanks_line_ends_and_byte_order_marks_do_not_matter() {
        let plain = read(b"user u\ntopic read a b").unwrap();
        assert_eq!(read("\u{feff}user u\r\n  topic\tread   a b \r\n   # told\r\n".as_bytes()).unwrap(), plain);
        assert_eq!(read(b"").unwrap(), Parts::default());
    }
}
