//! Writes one packet whose length is known only at its end.

/// One packet at the end of what leaves.
pub(in crate::broker::codec) struct Writer<'o> {
    out: &'o mut Vec<u8>,
    /// Where the body begins: one byte is left for its length, more are put in between if it needs them.
    body: usize,
}

/// The properties of a packet.
pub(in crate::broker::codec) struct PropertyWriter<'o>(&'o mut Vec<u8>);

impl<'o> Writer<'o> {
    pub(in crate::broker::codec) fn new(first: u8, out: &'o mut Vec<u8>) -> Writer<'o> {
        out.extend_from_slice(&[first, 0]);
        Writer { body: out.len(), out }
    }

    pub(in crate::broker::codec) fn byte(&mut self, byte: u8) {
        self.out.push(byte);
    }

    pub(in crate::broker::codec) fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    pub(in crate::broker::codec) fn properties(&mut self, write: impl FnOnce(&mut PropertyWriter<'_>)) {
        self.out.push(0);
        let begin = self.out.len();
        write(&mut PropertyWriter(self.out));
        put_length(self.out, begin);
    }

    pub(in crate::broker::codec) fn end(self) {
        put_length(self.out, self.body);
    }
}

impl PropertyWriter<'_> {
    pub(in crate::broker::codec) fn two_bytes(&mut self, id: u8, number: u16) {
        self.0.push(id);
        self.0.extend_from_slice(&number.to_be_bytes());
    }

    pub(in crate::broker::codec) fn four_bytes(&mut self, id: u8, number: u32) {
        self.0.push(id);
        self.0.extend_from_slice(&number.to_be_bytes());
    }

    pub(in crate::broker::codec) fn variable(&mut self, id: u8, number: u32) {
        self.0.push(id);
        put_variable(self.0, usize::try_from(number).unwrap_or(usize::MAX));
    }

    pub(in crate::broker::codec) fn text(&mut self, id: u8, text: &str) {
        self.0.push(id);
        put_text(self.0, text);
    }
}

/// Puts the length of what begins at `begin` in front of it, where one byte was left for it.
fn put_length(out: &mut Vec<u8>, begin: usize) {
    let length = out.len() - begin;
    let mut bytes = Vec::with_capacity(4);
    put_variable(&mut bytes, length);
    out.splice(begin - 1..begin, bytes);
}

/// Appends a variable byte integer (MQTT 5.0, 1.5.5).
pub(in crate::broker::codec) fn put_variable(out: &mut Vec<u8>, mut number: usize) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            out.push(low & 0x7f);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Returns how many bytes a variable byte integer takes.
pub(in crate::broker::codec) fn variable_length(number: usize) -> usize {
    match number {
        0..=0x7f => 1,
        0x80..=0x3fff => 2,
        0x4000..=0x1f_ffff => 3,
        _ => 4,
    }
}

/// Appends a text, which has at most 65,535 bytes.
pub(in crate::broker::codec) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_binary(out, text.as_bytes());
}

/// Appends binary data, of which at most 65,535 bytes can be said.
pub(in crate::broker::codec) fn put_binary(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes.get(..length.into()).unwrap_or_default());
}

/// Returns how many bytes of a text or of binary data [`put_text`] and [`put_binary`] write, with their length.
pub(in crate::broker::codec) fn binary_length(bytes: usize) -> usize {
    2 + bytes.min(usize::from(u16::MAX))
}
