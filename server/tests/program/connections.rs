//! Who opens connections and says nothing does not keep them.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use serde_json::json;

use crate::process::{Place, Running};

/// What the server has said by the time it closes the connection.
fn said_before_the_end(running: &Running, begin: &str) -> String {
    let mut stream = TcpStream::connect(&running.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(begin.as_bytes()).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).expect("the server closes it");
    said
}

#[test]
fn a_connection_that_stays_silent_is_closed() {
    let place = Place::new();
    let running = place.serve(&[("GATEHOUSE_IDLE_TIMEOUT_SECONDS", "1")]);
    let head = "POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    for begin in ["", "GET", "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", head] {
        assert_eq!(said_before_the_end(&running, begin), "", "{begin:?}");
    }
    let said = said_before_the_end(&running, &format!("{head}Content-Length: 100\r\n\r\n{{\"username\":"));
    assert!(said.starts_with("HTTP/1.1 400 "), "{said}");
    // One that has had its answer, too: it may ask again, but not never.
    let said = said_before_the_end(&running, "GET /api/nothing HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(said.starts_with("HTTP/1.1 404 "), "{said}");
    let login = json!({ "username": "nobody", "password": "nothing at all" });
    assert_eq!(running.call("POST", "/api/auth/login", None, &login).unwrap().0, 401);
    assert_eq!(running.stop(), Some(0));
}

#[test]
fn a_body_that_is_too_large_is_told_so_over_a_connection_too() {
    let place = Place::new();
    let running = place.serve(&[]);
    let head = "POST /api/auth/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n";
    // What says how large it is is refused before any of it has come.
    let said = said_before_the_end(&running, &format!("{head}Content-Length: 1000000\r\n\r\n"));
    assert!(said.starts_with("HTTP/1.1 413 "), "{said}");
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let said = said_before_the_end(&running, &format!("{head}Transfer-Encoding: chunked\r\n\r\n1\r\n{{\r\n{chunk}"));
    assert!(said.starts_with("HTTP/1.1 413 "), "{said}");
}
