//! The pages of mails: `/forgot`, and those that links lead to: `/reset`, `/verify`, `/undo`.
//!
//! Opening a link changes nothing: scanners of mail open links, too. Its token is in the fragment,
//! from which `link_token.js` removes it, and is sent when the button of the page is pressed.

mod digits;
mod forgot;
mod reset;
mod undo;
mod verify;

pub(super) use digits::{at_digits, checked_digits, digits_field};
use leptos::{prelude::*, tachys::html::InertElement, task::tick};

use crate::{
    components::icons,
    dom,
    i18n::strings::{Language, Strings},
    routes::Page,
};

/// Selects a text of the page's language.
type Text = fn(&'static Strings) -> &'static str;

/// Renders one of the pages.
pub(super) fn view(page: Page) -> AnyView {
    match page {
        Page::Forgot => forgot::view(),
        Page::Reset => reset::view(),
        Page::Verify => verify::view(),
        _ => undo::view(),
    }
}

/// The token of the link that opened a page, in memory only.
#[derive(Clone, Copy)]
struct LinkToken(StoredValue<Option<String>>);

impl LinkToken {
    /// Reads the token once the page is hydrated; `missing` is called if there is none.
    fn read(missing: impl Fn() + 'static) -> Self {
        let token = StoredValue::new(None);
        Effect::new(move |_| match dom::take_link_token() {
            Some(text) => token.set_value(Some(text)),
            None => missing(),
        });
        Self(token)
    }

    fn get(self) -> Option<String> {
        self.0.get_value()
    }
}

/// Frame of the pages: logo, heading and content.
fn card(page: Page, content: impl Fn() -> AnyView + Send + 'static) -> AnyView {
    let language = Language::of_page();
    view! {
        <section class="card-narrow">
            {icons::mark()}
            <h1 tabindex="-1">{move || page.title(language.strings())}</h1>
            {content}
        </section>
    }
    .into_any()
}

/// Outcome that replaces a form, and the ways on from it.
fn outcome(
    is_success: bool,
    title: Text,
    text: impl Fn() -> String + Send + 'static,
    ways: impl IntoView,
) -> AnyView {
    let language = Language::of_page();
    let (role, class, icon): (_, _, InertElement) = if is_success {
        ("status", "success", icons::tick())
    } else {
        ("alert", "alert", icons::warning())
    };
    focus_outcome();
    view! {
        <div class=class role=role id="outcome" tabindex="-1">
            {icon}
            <div>
                <h2>{language.t(title)}</h2>
                <p>{text}</p>
            </div>
        </div>
        <div class="actions">{ways}</div>
    }
    .into_any()
}

/// Returns a text of the page's language as the text of an outcome.
fn text(pick: Text) -> impl Fn() -> String + Copy + Send {
    let language = Language::of_page();
    move || pick(language.strings()).to_owned()
}

/// The next step, as a link that looks like a button.
fn link(page: Page, label: Text) -> impl IntoView {
    let language = Language::of_page();
    view! {
        <a class="btn btn-primary btn-block" href=page.path()>{language.t(label)}</a>
    }
}

/// Panel in place of a page whose URL has no token.
fn incomplete(ways: impl IntoView) -> AnyView {
    outcome(false, |s| s.link_incomplete, text(|s| s.link_incomplete_text), ways)
}

/// Moves the focus to the outcome: the button that was pressed is gone.
fn focus_outcome() {
    if cfg!(not(feature = "ssr")) {
        dom::spawn(async {
            tick().await;
            if let Some(outcome) = dom::find("#outcome") {
                dom::focus(&outcome);
            }
        });
    }
}
