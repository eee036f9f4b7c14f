//! Short messages at the edge of the page: what has happened (`status`, gone after a while) and what went wrong (`alert`, there
//! until it is closed).

use std::time::Duration;

use leptos::{ev, prelude::*};

use super::icons::{Cross, Tick, Warning};
use crate::i18n::words::{Language, Words};

/// How long a status stays.
const STAY: Duration = Duration::from_secs(6);
/// How many there are at once: the oldest gives way.
const MOST: usize = 3;

/// A text of the page.
type Text = fn(&'static Words) -> &'static str;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Status,
    Alert,
}

#[derive(Clone, Copy)]
struct Notice {
    id: u32,
    kind: Kind,
    text: Text,
}

/// The page's notices.
#[derive(Clone, Copy)]
pub struct Notices {
    list: RwSignal<Vec<Notice>>,
    next: StoredValue<u32>,
}

impl Notices {
    /// Makes the page's notices.
    pub fn provide() -> Self {
        let notices = Self { list: RwSignal::new(Vec::new()), next: StoredValue::new(0) };
        provide_context(notices);
        notices
    }

    /// The notices of the page at hand.
    #[must_use]
    pub fn of_page() -> Self {
        expect_context()
    }

    /// Says what has happened.
    pub fn status(self, text: Text) {
        self.add(Kind::Status, text);
    }

    /// Says what went wrong.
    pub fn alert(self, text: Text) {
        self.add(Kind::Alert, text);
    }

    /// Takes all of them away: what they say has been dealt with.
    pub fn clear(self) {
        self.list.set(Vec::new());
    }

    fn add(self, kind: Kind, text: Text) {
        let id = self.next.get_value();
        self.next.set_value(id + 1);
        self.list.update(|list| {
            list.push(Notice { id, kind, text });
            if list.len() > MOST {
                list.remove(0);
            }
        });
    }

    fn close(self, id: u32) {
        self.list.update(|list| list.retain(|notice| notice.id != id));
    }

    fn of_kind(self, kind: Kind) -> impl Fn() -> Vec<Notice> + Copy {
        move || self.list.with(|list| list.iter().filter(|notice| notice.kind == kind).copied().collect())
    }
}

/// Where notices appear.
#[component]
pub fn NoticeArea() -> impl IntoView {
    let notices = Notices::of_page();
    let language = Language::of_page();
    Effect::new(move |_| {
        // It lives as long as the page.
        let _ = window_event_listener(ev::keydown, move |event| {
            if event.key() == "Escape" && !event.default_prevented() {
                notices.list.update(|list| {
                    list.pop();
                });
            }
        });
    });
    // The status region is there from the start: screen readers announce what comes into it.
    view! {
        <section class="notices" aria-label=language.say(|w| w.notices)>
            <For each=notices.of_kind(Kind::Alert) key=|notice| notice.id let:notice>
                <div role="alert" class="notice notice-alert">
                    <NoticeBody notice />
                </div>
            </For>
            <div role="status" class="contents">
                <For each=notices.of_kind(Kind::Status) key=|notice| notice.id let:notice>
                    <Passing notice />
                </For>
            </div>
        </section>
    }
}

/// A notice that goes by itself, but not while somebody is at it.
#[component]
fn Passing(notice: Notice) -> impl IntoView {
    let notices = Notices::of_page();
    let timer = StoredValue::new(None::<TimeoutHandle>);
    let stop = move || {
        if let Some(timer) = timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
    };
    let start = move || {
        stop();
        timer.set_value(set_timeout_with_handle(move || notices.close(notice.id), STAY).ok());
    };
    Effect::new(move |_| start());
    on_cleanup(stop);
    view! {
        <div
            class="notice notice-status"
            on:pointerenter=move |_| stop()
            on:pointerleave=move |_| start()
            on:focusin=move |_| stop()
            on:focusout=move |_| start()
        >
            <NoticeBody notice />
        </div>
    }
}

#[component]
fn NoticeBody(notice: Notice) -> impl IntoView {
    let notices = Notices::of_page();
    let language = Language::of_page();
    view! {
        {match notice.kind {
            Kind::Status => view! { <Tick /> }.into_any(),
            Kind::Alert => view! { <Warning /> }.into_any(),
        }}
        <p>{language.say(notice.text)}</p>
        <button type="button" class="close" aria-label=language.say(|w| w.close) on:click=move |_| notices.close(notice.id)>
            <Cross />
        </button>
    }
}
