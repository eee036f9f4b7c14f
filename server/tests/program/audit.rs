//! The command `gatehouse audit`.

use std::{
    io::{BufRead as _, BufReader},
    sync::mpsc,
    time::Duration,
};

use serde_json::{Value, json};

use crate::process::{RunningServer, TestDir};

const PASSWORD: &str = "correct horse battery";

fn lines(dir: &TestDir, arguments: &[&str]) -> Vec<String> {
    let output = dir.run(&[&["audit"], arguments].concat(), &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect()
}

fn login(running: &RunningServer, username: &str, password: &str) {
    let body = json!({ "username": username, "password": password });
    running.call("POST", "/api/auth/login", None, &body).expect("an answer");
}

fn register(running: &RunningServer, username: &str) {
    let body = json!({ "username": username, "password": PASSWORD });
    assert_eq!(running.call("POST", "/api/auth/register", None, &body).expect("an answer").0, 201);
}

#[test]
fn invariant_42_audit_command_prints_one_line_per_event_and_filters() {
    let dir = TestDir::new();
    let running = dir.serve(&[]);
    register(&running, "Alice");
    register(&running, "bertha");
    login(&running, "alice", PASSWORD);
    login(&running, "alice", "wrong");
    login(&running, "nobody\r\n2027-01-15T08:00:00Z logged_in success", "wrong");

    // While the server runs.
    let all = lines(&dir, &[]);
    let words: Vec<_> = all
        .iter()
        .map(|line| line.split(' ').skip(1).take(3).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        words,
        [
            "registered success user=Alice",
            "registered success user=bertha",
            "logged_in success user=Alice",
            "logged_in wrong_password user=Alice",
            "logged_in unknown_account address=127.0.0.1",
        ]
    );
    assert_eq!(lines(&dir, &["--user", "ＡＬＩＣＥ"]).len(), 3);
    assert_eq!(lines(&dir, &["--event", "registered"]), all[..2]);
    assert_eq!(lines(&dir, &["--outcome", "wrong_password"]), all[3..4]);
    assert_eq!(
        lines(&dir, &["--user", "alice", "--event", "logged_in", "--outcome", "success"]),
        all[2..3]
    );
    assert_eq!(lines(&dir, &["--since", "1h"]), all);
    assert_eq!(lines(&dir, &["--since", "2400-01-01"]).len(), 0);
    assert_eq!(lines(&dir, &["--address", "127.0.0.0/8"]), all);
    assert_eq!(lines(&dir, &["--address", "192.0.2.1"]).len(), 0);
    assert_eq!(lines(&dir, &["--last", "2"]), all[3..]);
    assert_eq!(running.stop(), Some(0));

    // And while it is stopped.
    let json: Vec<Value> = lines(&dir, &["--json"])
        .iter()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(json.len(), all.len());
    assert_eq!(
        (json[0]["username"].as_str(), json[0]["event"].as_str()),
        (Some("Alice"), Some("registered"))
    );
    let id = json[0]["user"].as_str().unwrap();
    assert_eq!(lines(&dir, &["--user", id]).len(), 3);
}

#[test]
fn audit_of_key_changes_shows_the_key_id() {
    let dir = TestDir::new();
    dir.serve(&[]).stop();
    let said = dir.run(&["keys", "rotate"], &[]).stdout;
    let said = String::from_utf8(said).unwrap();
    let kid = said.split(' ').nth(1).unwrap();
    let told = lines(&dir, &["--event", "key_rotated"]);
    assert_eq!(told.len(), 1);
    assert!(told[0].ends_with(&format!(" key_rotated success detail=\"{kid}\"")), "{}", told[0]);
    let json: Value =
        serde_json::from_str(&lines(&dir, &["--event", "key_rotated", "--json"])[0]).unwrap();
    assert_eq!(json["detail"].as_str(), Some(kid));
}

#[test]
fn audit_follow_prints_new_events() {
    let dir = TestDir::new();
    let running = dir.serve(&[]);
    register(&running, "alice");
    let mut following = dir.start(&["audit", "--follow", "--last", "0"]);
    let (sender, told) = mpsc::channel();
    let output = following.take_output();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines() {
            if sender.send(line.expect("text")).is_err() {
                break;
            }
        }
    });
    // It may not have started yet: earlier events are printed first.
    for _ in 0..100 {
        login(&running, "alice", PASSWORD);
        if let Ok(line) = told.recv_timeout(Duration::from_secs(2)) {
            assert!(line.contains(" logged_in success user=alice "), "{line}");
            return;
        }
    }
    panic!("nothing was told");
}

#[test]
fn audit_with_unreadable_database_reports_the_reason() {
    let dir = TestDir::new();
    let startup_error = |arguments: &[&str]| {
        let output = dir.run(&[&["audit"], arguments].concat(), &[]);
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(startup_error(&[]).contains("does not exist"), "{}", startup_error(&[]));
    assert!(!dir.path().join("data").exists(), "it only looks");
    dir.serve(&[]).stop();
    assert!(startup_error(&["--user", "nobody"]).contains("there is no account \"nobody\""));
    assert!(startup_error(&["--since", "soon"]).contains("\"soon\" is not a time"));
    let said = startup_error(&["--event", "x"]);
    assert!(
        said.contains("registered, logged_in")
            && said.contains("session_revoked, key_rotated, key_retired"),
        "{said}"
    );
    assert!(startup_error(&["--address", "x"]).contains("not an IP address or network"));
}
