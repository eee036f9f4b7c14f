//! Key commands while the server runs.

use std::{fs, os::unix::fs::PermissionsExt as _};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::process::{RunningServer, TestDir, within_a_second};

const PASSWORD: &str = "correct horse battery";

impl TestDir {
    /// Runs `gatehouse keys …` and returns its output.
    fn keys(&self, arguments: &[&str], settings: &[(&str, &str)]) -> String {
        let output = self.run(&[&["keys"], arguments].concat(), settings);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stderr.is_empty());
        String::from_utf8(output.stdout).expect("text")
    }

    /// Runs a command that must fail, and returns its error message.
    fn refused(&self, arguments: &[&str], settings: &[(&str, &str)]) -> String {
        let output = self.run(&[&["keys"], arguments].concat(), settings);
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
        String::from_utf8(output.stderr).expect("text")
    }
}

impl RunningServer {
    fn login(&self) -> (String, String) {
        let body = json!({ "username": "alice", "password": PASSWORD });
        self.call("POST", "/api/auth/register", None, &body).unwrap();
        let (status, pair) = self.call("POST", "/api/auth/login", None, &body).unwrap();
        assert_eq!(status, 200, "{pair}");
        let token = |name: &str| pair[name].as_str().unwrap().to_owned();
        (token("access_token"), token("refresh_token"))
    }

    fn me(&self, token: &str) -> (u16, Value) {
        let (status, body) = self.call("GET", "/api/me", Some(token), &Value::Null).unwrap();
        (status, body["code"].clone())
    }
}

fn kid(token: &str) -> String {
    let header: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap())
            .unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

#[test]
fn key_rotation_is_followed_by_a_running_server_and_keeps_sessions() {
    for algorithm in ["HS256", "EdDSA"] {
        let dir = TestDir::new();
        // Refreshes as often as possible.
        let settings = [("GATEHOUSE_JWT_ALGORITHM", algorithm), ("GATEHOUSE_RATE_LIMITS", "off")];
        let running = dir.serve(&settings);
        let (access, refresh) = running.login();
        let (old, file) = (kid(&access), dir.path().join("data/keys.json"));

        let said = dir.keys(&["rotate"], &settings);
        let new = said.split(' ').nth(1).unwrap().to_owned();
        // Within the grace a refresh returns the same generation, newly signed and without password
        // hashing.
        within_a_second(|| {
            let (status, pair) =
                running.call("POST", "/api/auth/refresh", Some(&refresh), &Value::Null).unwrap();
            assert_eq!(status, 200, "{pair}");
            kid(pair["access_token"].as_str().unwrap()) == new
        });
        let (newer, _) = running.login();
        assert_eq!(kid(&newer), new);
        assert_eq!(running.me(&access).0, 200, "the session has not ended");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

        assert!(dir.refused(&["retire", &new], &settings).contains("is the signing key"));
        dir.keys(&["retire", &old], &settings);
        within_a_second(|| running.me(&access) == (401, json!("token_invalid")));
        assert_eq!(running.me(&newer).0, 200);
        assert_eq!(running.stop(), Some(0));
        let mut names: Vec<_> = fs::read_dir(dir.path().join("data"))
            .unwrap()
            .map(|file| file.unwrap().file_name())
            .collect();
        names.retain(|name| name.to_string_lossy().starts_with("keys"));
        assert_eq!(names, ["keys.json"], "nothing is left beside it");

        // The changes survive a restart.
        let running = dir.serve(&settings);
        assert_eq!(running.me(&access), (401, json!("token_invalid")));
        assert_eq!(running.me(&newer).0, 200);
    }
}

#[test]
fn damaged_key_file_is_logged_once_and_keeps_the_loaded_keys() {
    let dir = TestDir::new();
    let running = dir.serve(&[]);
    let (access, _) = running.login();
    let file = dir.path().join("data/keys.json");
    let good = fs::read(&file).unwrap();
    fs::write(&file, "{").unwrap();
    within_a_second(|| dir.log().contains("damaged"));
    assert_eq!(running.me(&access).0, 200);
    fs::write(&file, good).unwrap();
    let said = dir.keys(&["rotate"], &[]);
    let new = said.split(' ').nth(1).unwrap();
    within_a_second(|| dir.log().contains(new));
    assert_eq!(kid(&running.login().0), new);
    assert_eq!(running.me(&access).0, 200);
    assert_eq!(dir.log().matches("damaged").count(), 1, "{}", dir.log());
}

#[test]
fn key_list_shows_every_key_without_secrets() {
    let dir = TestDir::new();
    assert!(dir.keys(&["list"], &[]).starts_with("There are no keys yet"));
    assert!(dir.refused(&["rotate"], &[]).contains("no keys yet"));
    assert!(dir.refused(&["retire", "a"], &[]).contains("no keys yet"));
    assert!(!dir.path().join("data").exists(), "it only tells");

    let eddsa = [("GATEHOUSE_JWT_ALGORITHM", "EdDSA")];
    dir.serve(&[]).stop();
    assert!(dir.keys(&["list"], &[]).contains("One key"));
    let said = dir.keys(&["rotate"], &eddsa);
    assert!(said.contains("from HS256 to EdDSA"), "{said}");
    let list = dir.keys(&["list"], &eddsa);
    let rows: Vec<Vec<_>> = list.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0][..4], ["KID", "ALGORITHM", "CREATED", "STATE"]);
    assert_eq!(
        (rows[1][1], rows[1][3], rows[1][4], rows[1][5]),
        ("HS256", "verify", "only", "from"),
        "{list}"
    );
    assert_eq!((rows[2][1], rows[2][3], rows[2][4]), ("EdDSA", "signing", "-"), "{list}");
    let file: Value =
        serde_json::from_slice(&fs::read(dir.path().join("data/keys.json")).unwrap()).unwrap();
    let secrets = file["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| &key["secret"])
        .chain([&file["refresh_names"]]);
    for secret in secrets {
        let secret = secret.as_str().unwrap();
        assert!(secret.len() >= 43 && !list.contains(secret) && !said.contains(secret));
    }
    assert!(
        dir.keys(&["list"], &[])
            .contains("the server creates a signing key for it at its next start")
    );
}

#[test]
fn key_commands_accept_ids_that_look_like_options() {
    let dir = TestDir::new();
    dir.serve(&[]).stop();
    let file = dir.path().join("data/keys.json");
    let old =
        dir.keys(&["list"], &[]).lines().nth(1).unwrap().split(' ').next().unwrap().to_owned();
    for name in ["-h_5kQ", "--x"] {
        dir.keys(&["rotate"], &[]);
        let content = fs::read_to_string(&file).unwrap();
        let key: Value = serde_json::from_str(&content).unwrap();
        let replaced = key["keys"][0]["kid"].as_str().unwrap().to_owned();
        assert!(name != "-h_5kQ" || replaced == old);
        fs::write(&file, content.replace(&replaced, name)).unwrap();
        assert!(dir.keys(&["retire", name], &[]).contains(name));
    }
    for help in [["retire", "--help"], ["retire", "-h"]] {
        assert!(dir.keys(&help, &[]).contains("Remove a key"));
    }
}

#[test]
fn key_rotation_with_configured_secret_exits_with_an_error() {
    let dir = TestDir::new();
    let secret = [("GATEHOUSE_JWT_SECRET", "of nobody's business, and long enough")];
    dir.serve(&secret).stop();
    for arguments in [&["rotate"][..], &["retire", "configured"]] {
        let said = dir.refused(arguments, &secret);
        assert!(said.contains("nothing to rotate") && !said.contains("business"), "{said}");
    }
    assert!(dir.keys(&["list"], &secret).contains("configured"));
    let both = [secret[0], ("GATEHOUSE_JWT_ALGORITHM", "EdDSA")];
    let said = dir.startup_error(&both);
    assert!(
        said.contains("GATEHOUSE_JWT_ALGORITHM") && said.contains("GATEHOUSE_JWT_SECRET"),
        "{said}"
    );
}
