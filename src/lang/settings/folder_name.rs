//! Names of folders in the settings: `data` and `rules`.

use crate::lang::Code;
use crate::lang::reader::Reader;
use crate::lang::yaml::tree::Node;

impl Reader<'_> {
    /// Returns the folder that a value names. It can't be the home's folder, which has other files too.
    pub(in crate::lang) fn folder_name(&mut self, node: &Node, usual: &str) -> Option<String> {
        let name = self.plain_text(node)?;
        if name.split('/').any(|part| !matches!(part, "" | ".")) {
            return Some(name.to_string());
        }
        let span = self.mark(node);
        let message = format!("`{}` isn't a folder of its own", if name.is_empty() { "\"\"" } else { &*name });
        self.findings
            .error(Code::BAD_NAME, span, message)
            .help(format!("name a folder inside the home, e.g. `{usual}`"));
        None
    }
}
