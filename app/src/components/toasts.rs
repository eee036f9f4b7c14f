//! Toasts: status messages, which disappear after a while, and alerts, which stay until closed.

use std::time::Duration;

use leptos::prelude::*;

use super::icons;
use crate::{
    dom,
    i18n::strings::{Language, Strings},
    routes::Page,
};

/// Time after which a status message disappears.
const DISPLAY_TIME: Duration = Duration::from_secs(6);
/// Toasts at a time; a new one replaces the oldest.
const MAX_VISIBLE: usize = 3;

/// Selects a text of the page's language.
type Text = fn(&'static Strings) -> &'static str;

#[derive(Clone, Copy)]
struct Toast {
    /// Ids grow, so the highest is the newest; 0 stands for an empty slot.
    id: u32,
    role: &'static str,
    text: Text,
    /// Page that the text refers to; linked below it.
    link: Option<Page>,
}

type Slot = RwSignal<Option<Toast>>;

/// The toasts of the page, in a fixed number of slots.
#[derive(Clone, Copy)]
pub struct Toasts([Slot; MAX_VISIBLE]);

impl Toasts {
    /// Creates the toasts and provides them as context.
    pub fn provide() -> Self {
        let toasts = Self([(); MAX_VISIBLE].map(|()| RwSignal::new(None)));
        provide_context(toasts);
        toasts
    }

    /// Returns the toasts from context.
    #[must_use]
    pub fn of_page() -> Self {
        expect_context()
    }

    /// Shows a status message.
    pub fn status(self, text: Text) {
        self.add("status", text, None);
    }

    /// Shows an alert.
    pub fn alert(self, text: Text) {
        self.add("alert", text, None);
    }

    /// Shows an alert, with a link to the page that it refers to.
    pub fn alert_with_link(self, text: Text, link: Option<Page>) {
        self.add("alert", text, link);
    }

    /// Removes all toasts.
    pub fn clear(self) {
        for slot in self.0 {
            slot.set(None);
        }
    }

    /// Removes the newest toast.
    pub fn close_newest(self) {
        if let Some(slot) = self.0.into_iter().max_by_key(|slot| id(*slot)) {
            slot.set(None);
        }
    }

    fn add(self, role: &'static str, text: Text, link: Option<Page>) {
        let newest = self.0.into_iter().map(id).max().unwrap_or(0);
        // Empty slots have id 0 and are taken first, then the oldest toast is replaced.
        if let Some(slot) = self.0.into_iter().min_by_key(|slot| id(*slot)) {
            slot.set(Some(Toast { id: newest + 1, role, text, link }));
        }
    }
}

fn id(slot: Slot) -> u32 {
    slot.with_untracked(|toast| toast.map_or(0, |toast| toast.id))
}

/// Live region for toasts. It is rendered from the start, so that screen readers announce what is
/// added.
#[component]
pub fn ToastRegion() -> impl IntoView {
    let language = Language::of_page();
    let slots =
        Toasts::of_page().0.map(|slot| move || slot.get().map(|toast| toast_view(toast, slot)));
    view! {
        <section class="toasts" aria-live="polite" aria-label=language.t(|s| s.notifications)>
            {slots}
        </section>
    }
}

/// A toast. Status messages disappear after [`DISPLAY_TIME`], but not while the pointer or the
/// focus is on any toast: those below would shift.
fn toast_view(toast: Toast, slot: Slot) -> impl IntoView {
    let language = Language::of_page();
    let close = move || {
        // The slot may hold another toast by now.
        if id(slot) == toast.id {
            slot.set(None);
        }
    };
    if toast.role == "status" {
        let dismiss_unless_active = move || {
            if dom::find(".toast:is(:hover,:focus-within)").is_none() {
                close();
            }
        };
        if let Ok(timer) = set_interval_with_handle(dismiss_unless_active, DISPLAY_TIME) {
            on_cleanup(move || timer.clear());
        }
    }
    view! {
        <div role=toast.role class="toast">
            {if toast.role == "status" { icons::tick() } else { icons::warning() }}
            <p>
                {language.t(toast.text)}
                {toast
                    .link
                    .map(|page| {
                        view! {
                            " "
                            <a href=page.path()>{move || page.title(language.strings())}</a>
                        }
                    })}
            </p>
            <button
                type="button"
                class="close"
                aria-label=language.t(|s| s.close)
                on:click=move |_| close()
            >
                {icons::cross()}
            </button>
        </div>
    }
}
