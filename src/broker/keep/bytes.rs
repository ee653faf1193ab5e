//! The bytes of kept values: numbers in little endian, texts and byte strings behind their length, options behind a flag.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use crate::broker::packet::Properties;

/// The version of all forms.
const FORM: u8 = 1;

/// Writes a value.
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn new() -> Writer {
        Writer(vec![FORM])
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(super) fn flag(&mut self, flag: bool) {
        self.0.push(flag.into());
    }

    pub(super) fn short(&mut self, number: u16) {
        self.0.extend(number.to_le_bytes());
    }

    pub(super) fn number(&mut self, number: u32) {
        self.0.extend(number.to_le_bytes());
    }

    pub(super) fn long(&mut self, number: u64) {
        self.0.extend(number.to_le_bytes());
    }

    pub(super) fn time(&mut self, time: Timestamp) {
        self.0.extend(time.as_microsecond().to_le_bytes());
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.number(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(super) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Writer, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    pub(super) fn properties(&mut self, properties: Option<&Properties>) {
        self.option(properties, |writer, properties| {
            writer.option(properties.is_text, Writer::flag);
            writer.option(properties.content_type.as_deref(), Writer::text);
            writer.option(properties.response_topic.as_deref(), Writer::text);
            writer.option(properties.correlation_data.as_deref(), Writer::bytes);
            writer.number(u32::try_from(properties.user_properties.len()).unwrap_or(u32::MAX));
            for (name, value) in &properties.user_properties {
                writer.text(name);
                writer.text(value);
            }
        });
    }
}

/// Reads a value; each part is `None` where it isn't there.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Returns a reader of what follows the version; `None`: we don't know that.
    pub(super) fn new(value: &'a [u8]) -> Option<Reader<'a>> {
        let (form, rest) = value.split_first()?;
        (*form == FORM).then_some(Reader(rest))
    }

    /// Returns `value` if nothing is left.
    pub(super) fn finish<T>(&self, value: T) -> Option<T> {
        self.0.is_empty().then_some(value)
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    pub(super) fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub(super) fn short(&mut self) -> Option<u16> {
        self.take().map(u16::from_le_bytes)
    }

    pub(super) fn number(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    pub(super) fn long(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    pub(super) fn time(&mut self) -> Option<Timestamp> {
        Timestamp::from_microsecond(self.take().map(i64::from_le_bytes)?).ok()
    }

    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn text(&mut self) -> Option<Arc<str>> {
        std::str::from_utf8(self.bytes()?).ok().map(Arc::from)
    }

    /// Reads an option; the outer `None` is that of all the others.
    #[expect(clippy::option_option, reason = "one is what was read, the other whether it could be")]
    pub(super) fn option<T>(&mut self, read: impl FnOnce(&mut Reader<'a>) -> Option<T>) -> Option<Option<T>> {
        if self.flag()? { read(self).map(Some) } else { Some(None) }
    }

    #[expect(clippy::option_option, reason = "one is what was read, the other whether it could be")]
    pub(super) fn properties(&mut self) -> Option<Option<Arc<Properties>>> {
        self.option(|reader| {
            let mut properties = Properties {
                is_text: reader.option(Reader::flag)?,
                content_type: reader.option(Reader::text)?,
                response_topic: reader.option(Reader::text)?,
                correlation_data: reader.option(Reader::bytes)?.map(Bytes::copy_from_slice),
                user_properties: Vec::new(),
            };
            for _ in 0..reader.number()? {
                properties.user_properties.push((reader.text()?, reader.text()?));
            }
            Some(Arc::new(properties))
        })
    }
}
