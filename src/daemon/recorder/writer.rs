//! The one writer: a thread that appends what waits to the newest file, begins new files and drops old ones. Where the
//! disk says no, that is said once, what came is left out, and the next is tried again.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tracing::{debug, error, info, warn};

use crate::disk::reason;
use crate::disk::recorded::shelf::{self, RecordedFile, Room, recorded_files};
use crate::lang::RecorderSettings;
use crate::model::recording::{MessageLine, Via};
use crate::model::{Message, Origin, Topic};

use super::waiting::{Batch, Noted, Waiting};

/// While nothing comes, what became too old is looked for this often.
const IDLE: Duration = Duration::from_hours(1);

/// A file has at most this part of all that may be kept, so that little is dropped at once.
const FILES: u64 = 16;

/// No file is larger than this.
const LARGEST: u64 = 16 << 20;

/// A message whose line takes more than this part of all that may be kept is left out.
const LARGEST_LINE: u64 = 4;

/// A file covers at most this part of the time that is kept, and at most a day.
const SPANS: i32 = 8;

const LONGEST_SPAN: SignedDuration = SignedDuration::from_hours(24);
const SHORTEST_SPAN: SignedDuration = SignedDuration::from_secs(60);

/// So much of a disk is left to the store and to others, or a tenth of it where that is less.
const LEFT_FREE: u64 = 32 << 20;

/// What is known at the begin of a file takes at most this part of it.
const KNOWN: u64 = 4;

/// The one writer.
pub(super) struct Writer {
    folder: PathBuf,
    settings: RecorderSettings,
    waiting: Arc<Waiting>,
    /// The last message of each topic, as a file begins with it: whoever reads from there knows the home's state.
    known: BTreeMap<Topic, Message>,
    current: Option<Current>,
    /// The files but the current one, oldest first.
    others: Vec<RecordedFile>,
    has_begun: bool,
    packing: Option<Packing>,
    /// Whether the disk said no to what came last.
    is_failing: bool,
    /// How many messages were left out since.
    lost: u64,
    /// Whether it was said that they come too fast.
    is_behind: bool,
}

/// The file that is written.
struct Current {
    file: File,
    recorded: RecordedFile,
    /// When its last message came.
    last: Timestamp,
}

/// A file that is packed beside the writing.
struct Packing {
    size: u64,
    thread: JoinHandle<io::Result<()>>,
}

/// Lines on their way into the current file.
#[derive(Default)]
struct Lines {
    text: Vec<u8>,
    messages: u64,
    last: Option<Timestamp>,
}

impl Writer {
    pub(super) fn new(
        folder: PathBuf,
        settings: RecorderSettings,
        waiting: Arc<Waiting>,
        known: BTreeMap<Topic, Message>,
    ) -> Writer {
        Writer {
            folder,
            settings,
            waiting,
            known,
            current: None,
            others: Vec::new(),
            has_begun: false,
            packing: None,
            is_failing: false,
            lost: 0,
            is_behind: false,
        }
    }

    /// Writes until the last batch.
    pub(super) fn run(mut self) {
        shelf::tidy(&self.folder);
        // Where it can't be read, the first message tells.
        self.others = recorded_files(&self.folder).unwrap_or_default();
        loop {
            let batch = self.waiting.take(IDLE);
            let is_last = batch.is_last;
            self.take(batch);
            if is_last {
                break;
            }
        }
    }

    pub(super) fn take(&mut self, batch: Batch) {
        if let Some(settings) = batch.settings {
            self.settings = settings;
        }
        self.tell_left_out(batch.left_out);
        let mut written = 0;
        let result = self.write(&batch.noted, &mut written);
        match result {
            Ok(()) if batch.noted.is_empty() => {}
            Ok(()) => self.tell_well(),
            Err(error) => {
                let lost = u64::try_from(batch.noted.len()).unwrap_or(u64::MAX).saturating_sub(written);
                self.lost += lost;
                self.tell_failing(&error, lost);
                // A file begins with what is known, or not at all.
                if let Some(empty) = self.current.take_if(|current| current.recorded.size == 0) {
                    remove(&empty.recorded.path);
                }
                batch.noted.iter().for_each(|noted| self.know(&noted.message));
            }
        }
        self.drop_old(batch.noted.last().map_or_else(Timestamp::now, |noted| noted.at));
        self.pack_next();
        for flushed in batch.flushed {
            // Whoever waited may have gone.
            let _ = flushed.send(());
        }
    }

    /// Appends messages; counts those that are in a file.
    fn write(&mut self, noted: &[Noted], written: &mut u64) -> io::Result<()> {
        if self.current.as_ref().is_some_and(|current| !current.recorded.path.exists()) {
            // Somebody took the file away: what we write would be gone with it.
            self.current = None;
        }
        let mut lines = Lines::default();
        for noted in noted {
            let start = lines.text.len();
            noted.write(&mut lines.text);
            let is_too_large = (lines.text.len() - start) as u64 > self.settings.max_size / LARGEST_LINE;
            if is_too_large {
                lines.text.truncate(start);
                tell_too_large(noted);
                *written += 1;
            } else if !self.has_room(&lines, noted.at) {
                let line = lines.text.split_off(start);
                self.append(&mut lines, written)?;
                self.begin(noted.at, &mut lines)?;
                lines.text.extend(line);
            }
            if !is_too_large {
                lines.messages += 1;
                lines.last = Some(noted.at);
            }
            self.know(&noted.message);
        }
        self.append(&mut lines, written)
    }

    /// Returns whether the current file takes these lines, the last of them of a message that came at `at`.
    fn has_room(&self, lines: &Lines, at: Timestamp) -> bool {
        let Some(current) = &self.current else { return false };
        let last = lines.last.unwrap_or(current.last);
        let is_within = at >= last && at.duration_since(current.recorded.begin) < self.span();
        is_within && current.recorded.size + lines.text.len() as u64 <= self.share()
    }

    /// Appends lines to the current file.
    fn append(&mut self, lines: &mut Lines, written: &mut u64) -> io::Result<()> {
        if lines.text.is_empty() {
            return Ok(());
        }
        self.make_room(lines.text.len() as u64);
        self.leave_free(lines.text.len() as u64, shelf::room(&self.folder))?;
        let Some(current) = &mut self.current else { return Ok(()) };
        if let Err(error) = current.file.write_all(&lines.text) {
            // A part of them may be there: a line that is broken off would be no message.
            if current.file.set_len(current.recorded.size).is_err() {
                self.current = None;
            }
            return Err(error);
        }
        current.recorded.size += lines.text.len() as u64;
        current.last = lines.last.unwrap_or(current.last);
        *written += lines.messages;
        *lines = Lines::default();
        Ok(())
    }

    /// Begins a new file, or goes on with the one before the start.
    fn begin(&mut self, at: Timestamp, lines: &mut Lines) -> io::Result<()> {
        self.current = None;
        self.others = recorded_files(&self.folder)?;
        let bounds = (self.span(), self.share());
        if !std::mem::replace(&mut self.has_begun, true)
            && let Some(newest) = self.others.pop_if(|newest| may_go_on(newest, at, bounds))
        {
            let (file, recorded) = shelf::go_on(newest)?;
            self.current = Some(Current { file, recorded, last: at });
            return Ok(());
        }
        let (file, recorded) = shelf::create(&self.folder, at)?;
        self.current = Some(Current { file, recorded, last: at });
        self.tell_known(at, lines);
        Ok(())
    }

    /// Notes the last message of its topic.
    fn know(&mut self, message: &Message) {
        match self.known.get_mut(message.topic.as_str()) {
            Some(known) => known.clone_from(message),
            None => {
                self.known.insert(message.topic.clone(), message.clone());
            }
        }
    }

    /// Writes what is known at the begin of a file.
    fn tell_known(&self, at: Timestamp, lines: &mut Lines) {
        let most = self.share() / KNOWN;
        let mut text = Vec::new();
        for message in self.known.values().filter(|message| !message.payload.is_empty()) {
            let message = Message { origin: Origin::Restored, ..message.clone() };
            // Writing into memory can't fail.
            let _ = serde_json::to_writer(&mut text, &MessageLine::new(at, &message, Via::Client(None)));
            text.push(b'\n');
            if text.len() as u64 > most {
                debug!(topics = self.known.len(), "The home's state is too large to be recorded with each file.");
                return;
            }
        }
        lines.text.extend(text);
    }

    /// Drops the oldest files until there is room for so many bytes more.
    fn make_room(&mut self, more: u64) {
        let packing = self.packing.as_ref().map_or(0, |packing| packing.size);
        let current = self.current.as_ref().map_or(0, |current| current.recorded.size);
        let others: u64 = self.others.iter().map(|file| file.size).sum();
        let mut used = packing + current + others + more;
        while used > self.settings.max_size && !self.others.is_empty() {
            let oldest = self.others.remove(0);
            used -= oldest.size;
            remove(&oldest.path);
        }
    }

    /// Drops the oldest files until the disk has enough room for others beside so many bytes more.
    ///
    /// # Errors
    /// When it hasn't, with all of them dropped.
    pub(super) fn leave_free(&mut self, more: u64, room: Option<Room>) -> io::Result<()> {
        let Some(Room { mut free, all }) = room else { return Ok(()) };
        let left = LEFT_FREE.min(all / 10);
        while free < more.saturating_add(left) {
            if self.others.is_empty() {
                let message =
                    format!("the last {} MiB of a disk are left to what must be kept", left.div_ceil(1 << 20));
                return Err(io::Error::new(io::ErrorKind::StorageFull, message));
            }
            let oldest = self.others.remove(0);
            free = free.saturating_add(oldest.size);
            remove(&oldest.path);
        }
        Ok(())
    }

    /// Drops the files that are too old at `now`, the current one too, where nothing came for so long.
    fn drop_old(&mut self, now: Timestamp) {
        if self.current.as_ref().is_some_and(|current| now.duration_since(current.recorded.begin) >= self.span()) {
            self.others.extend(self.current.take().map(|current| current.recorded));
        }
        let mut files = self.others.clone();
        files.extend(self.current.as_ref().map(|current| current.recorded.clone()));
        let keep = SignedDuration::try_from(self.settings.keep).unwrap_or(SignedDuration::MAX);
        for old in shelf::too_old(&files, now, keep, self.span()) {
            remove(&old.path);
            self.others.retain(|file| file != old);
        }
    }

    /// Packs the oldest finished file beside the writing, if none is being packed.
    fn pack_next(&mut self) {
        if self.packing.as_ref().is_some_and(|packing| !packing.thread.is_finished()) {
            return;
        }
        if let Some(done) = self.packing.take() {
            if let Ok(Err(error)) = done.thread.join() {
                debug!("A recording could not be packed: {error}.");
            }
            self.others = recorded_files(&self.folder).unwrap_or_default();
            let current = self.current.as_ref().map(|current| current.recorded.path.clone());
            self.others.retain(|file| Some(&file.path) != current.as_ref());
        }
        // The newest may go on after a start.
        if self.is_failing || !self.has_begun {
            return;
        }
        let Some(plain) = self.others.iter().find(|file| !file.is_packed) else { return };
        let (path, size) = (plain.path.clone(), plain.size);
        let work = move || shelf::pack(&path);
        let thread = std::thread::Builder::new().name("packing".to_owned()).spawn(work).ok();
        self.packing = thread.map(|thread| Packing { size, thread });
    }

    /// Returns how large a file may become.
    fn share(&self) -> u64 {
        (self.settings.max_size / FILES).min(LARGEST)
    }

    /// Returns how long a file may go on.
    fn span(&self) -> SignedDuration {
        let keep = SignedDuration::try_from(self.settings.keep).unwrap_or(SignedDuration::MAX);
        (keep / SPANS).clamp(SHORTEST_SPAN, LONGEST_SPAN)
    }

    /// Waits until what is being packed is packed, and packs the rest.
    #[cfg(test)]
    pub(super) fn finish_packing(&mut self) {
        loop {
            while self.packing.as_ref().is_some_and(|packing| !packing.thread.is_finished()) {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            self.pack_next();
            if self.packing.is_none() {
                return;
            }
        }
    }

    #[cfg(test)]
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    fn tell_left_out(&mut self, left_out: u64) {
        self.waiting.tell(|health| health.lost += left_out);
        if left_out > 0 && !self.is_behind {
            warn!(left_out, "Messages come faster than the disk takes them; some are not recorded.");
        }
        self.is_behind = left_out > 0;
    }

    fn tell_failing(&mut self, error: &io::Error, lost: u64) {
        let said = format!("nothing can be recorded in `{}`: {}", self.folder.display(), reason(error));
        self.waiting.tell(|health| {
            health.failing = Some(said.clone());
            health.lost += lost;
        });
        if self.is_failing {
            return debug!("Still {said}.");
        }
        error!("The home goes on, but {said}. It is tried again with the next messages.");
        self.is_failing = true;
    }

    fn tell_well(&mut self) {
        if std::mem::take(&mut self.is_failing) {
            let lost = std::mem::take(&mut self.lost);
            self.waiting.tell(|health| health.failing = None);
            info!(lost, "Messages are recorded again; those in between were not.");
        }
    }
}

fn may_go_on(newest: &RecordedFile, at: Timestamp, (span, share): (SignedDuration, u64)) -> bool {
    let age = at.duration_since(newest.begin);
    !newest.is_packed && !age.is_negative() && age < span && newest.size < share
}

fn tell_too_large(noted: &Noted) {
    let (topic, bytes) = (&noted.message.topic, noted.message.payload.bytes().len());
    warn!(%topic, bytes, "A message is too large to be recorded within `recorder.max_size`.");
}

fn remove(path: &Path) {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            warn!("The old recording `{}` can't be removed: {error}.", path.display());
        }
        _ => {}
    }
}
