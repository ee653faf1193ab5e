//! `homerule completions`: what a shell needs to complete our commands.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::{Arguments, Exit, print};

/// Writes completions for a shell to standard output.
#[derive(Debug, Args)]
pub(in crate::cli) struct Completions {
    /// The shell.
    shell: Shell,
}

impl Completions {
    pub(in crate::cli) fn execute(self) -> Exit {
        let mut command = Arguments::command();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "homerule", &mut script);
        print::bytes(&script);
        Exit::Well
    }
}
