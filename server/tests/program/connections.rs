//! Connections that are idle, slow or too many are closed.

use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    net::TcpStream,
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use crate::process::{RunningServer, TestDir, within_a_second};

const LOGIN: &str =
    "POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";

fn connect(running: &RunningServer) -> TcpStream {
    let stream = TcpStream::connect(&running.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

/// Returns the response until the server closes the connection.
fn answer_to(running: &RunningServer, request: &str) -> String {
    let mut stream = connect(running);
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the server closes it");
    answer
}

/// Returns whether a write or read failed because the server closed the connection.
fn is_closed(outcome: &io::Result<usize>) -> bool {
    match outcome {
        Ok(length) => *length == 0,
        Err(error) => matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset),
    }
}

#[test]
fn connecting_without_a_complete_request_is_closed_after_the_idle_timeout() {
    let dir = TestDir::new();
    let running = dir.serve(&[("GATEHOUSE_IDLE_TIMEOUT_SECONDS", "1")]);
    for begin in ["", "GET", "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", LOGIN] {
        assert_eq!(answer_to(&running, begin), "", "{begin:?}");
    }
    let answer = answer_to(&running, &format!("{LOGIN}Content-Length: 100\r\n\r\n{{\"username\":"));
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    // Keep-alive connections are closed after the idle timeout, too.
    let answer = answer_to(&running, "GET /api/nothing HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    let login = json!({ "username": "nobody", "password": "nothing at all" });
    assert_eq!(running.call("POST", "/api/auth/login", None, &login).unwrap().0, 401);
    assert_eq!(running.stop(), Some(0));
}

#[test]
fn invariant_30_sending_a_byte_at_a_time_does_not_keep_a_connection_open() {
    let dir = TestDir::new();
    let running = dir.serve(&[("GATEHOUSE_IDLE_TIMEOUT_SECONDS", "2")]);
    let head = "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ".to_owned();
    let body = format!("{LOGIN}Content-Length: 60000\r\n\r\n");
    thread::scope(|scope| {
        for begin in [&head, &body] {
            let running = &running;
            scope.spawn(move || {
                let mut stream = connect(running);
                stream.write_all(begin.as_bytes()).unwrap();
                // Each byte is followed by a pause that is shorter than the idle timeout.
                stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
                for _ in 0..300 {
                    let mut answer = [0; 4096];
                    let read = stream.read(&mut answer);
                    let is_refused = matches!(read, Ok(length) if answer[..length].starts_with(b"HTTP/1.1 400 "));
                    if is_closed(&read) || is_refused || is_closed(&stream.write(b"x")) {
                        return;
                    }
                }
                panic!("{begin:?} is still being read");
            });
        }
    });
}

#[test]
fn invariant_30_pipelining_requests_without_reading_the_answers_is_closed() {
    let dir = TestDir::new();
    let running = dir.serve(&[("GATEHOUSE_IDLE_TIMEOUT_SECONDS", "1")]);
    let mut stream = connect(&running);
    let requests = "GET /api/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1000);
    // Responses, and then requests, exceed the socket buffers many times.
    for _ in 0..1000 {
        let written = stream.write(requests.as_bytes());
        if is_closed(&written) {
            return;
        }
        written.expect("the server goes on reading, or closes the connection");
    }
    panic!("the connection is still open");
}

#[test]
fn sending_a_head_that_is_too_large_is_431() {
    let dir = TestDir::new();
    let running = dir.serve(&[]);
    let with_header = |length: usize| {
        format!("GET /api/nothing HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(length))
    };
    let closing = |request: String| request.replace("Host: x", "Host: x\r\nConnection: close");
    assert!(answer_to(&running, &closing(with_header(30_000))).starts_with("HTTP/1.1 404 "));
    for length in [33_000, 400_000, 4_000_000] {
        let answer = answer_to(&running, &with_header(length));
        assert!(answer.starts_with("HTTP/1.1 431 "), "{length}: {answer}");
    }
    let many = format!("GET /api/nothing HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: x\r\n".repeat(2_000));
    assert!(answer_to(&running, &many).starts_with("HTTP/1.1 431 "));
}

#[test]
fn sending_a_body_that_is_too_large_is_413_and_the_answer_can_be_read() {
    let dir = TestDir::new();
    let running = dir.serve(&[]);
    let head = LOGIN.replace("Host: x", "Host: x\r\nConnection: close");
    // A declared length beyond the limit is refused before the body arrives.
    let answer = answer_to(&running, &format!("{head}Content-Length: 1000000\r\n\r\n"));
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let answer =
        answer_to(&running, &format!("{head}Transfer-Encoding: chunked\r\n\r\n1\r\n{{\r\n{chunk}"));
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    // A client that sends the whole body before it reads.
    let answer = answer_to(
        &running,
        &format!("{head}Content-Length: 3000000\r\n\r\n{}", "x".repeat(3_000_000)),
    );
    assert!(
        answer.starts_with("HTTP/1.1 413 ") && answer.contains("payload_too_large"),
        "{answer}"
    );
}

#[test]
fn invariant_30_connecting_beyond_the_limit_is_503_until_another_connection_is_closed() {
    let dir = TestDir::new();
    let running = dir.serve(&[("GATEHOUSE_MAX_CONNECTIONS", "3")]);
    let held: Vec<_> = (0..3).map(|_| connect(&running)).collect();
    let answer = answer_to(&running, "");
    assert!(
        answer.starts_with("HTTP/1.1 503 ") && answer.contains("\r\nretry-after: 10\r\n"),
        "{answer}"
    );
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(serde_json::from_str::<Value>(body).unwrap()["code"], "unavailable");
    answer_to(&running, "");
    // The log is written by a thread of its own.
    within_a_second(|| dir.log().contains("GATEHOUSE_MAX_CONNECTIONS are open"));
    let log = dir.log();
    assert_eq!(
        log.matches("GATEHOUSE_MAX_CONNECTIONS are open").count(),
        1,
        "logged once a minute: {log}"
    );
    drop(held);
    // A refused connection gets a response or is closed.
    let status =
        || running.call("GET", "/api/nothing", None, &Value::Null).map(|(status, _)| status);
    within_a_second(|| status() == Some(404));
}

#[test]
fn starting_raises_the_limit_of_open_files() {
    let dir = TestDir::new();
    let running = dir.serve_by("ulimit -S -n 256 && exec \"$0\"");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", running.id())).unwrap();
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let mut files = files.split_whitespace();
    let (soft, hard) = (files.next().unwrap(), files.next().unwrap());
    assert!(soft == hard && soft != "256", "{limits}");
}

/// The monitoring address has a limit of its own, which 200 files do not allow either.
#[test]
fn starting_with_few_files_warns_once_that_fewer_connections_are_accepted() {
    let dir = TestDir::new();
    let set = "export GATEHOUSE_METRICS_ADDR=127.0.0.1:0";
    let running = dir.serve_by(&format!("ulimit -n 200 && {set} && exec \"$0\""));
    within_a_second(|| dir.log().contains("RLIMIT_NOFILE"));
    // The log is complete once the program has ended.
    assert_eq!(running.stop(), Some(0));
    assert!(dir.log().contains("metrics are served"), "{}", dir.log());
    assert_eq!(dir.log().matches("RLIMIT_NOFILE").count(), 1, "{}", dir.log());
}

#[test]
fn requests_without_exactly_one_host_are_refused() {
    let dir = TestDir::new();
    let running = dir.serve(&[]);
    let get = |head: &str| {
        answer_to(&running, &format!("GET /api/nothing {head}\r\nConnection: close\r\n\r\n"))
    };
    for head in [
        "HTTP/1.1",
        "HTTP/1.1\r\nHost: x\r\nHost: x",
        "HTTP/1.0\r\nHost: x\r\nHost: y",
        "HTTP/1.1\r\nHost: a b",
    ] {
        let answer = get(head);
        assert!(
            answer.contains(" 400 ") && answer.contains("\"code\":\"bad_request\""),
            "{head:?}: {answer}"
        );
        assert!(
            answer.contains("\r\nx-request-id: ")
                && answer.contains("\r\ncache-control: no-store\r\n"),
            "{answer}"
        );
    }
    for head in [
        "HTTP/1.1\r\nHost: x",
        "HTTP/1.1\r\nHost: [::1]:80",
        "HTTP/1.1\r\nHost:",
        "HTTP/1.0",
        "HTTP/1.0\r\nHost: x",
    ] {
        assert!(get(head).contains(" 404 "), "{head:?}");
    }
}
