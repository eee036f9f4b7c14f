use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};

use crate::process::{TestDir, within_a_second};

const PASSWORD: &str = "correct horse battery";

#[test]
fn kill_during_registrations_loses_no_acknowledged_one() {
    let dir = TestDir::new();
    let running = dir.serve(&[]);
    let (answered, next) = (Mutex::new(Vec::new()), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= 200 {
                        break;
                    }
                    let name = format!("person{number}");
                    let body = json!({ "username": name, "password": PASSWORD });
                    match running.call("POST", "/api/auth/register", None, &body) {
                        Some((201, _)) => answered.lock().unwrap().push(name),
                        Some((status, body)) => panic!("{status}: {body}"),
                        None => break,
                    }
                }
            });
        }
        while answered.lock().unwrap().len() < 60 {
            std::thread::yield_now();
        }
        // SIGKILL, while eight registrations are on their way.
        let killed =
            std::process::Command::new("kill").args(["-KILL", &running.id().to_string()]).status();
        assert!(killed.unwrap().success());
    });
    let answered = answered.into_inner().unwrap();
    assert!((60..200).contains(&answered.len()), "{}", answered.len());
    drop(running);

    let running = dir.serve(&[]);
    for name in &answered {
        let body = json!({ "username": name, "password": "not the password" });
        let taken = running.call("POST", "/api/auth/register", None, &body).unwrap();
        assert_eq!(
            (taken.0, taken.1["code"].as_str()),
            (409, Some("username_taken")),
            "{name} is lost"
        );
    }
    let body = json!({ "username": answered[0], "password": PASSWORD });
    assert_eq!(running.call("POST", "/api/auth/login", None, &body).unwrap().0, 200);
}

#[test]
fn invariant_09_logout_survives_a_kill() {
    let dir = TestDir::new();
    let running = dir.serve(&[]);
    let body = json!({ "username": "alice", "password": PASSWORD });
    running.call("POST", "/api/auth/register", None, &body).unwrap();
    let login = || running.call("POST", "/api/auth/login", None, &body).unwrap().1;
    let (ended, living) = (login(), login());
    let token = |session: &Value, name: &str| session[name].as_str().unwrap().to_owned();
    let logout = running.call(
        "DELETE",
        "/api/auth/logout",
        Some(&token(&ended, "access_token")),
        &Value::Null,
    );
    assert_eq!(logout.unwrap().0, 200);
    running.kill();

    let running = dir.serve(&[]);
    let status = |method: &str, path: &str, token: String| {
        running.call(method, path, Some(&token), &Value::Null).map(|(status, _)| status)
    };
    assert_eq!(status("GET", "/api/me", token(&ended, "access_token")), Some(401));
    assert_eq!(status("POST", "/api/auth/refresh", token(&ended, "refresh_token")), Some(401));
    assert_eq!(status("GET", "/api/me", token(&living, "access_token")), Some(200));
    assert_eq!(status("POST", "/api/auth/refresh", token(&living, "refresh_token")), Some(200));
}

#[test]
fn invariant_09_logout_is_followed_by_a_second_server_within_a_second() {
    let dir = TestDir::new();
    let (first, second) = (dir.serve(&[]), dir.serve(&[]));
    let body = json!({ "username": "alice", "password": PASSWORD });
    first.call("POST", "/api/auth/register", None, &body).unwrap();
    let session = first.call("POST", "/api/auth/login", None, &body).unwrap().1;
    let access = session["access_token"].as_str().unwrap();
    let status =
        || second.call("GET", "/api/me", Some(access), &Value::Null).map(|(status, _)| status);
    assert_eq!(status(), Some(200));
    first.call("DELETE", "/api/auth/logout", Some(access), &Value::Null).unwrap();
    within_a_second(|| status() == Some(401));
}
