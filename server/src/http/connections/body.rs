//! The body of a request as it arrives: within a time, and not too slowly.

use std::{
    num::NonZeroU64,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    BoxError,
    body::{Bytes, HttpBody},
};
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use super::io::State;

/// The body did not arrive in time.
#[derive(Debug, thiserror::Error)]
#[error("the request body arrives too slowly")]
pub(super) struct TooSlow;

/// A body of which something has to arrive within `idle_timeout`, and all of it within that time
/// and what it takes at `rate` bytes a second.
pub(super) struct RequestBody<B> {
    body: B,
    idle_timeout: Duration,
    rate: NonZeroU64,
    state: Arc<State>,
    received: u64,
    /// Set as soon as the body has to be waited for.
    wait: Option<Wait>,
    is_complete: bool,
}

struct Wait {
    started: Instant,
    /// Bytes that had arrived when the deadline was set.
    received: u64,
    deadline: Pin<Box<Sleep>>,
}

impl<B> RequestBody<B> {
    pub(super) fn new(
        body: B,
        idle_timeout: Duration,
        rate: NonZeroU64,
        state: Arc<State>,
    ) -> Self {
        Self { body, idle_timeout, rate, state, received: 0, wait: None, is_complete: false }
    }

    /// Waits for more of the body, until its deadline.
    fn poll_deadline(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let (received, idle_timeout) = (self.received, self.idle_timeout);
        let at_rate = Duration::from_millis(received.saturating_mul(1000) / self.rate);
        let wait = self.wait.get_or_insert_with(|| {
            let started = Instant::now();
            Wait { started, received, deadline: Box::pin(sleep_until(started + idle_timeout)) }
        });
        if received != wait.received {
            wait.received = received;
            let deadline =
                (wait.started + idle_timeout + at_rate).min(Instant::now() + idle_timeout);
            wait.deadline.as_mut().reset(deadline);
        }
        wait.deadline.as_mut().poll(context)
    }
}

impl<B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Unpin> HttpBody for RequestBody<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        match Pin::new(&mut this.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                this.received += frame.data_ref().map_or(0, |data| data.len() as u64);
                if this.body.is_end_stream() {
                    this.complete();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(None) => {
                this.complete();
                Poll::Ready(None)
            }
            Poll::Pending => this.poll_deadline(context).map(|()| {
                this.state.stop_lingering();
                Some(Err(TooSlow.into()))
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> RequestBody<B> {
    fn complete(&mut self) {
        if !self.is_complete {
            self.is_complete = true;
            self.state.begin_response();
        }
    }
}

impl<B> Drop for RequestBody<B> {
    /// A body that is not needed completely ends here: the response follows.
    fn drop(&mut self) {
        if !self.is_complete {
            self.state.begin_response();
        }
    }
}
