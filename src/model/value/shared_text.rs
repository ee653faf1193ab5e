//! Short texts that come again and again, kept once: the keys of messages, and words like `ON`.

use std::cell::RefCell;
use std::sync::Arc;

/// Longer texts rarely come again.
const LONGEST: usize = 24;

/// How many texts are remembered, each in the place that its letters say: a newer one takes it.
const PLACES: usize = 256;

thread_local! {
    static KNOWN: RefCell<Vec<Option<Arc<str>>>> = RefCell::new(vec![None; PLACES]);
}

/// Returns `text` to be kept: the very one that was kept before, where that was of late.
pub(in crate::model) fn shared_text(text: &str) -> Arc<str> {
    if text.len() > LONGEST {
        return text.into();
    }
    KNOWN.with_borrow_mut(|known| match known.get_mut(place(text)) {
        Some(Some(known)) if **known == *text => Arc::clone(known),
        Some(place) => Arc::clone(place.insert(text.into())),
        None => text.into(),
    })
}

/// Returns the place of a text.
fn place(text: &str) -> usize {
    // FNV-1a: any mixing will do.
    let mix = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let hash = text.bytes().fold(0x811c_9dc5, mix);
    usize::try_from(hash).unwrap_or_default() % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_is_kept_once_and_any_text_is_itself() {
        assert!(Arc::ptr_eq(&shared_text("state"), &shared_text("state")));
        for number in 0..1000 {
            let text = format!("key{number}");
            assert_eq!(*shared_text(&text), *text);
        }
        let long = "a".repeat(100);
        assert_eq!(*shared_text(&long), *long);
        assert_eq!(*shared_text("state"), *"state");
    }
}
