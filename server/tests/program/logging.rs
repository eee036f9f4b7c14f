//! A log that cannot be written does not affect start, responses and stop.

use std::{
    fs::File,
    io::{PipeReader, Read as _, Write as _, pipe},
    net::TcpListener,
    process::Stdio,
    sync::mpsc,
    time::Duration,
};

use serde_json::{Value, json};

use crate::process::TestDir;

/// Standard outputs that cannot be written.
fn broken_outputs() -> [(&'static str, Stdio); 3] {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    [
        ("full disk", File::options().write(true).open("/dev/full").unwrap().into()),
        ("no reader", writer.into()),
        ("read only", File::open("/dev/null").unwrap().into()),
    ]
}

/// A pipe that is full, with the end that is not read.
fn full_pipe() -> (PipeReader, Stdio) {
    let (reader, writer) = pipe().unwrap();
    let filled = writer.try_clone().unwrap();
    rustix::io::ioctl_fionbio(&filled, true).unwrap();
    while (&filled).write(&[b'\n'; 4096]).is_ok() {}
    while (&filled).write(b"\n").is_ok() {}
    rustix::io::ioctl_fionbio(&filled, false).unwrap();
    (reader, writer.into())
}

#[track_caller]
fn assert_serves(dir: &TestDir, stderr: Stdio, settings: &[(&str, &str)], name: &str) {
    let running = dir.serve_with(settings, stderr);
    let credentials = json!({ "username": name, "password": "correct horse battery" });
    assert_eq!(running.call("POST", "/api/auth/register", None, &credentials).unwrap().0, 201);
    let (status, session) = running.call("POST", "/api/auth/login", None, &credentials).unwrap();
    assert_eq!(status, 200);
    let token = session["access_token"].as_str().unwrap();
    assert_eq!(running.call("GET", "/api/me", Some(token), &Value::Null).unwrap().0, 200);
    let wrong = json!({ "username": name, "password": "wrong" });
    assert_eq!(running.call("POST", "/api/auth/login", None, &wrong).unwrap().0, 401);
    assert_eq!(running.stop(), Some(0));
}

#[test]
fn serve_with_unwritable_log_answers_and_stops() {
    let dir = TestDir::new();
    for (name, stderr) in broken_outputs() {
        let settings = [("GATEHOUSE_LOG", "trace")];
        assert_serves(&dir, stderr, &settings, &name.replace(' ', "."));
    }
}

#[test]
fn serve_with_closed_standard_error_answers_and_stops() {
    let dir = TestDir::new();
    let running = dir.serve_by("exec \"$0\" 2>&-");
    let credentials = json!({ "username": "alice", "password": "correct horse battery" });
    assert_eq!(running.call("POST", "/api/auth/register", None, &credentials).unwrap().0, 201);
    assert_eq!(running.call("POST", "/api/auth/login", None, &credentials).unwrap().0, 200);
    assert_eq!(running.stop(), Some(0));
}

#[test]
fn serve_with_a_full_pipe_as_log_does_not_wait_for_its_reader() {
    let (mut reader, stderr) = full_pipe();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        assert_serves(&TestDir::new(), stderr, &[("GATEHOUSE_LOG", "trace")], "alice");
        tell.send(()).unwrap();
    });
    told.recv_timeout(Duration::from_mins(1)).expect("answers and an end");
    // All writers are gone, so the pipe holds the complete log.
    let mut content = String::new();
    reader.read_to_string(&mut content).unwrap();
    assert_eq!(content.trim(), "");
}

#[test]
fn serve_with_a_full_pipe_as_log_writes_it_once_it_is_read() {
    let dir = TestDir::new();
    let (mut reader, stderr) = full_pipe();
    let running = dir.serve_with(&[("GATEHOUSE_LOG_FORMAT", "json")], stderr);
    let credentials = json!({ "username": "alice", "password": "correct horse battery" });
    assert_eq!(running.call("POST", "/api/auth/register", None, &credentials).unwrap().0, 201);
    let reading = std::thread::spawn(move || {
        let mut content = String::new();
        reader.read_to_string(&mut content).unwrap();
        content
    });
    assert_eq!(running.stop(), Some(0));
    let content = reading.join().unwrap();
    let lines = content.lines().filter(|line| !line.is_empty());
    let lines: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    for message in ["registered", "shutting down"] {
        assert!(lines.iter().any(|line| line["message"] == message), "{message}: {content}");
    }
}

#[test]
fn serve_with_standard_output_that_cannot_be_written_starts() {
    let (_reader, full) = full_pipe();
    for (name, stdout) in broken_outputs().into_iter().chain([("full pipe", full)]) {
        let dir = TestDir::new();
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let running = dir.serve_silently(&free.to_string(), stdout);
        assert_eq!(running.stop(), Some(0), "{name}");
    }
}
