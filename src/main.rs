//! Arguments in, exit status out.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// What traces, heard messages and recordings remember is freed in the order in which it came, among much that is short-lived: the
/// system's allocator spends a third of an action on that (docs/decisions/0011).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    homerule::cli::main(std::env::args_os())
}
