//! Graceful shutdown and signals.

use std::{
    io::{Cursor, Read as _, Write as _},
    net::TcpStream,
    thread,
    time::Duration,
};

use image::{ImageFormat, RgbImage};
use serde_json::{Value, json};

use crate::process::{RunningServer, TestDir, within, within_a_second};

const PASSWORD: &str = "correct horse battery";

fn connect(running: &RunningServer, begin: &str) -> TcpStream {
    let mut stream = TcpStream::connect(&running.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(begin.as_bytes()).unwrap();
    stream
}

fn login(running: &RunningServer) -> String {
    let body = json!({ "username": "alice", "password": PASSWORD });
    running.call("POST", "/api/auth/register", None, &body).unwrap();
    let (_, pair) = running.call("POST", "/api/auth/login", None, &body).unwrap();
    pair["access_token"].as_str().unwrap().to_owned()
}

/// An incompressible image.
fn large_picture() -> Vec<u8> {
    let mut state = 1_u32;
    let noise = RgbImage::from_fn(1280, 1280, |_, _| {
        image::Rgb([0; 3].map(|_: u8| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        }))
    });
    let mut picture = Cursor::new(Vec::new());
    noise.write_to(&mut picture, ImageFormat::Png).unwrap();
    picture.into_inner()
}

/// Starts a download and returns it with the size of its file.
pub fn running_download(running: &RunningServer) -> (TcpStream, usize) {
    let token = login(running);
    let picture = large_picture();
    let mut upload = connect(
        running,
        &format!(
            "POST /api/me/files?name=noise HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
             Content-Length: {}\r\n\r\n",
            picture.len()
        ),
    );
    upload.write_all(&picture).unwrap();
    let mut answer = String::new();
    upload.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let id =
        serde_json::from_str::<Value>(body).unwrap()["file"]["id"].as_str().unwrap().to_owned();
    let request = format!(
        "GET /api/me/file?id={id} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    let mut download = connect(running, &request);
    let mut begin = [0; 12];
    download.read_exact(&mut begin).unwrap();
    assert_eq!(&begin, b"HTTP/1.1 200");
    (download, picture.len())
}

/// Waits until the server has stopped listening.
pub fn wait_until_stopping(running: &RunningServer) {
    // The tests do not measure how soon it stops listening, and each try is an accepted connection.
    within(Duration::from_secs(10), || TcpStream::connect(&running.address).is_err());
}

#[test]
fn stopping_drops_requests_that_have_not_arrived_completely_at_once() {
    let dir = TestDir::new();
    let running = dir.serve(&[]);
    let token = login(&running);
    let mut answered =
        connect(&running, "GET /api/nothing HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHo");
    answered.read_exact(&mut [0; 12]).unwrap();
    let held = [
        answered,
        connect(&running, ""),
        connect(&running, "GET /"),
        connect(&running, "GET / HTTP/1.1\r\nHost: x\r\n"),
        connect(
            &running,
            "POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
        ),
        connect(
            &running,
            &format!(
                "PUT /api/me/avatar HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 99\r\n\r\nx"
            ),
        ),
    ];
    running.signal("TERM");
    assert_eq!(running.ended_within(Duration::from_secs(2)), Some(0), "{}", dir.log());
    for mut stream in held {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert!(!rest.windows(5).any(|text| text == b" 500 "), "nothing is made up for them");
    }
}

#[test]
fn stopping_lets_a_running_request_finish() {
    let dir = TestDir::new();
    let running = dir.serve(&[]);
    let (mut download, size) = running_download(&running);
    running.signal("TERM");
    wait_until_stopping(&running);
    let mut rest = Vec::new();
    download.read_to_end(&mut rest).unwrap();
    let head = rest.windows(4).position(|text| text == b"\r\n\r\n").unwrap();
    assert_eq!(rest.len() - head - 4, size);
    assert_eq!(running.ended_within(Duration::from_secs(2)), Some(0), "{}", dir.log());
}

#[test]
fn stopping_completes_logins_of_clients_that_have_disconnected() {
    let dir = TestDir::new();
    let running = dir.serve(&[("GATEHOUSE_RATE_LIMITS", "off")]);
    login(&running);
    let body = json!({ "username": "alice", "password": "wrong" }).to_string();
    let request = format!(
        "POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let number = 16 * thread::available_parallelism().unwrap().get();
    let mut clients: Vec<_> = (0..number).map(|_| connect(&running, &request)).collect();
    // As many passwords are hashed at once as there are cores: most of the logins still wait.
    clients[0].read_exact(&mut [0; 12]).unwrap();
    drop(clients);
    assert_eq!(running.stop(), Some(0));
    assert!(!dir.log().contains("ERROR"), "{}", dir.log());
    let arguments = ["audit", "--event", "logged_in", "--outcome", "wrong_password"];
    let entries = String::from_utf8(dir.run(&arguments, &[]).stdout).unwrap();
    let refused = entries.lines().count();
    assert!(refused > number / 4, "{refused} of {number} are in the audit log: {}", dir.log());
}

#[test]
fn stopping_gives_running_requests_eight_seconds() {
    let dir = TestDir::new();
    let running = dir.serve(&[]);
    let _download = running_download(&running);
    running.signal("TERM");
    wait_until_stopping(&running);
    assert_eq!(running.ended_within(Duration::from_millis(9500)), Some(0));
    assert!(dir.log().contains("did not finish within the shutdown grace period"), "{}", dir.log());
}

#[test]
fn a_second_signal_ends_the_program_at_once() {
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let dir = TestDir::new();
        let running = dir.serve(&[]);
        let _download = running_download(&running);
        running.signal("TERM");
        wait_until_stopping(&running);
        running.signal(signal);
        assert_eq!(running.ended_within(Duration::from_secs(2)), Some(code), "{}", dir.log());
    }
}

#[test]
fn signals_without_a_meaning_do_not_end_the_program() {
    let dir = TestDir::new();
    let running = dir.serve(&[]);
    for name in ["HUP", "USR1", "USR2", "ALRM", "IO", "PIPE"] {
        running.signal(name);
        let (status, _) = running.call("GET", "/api/me", None, &Value::Null).unwrap();
        assert_eq!(status, 401, "{name}");
    }
    within_a_second(|| dir.log().contains("SIGHUP"));
    assert_eq!(running.stop(), Some(0));
}
