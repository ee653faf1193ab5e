//! Names of folders in the settings: `data` and `rules`.

use crate::lang::Code;
use crate::lang::reader::Reader;
use crate::lang::yaml::tree::Node;

impl Reader<'_> {
    /// Returns the folder that a value names: one of its own, since what lies in the home's folder is not all of one kind.
    pub(in crate::lang) fn folder_name(&mut self, node: &Node, usual: &str) -> Option<String> {
        let name = self.plain_text(node)?;
        if name.split('/').any(|part| !matches!(part, "" | ".")) {
            return Some(name.to_string());
        }
        let span = self.mark(node);
        let message = format!("`{name}` names no folder of its own");
        self.findings.error(Code::BAD_NAME, span, message).help(format!("name one in the home's folder: `{usual}`"));
        None
    }
}
