//! The folder of a configuration, as the shell shows it.

/// What the shell gives for a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// Its bytes.
    Content(Vec<u8>),
    /// There is no such file.
    Missing,
    /// It isn't read, for this reason: `it's a link out of the folder`.
    Refused(String),
}

/// The folder of a configuration. Paths are relative to it, with `/`, and never lead out of it.
pub struct Folder<'a> {
    /// Returns a file.
    pub read: &'a dyn Fn(&str) -> Fetched,
    /// Returns the YAML files below a folder, sorted, without those whose path has a part that begins with a dot; `None`
    /// if there is no such folder.
    pub list: &'a dyn Fn(&str) -> Option<Vec<String>>,
}

impl std::fmt::Debug for Folder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Folder")
    }
}
