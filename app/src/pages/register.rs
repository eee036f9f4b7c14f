//! `/register`.

use leptos::{ev::SubmitEvent, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use crate::{
    api::auth::register,
    components::{
        button::Submit,
        field::{Field, FieldState},
        form::{FormFailure, FormState},
        meter::Meter,
        notices::Notices,
    },
    document, dom,
    i18n::words::{Language, Words, password_hint},
    rules::{self, Problem},
};

/// Who has just registered: the log-in fills the name in. No address carries it.
#[derive(Clone, Copy)]
pub struct Registrant(pub StoredValue<Option<String>>);

/// The page.
#[component]
pub fn Register() -> impl IntoView {
    let language = Language::of_page();
    let notices = Notices::of_page();
    let navigate = use_navigate();
    let registrant = expect_context::<Registrant>().0;
    let min = document::password_min();
    let username = FieldState::new(rules::username::check);
    let password = FieldState::new(move |typed| {
        rules::password::check(&dom::nfc(typed), min)?;
        if typed == username.value().trim() { Err(Problem::PasswordIsUsername) } else { Ok(()) }
    });
    let again =
        FieldState::new(move |typed| if typed == password.value() { Ok(()) } else { Err(Problem::PasswordsDiffer) });
    let form = FormState::new(vec![("username", username), ("password", password), ("password_again", again)]);
    let submit = move |event: SubmitEvent| {
        let navigate = navigate.clone();
        let call = async move {
            let answer = register(Some(username.value()), Some(password.value()), None).await?;
            registrant.set_value(Some(answer.user.username));
            notices.clear();
            notices.status(|words| words.registered);
            navigate("/login", NavigateOptions { resolve: false, ..NavigateOptions::default() });
            Ok(())
        };
        form.submit(&event, Box::pin(call));
    };
    view! {
        <section class="card-narrow guests-only">
            <h1 tabindex="-1">{language.say(|w| w.register_title)}</h1>
            <form method="post" novalidate on:submit=submit>
                <FormFailure form />
                <Field
                    state=username
                    name="username"
                    label=|w| w.username
                    hint=|lang| Words::of(lang).username_hint.to_owned()
                    autocomplete="username"
                    inputmode="email"
                />
                <Field
                    state=password
                    name="password"
                    label=|w| w.password
                    hint=|lang| password_hint(lang, document::password_min())
                    autocomplete="new-password"
                    secret=true
                    below=view! { <Meter of=password /> }.into_any()
                />
                <Field
                    state=again
                    name="password_again"
                    label=|w| w.password_again
                    autocomplete="new-password"
                    enterkeyhint="go"
                    secret=true
                />
                <Submit label=|w| w.register busy=form.busy />
            </form>
            <p class="aside">
                {language.say(|w| w.have_account)}
                " "
                <a href="/login">{language.say(|w| w.log_in)}</a>
            </p>
        </section>
    }
}
