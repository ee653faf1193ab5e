//! The functions of lists and maps. A closure that is asked about an item and gives no boolean is an error, not false.

use rhai::{Array, Dynamic, EvalAltResult, FnPtr, NativeCallContext};

use crate::script::evaluation::convert::{kind, show};
use crate::script::evaluation::operators::{equal, number, order};
use crate::script::evaluation::refusal::{Refusal, refuse};

use super::function::{Function, Kind, Registry, function};

type Answer<T> = Result<T, Refusal>;

/// The functions.
pub(super) static ROWS: [Function; 16] = [
    function("filter", 2, 2, "list.filter(|x| x > 3)", "The items for which the closure is true.")
        .gives(Kind::List)
        .may_nest()
        .by(|row| {
            row.add(filter);
        }),
    function("map", 2, 2, "list.map(|x| x + 1)", "What the closure gives for each item.").gives(Kind::List).may_nest(),
    function(
        "reduce",
        2,
        3,
        "list.reduce(|sum, x| sum + x, 0)",
        "One value from all items: the closure takes the value so far and an item.",
    )
    .may_nest(),
    function("reduce_rev", 2, 3, "list.reduce_rev(|sum, x| sum + x, 0)", "The same, from the end.").may_nest(),
    function("some", 2, 2, "list.some(|x| x > 3)", "Whether the closure is true for an item.")
        .gives(Kind::Boolean)
        .by(add_any),
    function(
        "find",
        2,
        3,
        "list.find(|x| x > 3)",
        "The first item for which the closure is true, `()` where there is none.",
    )
    .by(|row| {
        row.add(find);
    }),
    function("find_map", 2, 3, "list.find_map(|x| x.name)", "What the closure gives first that isn't `()`."),
    function("zip", 3, 3, "zip(list, list, |a, b| a + b)", "Two lists, item by item.").gives(Kind::List).may_nest(),
    function("extract", 2, 3, "extract(list, start, length)", "A part of a list."),
    function("sort", 1, 1, "sort(list)", "The list in order; it changes nothing: `list = list.sort()`.")
        .gives_changed()
        .by(|row| {
            row.add(sort);
        }),
    function("reverse", 1, 1, "reverse(list)", "The list or text backwards; it changes nothing.").gives_changed().by(
        |row| {
            row.add(|list: Array| list.into_iter().rev().collect::<Array>());
            row.add(|text: &str| text.chars().rev().collect::<String>());
        },
    ),
    function("sum", 1, 1, "sum(list)", "The sum of a list of numbers.").gives(Kind::Number).by(|row| {
        row.add(sum);
    }),
    function("keys", 1, 1, "keys(map)", "The keys of a map.").gives(Kind::List),
    function("values", 1, 1, "values(map)", "The values of a map.").gives(Kind::List),
    function("range", 2, 3, "range(from, to, step)", "The whole numbers from one to below another, for `for`.")
        .only_in_scripts(),
    function("for_each", 2, 2, "list.for_each(|x| { … })", "Calls the closure for each item, as `this`.")
        .only_in_scripts()
        .may_nest(),
];

/// Registers `any` and `some` of a list.
pub(super) fn add_any(row: &mut Registry<'_>) {
    row.add(|context: NativeCallContext, list: Array, closure: FnPtr| -> Answer<bool> {
        Ok(count(&context, &list, &closure)? > 0)
    });
}

/// Registers `all` of a list.
pub(super) fn add_all(row: &mut Registry<'_>) {
    row.add(|context: NativeCallContext, list: Array, closure: FnPtr| -> Answer<bool> {
        Ok(count(&context, &list, &closure)? == list.len())
    });
}

/// Registers `count` of a list.
pub(super) fn add_count(row: &mut Registry<'_>) {
    row.add(|context: NativeCallContext, list: Array, wanted: Dynamic| -> Answer<i64> {
        let found = match wanted.read_lock::<FnPtr>().map(|closure| closure.clone()) {
            Some(closure) => count(&context, &list, &closure)?,
            None => list.iter().filter(|item| equal(item, &wanted)).count(),
        };
        Ok(i64::try_from(found).unwrap_or(i64::MAX))
    });
}

fn filter(context: NativeCallContext, list: Array, closure: FnPtr) -> Answer<Array> {
    let mut kept = Array::new();
    for (index, item) in list.into_iter().enumerate() {
        if satisfies(&context, &closure, &item, index)? {
            kept.push(item);
        }
    }
    Ok(kept)
}

fn find(context: NativeCallContext, list: Array, closure: FnPtr) -> Answer<Dynamic> {
    for (index, item) in list.into_iter().enumerate() {
        if satisfies(&context, &closure, &item, index)? {
            return Ok(item);
        }
    }
    Ok(Dynamic::UNIT)
}

/// Returns where in a list the closure is true first; -1 where it never is.
pub(super) fn index_of(context: NativeCallContext, list: Array, closure: FnPtr) -> Answer<i64> {
    for (index, item) in list.iter().enumerate() {
        if satisfies(&context, &closure, item, index)? {
            return Ok(i64::try_from(index).unwrap_or(i64::MAX));
        }
    }
    Ok(-1)
}

fn sum(list: Array) -> Answer<Dynamic> {
    let mut whole: Option<i64> = Some(0);
    let mut sum = 0.0;
    for item in &list {
        sum += number(item).ok_or_else(|| refuse(&format!("can't add up {}: {}", kind(item), show(item))))?;
        whole = whole.zip(item.as_int().ok()).and_then(|(sum, item)| sum.checked_add(item));
    }
    Ok(whole.map_or_else(|| sum.into(), Dynamic::from))
}

fn sort(mut list: Array) -> Answer<Array> {
    let mut problem = None;
    list.sort_by(|a, b| match order(a, "<", b) {
        Ok(order) => order.unwrap_or(std::cmp::Ordering::Equal),
        Err(error) => {
            problem.get_or_insert(error);
            std::cmp::Ordering::Equal
        }
    });
    problem.map_or(Ok(list), Err)
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
pub(super) fn satisfies(context: &NativeCallContext, closure: &FnPtr, item: &Dynamic, index: usize) -> Answer<bool> {
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
