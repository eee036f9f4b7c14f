//! User commands while the server runs.

use serde_json::{Value, json};

use crate::process::{RunningServer, TestDir, within_a_second};

const PASSWORD: &str = "correct horse battery";
const OTHER: &str = "staple of the horses";

impl TestDir {
    /// Runs `gatehouse user …` and returns its output.
    fn user(&self, arguments: &[&str], input: &str) -> String {
        let output = self.run_with(&[&["user"], arguments].concat(), &[], input);
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(output.stderr.is_empty());
        String::from_utf8(output.stdout).expect("text")
    }

    /// Runs a command that must fail, and returns its error message.
    fn not_done(&self, arguments: &[&str], input: &str) -> String {
        let output = self.run_with(&[&["user"], arguments].concat(), &[], input);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        String::from_utf8(output.stderr).expect("text")
    }

    /// Returns the details of the audit events of a kind.
    fn told(&self, event: &str) -> Vec<String> {
        let output = self.run(&["audit", "--event", event, "--json"], &[]);
        let lines = String::from_utf8(output.stdout).expect("text");
        let detail = |line: &str| {
            let entry: Value = serde_json::from_str(line).expect("JSON");
            format!(
                "{} {}",
                entry["username"].as_str().unwrap_or_default(),
                entry["detail"].as_str().unwrap_or_default()
            )
        };
        lines.lines().map(detail).collect()
    }
}

impl RunningServer {
    fn log_in(&self, username: &str, password: &str) -> (u16, Value) {
        let body = json!({ "username": username, "password": password });
        self.call("POST", "/api/auth/login", None, &body).unwrap()
    }

    fn reason(&self, token: &str) -> (u16, Value) {
        let (status, body) = self.call("GET", "/api/me", Some(token), &Value::Null).unwrap();
        (status, body["reason"].clone())
    }
}

fn access(pair: &Value) -> String {
    pair["access_token"].as_str().unwrap_or_else(|| panic!("{pair}")).to_owned()
}

#[test]
fn user_create_makes_the_first_administrator() {
    let dir = TestDir::new();
    let refusal = dir.not_done(&["passwd", "root"], PASSWORD);
    assert!(!dir.path().join("data").exists(), "nothing is made in what may be the wrong folder");
    let said = dir.user(&["create", "first", "--admin"], PASSWORD);
    if dir.is_on_postgres() {
        assert!(refusal.contains("no account"), "{refusal}");
        assert!(!said.contains("Created the database"), "{said}");
    } else {
        assert!(refusal.contains("does not exist"), "{refusal}");
        assert!(said.starts_with("Created the database data/gatehouse.sqlite."), "{said}");
    }
    let settings = [("GATEHOUSE_RESERVED_USERNAMES", "root")];
    let running = dir.serve(&settings);
    let said = dir.user(
        &["create", "Root", "--admin", "--nickname", "超级管理员"],
        &format!("{PASSWORD}\nmore"),
    );
    assert!(said.contains("Created the account Root") && !said.contains(PASSWORD), "{said}");
    let (status, answer) = running.log_in("root", PASSWORD);
    assert_eq!((status, &answer["user"]["role"]), (200, &json!("admin")), "{answer}");
    assert_eq!(answer["user"]["nickname"], "超级管理员");
    assert_eq!(
        dir.told("user_created"),
        ["first admin by the command line", "Root admin by the command line"]
    );
    assert_eq!(running.log_in("first", PASSWORD).1["user"]["role"], "admin");
    dir.user(&["create", "eve@example.com"], PASSWORD);
    assert_eq!(running.log_in("Eve@example.com", PASSWORD).1["user"]["role"], "user");
}

#[test]
fn user_create_applies_the_registration_rules() {
    let dir = TestDir::new();
    dir.serve(&[]).stop();
    dir.user(&["create", "alice"], PASSWORD);
    dir.user(&["create", "paccop"], PASSWORD);
    for (arguments, input, told) in [
        (&["create", "ALICE"][..], PASSWORD, "is taken"),
        // All its letters are Cyrillic.
        (&["create", "\u{440}\u{430}\u{441}\u{441}\u{43e}\u{440}"], PASSWORD, "is taken"),
        (&["create", "ab"], PASSWORD, "at least 3"),
        (&["create", "bob", "--nickname", "a\nb"], PASSWORD, "Control characters"),
        (&["create", "bob"], "", "Enter your password"),
        (&["create", "bob"], "short\n", "at least 8"),
        (&["create", "bob"], "password1\n", "too common"),
        (&["create", "bobby.tables"], "bobby.tables\n", "not your username"),
        (&["passwd", "alice"], "alice123\n", "similar to your username"),
        (&["passwd", "nobody"], OTHER, "no account"),
        (&["disable", "nobody"], "", "no account"),
        (&["role", "0199c2f0-0000-7000-8000-000000000000", "admin"], "", "no account"),
    ] {
        let said = dir.not_done(arguments, input);
        assert!(said.contains(told), "{arguments:?}: {said}");
        assert!(input.is_empty() || !said.contains(input.trim()), "{said}");
    }
    let list = dir.user(&["list"], "");
    assert_eq!(list.lines().count(), 2, "{list}");
    // A password cannot be an argument.
    assert_eq!(dir.run(&["user", "create", "bob", PASSWORD], &[]).status.code(), Some(2));
    assert_eq!(
        dir.run(&["user", "create", "bob", "--password", PASSWORD], &[]).status.code(),
        Some(2)
    );
}

#[test]
fn user_password_ends_every_session_within_a_second() {
    let dir = TestDir::new();
    let running = dir.serve(&[]);
    dir.user(&["create", "alice"], PASSWORD);
    let tokens = [
        access(&running.log_in("alice", PASSWORD).1),
        access(&running.log_in("alice", PASSWORD).1),
    ];
    for token in &tokens {
        assert_eq!(running.reason(token).0, 200);
    }
    let said = dir.user(&["passwd", "ALICE"], OTHER);
    assert!(said.contains("Revoked sessions: 2"), "{said}");
    for token in &tokens {
        within_a_second(|| running.reason(token) == (401, json!("password_changed")));
    }
    assert_eq!(running.log_in("alice", PASSWORD).0, 401);
    assert_eq!(running.log_in("alice", OTHER).0, 200);
    assert_eq!(dir.told("password_changed"), ["alice by the command line"]);
    assert_eq!(dir.told("session_revoked"), ["alice password_changed by the command line"; 2]);
}

#[test]
fn invariant_11_user_disable_ends_sessions_within_a_second_for_good() {
    let dir = TestDir::new();
    let running = dir.serve(&[]);
    dir.user(&["create", "alice"], PASSWORD);
    let token = access(&running.log_in("alice", PASSWORD).1);
    assert_eq!(running.reason(&token).0, 200);
    assert!(dir.user(&["disable", "alice"], "").contains("Revoked sessions: 1"));
    within_a_second(|| running.reason(&token) == (401, json!("disabled")));
    assert_eq!(running.log_in("alice", PASSWORD).1["code"], "account_disabled");
    dir.user(&["enable", "alice"], "");
    within_a_second(|| running.log_in("alice", PASSWORD).0 == 200);
    assert_eq!(
        running.reason(&token),
        (401, json!("disabled")),
        "a session that has ended stays so"
    );
    assert_eq!(dir.told("user_disabled"), ["alice by the command line"]);
    assert_eq!(dir.told("user_enabled"), ["alice by the command line"]);
    // A repeated change does nothing.
    dir.user(&["enable", "alice"], "");
    assert_eq!(dir.told("user_enabled").len(), 1);
}

#[test]
fn user_change_of_the_last_administrator_is_refused() {
    let dir = TestDir::new();
    let running = dir.serve(&[]);
    dir.user(&["create", "root", "--admin"], PASSWORD);
    dir.user(&["create", "alice"], PASSWORD);
    let token = access(&running.log_in("alice", PASSWORD).1);
    let list = || running.call("GET", "/api/users", Some(&token), &Value::Null).unwrap().0;
    assert_eq!(list(), 403);
    for arguments in [&["role", "root", "user"][..], &["disable", "root"]] {
        assert!(dir.not_done(arguments, "").contains("the last active administrator"));
    }
    dir.user(&["role", "alice", "admin"], "");
    within_a_second(|| list() == 200);
    dir.user(&["role", "root", "user"], "");
    assert!(dir.not_done(&["disable", "alice"], "").contains("the last active administrator"));
    dir.user(&["role", "root", "admin"], "");
    dir.user(&["disable", "root"], "");
    // Disabled administrators do not count.
    assert!(dir.not_done(&["role", "alice", "user"], "").contains("the last active administrator"));
    let expected = ["alice admin", "root user", "root admin"]
        .map(|what| format!("{what} by the command line"));
    assert_eq!(dir.told("role_changed"), expected);
}

#[test]
fn user_list_is_searchable_and_has_no_secrets() {
    let dir = TestDir::new();
    dir.serve(&[]).stop();
    for name in ["alice", "albert", "bob"] {
        dir.user(&["create", name, "--nickname", "Al \"x\""], PASSWORD);
    }
    dir.user(&["role", "bob", "admin"], "");
    dir.user(&["disable", "albert"], "");
    let names = |arguments: &[&str]| -> Vec<String> {
        let lines = dir.user(&[&["list", "--json"], arguments].concat(), "");
        let name = |line: &str| {
            let account: Value = serde_json::from_str(line).expect("JSON");
            account["username"].as_str().unwrap().to_owned()
        };
        lines.lines().map(name).collect()
    };
    assert_eq!(names(&[]), ["alice", "albert", "bob"]);
    assert_eq!(names(&["--search", "AL"]), ["alice", "albert", "bob"], "also by nickname");
    assert_eq!(names(&["--search", "alb"]), ["albert"]);
    assert_eq!(names(&["--admins"]), ["bob"]);
    assert_eq!(names(&["--disabled"]), ["albert"]);
    let list = dir.user(&["list"], "");
    let line = list.lines().nth(1).unwrap();
    assert!(
        line.contains("user ")
            && line.contains("disabled")
            && line.ends_with(r#"albert "Al \"x\"""#),
        "{line}"
    );
    assert!(!list.contains("argon2") && !dir.user(&["list", "--json"], "").contains("argon2"));
}

#[test]
fn user_verify_lets_the_account_log_in_with_its_address() {
    let dir = TestDir::new();
    dir.user(&["create", "ada@example.com"], PASSWORD);
    dir.user(&["create", "eve"], PASSWORD);
    let refusal = dir.not_done(&["verify", "eve"], "");
    assert!(refusal.contains("has no unverified address"), "{refusal}");
    let said = dir.user(&["verify", "ADA@example.com"], "");
    assert_eq!(said, "Verified the address ada@example.com of ADA@example.com.\n");
    let refusal = dir.not_done(&["verify", "ada@example.com"], "");
    assert!(refusal.contains("has no unverified address"), "{refusal}");
    let running = dir.serve(&[]);
    let (status, pair) = running.log_in("Ada@example.com", PASSWORD);
    assert_eq!(status, 200, "{pair}");
    let (_, me) = running.call("GET", "/api/me", Some(&access(&pair)), &Value::Null).unwrap();
    assert_eq!(me["email"], "ada@example.com");
    assert_eq!(dir.told("address_verified"), ["ada@example.com by the command line"]);
}

#[test]
fn user_invite_prints_the_link_or_leaves_the_message_to_the_server() {
    let dir = TestDir::new();
    let settings = [("GATEHOUSE_REGISTRATION", "invite")];
    let running = dir.serve(&settings);
    let said = dir.user(&["invite"], "");
    let token = said.lines().next().unwrap().strip_prefix("/register#").unwrap();
    let body = json!({ "username": "ada", "password": PASSWORD, "invitation": token });
    let (status, answer) = running.call("POST", "/api/auth/register", None, &body).unwrap();
    assert_eq!(status, 201, "{answer}");
    let (status, answer) = running.call("POST", "/api/auth/register", None, &body).unwrap();
    assert_eq!((status, &answer["code"]), (400, &json!("code_invalid")));
    let refusal = dir.not_done(&["invite", "no address"], "");
    assert!(refusal.contains("valid email address"), "{refusal}");
    let said = dir.user(&["verify", "ada", "--address", "ada@example.com"], "");
    assert!(said.starts_with("Verified the address ada@example.com"), "{said}");
    assert_eq!(running.log_in("ada@example.com", PASSWORD).0, 200);
    assert_eq!(dir.told("invitation_created"), [" by the command line"]);
}
