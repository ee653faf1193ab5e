//! Names that strangers chose, as lines for people show them.

/// The most characters that are shown.
const MOST: usize = 120;

/// Returns a text on one line, shortened if it's long, with its control characters written out: whoever calls itself
/// `x⏎ERROR: …` forges no line of a log, and draws on no terminal.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(MOST));
    for (index, letter) in text.chars().enumerate() {
        if index == MOST {
            line.push('…');
            break;
        }
        if letter.is_control() || turns_or_hides(letter) {
            line.extend(letter.escape_default());
        } else {
            line.push(letter);
        }
    }
    line
}

/// Returns whether a character turns the direction of a line, begins another, or shows nothing.
fn turns_or_hides(letter: char) -> bool {
    matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_on_its_line() {
        assert_eq!(one_line("x\nERROR \x1b[31m\u{202e}!"), "x\\nERROR \\u{1b}[31m\\u{202e}!");
        assert_eq!(one_line(&"ä".repeat(130)), format!("{}…", "ä".repeat(120)));
    }
}
