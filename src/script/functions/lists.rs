//! The functions that ask a closure about the items of a list: one that gives no boolean is an error, not false.

use rhai::{Array, Dynamic, Engine, EvalAltResult, FnPtr, NativeCallContext};

use crate::script::evaluation::convert::{kind, show};
use crate::script::evaluation::operators::equal;
use crate::script::evaluation::refusal::{Refusal, refuse};

type Answer<T> = Result<T, Refusal>;

/// Registers the functions.
pub(in crate::script) fn register(engine: &mut Engine) {
    engine
        .register_fn("filter", |context: NativeCallContext, list: Array, closure: FnPtr| -> Answer<Array> {
            let mut kept = Array::new();
            for (index, item) in list.into_iter().enumerate() {
                if satisfies(&context, &closure, &item, index)? {
                    kept.push(item);
                }
            }
            Ok(kept)
        })
        .register_fn("find", |context: NativeCallContext, list: Array, closure: FnPtr| -> Answer<Dynamic> {
            for (index, item) in list.into_iter().enumerate() {
                if satisfies(&context, &closure, &item, index)? {
                    return Ok(item);
                }
            }
            Ok(Dynamic::UNIT)
        })
        .register_fn("index_of", |context: NativeCallContext, list: Array, closure: FnPtr| -> Answer<i64> {
            for (index, item) in list.iter().enumerate() {
                if satisfies(&context, &closure, item, index)? {
                    return Ok(i64::try_from(index).unwrap_or(i64::MAX));
                }
            }
            Ok(-1)
        })
        .register_fn("all", |context: NativeCallContext, list: Array, closure: FnPtr| -> Answer<bool> {
            Ok(count(&context, &list, &closure)? == list.len())
        });
    for name in ["some", "any"] {
        engine.register_fn(name, |context: NativeCallContext, list: Array, closure: FnPtr| -> Answer<bool> {
            Ok(count(&context, &list, &closure)? > 0)
        });
    }
    engine.register_fn("count", |context: NativeCallContext, list: Array, wanted: Dynamic| -> Answer<i64> {
        let found = match wanted.read_lock::<FnPtr>().map(|closure| closure.clone()) {
            Some(closure) => count(&context, &list, &closure)?,
            None => list.iter().filter(|item| equal(item, &wanted)).count(),
        };
        Ok(i64::try_from(found).unwrap_or(i64::MAX))
    });
}

/// Returns how many items satisfy the closure.
fn count(context: &NativeCallContext, list: &[Dynamic], closure: &FnPtr) -> Answer<usize> {
    let mut count = 0;
    for (index, item) in list.iter().enumerate() {
        count += usize::from(satisfies(context, closure, item, index)?);
    }
    Ok(count)
}

/// Returns what the closure says of `item`.
pub(in crate::script) fn satisfies(
    context: &NativeCallContext,
    closure: &FnPtr,
    item: &Dynamic,
    index: usize,
) -> Answer<bool> {
    let index = i64::try_from(index).unwrap_or(i64::MAX).into();
    // Most closures take the item alone; one that doesn't is not found with one argument.
    let verdict = match closure.call_raw(context, None, [item.clone()]) {
        Err(error) if is_unknown(&error, closure) => closure.call_raw(context, None, [item.clone(), index])?,
        other => other?,
    };
    verdict.as_bool().map_err(|_| {
        refuse(&format!("the closure must give a boolean; for {} it gives {}", show(item), kind(&verdict)))
    })
}

/// Returns whether the error says that the closure has no version for the arguments it was given.
fn is_unknown(error: &EvalAltResult, closure: &FnPtr) -> bool {
    matches!(error, EvalAltResult::ErrorFunctionNotFound(signature, _) if signature.starts_with(closure.fn_name()))
}
