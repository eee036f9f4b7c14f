//! Short messages at the edge of the page: what has happened (`status`, gone after a while) and what went wrong (`alert`, there
//! until it is closed).

use std::time::Duration;

use leptos::{ev, prelude::*};

use super::icons;
use crate::i18n::words::{Language, Words};

/// How long a status stays.
const STAY: Duration = Duration::from_secs(6);
/// How many there are at once: the oldest gives way.
const MOST: usize = 3;

/// A text of the page.
type Text = fn(&'static Words) -> &'static str;

#[derive(Clone, Copy)]
struct Notice {
    id: u32,
    role: &'static str,
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
        self.add("status", text);
    }

    /// Says what went wrong.
    pub fn alert(self, text: Text) {
        self.add("alert", text);
    }

    /// Takes all of them away: what they say has been dealt with.
    pub fn clear(self) {
        self.list.set(Vec::new());
    }

    fn add(self, role: &'static str, text: Text) {
        let id = self.next.get_value();
        self.next.set_value(id + 1);
        self.list.update(|list| {
            list.push(Notice { id, role, text });
            if list.len() > MOST {
                list.remove(0);
            }
        });
    }

    fn close(self, id: u32) {
        self.list.update(|list| list.retain(|notice| notice.id != id));
    }
}

/// Where notices appear. It is a live region from the start: screen readers announce what comes into it.
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
    view! {
        <section class="notices" aria-live="polite" aria-label=language.say(|w| w.notices)>
            <For each=move || notices.list.get() key=|notice| notice.id let:notice>
                <NoticeCard notice />
            </For>
        </section>
    }
}

/// A notice. A status goes by itself, but not while somebody is at it.
#[component]
fn NoticeCard(notice: Notice) -> impl IntoView {
    let notices = Notices::of_page();
    let language = Language::of_page();
    let timer = StoredValue::new(None::<TimeoutHandle>);
    let stop = move || {
        if let Some(timer) = timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
    };
    let start = move || {
        stop();
        if notice.role == "status" {
            timer.set_value(set_timeout_with_handle(move || notices.close(notice.id), STAY).ok());
        }
    };
    start();
    on_cleanup(stop);
    view! {
        <div
            role=notice.role
            class="notice"
            on:pointerenter=move |_| stop()
            on:pointerleave=move |_| start()
            on:focusin=move |_| stop()
            on:focusout=move |_| start()
        >
            {if notice.role == "status" { icons::tick() } else { icons::warning() }}
            <p>{language.say(notice.text)}</p>
            <button type="button" class="close" aria-label=language.say(|w| w.close) on:click=move |_| notices.close(notice.id)>
                {icons::cross()}
            </button>
        </div>
    }
}
