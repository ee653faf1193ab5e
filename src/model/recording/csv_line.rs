//! Rows of mqtt-recorder's CSV: topic, payload, `QoS`, `True` or `False`, seconds since 1970, seconds since the row before.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::parsed::{self, Parsed, Reason};
use super::{json_line, time_text};

/// Whether payloads are in base64, which the file itself doesn't say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Payloads {
    Plain,
    Base64,
}

/// Returns whether a quoted field isn't closed: the row goes on in the next line.
pub(super) fn is_open(row: &[u8]) -> bool {
    row.iter().fold(false, |is_open, byte| is_open != (*byte == b'"'))
}

/// Returns what a row says.
pub(super) fn parse(row: &[u8], payloads: Payloads) -> Result<Parsed, Reason> {
    let text = std::str::from_utf8(row).map_err(|_| "the row isn't UTF-8".to_owned())?;
    let fields = split(text);
    let [topic, payload, qos, retain, time, _] = fields.as_slice() else {
        return Err(format!("expected 6 fields, found {}", fields.len()));
    };
    let retain = match retain.as_str() {
        "True" => true,
        "False" => false,
        other => return Err(format!("the fourth field must be `True` or `False`, not `{other}`")),
    };
    let payload = match payloads {
        Payloads::Plain => payload.clone().into_bytes(),
        Payloads::Base64 => json_line::decode(payload)?,
    };
    Ok(Parsed {
        time: Some(time_text::parse(time)?),
        topic: parsed::topic(topic)?,
        qos: parsed::qos(qos)?,
        retain,
        payload: payload.into(),
        length: None,
        is_embedded: false,
        is_masked: false,
        origin: None,
        rule: None,
        client: None,
        cause: None,
    })
}

/// Guesses from the file's first rows whether payloads are in base64: all read as such, and one at least gives a text.
pub(super) fn guess_payloads(beginning: &[u8]) -> Payloads {
    let mut has_text = false;
    for row in beginning.split_inclusive(|byte| *byte == b'\n') {
        if is_open(row) {
            return Payloads::Plain;
        }
        let Ok(text) = std::str::from_utf8(row.trim_ascii_end()) else { continue };
        let fields = split(text);
        let [_, payload, _, _, _, _] = fields.as_slice() else { continue };
        let Ok(bytes) = STANDARD.decode(payload) else { return Payloads::Plain };
        has_text = has_text || std::str::from_utf8(&bytes).is_ok_and(|text| !text.is_empty());
    }
    if has_text { Payloads::Base64 } else { Payloads::Plain }
}

/// Splits a row (RFC 4180).
fn split(row: &str) -> Vec<String> {
    let mut fields = Vec::new();
    let mut field = String::new();
    let mut is_quoted = false;
    let mut letters = row.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => fields.push(std::mem::take(&mut field)),
            letter => field.push(letter),
        }
    }
    fields.push(field);
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_split_as_python_writes_them() {
        assert_eq!(split("a,\"b \"\"c\"\", d\",\"\",e"), ["a", "b \"c\", d", "", "e"]);
        assert!(is_open(b"a,\"two") && !is_open(b"a,\"\"\"two\"\"\""));
    }

    #[test]
    fn base64_is_guessed_only_where_all_of_it_reads_well() {
        assert_eq!(guess_payloads(b"a,T04=,0,False,1.0,1.0\r\nb,,0,False,1.0,1.0\r\n"), Payloads::Base64);
        assert_eq!(guess_payloads(b"a,open,0,False,1.0,1.0\r\n"), Payloads::Plain, "it reads, but gives no text");
        assert_eq!(guess_payloads(b"a,T04=,0,False,1.0,1.0\r\na,21.5,0,False,1.0,1.0\r\n"), Payloads::Plain);
    }

    #[test]
    fn a_row_that_says_no_message_is_told() {
        let told = |row: &[u8]| parse(row, Payloads::Plain).unwrap_err();
        assert_eq!(told(b"a,b"), "expected 6 fields, found 2");
        assert_eq!(told(b"a,b,0,maybe,1.0,1.0"), "the fourth field must be `True` or `False`, not `maybe`");
        assert_eq!(told(b"a,b,7,True,1.0,1.0"), "`7` isn't a valid QoS; it must be 0, 1 or 2");
    }
}
