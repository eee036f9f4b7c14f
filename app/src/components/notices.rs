//! Short messages at the edge of the page: what has happened (`status`, gone after a while) and
//! what went wrong (`alert`, there until it is closed).

use std::time::Duration;

use leptos::prelude::*;

use super::icons;
use crate::{
    dom,
    i18n::strings::{Language, Strings},
};

/// How long a status stays.
const STAY: Duration = Duration::from_secs(6);
/// How many there are at once: the oldest gives way.
const MOST: usize = 3;

/// A text of the page.
type Text = fn(&'static Strings) -> &'static str;

#[derive(Clone, Copy)]
struct Notice {
    /// Newer ones have higher numbers.
    number: u32,
    role: &'static str,
    text: Text,
}

type Slot = RwSignal<Option<Notice>>;

/// The page's notices: each in one of a few places.
#[derive(Clone, Copy)]
pub struct Notices([Slot; MOST]);

impl Notices {
    /// Makes the page's notices.
    pub fn provide() -> Self {
        let notices = Self([(); MOST].map(|()| RwSignal::new(None)));
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
        for slot in self.0 {
            slot.set(None);
        }
    }

    /// Takes the newest away.
    pub fn close_newest(self) {
        if let Some(slot) = self.0.into_iter().max_by_key(|slot| number(*slot)) {
            slot.set(None);
        }
    }

    fn add(self, role: &'static str, text: Text) {
        let newest = self.0.into_iter().map(number).max().unwrap_or(0);
        // A free place has the number nought; where there is none, the oldest gives way.
        if let Some(slot) = self.0.into_iter().min_by_key(|slot| number(*slot)) {
            slot.set(Some(Notice { number: newest + 1, role, text }));
        }
    }
}

fn number(slot: Slot) -> u32 {
    slot.with_untracked(|notice| notice.map_or(0, |notice| notice.number))
}

/// Where notices appear. It is a live region from the start: screen readers announce what comes
/// into it.
#[component]
pub fn NoticeArea() -> impl IntoView {
    let language = Language::of_page();
    let places =
        Notices::of_page().0.map(|slot| move || slot.get().map(|notice| card(notice, slot)));
    view! {
        <section class="notices" aria-live="polite" aria-label=language.t(|s| s.notifications)>
            {places}
        </section>
    }
}

/// A notice. A status goes by itself, but not while somebody is at one of them: those below would
/// jump.
fn card(notice: Notice, slot: Slot) -> impl IntoView {
    let language = Language::of_page();
    let close = move || {
        // Another one may have taken its place.
        if number(slot) == notice.number {
            slot.set(None);
        }
    };
    if notice.role == "status" {
        let leave = move || {
            if dom::find(".notice:is(:hover,:focus-within)").is_none() {
                close();
            }
        };
        if let Ok(timer) = set_interval_with_handle(leave, STAY) {
            on_cleanup(move || timer.clear());
        }
    }
    view! {
        <div role=notice.role class="notice">
            {if notice.role == "status" { icons::tick() } else { icons::warning() }}
            <p>{language.t(notice.text)}</p>
            <button type="button" class="close" aria-label=language.t(|s| s.close) on:click=move |_| close()>
                {icons::cross()}
            </button>
        </div>
    }
}
