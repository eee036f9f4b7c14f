//! Health checks of the running program, `gatehouse health`, and notifications of the service
//! manager.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::net::UnixDatagram,
    time::Duration,
};

use crate::process::{RunningServer, TestDir, within};

const SECOND: Duration = Duration::from_secs(1);

/// Returns the whole response to a request over a new connection.
fn ask(running: &RunningServer, method: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(&running.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn status(running: &RunningServer, path: &str) -> String {
    ask(running, "GET", path).split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn readiness_follows_the_database_and_liveness_does_not() {
    let dir = TestDir::new();
    let running = dir.serve(&[]);
    assert_eq!(
        (status(&running, "/livez"), status(&running, "/readyz")),
        ("200".into(), "200".into())
    );
    let (database, elsewhere) =
        (dir.path().join("data/gatehouse.sqlite"), dir.path().join("moved"));
    std::fs::rename(&database, &elsewhere).unwrap();
    within(5 * SECOND, || status(&running, "/readyz") == "503");
    assert_eq!(status(&running, "/livez"), "200");
    let settings = [("GATEHOUSE_ADDR", running.address.as_str())];
    let output = dir.run(&["health"], &settings);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("is not ready") && error.contains(" 503 "), "{error}");
    assert_eq!(dir.run(&["health", "--live"], &settings).status.code(), Some(0));
    std::fs::rename(&elsewhere, &database).unwrap();
    within(5 * SECOND, || status(&running, "/readyz") == "200");
    assert_eq!(dir.run(&["health"], &settings).status.code(), Some(0));
    // A change is logged once, however many checks find it.
    within(SECOND, || dir.log().contains("ready again"));
    assert_eq!(dir.log().matches("not ready").count(), 1, "{}", dir.log());
}

#[test]
fn health_without_a_server_fails_and_names_the_address() {
    let dir = TestDir::new();
    let running = dir.serve(&[]);
    let address = running.address.clone();
    assert_eq!(running.stop(), Some(0));
    let output = dir.run(&["health"], &[("GATEHOUSE_ADDR", &address)]);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains(&address), "{error}");
}

#[test]
fn health_checks_beyond_the_connection_limit_are_answered() {
    let dir = TestDir::new();
    let running = dir.serve(&[("GATEHOUSE_MAX_CONNECTIONS", "3")]);
    let _held: Vec<_> = (0..3).map(|_| TcpStream::connect(&running.address).unwrap()).collect();
    assert_eq!(status(&running, "/api/nothing"), "503");
    for path in ["/livez", "/readyz"] {
        let answer = ask(&running, "GET", path);
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("cache-control: no-store\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nok\n"), "{answer}");
    }
    // Connections that send nothing do not keep health checks out: they are closed.
    let silent: Vec<_> = (0..100).map(|_| TcpStream::connect(&running.address).unwrap()).collect();
    within(5 * SECOND, || {
        let mut stream = TcpStream::connect(&running.address).unwrap();
        let _ = stream.write_all(b"GET /livez HTTP/1.1\r\n\r\n");
        let mut answer = String::new();
        // Refused connections may be reset.
        let _ = stream.read_to_string(&mut answer);
        answer.starts_with("HTTP/1.1 200 ")
    });
    drop(silent);
}

#[test]
fn health_checks_are_not_logged() {
    let dir = TestDir::new();
    let running = dir.serve(&[("GATEHOUSE_LOG", "debug")]);
    for path in ["/livez", "/readyz", "/api/nothing"] {
        status(&running, path);
    }
    within(5 * SECOND, || dir.log().contains("/api/nothing"));
    assert!(!dir.log().contains("/livez") && !dir.log().contains("/readyz"), "{}", dir.log());
}

/// Returns the next notification.
fn next(socket: &UnixDatagram) -> String {
    let mut bytes = [0; 256];
    let length = socket.recv(&mut bytes).expect("a notification");
    String::from_utf8(bytes[..length].to_vec()).unwrap()
}

#[test]
fn service_manager_is_notified_of_start_life_and_stop() {
    let dir = TestDir::new();
    let path = dir.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let path = path.display().to_string();
    let running = dir.serve(&[("NOTIFY_SOCKET", &path), ("WATCHDOG_USEC", "200000")]);
    assert_eq!(next(&socket), "READY=1");
    for _ in 0..3 {
        assert_eq!(next(&socket), "WATCHDOG=1");
    }
    running.signal("TERM");
    loop {
        match next(&socket).as_str() {
            "STOPPING=1" => break,
            other => assert_eq!(other, "WATCHDOG=1"),
        }
    }
    assert_eq!(running.ended_within(5 * SECOND), Some(0));
}

#[test]
fn service_manager_that_watches_another_process_gets_no_watchdog() {
    let dir = TestDir::new();
    let path = dir.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let path = path.display().to_string();
    let settings = [("NOTIFY_SOCKET", &*path), ("WATCHDOG_USEC", "1000"), ("WATCHDOG_PID", "1")];
    let running = dir.serve(&settings);
    assert_eq!(next(&socket), "READY=1");
    running.signal("TERM");
    assert_eq!(next(&socket), "STOPPING=1");
}

#[test]
fn service_manager_socket_that_is_gone_does_not_keep_the_server_from_starting() {
    let dir = TestDir::new();
    let running = dir.serve(&[("NOTIFY_SOCKET", "/nowhere/notify")]);
    assert_eq!(status(&running, "/livez"), "200");
    within(SECOND, || dir.log().contains("NOTIFY_SOCKET cannot be used"));
}
