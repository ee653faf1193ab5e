//! One stored password: mosquitto's `$6$` and `$7$`, and PHC strings of argon2id.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha2::{Digest, Sha512};
use subtle::ConstantTimeEq;
use thiserror::Error;

/// The most iterations of PBKDF2 that a file may ask for: about a second of one core.
pub const MOST_ITERATIONS: u32 = 1_000_000;

/// The most memory, in KiB, that one check with argon2id may take.
pub const LARGEST_MEMORY: u32 = 64 * 1024;

/// The most passes of argon2id over its memory.
const MOST_PASSES: u32 = 16;

/// The most lanes of argon2id.
const MOST_LANES: u32 = 16;

/// What new passwords are kept with: 19 MiB, two passes, one lane (the OWASP's recommendation for argon2id).
const NEW: Argon = Argon { memory: 19 * 1024, passes: 2, lanes: 1 };

/// Bytes of a salt that is made here.
const SALT: usize = 16;

/// Bytes of SHA-512, and of what PBKDF2 makes with it.
const SHA512: usize = 64;

/// Base64 with or without `=` at its end: mosquitto writes them, PHC strings don't.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_encode_padding(false).with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A password as a file keeps it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    pub(super) kind: Kind,
    salt: Box<[u8]>,
    hash: Box<[u8]>,
}

/// How a password is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `$6$`: SHA-512, once.
    Sha512,
    /// `$7$`: PBKDF2 with SHA-512.
    Pbkdf2 { iterations: u32 },
    /// `$argon2id$`.
    Argon2(Argon),
}

/// What argon2id takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Argon {
    /// In KiB.
    pub(super) memory: u32,
    passes: u32,
    lanes: u32,
}

/// No password can be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("argon2id failed for want of memory")]
pub struct HashError;

impl PasswordHash {
    /// Returns `password` as it is kept, by argon2id, with a salt that was drawn for it alone.
    ///
    /// # Errors
    /// When there isn't the memory for it.
    pub fn new(password: &[u8], salt: [u8; SALT]) -> Result<PasswordHash, HashError> {
        let mut hash = vec![0; 32].into_boxed_slice();
        NEW.compute(password, &salt, &mut hash).ok_or(HashError)?;
        Ok(PasswordHash { kind: Kind::Argon2(NEW), salt: salt.into(), hash })
    }

    /// Reads what stands behind the user in a password file.
    ///
    /// # Errors
    /// What is wrong with it, without a part of it.
    pub(super) fn parse(text: &str) -> Result<PasswordHash, String> {
        let broken = || "the password is broken; set it again with `homerule passwd`".to_owned();
        let mut parts = text.strip_prefix('$').ok_or_else(not_hashed)?.split('$');
        let kind = match parts.next() {
            Some("6") => Kind::Sha512,
            Some("7") => Kind::Pbkdf2 { iterations: iterations(parts.next().ok_or_else(broken)?)? },
            Some("argon2id") => {
                if parts.next() != Some("v=19") {
                    return Err("only version 19 of argon2id (`v=19`) is supported".to_owned());
                }
                Kind::Argon2(Argon::parse(parts.next().ok_or_else(broken)?)?)
            }
            Some(
                other @ ("argon2i" | "argon2d" | "2a" | "2b" | "2y" | "5" | "1" | "y" | "pbkdf2-sha512" | "scrypt"),
            ) => {
                let message = format!("`${other}$` isn't supported: use mosquitto's `$6$` or `$7$`, or `$argon2id$`");
                return Err(message);
            }
            _ => return Err(not_hashed()),
        };
        let (Some(salt), Some(hash), None) = (parts.next(), parts.next(), parts.next()) else { return Err(broken()) };
        let decode = |text: &str| BASE64.decode(text).ok().map(Vec::into_boxed_slice);
        let (salt, hash) = decode(salt).zip(decode(hash)).ok_or_else(broken)?;
        let is_right = match kind {
            Kind::Sha512 | Kind::Pbkdf2 { .. } => hash.len() == SHA512 && !salt.is_empty() && salt.len() <= 256,
            // The limits of a PHC string of argon2.
            Kind::Argon2(_) => (16..=64).contains(&hash.len()) && (8..=64).contains(&salt.len()),
        };
        if is_right { Ok(PasswordHash { kind, salt, hash }) } else { Err(broken()) }
    }

    /// Returns whether it is `password`. That takes as long as its kind takes, whatever the password.
    pub(super) fn is(&self, password: &[u8]) -> bool {
        let mut computed = vec![0; self.hash.len()];
        let is_computed = self.kind.compute(password, &self.salt, &mut computed).is_some();
        bool::from(computed.ct_eq(&self.hash)) && is_computed
    }
}

impl Kind {
    /// Computes what is kept of `password`; `None` when it can't be, for want of memory.
    pub(super) fn compute(self, password: &[u8], salt: &[u8], out: &mut [u8]) -> Option<()> {
        match self {
            Kind::Sha512 => {
                let hash = Sha512::new().chain_update(password).chain_update(salt).finalize();
                (hash.len() == out.len()).then(|| out.copy_from_slice(&hash))
            }
            Kind::Pbkdf2 { iterations } => {
                pbkdf2::pbkdf2_hmac::<Sha512>(password, salt, iterations, out);
                Some(())
            }
            Kind::Argon2(argon) => argon.compute(password, salt, out),
        }
    }
}

impl Argon {
    fn parse(text: &str) -> Result<Argon, String> {
        let mut argon = Argon { memory: 0, passes: 0, lanes: 0 };
        for setting in text.split(',') {
            let (name, number) = setting.split_once('=').unwrap_or((setting, ""));
            let number = number.parse().unwrap_or(0);
            match name {
                "m" => argon.memory = number,
                "t" => argon.passes = number,
                "p" => argon.lanes = number,
                other => return Err(format!("`{other}` isn't a setting of argon2id that is supported here")),
            }
        }
        if argon.memory > LARGEST_MEMORY || argon.passes > MOST_PASSES || argon.lanes > MOST_LANES {
            let most = format!("m={LARGEST_MEMORY},t={MOST_PASSES},p={MOST_LANES}");
            return Err(format!("argon2id with `{text}` takes too much: at most `{most}` is allowed"));
        }
        Params::new(argon.memory, argon.passes, argon.lanes, None)
            .map_err(|_| format!("`{text}` aren't settings of argon2id, such as `m=19456,t=2,p=1`"))?;
        Ok(argon)
    }

    fn compute(self, password: &[u8], salt: &[u8], out: &mut [u8]) -> Option<()> {
        let parameters = Params::new(self.memory, self.passes, self.lanes, Some(out.len())).ok()?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
        argon.hash_password_into(password, salt, out).ok()
    }
}

impl fmt::Display for PasswordHash {
    /// As it stands in a file.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (salt, hash) = (BASE64.encode(&self.salt), BASE64.encode(&self.hash));
        match self.kind {
            Kind::Sha512 => write!(formatter, "$6${salt}${hash}"),
            Kind::Pbkdf2 { iterations } => write!(formatter, "$7${iterations}${salt}${hash}"),
            Kind::Argon2(Argon { memory, passes, lanes }) => {
                write!(formatter, "$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${hash}")
            }
        }
    }
}

impl fmt::Debug for PasswordHash {
    /// Without what could be guessed at.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PasswordHash").field("kind", &self.kind).finish_non_exhaustive()
    }
}

fn iterations(text: &str) -> Result<u32, String> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u32>() {
        Ok(number @ 1..=MOST_ITERATIONS) => Ok(number),
        Ok(1..) => Err(format!("{text} iterations are too many: at most {MOST_ITERATIONS} are allowed")),
        Err(_) if is_number => Err(format!("{text} iterations are too many: at most {MOST_ITERATIONS} are allowed")),
        Ok(0) | Err(_) => Err("the number of iterations is broken; set the password again".to_owned()),
    }
}

fn not_hashed() -> String {
    "the password isn't hashed; set it with `homerule passwd`, or run `mosquitto_passwd -U` on the file".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_that_mosquitto_made_are_known() {
        for line in [
            "$7$101$hcdJpZ03R2ekMTBK$k5/JqGbQX8bw18OqCPGo78z4YpyYzPVnWMk6gFvlaRh+xq716/Vtv2tj2cMrYZYo+s++EDqZurMzKUXO4+npIQ==",
            "$6$H+Q5qUltHPW0abw/$KdcQQjZ3MzzFgWdUCrXYRDMQltpmwI3655rKMMoN720Qabq0UrXk0vt2K5rFx3GFT02Ovc20a1Q88Gkf8xaVHQ==",
            "$7$5000$sutQi2AT3IkMmfQ9$DjYlKhaClYoGRZWoXnyT7ztfPjsXWHxpFv3U4l8vJ1T0kCDZ46zk7dwul4HrSYTGA4OxGzWWFfQgcsY198GcYw==",
        ] {
            let hash = PasswordHash::parse(line).unwrap();
            assert!(hash.is(b"secret") && !hash.is(b"Secret") && !hash.is(b""), "{line}");
            assert_eq!(PasswordHash::parse(&hash.to_string()).unwrap(), hash);
        }
    }

    #[test]
    fn strings_of_other_argon2_programs_are_known() {
        // The test vector of the reference implementation's `test.c` for version 19, argon2id, m=2^16.
        let line = "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc";
        let hash = PasswordHash::parse(line).unwrap();
        assert!(hash.is(b"password") && !hash.is(b"passwort"));
        assert_eq!(hash.to_string(), line);
    }

    #[test]
    fn a_new_password_is_argon2id() {
        let hash = PasswordHash::new("påss".as_bytes(), [7; 16]).unwrap();
        let written = hash.to_string();
        assert!(written.starts_with("$argon2id$v=19$m=19456,t=2,p=1$BwcHBwcHBwcHBwcHBwcHBw$"), "{written}");
        let read = PasswordHash::parse(&written).unwrap();
        assert!(read.is("påss".as_bytes()) && !read.is(b"pass"));
        assert!(!format!("{read:?}").contains("BwcH"));
    }

    #[test]
    fn what_is_broken_or_takes_too_much_is_refused() {
        let hash = BASE64.encode([1; 64]);
        for (text, part) in [
            ("secret".to_owned(), "isn't hashed"),
            (String::new(), "isn't hashed"),
            ("$8$a$b".to_owned(), "isn't hashed"),
            ("$6$".to_owned(), "broken"),
            ("$6$!!$aaaa".to_owned(), "broken"),
            (format!("$6$c2FsdA${hash}$x"), "broken"),
            ("$6$c2FsdA$AAAA".to_owned(), "broken"),
            (format!("$6$${hash}"), "broken"),
            (format!("$7$0$c2FsdA${hash}"), "iterations is broken"),
            (format!("$7$-1$c2FsdA${hash}"), "iterations is broken"),
            (format!("$7$1000001$c2FsdA${hash}"), "too many"),
            (format!("$7$99999999999$c2FsdA${hash}"), "too many"),
            ("$2b$12$abc".to_owned(), "`$2b$` isn't supported"),
            (format!("$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ${hash}"), "`$argon2i$` isn't supported"),
            (format!("$argon2id$v=16$m=256,t=2,p=1$c29tZXNhbHQ${hash}"), "version 19"),
            (format!("$argon2id$v=19$m=65537,t=2,p=1$c29tZXNhbHQ${hash}"), "too much"),
            (format!("$argon2id$v=19$m=256,t=17,p=1$c29tZXNhbHQ${hash}"), "too much"),
            (format!("$argon2id$v=19$m=256,t=0,p=1$c29tZXNhbHQ${hash}"), "aren't settings"),
            (format!("$argon2id$v=19$m=1,t=1,p=1$c29tZXNhbHQ${hash}"), "aren't settings"),
            (format!("$argon2id$v=19$m=256,t=1,p=1,keyid=a$c29tZXNhbHQ${hash}"), "`keyid` isn't a setting"),
            (format!("$argon2id$v=19$m=256,t=1,p=1$c2E${hash}"), "broken"),
        ] {
            let error = PasswordHash::parse(&text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
