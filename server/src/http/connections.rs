//! Connections: accepted within limits, closed when they are idle or slow, and finished when the
//! server stops.

use std::{
    net::SocketAddr,
    num::NonZeroU64,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    extract::{ConnectInfo, Request},
    http::{HeaderMap, HeaderValue, Version, header, uri::Authority},
    response::Response,
    serve::Listener,
};
use hyper::{
    body::{Frame, Incoming, SizeHint},
    server::conn::http1,
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tower::ServiceExt as _;

use self::{
    admission::{OpenConnections, Refusals},
    body::RequestBody,
    io::{ConnectionIo, State},
    overload::Overload,
};
use super::health::Readiness;
use crate::network::Network;

mod admission;
mod body;
mod io;
mod overload;

/// Bytes of the longest head of a request. Beyond it the response is 431.
const HEAD_MAX: usize = 32 * 1024;
/// File descriptors that are kept for the database, the keys, the log, and health checks beyond the
/// limits.
const RESERVED_DESCRIPTORS: u64 = 160;
/// Limits of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Longest time that a connection is idle, a head takes, and a response makes no progress.
    pub idle_timeout: Duration,
    /// Bytes a second that a request body has to arrive with.
    pub body_rate: NonZeroU64,
    /// Open connections.
    pub total: usize,
    /// Open connections of one client address.
    pub per_address: usize,
}

/// Purpose of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Requests of clients. Its connections are counted in the metrics.
    Requests,
    /// Metrics and health checks.
    Monitoring,
}

/// Extension of a request without a valid `Host`.
#[derive(Clone, Copy, Debug)]
pub(super) struct InvalidHost;

/// Raises the limit of open file descriptors to the most that the system allows this process.
pub fn raise_descriptor_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files (RLIMIT_NOFILE) could not be raised");
    }
}

/// Connections for which the descriptors of this process suffice. Each may need one for a file
/// besides its own.
fn affordable_connections() -> usize {
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(descriptors.saturating_sub(RESERVED_DESCRIPTORS) / 2)
        .unwrap_or(usize::MAX)
        .max(1)
}

/// Serves connections until `stop` completes. Then closes those without a request that has arrived
/// completely, and returns when the other requests have been handled.
pub(crate) async fn serve(
    mut listener: TcpListener,
    router: Router,
    limits: ConnectionLimits,
    trusted_proxies: Arc<[Network]>,
    purpose: Purpose,
    readiness: Readiness,
    stop: impl Future<Output = ()>,
) {
    let limits = limited_by_descriptors(limits, purpose);
    let open = OpenConnections::new(limits, trusted_proxies, purpose);
    let mut refusals = Refusals::new(purpose);
    let overload = Overload::new(readiness);
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.idle_timeout)
        .max_buf_size(HEAD_MAX)
        .max_header_size(HEAD_MAX);
    let (stopping, is_stopping) = watch::channel(());
    let mut stop = pin!(stop);
    loop {
        // `Listener::accept` handles errors, such as those of clients that have gone meanwhile.
        let (stream, peer) = tokio::select! {
            connection = Listener::accept(&mut listener) => connection,
            () = &mut stop => break,
        };
        let permit = match open.admit(peer.ip()) {
            Ok(permit) => permit,
            Err(limit) => {
                refusals.record(peer.ip(), limit);
                overload.answer(stream);
                continue;
            }
        };
        let state = Arc::new(State::default());
        let io = ConnectionIo::new(no_delay(stream), limits.idle_timeout, Arc::clone(&state));
        let service = service(router.clone(), peer, limits, Arc::clone(&state));
        let connection = builder.serve_connection(TokioIo::new(io), service);
        let mut is_stopping = is_stopping.clone();
        tokio::spawn(async move {
            let _permit = permit;
            let mut connection = pin!(connection);
            let ended = tokio::select! {
                biased;
                ended = &mut connection => ended,
                _ = is_stopping.changed() => {
                    if !state.is_responding() {
                        return;
                    }
                    state.stop_lingering();
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::trace!(%error, "connection closed");
            }
        });
    }
    drop((listener, is_stopping));
    stopping.send_replace(());
    stopping.closed().await;
}

fn limited_by_descriptors(limits: ConnectionLimits, purpose: Purpose) -> ConnectionLimits {
    let affordable = affordable_connections();
    // The limit of the monitoring address is none that a setting says.
    if affordable < limits.total && matches!(purpose, Purpose::Requests) {
        tracing::warn!(
            connections = affordable,
            "fewer connections are accepted than GATEHOUSE_MAX_CONNECTIONS says: the limit of open files (RLIMIT_NOFILE) is too low"
        );
    }
    ConnectionLimits { total: limits.total.min(affordable), ..limits }
}

/// Sends small packets at once: otherwise a streamed page waits 40 ms for an acknowledgement that
/// the other side delays.
fn no_delay(stream: TcpStream) -> TcpStream {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was not set");
    }
    stream
}

/// Answers the requests of a connection.
fn service(
    router: Router,
    peer: SocketAddr,
    limits: ConnectionLimits,
    state: Arc<State>,
) -> TowerToHyperService<
    impl tower::Service<
        hyper::Request<Incoming>,
        Response = Response<ResponseBody>,
        Error = std::convert::Infallible,
        Future: Send,
    > + Clone,
> {
    let answering = Arc::clone(&state);
    let router = router.map_request(move |mut request: hyper::Request<Incoming>| -> Request {
        if !has_valid_host(request.version(), request.headers()) {
            request.extensions_mut().insert(InvalidHost);
        }
        request.extensions_mut().insert(ConnectInfo(peer));
        request.map(|body| {
            if body.is_end_stream() {
                state.begin_response();
                Body::empty()
            } else {
                Body::new(RequestBody::new(
                    body,
                    limits.idle_timeout,
                    limits.body_rate,
                    Arc::clone(&state),
                ))
            }
        })
    });
    TowerToHyperService::new(router.map_response(move |response| {
        response.map(|body| ResponseBody { body, state: Arc::clone(&answering) })
    }))
}

/// Returns whether a request has the `Host` that its version asks for (RFC 9112 §3.2).
fn has_valid_host(version: Version, headers: &HeaderMap) -> bool {
    let is_valid = |host: &HeaderValue| {
        host.is_empty()
            || Authority::try_from(host.as_bytes()).is_ok_and(|host| !host.as_str().contains('@'))
    };
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => version < Version::HTTP_11,
        (Some(host), None) => is_valid(host),
        (Some(_), Some(_)) => false,
    }
}

/// Body of a response: the connection is responding until it is dropped.
struct ResponseBody {
    body: Body,
    state: Arc<State>,
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        self.state.end_response();
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests;
