//! The password file: mosquitto's, with PHC strings of argon2id beside its own.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::hint::black_box;
use std::sync::Arc;

use super::FileError;
use super::password::{Argon, Kind, PasswordHash};

/// The most different settings of argon2id in one file: each check pays for all of them.
const MOST_ARGONS: usize = 4;

/// The longest user in bytes (MQTT 5.0, 1.5.4: a two-byte length).
const LONGEST_USER: usize = 65_535;

/// What is computed in place of a kind that isn't the user's.
const DUMMY_SALT: &[u8] = b"0123456789abcdef";

/// The users, with their passwords.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Users {
    hashes: BTreeMap<Arc<str>, PasswordHash>,
    /// The most iterations of PBKDF2 of any user; 0: none.
    iterations: u32,
    /// The settings of argon2id in the file.
    argons: Vec<Argon>,
}

impl Users {
    /// Reads the file whose content is `bytes`: a user, a colon and the password's hash on each line.
    ///
    /// # Errors
    /// All lines that are wrong; then none of the file counts. No message holds a part of a password.
    pub fn parse(bytes: &[u8]) -> Result<Users, Vec<FileError>> {
        let mut users = Users::default();
        let mut lines: BTreeMap<Arc<str>, usize> = BTreeMap::new();
        let mut errors = Vec::new();
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let number = index + 1;
            match parse_line(line) {
                Ok(None) => {}
                Ok(Some((user, hash))) => match lines.entry(user.into()) {
                    Entry::Occupied(entry) => {
                        let (user, first) = (entry.key(), entry.get());
                        let message = format!("user `{user}` is in line {first} already; remove one of the lines");
                        errors.push(FileError::new(number, message));
                    }
                    Entry::Vacant(entry) => {
                        errors.extend(users.note_kind(hash.kind).err().map(|message| FileError::new(number, message)));
                        users.hashes.insert(Arc::clone(entry.key()), hash);
                        entry.insert(number);
                    }
                },
                Err(message) => errors.push(FileError::new(number, message)),
            }
        }
        if errors.is_empty() { Ok(users) } else { Err(errors) }
    }

    fn note_kind(&mut self, kind: Kind) -> Result<(), String> {
        match kind {
            Kind::Sha512 => {}
            Kind::Pbkdf2 { iterations } => self.iterations = self.iterations.max(iterations),
            Kind::Argon2(argon) if self.argons.contains(&argon) => {}
            Kind::Argon2(_) if self.argons.len() == MOST_ARGONS => {
                return Err(format!(
                    "this is the {}th kind of argon2id settings in the file, and each login pays for all of them; set the password again with `homerule passwd`",
                    MOST_ARGONS + 1
                ));
            }
            Kind::Argon2(argon) => self.argons.push(argon),
        }
        Ok(())
    }

    /// Returns whether `user` has this password. Slow on purpose: call it beside the loop.
    ///
    /// It takes the same time for each user of the file and for one that isn't there: that of one check of each kind that the
    /// file has, with the most iterations of `$7$`.
    #[must_use]
    pub fn check(&self, user: &str, password: &[u8]) -> bool {
        let found = self.hashes.get(user);
        let is_right = found.is_some_and(|hash| hash.is(password));
        let kind = found.map(|hash| hash.kind);
        self.spend_the_rest(kind, password);
        is_right
    }

    /// Computes what a check of another kind of user would have.
    fn spend_the_rest(&self, done: Option<Kind>, password: &[u8]) {
        let compute = |kind: Kind, length: usize| {
            let mut out = vec![0; length];
            black_box(kind.compute(password, DUMMY_SALT, &mut out));
            black_box(out);
        };
        if done != Some(Kind::Sha512) {
            compute(Kind::Sha512, 64);
        }
        let iterated = if let Some(Kind::Pbkdf2 { iterations }) = done { iterations } else { 0 };
        if self.iterations > iterated {
            compute(Kind::Pbkdf2 { iterations: self.iterations - iterated }, 64);
        }
        for argon in self.argons.iter().map(|argon| Kind::Argon2(*argon)).filter(|kind| done != Some(*kind)) {
            compute(argon, 32);
        }
    }

    /// Returns the bytes of memory that one check takes at most.
    #[must_use]
    pub fn memory_of_check(&self) -> usize {
        let kibibytes = self.argons.iter().map(|argon| argon.memory).max().unwrap_or(0);
        usize::try_from(kibibytes).unwrap_or(usize::MAX).saturating_mul(1024)
    }

    /// Returns the stored password of `user`: while it is the same, a client that is connected may stay.
    #[must_use]
    pub fn get(&self, user: &str) -> Option<&PasswordHash> {
        self.hashes.get(user)
    }

    /// Returns whether the file has no users.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }
}

/// Returns the user of a line and its password; `None` for an empty line and a comment.
fn parse_line(line: &[u8]) -> Result<Option<(&str, PasswordHash)>, String> {
    let line = std::str::from_utf8(line).map_err(|_| "this line isn't UTF-8".to_owned())?;
    let line = line.trim_end_matches(['\r', ' ', '\t']);
    if line.trim_start().is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (user, hash) = line.split_once(':').ok_or("a line has a user, a colon and a password's hash")?;
    let user = user.trim();
    if user.is_empty() {
        return Err("there is no user in front of the colon".to_owned());
    }
    if user.len() > LONGEST_USER {
        return Err("a user can't be longer than 65,535 bytes".to_owned());
    }
    Ok(Some((user, PasswordHash::parse(hash.trim())?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# ours\n\
        a:$7$101$hcdJpZ03R2ekMTBK$k5/JqGbQX8bw18OqCPGo78z4YpyYzPVnWMk6gFvlaRh+xq716/Vtv2tj2cMrYZYo+s++EDqZurMzKUXO4+npIQ==\r\n\
        \n\
        b b:$6$H+Q5qUltHPW0abw/$KdcQQjZ3MzzFgWdUCrXYRDMQltpmwI3655rKMMoN720Qabq0UrXk0vt2K5rFx3GFT02Ovc20a1Q88Gkf8xaVHQ==\n\
        c:$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc\n";

    #[test]
    fn users_of_all_kinds_stand_beside_each_other() {
        let users = Users::parse(FILE.as_bytes()).unwrap();
        assert!(users.check("a", b"secret") && users.check("b b", b"secret") && users.check("c", b"password"));
        assert!(!users.check("a", b"password") && !users.check("c", b"secret") && !users.check("d", b"secret"));
        assert!(!users.check("", b"") && !users.check("A", b"secret"));
        assert_eq!((users.iterations, users.memory_of_check()), (101, 256 * 1024));
        assert!(Users::parse(b"").unwrap().is_empty() && !users.is_empty());
    }

    #[test]
    fn broken_lines_are_told_without_their_secrets() {
        let first = FILE.lines().nth(1).unwrap();
        let text = format!("{FILE}a:$6$x$y\nnobody\n:x\nplain:hunter2\n{first}\n");
        let errors = Users::parse(text.as_bytes()).unwrap_err();
        let errors: Vec<String> = errors.iter().map(|error| error.in_file("users.txt")).collect();
        assert_eq!(
            errors,
            [
                "users.txt:6: the password is broken; set it again with `homerule passwd`",
                "users.txt:7: a line has a user, a colon and a password's hash",
                "users.txt:8: there is no user in front of the colon",
                "users.txt:9: the password isn't hashed; set it with `homerule passwd`, or run `mosquitto_passwd -U` on the file",
                "users.txt:10: user `a` is in line 2 already; remove one of the lines",
            ]
        );
    }

    #[test]
    fn a_file_may_ask_for_a_few_kinds_of_argon2id_only() {
        let line = |passes: usize| {
            format!(
                "u{passes}:$argon2id$v=19$m=64,t={passes},p=1$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc\n"
            )
        };
        let file: String = (1..=5).map(line).collect();
        assert_eq!(Users::parse(file.as_bytes()).unwrap_err()[0].line, 5);
        assert!(Users::parse(file.lines().take(4).collect::<Vec<_>>().join("\n").as_bytes()).is_ok());
    }
}
