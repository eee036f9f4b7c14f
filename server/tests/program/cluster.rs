//! Two servers on one PostgreSQL database, as processes of their own.

use std::{
    sync::Barrier,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::process::{RunningServer, TestDir};

pub const PASSWORD: &str = "correct horse battery";
const OTHER: &str = "another horse battery";
const SECRET: &str = "the secret of the keys of all nodes of this cluster";
/// Time in which a change must be in force on the other nodes, also without notifications.
const PROMISE: Duration = Duration::from_secs(1);

/// Two nodes with data folders of their own, and a common folder of uploads.
pub struct Cluster {
    pub dir: TestDir,
    pub a: RunningServer,
    pub b: RunningServer,
}

pub fn serve(dir: &TestDir, name: &str, settings: &[(&str, &str)]) -> RunningServer {
    let all = [&settings_of(name), settings].concat();
    dir.serve(&all)
}

pub fn settings_of(name: &str) -> [(&str, &str); 4] {
    [
        ("GATEHOUSE_DATA_DIR", name),
        ("GATEHOUSE_UPLOADS_DIR", "uploads"),
        ("GATEHOUSE_KEYS_SECRET", SECRET),
        ("GATEHOUSE_RATE_LIMITS", "off"),
    ]
}

/// Tokens of a session.
#[derive(Clone, Debug)]
pub struct Pair {
    pub access: String,
    pub refresh: String,
}

impl Pair {
    pub fn of(answer: &Value) -> Self {
        let token = |name: &str| {
            answer[name].as_str().unwrap_or_else(|| panic!("no {name}: {answer}")).to_owned()
        };
        Self { access: token("access_token"), refresh: token("refresh_token") }
    }
}

pub fn credentials(username: &str) -> Value {
    json!({ "username": username, "password": PASSWORD })
}

pub trait Node {
    fn request(&self, method: &str, path: &str, token: &str, body: &Value) -> (u16, Value);
    fn status(&self, token: &str) -> u16;
    fn log_in(&self, username: &str) -> Pair;
    fn refresh(&self, token: &str) -> (u16, Value);
    /// Asserts that the node refuses a token for a reason within the promised time.
    fn assert_refuses(&self, token: &str, reason: Option<&str>);
}

impl Node for RunningServer {
    fn request(&self, method: &str, path: &str, token: &str, body: &Value) -> (u16, Value) {
        self.call(method, path, Some(token), body).expect("an answer")
    }

    fn status(&self, token: &str) -> u16 {
        self.request("GET", "/api/me", token, &Value::Null).0
    }

    fn log_in(&self, username: &str) -> Pair {
        let answer = self.call("POST", "/api/auth/login", None, &credentials(username));
        let (status, answer) = answer.expect("an answer");
        assert_eq!(status, 200, "{answer}");
        Pair::of(&answer)
    }

    fn refresh(&self, token: &str) -> (u16, Value) {
        self.request("POST", "/api/auth/refresh", token, &Value::Null)
    }

    fn assert_refuses(&self, token: &str, reason: Option<&str>) {
        let began = Instant::now();
        loop {
            let asked = began.elapsed();
            let (status, answer) = self.request("GET", "/api/me", token, &Value::Null);
            if status == 401 {
                assert_eq!(answer["code"], "token_revoked", "{answer}");
                if let Some(reason) = reason {
                    assert_eq!(answer["reason"], reason, "{answer}");
                }
                return;
            }
            assert_eq!(status, 200, "{answer}");
            assert!(asked < PROMISE, "accepted {asked:?} after the change");
        }
    }
}

impl Cluster {
    fn start() -> Self {
        Self::with(&[])
    }

    pub fn with(settings: &[(&str, &str)]) -> Self {
        let dir = TestDir::new();
        assert!(dir.is_on_postgres(), "GATEHOUSE_TEST_POSTGRES is not set");
        let (a, b) = (serve(&dir, "a", settings), serve(&dir, "b", settings));
        Self { dir, a, b }
    }

    pub fn register(&self, username: &str) {
        let answer = self.a.call("POST", "/api/auth/register", None, &credentials(username));
        assert_eq!(answer.expect("an answer").0, 201);
    }

    /// Registers and logs in on the first node, and lets the second one cache the session.
    pub fn session(&self, username: &str) -> Pair {
        self.register(username);
        let pair = self.a.log_in(username);
        assert_eq!(self.b.status(&pair.access), 200);
        pair
    }

    /// Runs a command.
    fn run(&self, arguments: &[&str]) -> String {
        self.run_with(arguments, "")
    }

    fn run_with(&self, arguments: &[&str], input: &str) -> String {
        let output = self.dir.run_with(arguments, &settings_of("a"), input);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {told}");
        String::from_utf8(output.stdout).expect("text")
    }

    fn admin(&self, username: &str) -> (String, Pair) {
        self.run_with(&["user", "create", username, "--admin"], &format!("{PASSWORD}\n"));
        let answer = self.a.call("POST", "/api/auth/login", None, &credentials(username));
        let answer = answer.expect("an answer").1;
        (answer["user"]["id"].as_str().expect("an id").to_owned(), Pair::of(&answer))
    }
}

/// Runs calls at the same moment and returns their results.
fn at_once<'a, T: Send>(calls: Vec<Box<dyn FnOnce() -> T + Send + 'a>>) -> Vec<T> {
    let ready = &Barrier::new(calls.len());
    std::thread::scope(|scope| {
        let mut running = Vec::with_capacity(calls.len());
        for call in calls {
            running.push(scope.spawn(move || {
                ready.wait();
                call()
            }));
        }
        running.into_iter().map(|call| call.join().expect("no panic")).collect()
    })
}

/// A small picture.
pub fn picture() -> Vec<u8> {
    let mut png = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(32, 24).write_to(&mut png, image::ImageFormat::Png).expect("a picture");
    png.into_inner()
}

mod on_postgres {
    use super::*;

    #[test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    fn invariant_09_logout_on_one_node_is_refused_on_the_other() {
        let cluster = Cluster::start();
        for round in 0..20 {
            let pair = cluster.session(&format!("alice{round}"));
            assert_eq!(
                cluster.a.request("DELETE", "/api/auth/logout", &pair.access, &Value::Null).0,
                200
            );
            assert_eq!(cluster.a.status(&pair.access), 401, "the node that answered, at once");
            cluster.b.assert_refuses(&pair.access, Some("logged_out"));
            assert_eq!(cluster.b.refresh(&pair.refresh).0, 401);
        }
    }

    #[test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    fn invariant_12_refresh_token_used_on_one_node_is_reuse_on_the_other() {
        let cluster = Cluster::with(&[("GATEHOUSE_REFRESH_GRACE_SECONDS", "0")]);
        let first = cluster.session("alice");
        let (status, answer) = cluster.b.refresh(&first.refresh);
        assert_eq!(status, 200, "{answer}");
        let second = Pair::of(&answer);
        for node in [&cluster.a, &cluster.b] {
            assert_eq!(node.status(&second.access), 200, "both know the new generation");
            assert_eq!(node.status(&first.access), 200, "and the former access token is valid");
        }
        let third = Pair::of(&cluster.a.refresh(&second.refresh).1);
        let (status, answer) = cluster.b.refresh(&first.refresh);
        assert_eq!((status, &answer["reason"]), (401, &json!("reused")), "{answer}");
        cluster.a.assert_refuses(&third.access, Some("reused"));
    }

    #[test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    fn invariant_13_parallel_refreshes_over_two_nodes_get_one_successor() {
        let cluster = Cluster::start();
        let pair = cluster.session("alice");
        let refresh = |node: &RunningServer| node.refresh(&pair.refresh);
        let calls = (0..20).map(|number| {
            let node = if number % 2 == 0 { &cluster.a } else { &cluster.b };
            Box::new(move || refresh(node)) as Box<dyn FnOnce() -> (u16, Value) + Send + '_>
        });
        let mut successors: Vec<_> = at_once(calls.collect())
            .into_iter()
            .map(|(status, answer)| {
                assert_eq!(status, 200, "{answer}");
                Pair::of(&answer).refresh
            })
            .collect();
        successors.sort_unstable();
        successors.dedup();
        assert_eq!(successors.len(), 1);
    }

    #[test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    fn invariant_11_account_disabled_on_one_node_is_refused_on_the_other() {
        let cluster = Cluster::start();
        let (_, admin) = cluster.admin("admin");
        let pair = cluster.session("alice");
        let me = cluster.a.request("GET", "/api/me", &pair.access, &Value::Null).1;
        let change = json!({ "id": me["id"], "disabled": true });
        let changed = cluster.a.request("PATCH", "/api/users", &admin.access, &change);
        assert_eq!(changed.0, 200, "{}", changed.1);
        cluster.b.assert_refuses(&pair.access, Some("disabled"));
        // By the command line, which ends right after its commit.
        let other = cluster.session("bertha");
        cluster.run(&["user", "disable", "bertha"]);
        for node in [&cluster.a, &cluster.b] {
            node.assert_refuses(&other.access, Some("disabled"));
        }
    }

    #[test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    fn invariant_11_password_change_on_one_node_ends_sessions_of_the_other() {
        let cluster = Cluster::start();
        let pair = cluster.session("alice");
        let other = cluster.b.log_in("alice");
        let change = json!({ "current_password": PASSWORD, "password": OTHER });
        let (status, answer) = cluster.a.request("POST", "/api/me/password", &pair.access, &change);
        assert_eq!(status, 200, "{answer}");
        cluster.b.assert_refuses(&other.access, Some("password_changed"));
        assert_eq!(cluster.b.status(&pair.access), 200, "the session that changed it");
    }

    #[test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    fn profile_changed_on_one_node_is_shown_by_the_other() {
        let cluster = Cluster::start();
        let pair = cluster.session("alice");
        let change = json!({ "nickname": "Alice" });
        assert_eq!(cluster.a.request("PATCH", "/api/me", &pair.access, &change).0, 200);
        let nickname = || {
            cluster.b.request("GET", "/api/me", &pair.access, &Value::Null).1["nickname"].clone()
        };
        crate::process::within_a_second(|| nickname() == "Alice");
    }

    #[test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    fn invariant_08_keys_rotated_and_retired_by_a_command_apply_to_all_nodes() {
        let cluster = Cluster::start();
        let before = cluster.session("alice");
        let said = cluster.run(&["keys", "rotate"]);
        let new = said.split(' ').nth(1).expect("a key id").to_owned();
        let list = cluster.run(&["keys", "list"]);
        let old = list.lines().find(|line| line.contains("verify only")).expect("the former key");
        let old = old.split(' ').next().expect("its id").to_owned();
        assert_ne!(old, new);
        // Both sign with the new key within the promised time, and accept each other's tokens.
        for (signer, verifier) in [(&cluster.a, &cluster.b), (&cluster.b, &cluster.a)] {
            let began = Instant::now();
            loop {
                let pair = signer.log_in("alice");
                assert_eq!(verifier.status(&pair.access), 200);
                if kid(&pair.access) == new {
                    break;
                }
                assert!(began.elapsed() < Duration::from_secs(5), "it signs with the former key");
            }
            assert_eq!(verifier.status(&before.access), 200, "no session has ended");
        }
        cluster.run(&["keys", "retire", &old]);
        for node in [&cluster.a, &cluster.b] {
            crate::process::within_a_second(|| {
                let (status, answer) = node.request("GET", "/api/me", &before.access, &Value::Null);
                status == 401 && answer["code"] == "token_invalid"
            });
        }
    }

    fn kid(token: &str) -> String {
        let header = URL_SAFE_NO_PAD.decode(token.split('.').next().expect("a header"));
        let header: Value = serde_json::from_slice(&header.expect("base64")).expect("JSON");
        header["kid"].as_str().expect("a kid").to_owned()
    }

    #[test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    fn start_with_another_secret_or_another_folder_of_uploads_fails() {
        let dir = TestDir::new();
        let started = serve(&dir, "a", &[]);
        for (setting, value, remedy) in [
            (
                "GATEHOUSE_KEYS_SECRET",
                "another secret, which no other node has",
                "encrypted with another secret",
            ),
            ("GATEHOUSE_UPLOADS_DIR", "private", "GATEHOUSE_UPLOADS_DIR"),
        ] {
            let settings = [&settings_of("b")[..], &[(setting, value)]].concat();
            let error = dir.startup_error(&settings);
            assert!(error.contains(remedy), "{error}");
            assert!(!error.contains(SECRET) && !error.contains(value) || value == "private");
        }
        let none = [("GATEHOUSE_DATA_DIR", "b"), ("GATEHOUSE_KEYS_SECRET", "")];
        let error = dir.startup_error(&none);
        assert!(error.contains("GATEHOUSE_KEYS_SECRET"), "{error}");
        drop(started);
    }

    #[test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    fn registrations_of_one_name_over_two_nodes_make_one_account() {
        let cluster = Cluster::start();
        let register = |node: &RunningServer| {
            let answer = node.call("POST", "/api/auth/register", None, &credentials("alice"));
            answer.expect("an answer")
        };
        let calls = (0..50).map(|number| {
            let node = if number % 2 == 0 { &cluster.a } else { &cluster.b };
            Box::new(move || register(node)) as Box<dyn FnOnce() -> (u16, Value) + Send + '_>
        });
        let answers = at_once(calls.collect());
        let created = answers.iter().filter(|(status, _)| *status == 201).count();
        assert_eq!(created, 1, "{answers:?}");
        for (status, answer) in answers.iter().filter(|(status, _)| *status != 201) {
            assert_eq!((*status, &answer["code"]), (409, &json!("username_taken")), "{answer}");
        }
    }

    #[test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    fn administrators_who_disable_each_other_over_two_nodes_leave_one() {
        let cluster = Cluster::start();
        let mut former: Vec<String> = Vec::new();
        for round in 0..5 {
            let (one, one_pair) = cluster.admin(&format!("one{round}"));
            let (two, two_pair) = cluster.admin(&format!("two{round}"));
            // The administrators of the round before, of whom the last one could not be demoted.
            for id in former.drain(..) {
                cluster.run(&["user", "role", &id, "user"]);
            }
            let disable = |node: &RunningServer, token: &str, id: &str| {
                let change = json!({ "id": id, "disabled": true });
                node.request("PATCH", "/api/users", token, &change).0
            };
            let calls: Vec<Box<dyn FnOnce() -> u16 + Send + '_>> = vec![
                Box::new(|| disable(&cluster.a, &one_pair.access, &two)),
                Box::new(|| disable(&cluster.b, &two_pair.access, &one)),
            ];
            let statuses = at_once(calls);
            assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
            let listed = cluster.run(&["user", "list", "--admins"]);
            let enabled = listed.lines().filter(|line| line.contains("enabled")).count();
            assert_eq!(enabled, 1, "{listed}");
            former.extend([one, two]);
        }
    }

    #[test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    fn quota_is_one_for_both_nodes_and_uploads_are_shared() {
        let cluster = Cluster::with(&[("GATEHOUSE_FILES_MAX", "5")]);
        let pair = cluster.session("alice");
        let picture = picture();
        let upload = |node: &RunningServer, number: usize| {
            let path = format!("/api/me/files?name={number}.png");
            let sent = node.send("POST", &path, Some(&pair.access), &picture);
            let (status, body) = sent.expect("an answer");
            (status, serde_json::from_slice::<Value>(&body).unwrap_or_default())
        };
        let upload = &upload;
        let calls = (0..10).map(|number| {
            let node = if number % 2 == 0 { &cluster.a } else { &cluster.b };
            Box::new(move || upload(node, number)) as Box<dyn FnOnce() -> (u16, Value) + Send + '_>
        });
        let answers = at_once(calls.collect());
        let stored: Vec<_> = answers.iter().filter(|(status, _)| *status == 201).collect();
        assert_eq!(stored.len(), 5, "{answers:?}");
        for (_, file) in stored {
            let id = file["file"]["id"].as_str().expect("an id");
            let path = format!("/api/me/file?id={id}");
            for node in [&cluster.a, &cluster.b] {
                let sent = node.send("GET", &path, Some(&pair.access), b"");
                let (status, bytes) = sent.expect("an answer");
                assert_eq!((status, &bytes), (200, &picture), "stored by one, read by both");
            }
        }
    }

    #[test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    fn invariant_09_logout_of_a_node_that_is_killed_right_after_is_refused_on_the_other() {
        let cluster = Cluster::start();
        let pair = cluster.session("alice");
        let answer = cluster.a.request("DELETE", "/api/auth/logout", &pair.access, &Value::Null);
        let Cluster { a, b, dir } = cluster;
        a.kill();
        assert_eq!(answer.0, 200);
        b.assert_refuses(&pair.access, Some("logged_out"));
        // Its place is taken by another one.
        let a = serve(&dir, "a", &[]);
        assert_eq!(a.status(&pair.access), 401);
        assert_eq!(b.status(&a.log_in("alice").access), 200);
    }

    #[test]
    #[ignore = "needs PostgreSQL: scripts/test-postgres"]
    fn invariant_09_logout_is_followed_while_the_listener_is_cut() {
        let cluster = Cluster::start();
        let cut = || {
            cluster.dir.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE datname = current_database() AND pid <> pg_backend_pid() AND query ILIKE 'LISTEN%'",
            );
        };
        for round in 0..10 {
            let pair = cluster.session(&format!("alice{round}"));
            cut();
            assert_eq!(
                cluster.a.request("DELETE", "/api/auth/logout", &pair.access, &Value::Null).0,
                200
            );
            cluster.b.assert_refuses(&pair.access, Some("logged_out"));
        }
    }
}
