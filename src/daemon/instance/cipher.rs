//! What a leader saves, on its way to standbys: JSON, compressed, and encrypted where there is a key. Brokers keep backups and logs,
//! and memory of rules may be private.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

/// The first byte of what is compressed only.
const PLAIN: u8 = 1;

/// The first byte of what is encrypted besides.
const SEALED: u8 = 2;

/// The largest piece when it is unpacked: a broken or hostile one mustn't fill the memory.
const LARGEST: u64 = 64 << 20;

/// Packs and unpacks what is saved.
pub(in crate::daemon) struct Cipher {
    key: Option<LessSafeKey>,
    home: String,
}

/// Why a piece can't be unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::daemon) enum Unreadable {
    /// It is encrypted, and we have no key.
    NoKey,
    /// It isn't encrypted, and ours are.
    NotEncrypted,
    /// It was encrypted with another key, or changed on its way.
    OtherKey,
    /// It isn't a piece.
    Broken,
}

impl Cipher {
    /// Returns the cipher with the key in the file at `path`; without one, nothing is encrypted.
    ///
    /// # Errors
    /// When the file can't be read, or is empty.
    pub(in crate::daemon) fn open(home: &str, path: Option<&Path>) -> Result<Cipher, String> {
        let home = home.to_owned();
        let Some(path) = path else { return Ok(Cipher { key: None, home }) };
        let wrong = |error: &dyn std::fmt::Display| format!("`instance.key`: `{}`: {error}", path.display());
        let text = fs::read(path).map_err(|error| wrong(&error))?;
        let text = text.trim_ascii();
        if text.len() < 16 {
            return Err(wrong(&"the key is too short; make one with `head -c 32 /dev/urandom | base64`"));
        }
        let key = UnboundKey::new(&CHACHA20_POLY1305, &Sha256::digest(text)).map_err(|error| wrong(&error))?;
        Ok(Cipher { key: Some(LessSafeKey::new(key)), home })
    }

    /// Returns whether what is saved is encrypted.
    pub(in crate::daemon) fn is_on(&self) -> bool {
        self.key.is_some()
    }

    /// Packs a piece; `None` only without random numbers.
    pub(in crate::daemon) fn pack(&self, piece: &impl Serialize) -> Option<Vec<u8>> {
        let json = serde_json::to_vec(piece).ok()?;
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&json).ok()?;
        let mut packed = encoder.finish().ok()?;
        let Some(key) = &self.key else {
            packed.insert(0, PLAIN);
            return Some(packed);
        };
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).ok()?;
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(self.home.as_bytes()), &mut packed)
            .ok()?;
        let mut sealed = vec![SEALED];
        sealed.extend_from_slice(&nonce);
        sealed.append(&mut packed);
        Some(sealed)
    }

    /// Unpacks a piece.
    pub(in crate::daemon) fn unpack<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, Unreadable> {
        let (form, rest) = bytes.split_first().ok_or(Unreadable::Broken)?;
        let mut rest = rest.to_vec();
        let packed: &[u8] = match (*form, &self.key) {
            (PLAIN, None) => &rest,
            (PLAIN, Some(_)) => return Err(Unreadable::NotEncrypted),
            (SEALED, None) => return Err(Unreadable::NoKey),
            (SEALED, Some(key)) => {
                let (nonce, sealed) = rest.split_first_chunk_mut::<NONCE_LEN>().ok_or(Unreadable::Broken)?;
                let nonce = Nonce::assume_unique_for_key(*nonce);
                key.open_in_place(nonce, Aad::from(self.home.as_bytes()), sealed).map_err(|_| Unreadable::OtherKey)?
            }
            _ => return Err(Unreadable::Broken),
        };
        let mut json = Vec::new();
        ZlibDecoder::new(packed).take(LARGEST).read_to_end(&mut json).map_err(|_| Unreadable::Broken)?;
        serde_json::from_slice(&json).map_err(|_| Unreadable::Broken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::{Changes, Saved, Stream};

    #[test]
    fn what_is_packed_is_read_with_the_same_key_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let (one, other) = (file("one", "a key of enough letters\n"), file("other", "another key of enough letters"));
        let cipher = |path: Option<&Path>| Cipher::open("home", path).unwrap();
        let secret = "the secret that a rule remembers";
        let changes = Changes::from([("rule/a".to_owned(), Some(secret.to_owned()))]);
        let saved = Stream::new(1).changes(5, Some(7), changes);
        let sealed = cipher(Some(&one)).pack(&saved).unwrap();
        assert!(!String::from_utf8_lossy(&sealed).contains("secret"));
        assert_eq!(cipher(Some(&one)).unpack::<Saved>(&sealed), Ok(saved.clone()));
        assert_eq!(cipher(Some(&other)).unpack::<Saved>(&sealed), Err(Unreadable::OtherKey));
        assert_eq!(cipher(None).unpack::<Saved>(&sealed), Err(Unreadable::NoKey));
        assert_eq!(Cipher::open("elsewhere", Some(&one)).unwrap().unpack::<Saved>(&sealed), Err(Unreadable::OtherKey));
        let plain = cipher(None).pack(&saved).unwrap();
        assert_eq!(cipher(None).unpack::<Saved>(&plain), Ok(saved));
        assert_eq!(cipher(Some(&one)).unpack::<Saved>(&plain), Err(Unreadable::NotEncrypted));
        assert_eq!(cipher(None).unpack::<Saved>(b"nonsense"), Err(Unreadable::Broken));
        assert!(Cipher::open("home", Some(&file("short", "x"))).is_err());
    }
}
