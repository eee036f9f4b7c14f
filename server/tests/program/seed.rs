//! The command `gatehouse seed`.

use std::{collections::HashSet, os::unix::fs::PermissionsExt as _};

use serde_json::{Value, json};

use crate::process::TestDir;

impl TestDir {
    fn seed(&self, arguments: &[&str]) -> String {
        let output = self.run(&[&["seed"], arguments].concat(), &[]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stderr.is_empty(), "the bar is for a terminal alone");
        String::from_utf8(output.stdout).expect("text")
    }

    fn people(&self) -> Vec<Value> {
        let output = self.run(&["user", "list", "--json"], &[]);
        let lines = String::from_utf8(output.stdout).expect("text");
        lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

#[test]
fn seed_repeated_keeps_the_requested_number() {
    let dir = TestDir::new();
    assert_eq!(dir.run(&["seed", "--users", "0"], &[]).status.code(), Some(2));
    for (arguments, made) in [
        (&["--users", "700"][..], 700),
        (&["--users", "701"], 1401),
        (&["--users", "600", "--lang", "zh"], 2001),
        (&["--users", "600", "--lang", "zh"], 2601),
    ] {
        let said = dir.seed(arguments);
        assert!(said.contains("cannot be logged in to"), "{said}");
        let people = dir.people();
        assert_eq!(people.len(), made);
        let names: HashSet<_> =
            people.iter().map(|person| person["username"].as_str().unwrap()).collect();
        assert_eq!(names.len(), made);
        let ages: Vec<_> =
            people.iter().map(|person| person["created_at"].as_i64().unwrap()).collect();
        assert!(ages.is_sorted() && ages.first() < ages.last());
    }
}

#[test]
fn seed_without_database_creates_one_the_server_accepts() {
    let dir = TestDir::new();
    let said = dir.seed(&["--users", "3"]);
    assert!(said.starts_with("Created the database data/gatehouse.sqlite."), "{said}");
    let mode =
        |path: &str| std::fs::metadata(dir.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("data"), mode("data/gatehouse.sqlite")), (0o700, 0o600));
    assert_eq!(dir.serve(&[]).stop(), Some(0));
    assert_eq!(dir.people().len(), 3);
}

#[test]
fn seed_accounts_with_password_log_in_and_others_are_refused() {
    let dir = TestDir::new();
    let running = dir.serve(&[]);
    let name = |index: usize| dir.people()[index]["username"].as_str().unwrap().to_owned();
    let status = |username: &str, password: &str| {
        let body = json!({ "username": username, "password": password });
        running.call("POST", "/api/auth/login", None, &body).unwrap().0
    };
    dir.seed(&["--users", "1"]);
    let first = name(0);
    assert_eq!(status(&first, "correct horse battery"), 401);
    let said = dir.seed(&["--users", "3", "--password", "correct horse battery"]);
    assert!(said.contains("share one password hash") && !said.contains("correct horse"), "{said}");
    for person in dir.people() {
        let username = person["username"].as_str().unwrap();
        assert_eq!(
            status(username, "correct horse battery"),
            if username == first { 401 } else { 200 }
        );
    }
}
