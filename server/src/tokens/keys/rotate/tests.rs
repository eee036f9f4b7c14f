use std::fs;

use super::{
    super::{FILE, KeyStatus, KeyStore},
    *,
};

fn made() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    KeyStore::open(folder.path(), Algorithm::Hs256, None, &Env::system()).unwrap();
    folder
}

#[test]
fn concurrent_rotations_keep_every_key() {
    let folder = made();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    rotate(folder.path(), Algorithm::EdDsa, &Env::system()).unwrap();
                }
            });
        }
    });
    let keys = list(folder.path()).unwrap();
    assert_eq!(keys.len(), 21);
    assert_eq!(keys.iter().filter(|key| key.status == KeyStatus::Signing).count(), 1);
}

#[test]
fn retire_of_signing_or_unknown_key_fails() {
    let folder = made();
    let first = list(folder.path()).unwrap().remove(0).kid;
    let before = fs::read(folder.path().join(FILE)).unwrap();
    assert!(
        matches!(retire(folder.path(), &first), Err(KeyChangeError::StillSigning { kid }) if kid == first)
    );
    assert!(
        matches!(retire(folder.path(), "nobody"), Err(KeyChangeError::Unknown { kid }) if kid == "nobody")
    );
    assert_eq!(fs::read(folder.path().join(FILE)).unwrap(), before);
    rotate(folder.path(), Algorithm::Hs256, &Env::system()).unwrap();
    assert_eq!(retire(folder.path(), &first).unwrap().kid, first);
    assert_eq!(list(folder.path()).unwrap().len(), 1);
}

#[test]
fn rotate_without_key_file_fails() {
    let folder = tempfile::tempdir().unwrap();
    for folder in [folder.path(), &folder.path().join("nowhere")] {
        assert_eq!(list(folder).unwrap(), []);
        assert!(matches!(
            rotate(folder, Algorithm::Hs256, &Env::system()),
            Err(KeyChangeError::Missing { path }) if path == folder.join(FILE)
        ));
        assert!(matches!(retire(folder, "a"), Err(KeyChangeError::Missing { .. })));
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn rotate_of_damaged_file_fails_and_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(FILE), "{}").unwrap();
    assert!(matches!(list(folder.path()), Err(KeyError::Damaged { .. })));
    assert!(matches!(
        rotate(folder.path(), Algorithm::Hs256, &Env::system()),
        Err(KeyChangeError::File(KeyError::Damaged { .. }))
    ));
    assert_eq!(fs::read(folder.path().join(FILE)).unwrap(), b"{}");
}
