use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use secrecy::ExposeSecret as _;

use super::{
    super::{CONFIGURED, FILE, key, rotate},
    *,
};

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join(FILE)
    }

    fn open(&self, algorithm: Algorithm) -> (KeyStore, Opened) {
        KeyStore::open(self.folder.path(), algorithm, None, &Env::system()).unwrap()
    }

    fn rotate(&self, algorithm: Algorithm) -> String {
        rotate::rotate(self.folder.path(), algorithm, &Env::system()).unwrap().signing.kid
    }
}

fn signing(keys: &KeyStore) -> String {
    keys.ring().signing().kid.clone()
}

#[test]
fn open_creates_keys_once_with_mode_0600() {
    let place = Place::new();
    let (first, opened) = place.open(Algorithm::Hs256);
    assert_eq!(opened, Opened::Created);
    let (second, opened) = place.open(Algorithm::Hs256);
    assert_eq!(opened, Opened::Existing);
    assert_eq!(signing(&first), signing(&second));
    let names = |keys: &KeyStore| keys.ring().refresh_jti_key.expose_secret().to_vec();
    assert_eq!(names(&first), names(&second));
    assert_eq!(names(&first).len(), key::BYTES);
    assert_eq!(fs::metadata(place.file()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn open_by_concurrent_processes_creates_one_key() {
    let place = Place::new();
    let kids: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..8).map(|_| scope.spawn(|| signing(&place.open(Algorithm::EdDsa).0))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(kids.iter().all(|kid| *kid == kids[0]), "{kids:?}");
}

#[test]
fn open_of_damaged_file_fails_and_keeps_it() {
    let place = Place::new();
    for content in ["", "{}", r#"{"version":2,"current":"a","keys":[],"refresh_names":""}"#] {
        fs::write(place.file(), content).unwrap();
        let opened = KeyStore::open(place.folder.path(), Algorithm::Hs256, None, &Env::system());
        assert!(matches!(opened, Err(KeyError::Damaged { .. })), "{content}");
        assert_eq!(fs::read_to_string(place.file()).unwrap(), content);
    }
}

#[test]
fn open_with_other_algorithm_rotates_and_keeps_old_keys() {
    let place = Place::new();
    let first = signing(&place.open(Algorithm::Hs256).0);
    let (keys, opened) = place.open(Algorithm::EdDsa);
    assert_eq!(opened, Opened::Rotated);
    assert_eq!(keys.ring().signing().algorithm, Algorithm::EdDsa);
    assert!(keys.ring().get(&first).is_some());
    assert_eq!(place.open(Algorithm::EdDsa).1, Opened::Existing);
    // Back again: a key that has stopped signing never signs again.
    let (keys, opened) = place.open(Algorithm::Hs256);
    assert_eq!(opened, Opened::Rotated);
    assert_eq!(keys.ring().signing().algorithm, Algorithm::Hs256);
    assert_ne!(signing(&keys), first);
}

#[test]
fn open_with_configured_secret_ignores_stored_keys() {
    let place = Place::new();
    place.open(Algorithm::EdDsa);
    let secret = SecretString::from("a secret of at least 32 bytes, as it has to be");
    let opened =
        KeyStore::open(place.folder.path(), Algorithm::Hs256, Some(secret), &Env::system());
    let (keys, opened) = opened.unwrap();
    assert_eq!((signing(&keys).as_str(), opened), (CONFIGURED, Opened::Existing));
    place.rotate(Algorithm::Hs256);
    keys.reload_if_changed();
    assert_eq!(signing(&keys), CONFIGURED);
}

#[test]
fn reload_after_rotation_and_retirement_follows_the_file() {
    let place = Place::new();
    let (keys, _) = place.open(Algorithm::Hs256);
    let first = signing(&keys);
    let second = place.rotate(Algorithm::EdDsa);
    assert_eq!(signing(&keys), first, "not yet");
    keys.reload_if_changed();
    assert_eq!(signing(&keys), second);
    assert!(keys.ring().get(&first).is_some());
    rotate::retire(place.folder.path(), &first).unwrap();
    keys.reload_if_changed();
    assert!(keys.ring().get(&first).is_none());
}

#[test]
fn ring_with_key_of_unknown_kid_reloads() {
    let place = Place::new();
    let (keys, _) = place.open(Algorithm::Hs256);
    let before = keys.ring();
    let new = place.rotate(Algorithm::Hs256);
    assert!(
        keys.ring_with_key(Arc::clone(&before), &before.signing().kid).get(&new).is_none(),
        "not requested yet"
    );
    assert!(keys.ring_with_key(before, &new).get(&new).is_some());
}

#[test]
fn ring_with_key_of_unchanged_file_does_not_reread() {
    let place = Place::new();
    let (keys, _) = place.open(Algorithm::Hs256);
    let before = keys.ring();
    for number in 0..1_000 {
        assert!(
            keys.ring_with_key(keys.ring(), &number.to_string()).get(&number.to_string()).is_none()
        );
    }
    assert!(Arc::ptr_eq(&before, &keys.ring()), "the file has not changed, and was not read again");
}

#[test]
fn reload_of_invalid_file_keeps_keys_until_it_is_valid() {
    let place = Place::new();
    let (keys, _) = place.open(Algorithm::Hs256);
    let before = keys.ring();
    let good = fs::read(place.file()).unwrap();
    for content in ["", "{", r#"{"version":1,"current":"x","keys":[],"refresh_names":""}"#] {
        fs::write(place.file(), content).unwrap();
        keys.reload_if_changed();
        assert!(Arc::ptr_eq(&before, &keys.ring()), "{content}");
    }
    fs::remove_file(place.file()).unwrap();
    keys.reload_if_changed();
    fs::create_dir(place.file()).unwrap();
    keys.reload_if_changed();
    assert!(Arc::ptr_eq(&before, &keys.ring()));
    fs::remove_dir(place.file()).unwrap();
    fs::write(place.file(), good).unwrap();
    let new = place.rotate(Algorithm::Hs256);
    keys.reload_if_changed();
    assert_eq!(signing(&keys), new);
}
