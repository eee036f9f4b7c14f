//! Concurrent refreshes over HTTP.

use std::{collections::HashSet, sync::Barrier};

use serde_json::{Value, json};

use crate::process::{RunningServer, TestDir};

const PASSWORD: &str = "correct horse battery";
const PARALLEL: usize = 50;

/// Sends the same request concurrently and returns the responses.
fn all_at_once(running: &RunningServer, token: &str) -> Vec<(u16, Value)> {
    let ready = Barrier::new(PARALLEL);
    std::thread::scope(|scope| {
        let send = || {
            ready.wait();
            running.call("POST", "/api/auth/refresh", Some(token), &Value::Null).expect("an answer")
        };
        let calls: Vec<_> = (0..PARALLEL).map(|_| scope.spawn(send)).collect();
        calls.into_iter().map(|call| call.join().expect("no panic")).collect()
    })
}

fn token(pair: &Value, name: &str) -> String {
    pair[name].as_str().expect("a token").to_owned()
}

#[test]
fn invariant_13_parallel_refreshes_over_http_get_one_successor_and_replays_end_the_session() {
    let dir = TestDir::new();
    let running =
        dir.serve(&[("GATEHOUSE_RATE_LIMITS", "off"), ("GATEHOUSE_REFRESH_GRACE_SECONDS", "60")]);
    let body = json!({ "username": "alice", "password": PASSWORD });
    running.call("POST", "/api/auth/register", None, &body).unwrap();
    let login = running.call("POST", "/api/auth/login", None, &body).unwrap().1;
    let me = |pair: &Value| {
        running.call("GET", "/api/me", Some(&token(pair, "access_token")), &Value::Null).unwrap()
    };

    let answers = all_at_once(&running, &token(&login, "refresh_token"));
    assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
    let successors: HashSet<_> =
        answers.iter().map(|(_, pair)| token(pair, "refresh_token")).collect();
    assert_eq!(successors.len(), 1);
    let access: HashSet<_> = answers.iter().map(|(_, pair)| token(pair, "access_token")).collect();
    assert_eq!(access.len(), PARALLEL);
    for (_, pair) in &answers {
        assert_eq!(me(pair).0, 200);
    }

    // Two generations later the first token is no retry any more.
    let next = running.call(
        "POST",
        "/api/auth/refresh",
        successors.iter().next().map(String::as_str),
        &Value::Null,
    );
    let next = next.unwrap().1;
    for (status, refusal) in all_at_once(&running, &token(&login, "refresh_token")) {
        assert_eq!(
            (status, &refusal["code"], &refusal["reason"]),
            (401, &json!("token_revoked"), &json!("reused"))
        );
    }
    for pair in [&login, &answers[0].1, &next] {
        assert_eq!((me(pair).0, me(pair).1["code"].as_str()), (401, Some("token_revoked")));
    }
    let audit = dir.run(&["audit", "--event", "refresh_reused"], &[]);
    assert_eq!(String::from_utf8(audit.stdout).unwrap().lines().count(), 1);

    // Repeated presentations change nothing.
    running.kill();
    let running = dir.serve(&[]);
    let first = running
        .call("POST", "/api/auth/refresh", Some(&token(&next, "refresh_token")), &Value::Null)
        .unwrap();
    assert_eq!((first.0, first.1["reason"].as_str()), (401, Some("reused")));
}
