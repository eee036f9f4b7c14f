//! A field of a form: label above, hint below, and what is wrong in the hint's place.

use leptos::{html::Input, prelude::*};

use super::icons;
use crate::{
    dom,
    i18n::{
        Lang,
        strings::{Language, Strings},
    },
    session::browser::Signals,
    validation::Problem,
};

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fault {
    /// Found here, and said in the page's language.
    Found(Problem),
    /// Said by the server, in the language that the page had then.
    Said(String, Lang),
}

type Judge = Box<dyn Fn(&str) -> Result<(), Problem> + Send + Sync>;

/// A field's input and what is wrong with it. The input itself holds the text, so that what was
/// typed before the page was awake is not lost.
#[derive(Clone, Copy)]
pub struct FieldState {
    input: NodeRef<Input>,
    fault: RwSignal<Option<Fault>>,
    touched: StoredValue<bool>,
    typing: RwSignal<()>,
    judge: StoredValue<Judge>,
}

impl FieldState {
    /// A field with a rule.
    #[must_use]
    pub fn new(judge: impl Fn(&str) -> Result<(), Problem> + Send + Sync + 'static) -> Self {
        Self {
            input: NodeRef::new(),
            fault: RwSignal::new(None),
            touched: StoredValue::new(false),
            typing: RwSignal::new(()),
            judge: StoredValue::new(Box::new(judge)),
        }
    }

    /// What is typed.
    #[must_use]
    pub fn value(self) -> String {
        dom::value(self.input)
    }

    /// Follows what is typed: whoever asks is asked again at each key, and once the page is awake.
    pub fn track(self) {
        self.typing.track();
        self.input.track();
    }

    /// Types a text for the person, once the input is there.
    pub fn fill(self, text: String) {
        self.input.on_load(move |input| {
            input.set_value(&text);
            // A value that is set by a program fires no `input` event.
            self.typing.notify();
        });
    }

    /// Sets the field to a valid text and forgets its error. Everything that follows the field is
    /// updated.
    pub fn reset(self, text: &str) {
        if let Some(input) = self.input.get_untracked() {
            input.set_value(text);
        }
        self.touched.set_value(false);
        self.fault.set(None);
        self.typing.notify();
    }

    /// Checks what is typed, and says what is wrong with it. Whether it is good.
    #[must_use]
    pub fn check(self) -> bool {
        let verdict = self.judge.with_value(|judge| judge(&self.value()));
        // A refusal by the server stands until something else is typed.
        if let Err(problem) = verdict {
            self.fault.set(Some(Fault::Found(problem)));
        } else if self.fault.with_untracked(|fault| matches!(fault, Some(Fault::Found(_)))) {
            self.fault.set(None);
        }
        verdict.is_ok()
    }

    /// Says what the server has found wrong.
    pub fn refuse(self, why: String) {
        self.fault.try_set(Some(Fault::Said(why, dom::lang())));
    }

    /// Puts the cursor into it, with the text selected.
    pub fn focus(self) {
        if let Some(input) = self.input.try_get_untracked().flatten() {
            dom::focus(&input);
            input.select();
        }
    }

    fn typed(self) {
        self.touched.set_value(true);
        self.typing.notify();
        if self.fault.with_untracked(Option::is_some) {
            self.fault.set(None);
            let _ = self.check();
        }
    }

    fn left(self) {
        // Who only passes through has done nothing wrong yet. The browser says that a field has
        // been left also when its page goes away with the cursor in it: then there is nothing to
        // check any more.
        if self.touched.try_get_value() == Some(true) {
            let _ = self.check();
        }
    }
}

/// Names the account of a password form that has no visible username field, for password managers:
/// without it they offer or save the password of another account.
pub fn hidden_username() -> impl IntoView {
    let auth = Signals::of_page().auth;
    let username =
        move || auth.with(|auth| auth.user().map(|user| user.username.clone()).unwrap_or_default());
    view! { <input type="text" name="username" autocomplete="username" prop:value=username readonly hidden /> }
}

/// A field. Its type is erased: a form of several would grow beyond what the compiler wants to
/// follow.
#[component]
pub fn Field(
    /// Its state.
    state: FieldState,
    /// Its name, and the root of its elements' ids.
    name: &'static str,
    /// What it is called.
    label: fn(&'static Strings) -> &'static str,
    /// What may be typed.
    #[prop(default = |_| String::new())]
    hint: fn(Lang) -> String,
    /// What password managers and the browser may fill in.
    autocomplete: &'static str,
    /// Which keyboard a phone shows.
    #[prop(default = "text")]
    inputmode: &'static str,
    /// What the keyboard's last key does.
    #[prop(default = "next")]
    enterkeyhint: &'static str,
    /// Whether it may be left empty.
    #[prop(optional)]
    optional: bool,
    /// Whether the text is hidden until the person wants to see it.
    #[prop(optional)]
    secret: bool,
    /// What is between the field and its hint.
    #[prop(optional)]
    below: Option<AnyView>,
) -> impl IntoView {
    let language = Language::of_page();
    let shown = RwSignal::new(!secret);
    let note_id = format!("{name}-note");
    let caps_id = format!("{name}-caps");
    let fault = state.fault;
    let note = move || match fault.get() {
        None => hint(language.get()),
        Some(Fault::Found(problem)) => problem.text(language.get()),
        Some(Fault::Said(text, _)) => text,
    };
    let said_in = move || match fault.get() {
        Some(Fault::Said(_, lang)) => Some(lang.tag()),
        _ => None,
    };
    let toggle = move |_| {
        shown.update(|shown| *shown = !*shown);
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
                    type=move || if shown.get() { "text" } else { "password" }
                    autocomplete=autocomplete
                    inputmode=inputmode
                    enterkeyhint=enterkeyhint
                    autocapitalize="none"
                    spellcheck="false"
                    required=!optional
                    aria-describedby=format!("{note_id} {caps_id}")
                    aria-invalid=move || fault.with(Option::is_some).then_some("true")
                    on:input=move |_| state.typed()
                    on:blur=move |_| state.left()
                />
                {secret
                    .then(|| {
                        view! {
                            <button
                                type="button"
                                class="reveal"
                                aria-controls=name
                                aria-label=move || {
                                    let strings = language.strings();
                                    if shown.get() { strings.hide_password } else { strings.show_password }
                                }
                                on:click=toggle
                            >
                                {icons::eye()}
                            </button>
                        }
                    })}
            </div>
            {below}
            // The page's own script knows the key, the style sheet shows the words.
            {secret
                .then(|| {
                    view! {
                        <p class="caps" id=caps_id aria-live="polite">
                            <span>{language.t(|s| s.caps_lock)}</span>
                        </p>
                    }
                })}
            <p class="note" id=note_id aria-live="polite">
                {icons::warning()}
                <span lang=said_in>{note}</span>
            </p>
        </div>
    }
    .into_any()
}
