//! The transport of a connection: responses have to make progress, and it is closed in a way that
//! lets the client read them.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

/// Longest time that a closed connection is still read, so that the client can read the response:
/// closing a connection with unread data resets it, which may discard the response on the way.
const LINGER_TIMEOUT: Duration = Duration::from_secs(30);
/// The same, while nothing arrives.
const LINGER_IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// State of a connection.
#[derive(Debug, Default)]
pub(super) struct State {
    /// A request was received completely, or rejected, and its response is not complete.
    is_responding: AtomicBool,
    /// A response waits for the client to read.
    is_write_blocked: AtomicBool,
    /// The connection is to be closed without lingering.
    closes_at_once: AtomicBool,
}

impl State {
    pub(super) fn begin_response(&self) {
        self.is_responding.store(true, Ordering::Relaxed);
    }

    pub(super) fn end_response(&self) {
        self.is_responding.store(false, Ordering::Relaxed);
    }

    /// Returns whether a response is being produced or sent.
    pub(super) fn is_responding(&self) -> bool {
        self.is_responding.load(Ordering::Relaxed) || self.is_write_blocked.load(Ordering::Relaxed)
    }

    pub(super) fn stop_lingering(&self) {
        self.closes_at_once.store(true, Ordering::Relaxed);
    }
}

/// A stream on which writing fails once it has made no progress for a time.
pub(super) struct ConnectionIo<S> {
    stream: S,
    timeout: Duration,
    state: Arc<State>,
    /// The deadline of the write that is blocked, or of the last one that was.
    deadline: Option<Pin<Box<Sleep>>>,
    is_write_blocked: bool,
    linger: Option<Linger>,
}

struct Linger {
    end: Instant,
    deadline: Pin<Box<Sleep>>,
}

impl<S> ConnectionIo<S> {
    pub(super) fn new(stream: S, timeout: Duration, state: Arc<State>) -> Self {
        Self { stream, timeout, state, deadline: None, is_write_blocked: false, linger: None }
    }

    /// Passes on the outcome of a write, or fails if there has been none for too long.
    fn check_progress<T>(
        &mut self,
        context: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            if self.is_write_blocked {
                self.is_write_blocked = false;
                self.state.is_write_blocked.store(false, Ordering::Relaxed);
            }
            return outcome;
        }
        let end = Instant::now() + self.timeout;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep_until(end)));
        if !self.is_write_blocked {
            self.is_write_blocked = true;
            self.state.is_write_blocked.store(true, Ordering::Relaxed);
            deadline.as_mut().reset(end);
        }
        deadline.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> ConnectionIo<S> {
    /// Reads and discards until the client closes the connection, within limits of time.
    fn poll_linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let linger = self.linger.get_or_insert_with(|| {
            let now = Instant::now();
            Linger {
                end: now + LINGER_TIMEOUT,
                deadline: Box::pin(sleep_until(now + LINGER_IDLE_TIMEOUT)),
            }
        });
        loop {
            if self.state.closes_at_once.load(Ordering::Relaxed)
                || linger.deadline.as_mut().poll(context).is_ready()
            {
                return Poll::Ready(());
            }
            let mut discarded = [0; 4096];
            let mut discarded = ReadBuf::new(&mut discarded);
            match ready!(Pin::new(&mut self.stream).poll_read(context, &mut discarded)) {
                Ok(()) if !discarded.filled().is_empty() => {
                    let deadline = linger.end.min(Instant::now() + LINGER_IDLE_TIMEOUT);
                    linger.deadline.as_mut().reset(deadline);
                }
                Ok(()) | Err(_) => return Poll::Ready(()),
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ConnectionIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for ConnectionIo<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.check_progress(context, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.check_progress(context, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.linger.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        }
        self.poll_linger(context).map(Ok)
    }
}
