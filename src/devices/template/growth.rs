//! How much memory a template may need: a bound that is read off its text.
//!
//! The engine counts steps, but one step may double a text (`{% set a = a ~ a %}`). So a template's result is bounded before it
//! runs: by how often it mentions names, how often what it has set is set from itself, and whether it loops.

/// The most bytes that a template may come to by its bound.
pub(super) const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// What a loop multiplies by: the items of a list that a device sends, with room to spare.
const LOOP: u64 = 1000;

/// How often all loops together may go round: each time takes some of the engine's steps.
const ROUNDS: u64 = 2500;

/// What a `set` block multiplies by.
const BLOCK: u64 = 16;

/// What a multiplication multiplies by, unless a number beside it says better: a text times a number is a longer text.
const TIMES: u64 = 100;

/// Returns how many times the size of its variables a template's values may come to.
pub(super) fn bound(source: &str) -> u64 {
    let tags: Vec<Vec<&str>> = tags(source).map(words).collect();
    // What the template sets itself: only from that can a value grow by turns.
    let own: Vec<&str> =
        tags.iter().filter(|words| words.first() == Some(&"set")).filter_map(|words| words.get(1).copied()).collect();
    let mut growth: u64 = 1;
    let mut mentions: u64 = 1;
    let mut loops: u32 = 0;
    let mut rounds: u64 = 1;
    for words in &tags {
        mentions = mentions.saturating_add(count(words.iter().filter(|word| is_name(word))));
        growth = growth.saturating_mul(multiplied(words));
        match words.first().copied() {
            Some("for") => {
                loops += 1;
                rounds = rounds.saturating_mul(LOOP).min(ROUNDS);
            }
            Some("endfor") => loops = loops.saturating_sub(1),
            Some("set") => growth = growth.saturating_mul(set(words, &own, loops > 0)),
            _ => {}
        }
    }
    growth.saturating_mul(mentions).saturating_mul(rounds)
}

/// Returns by how much a `set` may make a value grow.
fn set(words: &[&str], own: &[&str], is_in_loop: bool) -> u64 {
    const GROWS: [&str; 7] = ["~", "*", "+", "join", "replace", "format", "indent"];
    let Some(at) = words.iter().position(|word| *word == "=") else {
        // A block takes whatever stands in it.
        return if is_in_loop { u64::MAX } else { BLOCK };
    };
    let after = words.get(at..).unwrap_or_default();
    let sources = count(after.iter().filter(|word| own.contains(word)));
    let grows = after.iter().any(|word| GROWS.contains(word));
    // In a loop, what is set from two of the template's own values doubles each time.
    if is_in_loop && grows && sources > 1 { u64::MAX } else { sources.max(1) }
}

fn is_name(word: &str) -> bool {
    word.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// Returns by how much the multiplications of a tag may lengthen a text.
fn multiplied(words: &[&str]) -> u64 {
    let mut factor: u64 = 1;
    for (at, _) in words.iter().enumerate().filter(|(_, word)| **word == "*") {
        let beside = [at.checked_sub(1), Some(at + 1)].into_iter().flatten().filter_map(|at| words.get(at).copied());
        let mut times = TIMES;
        for word in beside {
            match word.parse::<u64>() {
                Ok(number) => times = number.max(1),
                // A text can't be multiplied by a fraction.
                Err(_) if word.parse::<f64>().is_ok() => times = 1,
                Err(_) if matches!(word, "float" | "int" | "round") => times = 1,
                Err(_) => {}
            }
        }
        factor = factor.saturating_mul(times);
    }
    factor
}

fn count(items: impl Iterator) -> u64 {
    u64::try_from(items.count()).unwrap_or(u64::MAX)
}

/// Returns what stands within `{{ … }}` and `{% … %}`.
fn tags(source: &str) -> impl Iterator<Item = &str> {
    source.split('{').filter_map(|part| {
        let inner = part.strip_prefix('%').or(Some(part))?;
        Some(inner.split("%}").next().unwrap_or(inner).trim_start_matches(['-', '+', ' ', '\n', '\t', '\r']))
    })
}

/// Returns the words and operators of a tag, without what stands in quotes.
fn words(tag: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = tag;
    while let Some(first) = rest.chars().next() {
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
        let end = if is_word(first) {
            let is_part = |letter: char| is_word(letter) || (first.is_ascii_digit() && letter == '.');
            rest.find(|letter: char| !is_part(letter)).unwrap_or(rest.len())
        } else if matches!(first, '\'' | '"') {
            rest.get(1..).and_then(|inner| inner.find(first)).map_or(rest.len(), |end| end + 2)
        } else {
            first.len_utf8()
        };
        let Some((word, after)) = rest.split_at_checked(end) else { break };
        if !first.is_whitespace() && !matches!(first, '\'' | '"') {
            words.push(word);
        }
        rest = after;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_doubles_is_bounded_and_what_devices_use_is_not() {
        for hostile in [
            ["{% set a = value %}", &"{% set a = a ~ a %}".repeat(40)].concat(),
            "{% set ns = namespace(s='a') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}"
                .to_owned(),
            "{% set a = 'a' * 100000000 %}{{ [a * 2, a * 2] }}".to_owned(),
            "{{ 'a' * 100000000 }}".to_owned(),
        ] {
            assert!(bound(&hostile) > MOST_BYTES / 1000, "{hostile}: {}", bound(&hostile));
        }
        for usual in [
            "{{ value_json.voltage * value_json.current }}",
            "{{ (value_json.temperature_C | float * 1.8 + 32) | round(1) }}",
            "{% set x = value_json.a %}{% set y = x.b | int %}{% if y > 3 %}{{ x ~ y }}{% else %}{{ y * 100 }}{% endif %}",
            "{% for c in value_json.list %}{{ c.name }},{% endfor %}",
        ] {
            assert!(bound(usual) < MOST_BYTES / 10_000, "{usual}: {}", bound(usual));
        }
    }
}
