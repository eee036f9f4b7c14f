//! `gatehouse backup` and `gatehouse restore`.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
    thread,
    time::{Duration, Instant},
};

use fake::rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

use crate::process::{RunningServer, TestDir};

const PASSWORD: &str = "correct horse battery";

/// A logged-in user with an avatar and a file.
struct User {
    token: String,
    avatar: String,
    file: String,
}

impl RunningServer {
    fn create_user(&self, username: &str) -> User {
        let body = json!({ "username": username, "password": PASSWORD });
        assert_eq!(self.call("POST", "/api/auth/register", None, &body).unwrap().0, 201);
        let token = self.access_token(username).unwrap();
        let picture = picture();
        let (status, answer) = self.send("PUT", "/api/me/avatar", Some(&token), &picture).unwrap();
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let avatar = answer["user"]["avatar_url"].as_str().unwrap().to_owned();
        let (status, answer) =
            self.send("POST", "/api/me/files?name=a.png", Some(&token), &picture).unwrap();
        assert_eq!(status, 201, "{}", String::from_utf8_lossy(&answer));
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        User { token, avatar, file: answer["file"]["id"].as_str().unwrap().to_owned() }
    }

    fn access_token(&self, username: &str) -> Option<String> {
        let body = json!({ "username": username, "password": PASSWORD });
        let (status, body) = self.call("POST", "/api/auth/login", None, &body).unwrap();
        (status == 200).then(|| body["access_token"].as_str().unwrap().to_owned())
    }

    fn status(&self, method: &str, path: &str, token: &str) -> u16 {
        self.send(method, path, Some(token), b"").unwrap().0
    }

    /// Returns whether a user's avatar and file exist.
    fn has_files_of(&self, username: &str, user: &User) -> bool {
        let token = self.access_token(username).unwrap();
        let file =
            self.send("GET", &format!("/api/me/file?id={}", user.file), Some(&token), b"").unwrap();
        file.0 == 200
            && file.1 == picture()
            && self.send("GET", &user.avatar, None, b"").unwrap().0 == 200
    }
}

impl TestDir {
    fn restore(&self, arguments: &[&str]) -> Output {
        self.run(&[&["restore"], arguments].concat(), &[])
    }

    /// Runs a restore that must fail without changes, and returns its error message.
    fn refusal(&self, arguments: &[&str]) -> String {
        let before = tree(&self.path().join("data"));
        let output = self.restore(arguments);
        assert_eq!(output.status.code(), Some(1));
        assert!(tree(&self.path().join("data")) == before, "something was changed");
        String::from_utf8(output.stderr).unwrap()
    }
}

/// A PNG of 8×8 pixels.
fn picture() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(8, 8).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Returns the files of a folder with their contents, except leftovers of a refused restore, which
/// the next one removes.
fn tree(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.ends_with("-lock") || name.ends_with("-shm") || name.contains("restore") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push((path.clone(), fs::read(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

#[test]
fn backup_beside_a_running_server_restores_accounts_keys_and_files() {
    let dir = TestDir::new();
    let running = dir.serve(&[]);
    let alice = running.create_user("alice");
    let output = dir.run(&["backup", "one.zip"], &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("the signing keys and 4 uploaded files"), "{said}");
    let archive = dir.path().join("one.zip");
    assert_eq!(fs::metadata(&archive).unwrap().permissions().mode() & 0o777, 0o600);
    let names: Vec<_> =
        fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 3, "nothing but data, log and the archive: {names:?}");

    // Existing files are not overwritten.
    let output = dir.run(&["backup", "one.zip"], &[]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("--force"));
    assert!(dir.run(&["backup", "one.zip", "--force"], &[]).status.success());

    // Changes after the backup: an account, a deleted file, a logout, a key.
    running.create_user("bob");
    assert_eq!(
        running.status("DELETE", &format!("/api/me/files?id={}", alice.file), &alice.token),
        200
    );
    let kept = running.access_token("alice").unwrap();
    assert_eq!(running.status("DELETE", "/api/auth/logout", &alice.token), 200);
    assert!(dir.run(&["keys", "rotate"], &[]).status.success());

    let output = dir.restore(&["one.zip"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("in use: stop the server"));
    // Also with a journal left by a kill.
    running.kill();
    let output = dir.restore(&["one.zip"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("Revoked sessions: 1. All users have to log in again."), "{said}");

    let running = dir.serve(&[]);
    assert!(running.has_files_of("alice", &alice));
    assert_eq!(running.access_token("bob"), None);
    for token in [&alice.token, &kept] {
        assert_eq!(
            running.status("GET", "/api/me", token),
            401,
            "what was logged out since stays logged out"
        );
    }
    assert_eq!(running.stop(), Some(0));
    let said_paths: Vec<_> = said.lines().filter_map(|line| line.strip_prefix("  ")).collect();
    assert_eq!(said_paths.len(), 3, "database, keys and files: {said}");
    for path in said_paths {
        assert!(dir.path().join(path).exists(), "the former state is kept: {path}");
    }
    let audit = dir.run(&["audit", "--event", "session_revoked", "--json"], &[]);
    assert!(String::from_utf8(audit.stdout).unwrap().contains("restored a backup of"));
}

#[test]
fn restore_into_an_empty_folder_serves_what_was_backed_up() {
    let (dir, other) = (TestDir::new(), TestDir::new());
    let running = dir.serve(&[]);
    let alice = running.create_user("alice");
    running.stop();
    assert!(
        dir.run(&["backup", "one.zip"], &[]).status.success(),
        "the server need not be running"
    );
    let archive = dir.path().join("one.zip");
    assert!(other.restore(&[archive.to_str().unwrap(), "--keep-sessions"]).status.success());
    assert_eq!(
        fs::metadata(other.path().join("data")).unwrap().permissions().mode() & 0o777,
        0o700
    );
    let running = other.serve(&[]);
    assert!(running.has_files_of("alice", &alice));
    assert_eq!(
        running.status("GET", "/api/me", &alice.token),
        200,
        "the session goes on, signed by the same key"
    );
}

#[test]
fn restore_to_an_uploads_folder_that_ends_with_a_slash_replaces_it() {
    let dir = TestDir::new();
    let settings = [("GATEHOUSE_UPLOADS_DIR", "uploads/")];
    let running = dir.serve(&settings);
    let alice = running.create_user("alice");
    running.stop();
    assert!(dir.run(&["backup", "one.zip"], &settings).status.success());
    let output = dir.run(&["restore", "one.zip"], &settings);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(dir.serve(&settings).has_files_of("alice", &alice));
}

#[test]
fn restore_of_a_damaged_or_foreign_archive_is_refused_and_changes_nothing() {
    let dir = TestDir::new();
    let running = dir.serve(&[]);
    running.create_user("alice");
    running.stop();
    assert!(dir.run(&["backup", "one.zip"], &[]).status.success());
    let whole = fs::read(dir.path().join("one.zip")).unwrap();
    let broken = dir.path().join("broken.zip");
    // A byte in the middle of each entry's data: others, such as times, do not change a restore.
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(&whole)).unwrap();
    assert!(archive.len() >= 4, "manifest, database, keys and pictures");
    for index in 0..archive.len() {
        let entry = archive.by_index(index).unwrap();
        let middle = entry.data_start().unwrap() + entry.compressed_size() / 2;
        let mut bytes = whole.clone();
        bytes[usize::try_from(middle).unwrap()] ^= 0xff;
        fs::write(&broken, &bytes).unwrap();
        let said = dir.refusal(&["broken.zip"]);
        assert!(said.contains("nothing was changed"), "{}: {said}", entry.name().unwrap());
    }
    for end in [0, 1, whole.len() / 2, whole.len() - 1] {
        fs::write(&broken, &whole[..end]).unwrap();
        assert!(dir.refusal(&["broken.zip"]).contains("is not a backup"), "{end}");
    }
    assert!(dir.refusal(&["missing.zip"]).contains("missing.zip"));
}

#[test]
fn restore_killed_at_any_moment_leaves_the_former_state_or_the_new_one() {
    let dir = TestDir::new();
    let running = dir.serve(&[]);
    let alice = running.create_user("alice");
    assert!(dir.run(&["backup", "one.zip"], &[]).status.success());
    let bob = running.create_user("bob");
    assert!(dir.run(&["keys", "rotate"], &[]).status.success());
    running.kill();
    let began = Instant::now();
    copy(&dir.path().join("data"), &dir.path().join("kept"));
    assert!(dir.restore(&["one.zip"]).status.success());
    let longest = began.elapsed();

    let mut random = StdRng::seed_from_u64(5);
    let (mut former, mut new) = (0, 0);
    for _ in 0..12 {
        fs::remove_dir_all(dir.path().join("data")).unwrap();
        copy(&dir.path().join("kept"), &dir.path().join("data"));
        let mut child = dir.launch(dir.command(&["restore", "one.zip"], &[]));
        thread::sleep(random.random_range(Duration::ZERO..longest));
        child.kill().unwrap();
        child.wait().unwrap();
        let running = dir.serve(&[]);
        assert!(running.has_files_of("alice", &alice));
        let keys = dir.run(&["keys", "list"], &[]);
        let keys = String::from_utf8(keys.stdout).unwrap().matches("verify only").count();
        if running.access_token("bob").is_some() {
            assert!(running.has_files_of("bob", &bob));
            assert_eq!(running.status("GET", "/api/me", &alice.token), 200);
            assert_eq!(keys, 1, "the former keys go with the former database");
            former += 1;
        } else {
            assert_eq!(running.status("GET", "/api/me", &alice.token), 401);
            assert_eq!(keys, 0, "the keys of the backup go with its database");
            new += 1;
        }
        running.kill();
    }
    println!("killed restores: {former} have changed nothing, {new} were complete");
}
