//! `gatehouse audit`: what has happened, for the administrator.

use std::{
    io::{BufRead as _, BufReader},
    sync::mpsc,
    time::Duration,
};

use serde_json::{Value, json};

use crate::process::{Place, Running};

const PASSWORD: &str = "correct horse battery";

fn lines(place: &Place, arguments: &[&str]) -> Vec<String> {
    let output = place.run(&[&["audit"], arguments].concat(), &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect()
}

fn login(running: &Running, username: &str, password: &str) {
    let body = json!({ "username": username, "password": password });
    running.call("POST", "/api/auth/login", None, &body).expect("an answer");
}

fn register(running: &Running, username: &str) {
    let body = json!({ "username": username, "password": PASSWORD });
    assert_eq!(running.call("POST", "/api/auth/register", None, &body).expect("an answer").0, 201);
}

#[test]
fn invariant_42_each_event_is_a_line_and_can_be_picked_out() {
    let place = Place::new();
    let running = place.serve(&[]);
    register(&running, "Alice");
    register(&running, "bertha");
    login(&running, "alice", PASSWORD);
    login(&running, "alice", "wrong");
    login(&running, "nobody\r\n2027-01-15T08:00:00Z logged_in success", "wrong");

    // While the server runs.
    let all = lines(&place, &[]);
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
    assert_eq!(lines(&place, &["--user", "ＡＬＩＣＥ"]).len(), 3);
    assert_eq!(lines(&place, &["--event", "registered"]), all[..2]);
    assert_eq!(lines(&place, &["--outcome", "wrong_password"]), all[3..4]);
    assert_eq!(
        lines(&place, &["--user", "alice", "--event", "logged_in", "--outcome", "success"]),
        all[2..3]
    );
    assert_eq!(lines(&place, &["--since", "1h"]), all);
    assert_eq!(lines(&place, &["--since", "2400-01-01"]).len(), 0);
    assert_eq!(lines(&place, &["--address", "127.0.0.0/8"]), all);
    assert_eq!(lines(&place, &["--address", "192.0.2.1"]).len(), 0);
    assert_eq!(lines(&place, &["--last", "2"]), all[3..]);
    assert_eq!(running.stop(), Some(0));

    // And while it does not.
    let json: Vec<Value> = lines(&place, &["--json"])
        .iter()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(json.len(), all.len());
    assert_eq!(
        (json[0]["username"].as_str(), json[0]["event"].as_str()),
        (Some("Alice"), Some("registered"))
    );
    let id = json[0]["user"].as_str().unwrap();
    assert_eq!(lines(&place, &["--user", id]).len(), 3);
}

#[test]
fn what_is_done_to_a_key_is_told_with_its_name() {
    let place = Place::new();
    place.serve(&[]).stop();
    let said = place.run(&["keys", "rotate"], &[]).stdout;
    let said = String::from_utf8(said).unwrap();
    let kid = said.split(' ').nth(1).unwrap();
    let told = lines(&place, &["--event", "key_rotated"]);
    assert_eq!(told.len(), 1);
    assert!(told[0].ends_with(&format!(" key_rotated success detail=\"{kid}\"")), "{}", told[0]);
    let json: Value =
        serde_json::from_str(&lines(&place, &["--event", "key_rotated", "--json"])[0]).unwrap();
    assert_eq!(json["detail"].as_str(), Some(kid));
}

#[test]
fn the_log_can_be_followed() {
    let place = Place::new();
    let running = place.serve(&[]);
    register(&running, "alice");
    let mut following = place.start(&["audit", "--follow", "--last", "0"]);
    let (sender, told) = mpsc::channel();
    let output = following.take_output();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines() {
            if sender.send(line.expect("text")).is_err() {
                break;
            }
        }
    });
    // It may not have begun yet: what happens then comes before.
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
fn what_cannot_be_shown_is_told() {
    let place = Place::new();
    let complaint = |arguments: &[&str]| {
        let output = place.run(&[&["audit"], arguments].concat(), &[]);
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(complaint(&[]).contains("does not exist"), "{}", complaint(&[]));
    assert!(!place.path().join("data").exists(), "it only looks");
    place.serve(&[]).stop();
    assert!(complaint(&["--user", "nobody"]).contains("there is no account \"nobody\""));
    assert!(complaint(&["--since", "soon"]).contains("\"soon\" is not a time"));
    let said = complaint(&["--event", "x"]);
    assert!(
        said.contains("registered, logged_in")
            && said.contains("session_revoked, key_rotated, key_retired"),
        "{said}"
    );
    assert!(complaint(&["--address", "x"]).contains("not an IP address or network"));
}
