//! The keys that sign tokens, and the file that keeps them.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::{Deserialize, Serialize};

use crate::clock::World;

/// The file's name in the data folder.
pub const FILE: &str = "keys.json";
/// The `kid` of a configured secret.
const CONFIGURED: &str = "configured";
/// Bytes of a random key: as many as the hash has (RFC 7518 §3.2).
const KEY_BYTES: usize = 32;

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("the key file {} cannot be used: {source}", .path.display())]
    File {
        /// Where it is.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is there, and is no key file.
    #[error("the key file {} is damaged ({why}); restore it from a backup, or remove it: everybody has to log in again then", .path.display())]
    Damaged {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

/// A key that signs tokens.
pub struct Key {
    /// Its name: the header's `kid`.
    pub kid: String,
    /// How it signs.
    pub algorithm: Algorithm,
    pub(super) encoding: EncodingKey,
    pub(super) decoding: DecodingKey,
}

impl Key {
    fn hs256(kid: &str, secret: &[u8]) -> Self {
        Self {
            kid: kid.to_owned(),
            algorithm: Algorithm::HS256,
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
        }
    }
}

/// All keys.
pub struct KeyRing {
    keys: HashMap<String, Key>,
    current: String,
    /// Derives the names of refresh tokens. It never rotates: a name must stay what it was.
    pub(super) refresh_names: SecretSlice<u8>,
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRing").field("current", &self.current).finish_non_exhaustive()
    }
}

impl KeyRing {
    /// The keys in the data folder, made there at the first start; a configured secret signs instead of theirs.
    ///
    /// # Errors
    ///
    /// [`KeyError`]
    pub fn load_or_create(folder: &Path, configured: Option<&SecretString>, world: &World) -> Result<Self, KeyError> {
        let path = folder.join(FILE);
        let at = |source| KeyError::File { path: path.clone(), source };
        let content = match fs::read(&path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create(&path, &KeyFile::generate(world)).map_err(at)?;
                // Read back: where two programs start at once, one of them has written it.
                fs::read(&path).map_err(at)?
            }
            Err(error) => return Err(at(error)),
        };
        let damaged = |why: &dyn std::fmt::Display| KeyError::Damaged { path: path.clone(), why: why.to_string() };
        let file: KeyFile = serde_json::from_slice(&content).map_err(|error| damaged(&error))?;
        file.open(configured).map_err(|why| damaged(&why))
    }

    /// The key that signs new tokens.
    ///
    /// `None` never happens: a ring is not built without it.
    #[must_use]
    pub fn current(&self) -> Option<&Key> {
        self.keys.get(&self.current)
    }

    /// The key of this name.
    #[must_use]
    pub fn get(&self, kid: &str) -> Option<&Key> {
        self.keys.get(kid)
    }

    /// All keys.
    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        self.keys.values()
    }
}

#[derive(Serialize, Deserialize)]
struct KeyFile {
    version: u32,
    current: String,
    keys: Vec<StoredKey>,
    refresh_names: String,
}

#[derive(Serialize, Deserialize)]
struct StoredKey {
    kid: String,
    algorithm: Algorithm,
    secret: String,
    created_at: i64,
}

impl KeyFile {
    fn generate(world: &World) -> Self {
        let kid = URL_SAFE_NO_PAD.encode(world.random::<9>());
        Self {
            version: 1,
            current: kid.clone(),
            keys: vec![StoredKey {
                kid,
                algorithm: Algorithm::HS256,
                secret: URL_SAFE_NO_PAD.encode(world.random::<KEY_BYTES>()),
                created_at: world.now(),
            }],
            refresh_names: URL_SAFE_NO_PAD.encode(world.random::<KEY_BYTES>()),
        }
    }

    fn open(self, configured: Option<&SecretString>) -> Result<KeyRing, String> {
        if self.version != 1 {
            return Err(format!("its version is {}, this program knows 1", self.version));
        }
        let mut keys = HashMap::new();
        for key in &self.keys {
            if key.algorithm != Algorithm::HS256 {
                return Err(format!("key {} is for {:?}, this program knows HS256", key.kid, key.algorithm));
            }
            keys.insert(key.kid.clone(), Key::hs256(&key.kid, &decode(&key.secret)?));
        }
        let current = if let Some(secret) = configured {
            // What the folder's keys have signed is no longer taken: whoever configures a secret wants that one alone.
            keys.clear();
            keys.insert(CONFIGURED.to_owned(), Key::hs256(CONFIGURED, secret.expose_secret().as_bytes()));
            CONFIGURED.to_owned()
        } else {
            self.current
        };
        if !keys.contains_key(&current) {
            return Err(format!("it has no key {current}"));
        }
        Ok(KeyRing { keys, current, refresh_names: decode(&self.refresh_names)?.into() })
    }
}

fn decode(text: &str) -> Result<Vec<u8>, String> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|error| error.to_string())?;
    if bytes.len() < KEY_BYTES {
        return Err(format!("a key of {} bytes is too short", bytes.len()));
    }
    Ok(bytes)
}

/// Writes the file whole or not at all, readable by its owner alone, and leaves one alone that is there.
fn create(path: &Path, file: &KeyFile) -> io::Result<()> {
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    let mut draft_file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    let written = serde_json::to_vec_pretty(file)
        .map_err(io::Error::other)
        .and_then(|content| draft_file.write_all(&content))
        .and_then(|()| draft_file.sync_all())
        // A link refuses to replace what is there; a rename would not.
        .and_then(|()| match fs::hard_link(&draft, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all()),
        });
    let removed = fs::remove_file(&draft);
    written.and(removed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn load(folder: &Path) -> Result<KeyRing, KeyError> {
        KeyRing::load_or_create(folder, None, &World::system())
    }

    #[test]
    fn keys_are_made_once_and_kept_from_others() {
        let folder = tempfile::tempdir().unwrap();
        let first = load(folder.path()).unwrap();
        let second = load(folder.path()).unwrap();
        assert_eq!(first.current, second.current);
        assert_eq!(first.refresh_names.expose_secret(), second.refresh_names.expose_secret());
        let mode = fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, [FILE], "no draft is left");
    }

    #[test]
    fn programs_that_start_at_once_agree() {
        let folder = tempfile::tempdir().unwrap();
        let rings: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..2)
                .map(|_| scope.spawn(|| KeyFile::generate(&World::system())))
                .map(|thread| thread.join().unwrap())
                .collect();
            threads
        });
        for file in &rings {
            create(&folder.path().join(FILE), file).unwrap();
        }
        assert_eq!(load(folder.path()).unwrap().current, rings[0].current, "the first one stays");
    }

    #[test]
    fn a_damaged_file_is_told_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        for content in ["", "{}", "[]", r#"{"version":2,"current":"a","keys":[],"refresh_names":""}"#] {
            fs::write(&path, content).unwrap();
            assert!(matches!(load(folder.path()), Err(KeyError::Damaged { .. })), "{content}");
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
    }

    #[test]
    fn a_configured_secret_takes_the_place_of_the_keys() {
        let folder = tempfile::tempdir().unwrap();
        let kept = load(folder.path()).unwrap();
        let secret = SecretString::from("a secret of at least 32 bytes, as it has to be");
        let ring = KeyRing::load_or_create(folder.path(), Some(&secret), &World::system()).unwrap();
        assert_eq!(ring.current().unwrap().kid, CONFIGURED);
        assert!(ring.get(&kept.current).is_none());
        assert!(!format!("{ring:?}").contains("secret of"));
    }
}
