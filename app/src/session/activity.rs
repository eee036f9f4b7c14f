//! Renews the token ahead of its time while the person is active: who has left the page open is not
//! kept signed in by it.

use std::time::Duration;

use leptos::{ev, prelude::*};

use super::browser::{Signals, current};
use crate::dom;

/// Who has done nothing for this many milliseconds is not active.
const IDLE: f64 = 60_000.0;
/// What a timer is set to at most.
const LONGEST_TIMER: Duration = Duration::from_hours(24 * 24);

/// Watches the person and the token. Called once, in the browser.
pub fn watch(signals: Signals) {
    let last = StoredValue::new(now());
    let seen = move || {
        last.set_value(now());
        renew();
    };
    // They live as long as the page.
    let _ = window_event_listener(ev::pointerdown, move |_| seen());
    let _ = window_event_listener(ev::keydown, move |_| seen());
    let _ = window_event_listener(ev::focus, move |_| {
        look_again();
        seen();
    });
    // A page that comes back out of the browser's cache has heard nothing meanwhile.
    let _ = window_event_listener(ev::pageshow, |_| look_again());
    let _ = window_event_listener(ev::online, |_| {
        if let Some(session) = current() {
            session.resume();
        }
    });

    let timer = StoredValue::new(None::<TimeoutHandle>);
    Effect::new(move |_| {
        signals.plans.track();
        if let Some(timer) = timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
        let Some(due_in) = current().and_then(|session| session.renewal_due_in()) else { return };
        // A little late rather than a little early: a timer that fires too soon would find nothing
        // due. A browser's timer holds 24 days at most; whoever is active after that is seen by
        // what they do.
        let due_in = due_in.min(LONGEST_TIMER) + Duration::from_millis(20);
        let on_time = move || {
            if now() - last.get_value() < IDLE && !document().hidden() {
                renew();
            }
        };
        timer.set_value(set_timeout_with_handle(on_time, due_in).ok());
    });
}

fn now() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now())
}

fn look_again() {
    if let Some(session) = current() {
        session.look_again();
    }
}

fn renew() {
    if let Some(session) = current()
        && session.renewal_due_in() == Some(Duration::ZERO)
    {
        dom::spawn(async move { session.renew_if_due().await });
    }
}
