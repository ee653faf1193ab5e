//! A stack that holds whatever a script can nest: values are compared, measured and dropped by recursion in Rhai, and a
//! loop nests them deeper than a usual thread's stack goes. That would end the process, not the rule.
//!
//! A thread for one call costs more than most calls. So a program does all its work on a deep stack, once and for all,
//! and a call looks for a stack of its own only where nobody has seen to that.

use std::cell::Cell;
use std::thread;

/// How large it is. It costs addresses; memory only as far as it is used.
#[cfg(target_pointer_width = "64")]
const SIZE: usize = 512 << 20;
#[cfg(not(target_pointer_width = "64"))]
const SIZE: usize = 128 << 20;

thread_local! {
    /// Whether this thread's stack is deep.
    static IS_DEEP: Cell<bool> = const { Cell::new(false) };
}

/// Runs `run` on a deep stack, where scripts may be called without a thread for each call. A system that gives none
/// runs it here.
#[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "what isn't waiting was run")]
pub fn with_deep_stack<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    let mut waiting = Some(run);
    let done = on_new_stack(|| waiting.take().map(|run| run()));
    match waiting {
        // The system gave no thread.
        Some(run) => run(),
        None => done.flatten().expect("what isn't waiting was run"),
    }
}

/// Runs `run` on a deep stack where `is_needed`.
///
/// # Errors
/// When the system gives none; in words.
pub(in crate::script) fn on_deep_stack<T: Send>(
    is_needed: bool,
    run: impl FnOnce() -> T + Send,
) -> Result<T, &'static str> {
    if !is_needed || IS_DEEP.get() {
        return Ok(run());
    }
    on_new_stack(run).ok_or("the system has no memory for the script")
}

/// Runs `run` on a thread of its own; `None`: the system gives none, and it was not run.
fn on_new_stack<T: Send>(run: impl FnOnce() -> T + Send) -> Option<T> {
    let run = || {
        IS_DEEP.set(true);
        run()
    };
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("homerule".to_owned()).stack_size(SIZE).spawn_scoped(scope, run);
        Some(thread.ok()?.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}
