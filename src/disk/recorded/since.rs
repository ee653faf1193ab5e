//! What was recorded since a time, message by message, out of the recorder's files; also while the daemon writes.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufRead, Read};
use std::path::Path;

use jiff::Timestamp;

use crate::disk::recording_file::{self, Text};
use crate::model::recording::{Findings, Recorded, RecordingReader};
use crate::model::{Origin, Topic};

use super::{RecordedFile, recorded_files};

/// Messages that were recorded since a time.
///
/// The first ones, of the origin `restored`, are what was known of the topics at that time, as far back as the file goes in
/// which it lies: each file begins with what was known. After them, the messages come as they came.
pub struct RecordedSince {
    since: Timestamp,
    files: VecDeque<RecordedFile>,
    current: Option<Reading>,
    /// What is known of the topics up to the first message; `None` after it.
    known: Option<BTreeMap<Topic, Recorded>>,
    /// When the first file begins, if that is after `since`.
    begin: Timestamp,
    /// What comes before what is read next.
    ready: VecDeque<Recorded>,
    last: Option<Timestamp>,
    warnings: Vec<String>,
    skipped: Vec<String>,
}

/// A file that is being read.
struct Reading {
    name: String,
    reader: RecordingReader<WholeLines>,
}

impl RecordedSince {
    /// Opens what was recorded in `folder` since `since`; `None` where nothing was ever.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn open(folder: &Path, since: Timestamp) -> io::Result<Option<RecordedSince>> {
        let files = recorded_files(folder)?;
        // A file ends where the next one begins.
        let first = files.iter().skip(1).take_while(|file| file.begin <= since).count();
        let files: VecDeque<RecordedFile> = files.into_iter().skip(first).collect();
        let Some(first) = files.front() else { return Ok(None) };
        Ok(Some(RecordedSince {
            since,
            begin: first.begin.max(since),
            files,
            current: None,
            known: Some(BTreeMap::new()),
            ready: VecDeque::new(),
            last: None,
            warnings: Vec::new(),
            skipped: Vec::new(),
        }))
    }

    /// Returns when it begins.
    #[must_use]
    pub fn begin(&self) -> Timestamp {
        self.begin
    }

    /// Returns what is odd about lines that were read all the same, a text each.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Returns what was skipped and why, a text each.
    #[must_use]
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// Reads the next line of the files.
    fn read(&mut self) -> Option<Recorded> {
        loop {
            let Some(current) = &mut self.current else {
                let file = self.files.pop_front()?;
                self.current = self.begin_file(&file);
                continue;
            };
            if let Some(mut recorded) = current.reader.next() {
                // Where the clock was set back, or a file is out of its place, time stands still.
                recorded.at = recorded.at.max(self.last.unwrap_or(recorded.at));
                self.last = Some(recorded.at);
                return Some(recorded);
            }
            let Some(Reading { name, reader }) = self.current.take() else { continue };
            self.note(&name, reader.findings());
        }
    }

    fn begin_file(&mut self, file: &RecordedFile) -> Option<Reading> {
        let name = name(&file.path);
        match open(&file.path) {
            Ok(text) => Some(Reading { name, reader: RecordingReader::of_ours(text) }),
            // It became too old just now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                self.skipped.push(format!("{name} can't be read: {error}"));
                None
            }
        }
    }

    fn note(&mut self, name: &str, findings: &Findings) {
        let told = |texts: Vec<String>| texts.into_iter().map(|text| format!("{name}, {text}")).collect::<Vec<_>>();
        self.warnings.extend(told(findings.warnings()));
        self.skipped.extend(told(findings.skipped_lines()));
    }
}

impl Iterator for RecordedSince {
    type Item = Recorded;

    fn next(&mut self) -> Option<Recorded> {
        loop {
            if let Some(ready) = self.ready.pop_front() {
                return Some(ready);
            }
            let recorded = self.read()?;
            let is_early = recorded.at < self.since || recorded.message.origin == Origin::Restored;
            match &mut self.known {
                Some(known) if is_early => {
                    known.insert(recorded.message.topic.clone(), recorded);
                }
                None if is_early => {}
                None => return Some(recorded),
                Some(known) => {
                    let known = std::mem::take(known);
                    self.known = None;
                    let at = self.begin.min(recorded.at);
                    self.ready.extend(known.into_values().map(|recorded| restored(recorded, at)));
                    self.ready.push_back(recorded);
                }
            }
        }
    }
}

fn restored(mut recorded: Recorded, at: Timestamp) -> Recorded {
    recorded.at = at;
    recorded.message.origin = Origin::Restored;
    recorded.message.retain = true;
    (recorded.rule, recorded.cause, recorded.client) = (None, None, None);
    recorded
}

/// Opens a file of the recorder: its whole lines.
pub(crate) fn open(path: &Path) -> io::Result<WholeLines> {
    let text = match recording_file::open(path) {
        // It was packed just now.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            recording_file::open(&path.with_extension("jsonl.gz"))?
        }
        opened => opened?,
    };
    Ok(WholeLines { text, line: Vec::new(), taken: 0 })
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A text without its last line where that has no end: the daemon is about to write the rest, or was killed.
pub(crate) struct WholeLines {
    text: Text,
    line: Vec<u8>,
    taken: usize,
}

impl BufRead for WholeLines {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken >= self.line.len() {
            self.line.clear();
            self.taken = 0;
            match self.text.read_until(b'\n', &mut self.line) {
                // A packed file that a power cut ended gives what it has.
                Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(error),
                _ => {}
            }
            if self.line.last() != Some(&b'\n') {
                self.line.clear();
            }
        }
        Ok(self.line.get(self.taken..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.taken += amount;
    }
}

impl Read for WholeLines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let line = self.fill_buf()?;
        let length = line.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(line) {
            *to = *from;
        }
        self.consume(length);
        Ok(length)
    }
}
