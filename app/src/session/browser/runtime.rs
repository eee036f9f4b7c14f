//! Clock, timers and background tasks of the page.

use std::{cell::Cell, time::Duration};

use futures::{
    channel::oneshot,
    future::{FutureExt, LocalBoxFuture},
};
use leptos::prelude::*;

use crate::{dom, session::ports::Runtime};

/// The page's clock, timers and task queue.
#[derive(Default)]
pub(super) struct PageRuntime {
    /// Largest difference seen between the wall clock and the page's clock, in milliseconds.
    clock_offset: Cell<f64>,
}

impl Runtime for PageRuntime {
    fn now(&self) -> Duration {
        let elapsed = dom::now() * 1000.0;
        // The page's clock may stop while the machine sleeps; the wall clock does not, but may be
        // set back.
        self.clock_offset.set(self.clock_offset.get().max(js_sys::Date::now() - elapsed));
        Duration::try_from_secs_f64((elapsed + self.clock_offset.get()) / 1000.0)
            .unwrap_or_default()
    }

    fn sleep(&self, time: Duration) -> LocalBoxFuture<'static, ()> {
        sleep(time)
    }

    fn spawn(&self, task: LocalBoxFuture<'static, ()>) {
        dom::spawn(task);
    }
}

/// Completes after a duration.
pub(super) fn sleep(time: Duration) -> LocalBoxFuture<'static, ()> {
    let (elapsed, timer) = oneshot::channel::<()>();
    run_later(time, Box::new(move || drop(elapsed)));
    timer.map(drop).boxed_local()
}

/// Runs a task after a duration. The task is boxed so that the code around it is compiled once.
pub(super) fn run_later(time: Duration, task: Box<dyn FnOnce()>) {
    set_timeout(task, time);
}
