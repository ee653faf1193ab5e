//! Content lines: `NAME;PARAMETER=x:value`, unfolded (RFC 5545, 3.1).

use std::ops::Range;

use icalendar::parser::Property as Parsed;

/// A line, with where it stands in the file.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// Its name, in capitals.
    pub(super) name: String,
    /// What stands behind the colon, as it is written.
    pub(super) raw: String,
    /// The same as text: `\,` is a comma.
    pub(super) text: String,
    parameters: Vec<(String, String)>,
    /// Its first line in the file.
    pub(super) span: Range<usize>,
}

impl Line {
    /// Returns a parameter's value, without quotes.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim_matches('"'))
    }
}

/// Returns the lines of a file; those that are none as their places.
pub(super) fn lines(text: &str) -> Vec<Result<Line, Range<usize>>> {
    unfolded(text).into_iter().filter(|(line, _)| !line.trim().is_empty()).map(read).collect()
}

fn read((line, span): (String, Range<usize>)) -> Result<Line, Range<usize>> {
    let Some(colon) = value_at(&line) else { return Err(span) };
    let (head, value) = (line.get(..colon).unwrap_or_default(), line.get(colon + 1..).unwrap_or_default());
    // The library wants names of letters, and lines that end.
    let parsed = Parsed::try_from(format!("{head}:{value}\n").as_str()).ok().map(|parsed| {
        let parameter = |parameter: &icalendar::parser::Parameter<'_>| {
            let value = parameter.val.as_ref().map(|value| value.as_str().to_owned()).unwrap_or_default();
            (parameter.key.as_str().to_uppercase(), value)
        };
        (parsed.val.as_str().to_owned(), parsed.params.iter().map(parameter).collect())
    });
    let name = head.split(';').next().unwrap_or_default().trim().to_uppercase();
    if name.is_empty() {
        return Err(span);
    }
    let (text, parameters) = parsed.unwrap_or_else(|| (value.to_owned(), Vec::new()));
    Ok(Line { name, raw: value.trim().to_owned(), text, parameters, span })
}

/// Returns where the colon stands that ends the name and its parameters, of which those in quotes may hold colons.
fn value_at(line: &str) -> Option<usize> {
    let mut is_quoted = false;
    line.char_indices().find_map(|(at, letter)| {
        if letter == '"' {
            is_quoted = !is_quoted;
        }
        (letter == ':' && !is_quoted).then_some(at)
    })
}

/// Returns the lines, with what was folded in one, and where each begins.
fn unfolded(text: &str) -> Vec<(String, Range<usize>)> {
    let mut lines: Vec<(String, Range<usize>)> = Vec::new();
    let mut start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    while start < text.len() {
        let rest = text.get(start..).unwrap_or_default();
        let length = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let line = rest.get(..length).unwrap_or_default();
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(more), Some((before, _))) => before.push_str(more),
            _ => lines.push((line.to_owned(), start..start + length)),
        }
        let ending = rest.get(length..).unwrap_or_default();
        start += length + if ending.starts_with("\r\n") { 2 } else { 1 };
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_lines_are_one_and_keep_their_place() {
        let text = "\u{feff}BEGIN:VEVENT\r\nSUMMARY;X=\"a:b\":Bins\\, pa\r\n per\r\n\n\rEND:VEVENT";
        let lines: Vec<Line> = lines(text).into_iter().map(Result::unwrap).collect();
        let shown: Vec<(&str, &str)> = lines.iter().map(|line| (&*line.name, &*line.text)).collect();
        assert_eq!(shown, [("BEGIN", "VEVENT"), ("SUMMARY", "Bins, paper"), ("END", "VEVENT")]);
        assert_eq!(lines[1].parameter("X"), Some("a:b"));
        assert_eq!(text.get(lines[1].span.clone()), Some("SUMMARY;X=\"a:b\":Bins\\, pa"));
    }

    #[test]
    fn what_is_no_line_is_told_with_its_place() {
        assert_eq!(lines("BEGIN:VCALENDAR\nnonsense\n")[1].clone().unwrap_err(), 16..24);
    }
}
