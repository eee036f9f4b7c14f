//! Form field: label above, hint below; an error replaces the hint.

use leptos::{html::Input, prelude::*};

use super::icons;
use crate::{
    dom,
    i18n::{
        Lang,
        strings::{Language, Strings},
    },
    session::browser::SessionContext,
    validation::Problem,
};

/// Validation error of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
enum FieldError {
    /// From client-side validation, translated when it is displayed.
    Client(Problem),
    /// From the server, in the language of the page at the time of the request.
    Server(String, Lang),
}

type Validator = Box<dyn Fn(&str) -> Result<(), Problem> + Send + Sync>;

/// State of a form field. The DOM input is the source of truth for its text, so text that was typed
/// before hydration is kept.
#[derive(Clone, Copy)]
pub struct FieldState {
    input: NodeRef<Input>,
    error: RwSignal<Option<FieldError>>,
    is_edited: StoredValue<bool>,
    edited: RwSignal<()>,
    validate: StoredValue<Validator>,
}

impl FieldState {
    /// Creates a field with a client-side validation rule.
    #[must_use]
    pub fn new(validate: impl Fn(&str) -> Result<(), Problem> + Send + Sync + 'static) -> Self {
        Self {
            input: NodeRef::new(),
            error: RwSignal::new(None),
            is_edited: StoredValue::new(false),
            edited: RwSignal::new(()),
            validate: StoredValue::new(Box::new(validate)),
        }
    }

    /// Returns the current text.
    #[must_use]
    pub fn value(self) -> String {
        dom::value(self.input)
    }

    /// Subscribes the running effect to edits and to the mounting of the input.
    pub fn track(self) {
        self.edited.track();
        self.input.track();
    }

    /// Sets the text once the input is mounted.
    pub fn fill(self, text: String) {
        self.input.on_load(move |input| {
            input.set_value(&text);
            // Setting `value` from a script fires no `input` event.
            self.edited.notify();
        });
    }

    /// Sets the field to a valid text, clears its error and notifies subscribers.
    pub fn reset(self, text: &str) {
        if let Some(input) = self.input.get_untracked() {
            input.set_value(text);
        }
        self.is_edited.set_value(false);
        self.error.set(None);
        self.edited.notify();
    }

    /// Validates the field, shows or clears its error, and returns whether it is valid.
    #[must_use]
    pub fn check(self) -> bool {
        let result = self.validate.with_value(|validate| validate(&self.value()));
        // A server error stays until the field is edited.
        if let Err(problem) = result {
            self.error.set(Some(FieldError::Client(problem)));
        } else if self.error.with_untracked(|error| matches!(error, Some(FieldError::Client(_)))) {
            self.error.set(None);
        }
        result.is_ok()
    }

    /// Shows an error that the server has reported for this field.
    pub fn show_server_error(self, why: String) {
        self.error.try_set(Some(FieldError::Server(why, dom::lang())));
    }

    /// Focuses the input and selects its text.
    pub fn focus(self) {
        if let Some(input) = self.input.try_get_untracked().flatten() {
            dom::focus(&input);
            input.select();
        }
    }

    fn on_input(self) {
        self.is_edited.set_value(true);
        self.edited.notify();
        if self.error.with_untracked(Option::is_some) {
            self.error.set(None);
            let _ = self.check();
        }
    }

    fn on_blur(self) {
        // Untouched fields are not validated on blur. Browsers also fire `blur` when the page is
        // left with the field focused; its context are disposed by then.
        if self.is_edited.try_get_value() == Some(true) {
            let _ = self.check();
        }
    }
}

/// Hidden field with the username of the signed-in user, for password forms without a visible one.
/// Without it password managers offer or update the password of another account.
pub fn hidden_username() -> impl IntoView {
    let auth = SessionContext::of_page().auth;
    hidden_username_of(move || {
        auth.with(|auth| auth.user().map(|user| user.username.clone()).unwrap_or_default())
    })
}

/// As [`hidden_username`], with another username.
pub fn hidden_username_of(username: impl Fn() -> String + Send + 'static) -> impl IntoView {
    view! {
        <input
            type="text"
            name="username"
            autocomplete="username"
            prop:value=username
            readonly
            hidden
        />
    }
}

/// Form field. Its type is erased: the view types of a form with several fields would exceed the
/// compiler's recursion limit.
#[component]
pub fn Field(
    /// State of the field.
    state: FieldState,
    /// Name of the input, and prefix of the element ids.
    name: &'static str,
    /// Label.
    label: fn(&'static Strings) -> &'static str,
    /// Hint below the input.
    #[prop(default = |_| String::new())]
    hint: fn(Lang) -> String,
    /// `autocomplete` attribute: guides browsers and password managers.
    autocomplete: &'static str,
    /// `inputmode` attribute: the on-screen keyboard.
    #[prop(default = "text")]
    inputmode: &'static str,
    /// `enterkeyhint` attribute: the label of the keyboard's enter key.
    #[prop(default = "next")]
    enterkeyhint: &'static str,
    /// `autocapitalize` attribute: the on-screen keyboard's shift key.
    #[prop(default = "none")]
    autocapitalize: &'static str,
    /// Allows an empty field.
    #[prop(optional)]
    optional: bool,
    /// Masks the text, with a button to reveal it.
    #[prop(optional)]
    secret: bool,
    /// Content between input and hint.
    #[prop(optional)]
    below: Option<AnyView>,
) -> impl IntoView {
    let language = Language::of_page();
    let is_visible = RwSignal::new(!secret);
    let note_id = format!("{name}-note");
    let caps_id = format!("{name}-caps");
    let error = state.error;
    let note_class = if hint(language.0.get_untracked()).is_empty() { "note" } else { "note hint" };
    let note = move || match error.get() {
        None => hint(language.get()),
        Some(FieldError::Client(problem)) => problem.text(language.get()),
        Some(FieldError::Server(text, _)) => text,
    };
    let error_lang = move || match error.get() {
        Some(FieldError::Server(_, lang)) => Some(lang.tag()),
        _ => None,
    };
    let reveal_label = move || {
        let strings = language.strings();
        if is_visible.get() { strings.hide_password } else { strings.show_password }
    };
    let toggle = move |_| {
        is_visible.update(|is_visible| *is_visible = !*is_visible);
        if let Some(input) = state.input.get_untracked() {
            dom::focus(&input);
        }
    };
    view! {
        <div class="field">
            <label for=name>{language.t(label)}</label>
            <div class="control" class:control-secret=secret>
                <input
                    class="input"
                    node_ref=state.input
                    id=name
                    name=name
                    type=move || if is_visible.get() { "text" } else { "password" }
                    autocomplete=autocomplete
                    inputmode=inputmode
                    enterkeyhint=enterkeyhint
                    autocapitalize=autocapitalize
                    spellcheck="false"
                    required=!optional
                    aria-describedby=format!("{note_id} {caps_id}")
                    aria-invalid=move || error.with(Option::is_some).then_some("true")
                    on:input=move |_| state.on_input()
                    on:blur=move |_| state.on_blur()
                />
                {secret
                    .then(|| {
                        view! {
                            <button
                                type="button"
                                class="reveal"
                                aria-controls=name
                                aria-label=reveal_label
                                on:click=toggle
                            >
                                {icons::eye()}
                            </button>
                        }
                    })}
            </div>
            {below}
            // `head.js` tracks Caps Lock, the style sheet shows the warning.
            {secret
                .then(|| {
                    view! {
                        <p class="caps" id=caps_id aria-live="polite">
                            <span>{language.t(|s| s.caps_lock)}</span>
                        </p>
                    }
                })}
            <p class=note_class id=note_id aria-live="polite">
                {icons::warning()}
                <span lang=error_lang>{note}</span>
            </p>
        </div>
    }
    .into_any()
}
