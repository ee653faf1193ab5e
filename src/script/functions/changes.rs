//! The functions of Rhai that change a list, a map or a text in place: only scripts have them.

use super::function::{Function, function};

/// Those that change texts.
pub(super) static OF_TEXTS: [Function; 3] = [
    function("make_upper", 1, 1, "text.make_upper()", "Turns a text into capitals.").changes(),
    function("make_lower", 1, 1, "text.make_lower()", "Turns a text into small letters.").changes(),
    function("crop", 2, 3, "text.crop(start, length)", "Cuts a text down to a part.").changes(),
];

/// Those that change lists and maps.
pub(super) static OF_LISTS: [Function; 16] = [
    function("push", 2, 2, "list.push(value)", "Adds an item at the end.").changes(),
    function("append", 2, 2, "list.append(list)", "Adds the items of another list.").changes(),
    function("insert", 3, 3, "list.insert(index, value)", "Inserts an item at an index.").changes(),
    function("pop", 1, 1, "list.pop()", "Removes the last item, and gives it.").changes(),
    function("shift", 1, 1, "list.shift()", "Removes the first item, and gives it.").changes(),
    function("remove", 2, 2, "list.remove(index)", "Removes an item, or a key, and gives it.").changes(),
    function("clear", 1, 1, "list.clear()", "Removes everything.").changes(),
    function("truncate", 2, 2, "list.truncate(length)", "Keeps the first items.").changes(),
    function("chop", 2, 2, "list.chop(length)", "Keeps the last items.").changes(),
    function(
        "retain",
        2,
        2,
        "list.retain(|x| x > 3)",
        "Keeps the items for which the closure is true, and gives the others.",
    )
    .changes()
    .may_nest(),
    function(
        "drain",
        2,
        3,
        "list.drain(|x| x > 3)",
        "Removes the items for which the closure is true, and gives them.",
    )
    .changes()
    .may_nest(),
    function("dedup", 1, 2, "list.dedup()", "Drops items that repeat the one before.").changes(),
    function("splice", 3, 4, "list.splice(start, length, list)", "Replaces a part of a list by another list.")
        .changes(),
    function("mixin", 2, 2, "map.mixin(map)", "Adds the keys of another map.").changes(),
    function("fill_with", 2, 2, "map.fill_with(map)", "Adds those keys of another map that are missing.").changes(),
    function("set", 3, 3, "map.set(\"key\", value)", "Sets a key of a map, or an item of a list.").changes(),
];
