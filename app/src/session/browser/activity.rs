//! Renews the access token ahead of its expiry while the user is active. An open page without
//! activity does not keep its session alive.

use std::time::Duration;

use leptos::{ev, prelude::*};

use super::{SessionContext, current};
use crate::dom;

/// Seconds without input after which the user counts as inactive.
const IDLE_TIMEOUT_SECONDS: f64 = 60.0;
/// Longest duration of a timer. A browser's timer holds 24 days at most.
const MAX_TIMER: Duration = Duration::from_hours(24 * 24);
/// Delay added to the timer: a timer that fires too early would find no renewal due.
const TIMER_MARGIN: Duration = Duration::from_millis(20);

/// Watches input and the renewal schedule. Called once, in the browser.
pub fn watch(context: SessionContext) {
    let last_input = StoredValue::new(dom::now());
    let on_input = move || {
        last_input.set_value(dom::now());
        renew_if_due();
    };
    // The listeners live as long as the page.
    let _ = window_event_listener(ev::pointerdown, move |_| on_input());
    let _ = window_event_listener(ev::keydown, move |_| on_input());
    let _ = window_event_listener(ev::focus, move |_| {
        sync();
        on_input();
    });
    // A page restored from the back/forward cache has missed all messages since.
    let _ = window_event_listener(ev::pageshow, |_| sync());
    let _ = window_event_listener(ev::online, |_| {
        if let Some(session) = current() {
            session.network_restored();
        }
    });

    let timer = StoredValue::new(None::<TimeoutHandle>);
    Effect::new(move |_| {
        context.renewal_schedule_changed.track();
        if let Some(timer) = timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
        let Some(due_in) = current().and_then(|session| session.renewal_due_in()) else { return };
        // After the longest timer, the next input renews the token.
        let due_in = due_in.min(MAX_TIMER) + TIMER_MARGIN;
        let on_time = move || {
            if dom::now() - last_input.get_value() < IDLE_TIMEOUT_SECONDS && !document().hidden() {
                renew_if_due();
            }
        };
        timer.set_value(set_timeout_with_handle(on_time, due_in).ok());
    });
}

fn sync() {
    if let Some(session) = current() {
        session.sync();
    }
}

fn renew_if_due() {
    if let Some(session) = current()
        && session.renewal_due_in() == Some(Duration::ZERO)
    {
        dom::spawn(async move { session.renew_if_due().await });
    }
}
