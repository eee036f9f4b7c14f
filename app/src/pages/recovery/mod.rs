//! The pages of mails: `/forgot`, and those that links lead to: `/reset`, `/verify`, `/undo`.
//!
//! Opening a link changes nothing: scanners of mail open links, too. Its token is in the fragment,
//! from which `link_token.js` removes it, and is sent when the button of the page is pressed.

mod digits;
mod forgot;
mod reset;
mod undo;
mod verify;

pub(super) use digits::{at_digits, checked_digits, digits_field, digits_input};
use leptos::{ev::SubmitEvent, prelude::*, tachys::html::InertElement, task::tick};

use crate::{
    components::{
        form::{FormError, FormState},
        icons,
        submit_button::SubmitButton,
        toasts::Toasts,
    },
    dom,
    i18n::strings::{Language, Strings},
    protocol::error::{ApiError, Code},
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

/// Step of a page that a link leads to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Asks for what the link is about.
    Open,
    /// The URL has no token.
    Incomplete,
    /// The token is used, expired or unknown.
    Invalid,
    Done,
}

impl Step {
    /// Creates the step, and reads the token.
    fn with_token() -> (RwSignal<Self>, LinkToken) {
        let step = RwSignal::new(Self::Open);
        (step, LinkToken::read(move || step.set(Self::Incomplete)))
    }

    /// Moves on after the token was sent; returns the errors that leave the form as it is.
    fn after<T>(step: RwSignal<Self>, result: Result<T, ApiError>) -> Result<(), ApiError> {
        step.try_set(match result {
            Ok(_) => Self::Done,
            Err(error) if error.code == Code::CodeInvalid => Self::Invalid,
            Err(error) => return Err(error),
        });
        Ok(())
    }
}

/// Form that requests the mail again.
pub(super) fn resend_form<F>(
    send: impl Fn() -> F + 'static,
    form_class: &'static str,
    before: Option<Text>,
) -> impl IntoView
where
    F: Future<Output = Result<(), ApiError>> + 'static,
{
    let language = Language::of_page();
    let toasts = Toasts::of_page();
    let form = FormState::new(Vec::new());
    let submit = move |event: SubmitEvent| {
        let pending = send();
        let call = async move {
            pending.await?;
            toasts.status(|strings| strings.mail_sent_again);
            Ok(())
        };
        form.submit(&event, Box::pin(call));
    };
    view! {
        <form class=form_class method="post" novalidate on:submit=submit>
            <FormError form />
            {before.map(|text| view! { <p>{language.t(text)}</p> })}
            <SubmitButton
                label=|s| s.mail_again
                busy=form.busy
                class="btn btn-ghost btn-block"
            />
        </form>
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
            dom::focus_first("#outcome");
        });
    }
}
