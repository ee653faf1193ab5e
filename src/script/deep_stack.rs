//! A stack that holds whatever a script can nest: values are compared, measured and dropped by recursion in Rhai, and a
//! loop nests them deeper than a usual thread's stack goes. That would end the process, not the rule.

use std::thread;

/// How large it is. It costs addresses; memory only as far as it is used.
#[cfg(target_pointer_width = "64")]
const SIZE: usize = 512 << 20;
#[cfg(not(target_pointer_width = "64"))]
const SIZE: usize = 128 << 20;

/// Runs `run` on a stack of its own where `is_needed`.
///
/// # Errors
/// When the system gives none; in words.
pub(super) fn on_deep_stack<T: Send>(is_needed: bool, run: impl FnOnce() -> T + Send) -> Result<T, &'static str> {
    if !is_needed {
        return Ok(run());
    }
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("script".to_owned()).stack_size(SIZE).spawn_scoped(scope, run);
        let thread = thread.map_err(|_| "the system has no memory for the script")?;
        thread.join().map_err(|_| "the script ended in a way that it can't")
    })
}
