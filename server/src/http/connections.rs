//! Connections: each is served until it has been silent for too long, or the server stops. Who opens many and says nothing, or
//! a byte now and then, does not keep others out.

use std::{
    net::SocketAddr,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    BoxError, Router,
    body::{Body, Bytes, HttpBody},
    extract::{ConnectInfo, Request},
    serve::Listener,
};
use hyper::{
    body::{Frame, Incoming, SizeHint},
    server::conn::http1,
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt as _;
use tower_http::timeout::TimeoutBody;

/// Serves connections until told to stop, then lets those finish that are being answered.
///
/// A request's head has to be there `idle_timeout` after the connection was opened or the answer before it was sent; of its body
/// something has to come within the same time.
pub(crate) async fn serve(
    mut listener: TcpListener,
    router: Router,
    idle_timeout: Duration,
    stop: impl Future<Output = ()>,
) {
    let connections = GracefulShutdown::new();
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(idle_timeout);
    let mut stop = pin!(stop);
    loop {
        // Of what hinders it from accepting another one, `accept` takes care.
        let (stream, peer) = tokio::select! {
            connection = Listener::accept(&mut listener) => connection,
            () = &mut stop => break,
        };
        let connection =
            builder.serve_connection(TokioIo::new(prompt(stream)), service(router.clone(), peer, idle_timeout));
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::trace!(%error, "a connection has ended");
            }
        });
    }
    drop(listener);
    connections.shutdown().await;
}

/// Without this a streamed page waits 40 ms for an acknowledgement that the other side delays.
fn prompt(stream: TcpStream) -> TcpStream {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was not set");
    }
    stream
}

/// What answers the requests of a connection.
fn service(
    router: Router,
    peer: SocketAddr,
    idle_timeout: Duration,
) -> TowerToHyperService<
    impl tower::Service<
        hyper::Request<Incoming>,
        Response = axum::response::Response,
        Error = std::convert::Infallible,
        Future: Send,
    > + Clone,
> {
    TowerToHyperService::new(router.map_request(move |mut request: hyper::Request<Incoming>| -> Request {
        request.extensions_mut().insert(ConnectInfo(peer));
        request
            .map(|body| if body.is_end_stream() { Body::empty() } else { Body::new(Waiting::new(body, idle_timeout)) })
    }))
}

/// A body of which something has to come within a time. It says how large it is, as the one that it waits for does: what is too
/// large is not read at all.
struct Waiting {
    body: Pin<Box<TimeoutBody<Incoming>>>,
    size: SizeHint,
}

impl Waiting {
    fn new(body: Incoming, idle_timeout: Duration) -> Self {
        let size = body.size_hint();
        Self { body: Box::pin(TimeoutBody::new(idle_timeout, body)), size }
    }
}

impl HttpBody for Waiting {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(self.body.as_mut().poll_frame(context));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
            && let Some(exact) = self.size.exact()
        {
            self.size = SizeHint::with_exact(exact.saturating_sub(data.len() as u64));
        }
        Poll::Ready(frame)
    }

    fn size_hint(&self) -> SizeHint {
        self.size
    }
}
