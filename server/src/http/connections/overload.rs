//! Connections beyond the limits. They are refused, except for health checks: a server that is busy
//! is not to be restarted as a dead one.

use std::{sync::Arc, time::Duration};

use tokio::{net::TcpStream, sync::Semaphore, time::timeout};

use crate::http::health::{self, LIVE, READY, Readiness};

/// Connections beyond the limits whose request is read. Each waits for half a second at most, so
/// silent connections have to arrive at 64 a second to keep health checks out.
const SLOTS: usize = 32;
/// Longest wait for a request.
const REQUEST_TIMEOUT: Duration = Duration::from_millis(500);
/// Bytes that are read of a request: a health check is smaller.
const REQUEST_MAX: usize = 1024;
/// Response to other requests.
pub(super) const REFUSAL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-type: application/json\r\n\
    retry-after: 10\r\n\
    cache-control: no-store\r\n\
    x-content-type-options: nosniff\r\n\
    connection: close\r\n\
    content-length: 147\r\n\r\n\
    {\"code\":\"unavailable\",\"message\":\"Too many connections, please try again shortly / \
    \xe8\xbf\x9e\xe6\x8e\xa5\xe8\xbf\x87\xe5\xa4\x9a\xef\xbc\x8c\xe8\xaf\xb7\xe7\xa8\x8d\xe5\x90\x8e\xe9\x87\x8d\xe8\xaf\x95\",\
    \"request_id\":\"0000000000000000\"}\n";

/// Answers connections beyond the limits.
pub(super) struct Overload {
    readiness: Readiness,
    slots: Arc<Semaphore>,
}

impl Overload {
    pub(super) fn new(readiness: Readiness) -> Self {
        Self { readiness, slots: Arc::new(Semaphore::new(SLOTS)) }
    }

    /// Answers a health check, refuses any other request, and closes the connection. Returns at
    /// once.
    pub(super) fn answer(&self, stream: TcpStream) {
        match Arc::clone(&self.slots).try_acquire_owned() {
            Ok(slot) => {
                let readiness = self.readiness.clone();
                tokio::spawn(async move {
                    let _slot = slot;
                    let request = timeout(REQUEST_TIMEOUT, request_path(&stream)).await;
                    let response = match request.ok().flatten() {
                        Some(LIVE) => health_response(true),
                        Some(READY) => health_response(readiness.is_ready().await),
                        _ => REFUSAL.to_vec(),
                    };
                    respond(&stream, &response);
                });
            }
            Err(_) => respond(&stream, REFUSAL),
        }
    }
}

/// Returns the path of the request if it is one of a health check. The first packet has the whole
/// request line.
async fn request_path(stream: &TcpStream) -> Option<&'static str> {
    let mut bytes = [0; REQUEST_MAX];
    let length = loop {
        stream.readable().await.ok()?;
        match stream.try_read(&mut bytes) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            other => break other.ok()?,
        }
    };
    let request = std::str::from_utf8(bytes.get(..length)?).ok()?;
    let rest = request.strip_prefix("GET ")?;
    let (path, _) = rest.split_once([' ', '?'])?;
    [LIVE, READY].into_iter().find(|known| *known == path)
}

fn health_response(is_healthy: bool) -> Vec<u8> {
    let (status, text) = health::outcome(is_healthy);
    let length = text.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncache-control: no-store\r\n\
         x-content-type-options: nosniff\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{text}"
    )
    .into_bytes()
}

/// Sends a response as far as that is possible without waiting. A client that has gone already is
/// answered as well.
fn respond(stream: &TcpStream, response: &[u8]) {
    let _ = stream.try_write(response);
}
