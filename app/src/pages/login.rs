//! `/login`.

use leptos::{ev::SubmitEvent, html::Input, prelude::*};

use super::register::Registrant;
use crate::{
    components::{
        button::Submit,
        field::{Field, FieldState},
        form::{FormFailure, FormState},
        notices::Notices,
    },
    i18n::strings::Language,
    protocol::auth::login,
    session::browser,
    validation::{self, Problem},
};

/// The page.
#[component]
pub fn Login() -> impl IntoView {
    let language = Language::of_page();
    let notices = Notices::of_page();
    // Whatever is typed may be an account's name: only the server knows.
    let username = FieldState::new(|typed| {
        if typed.trim().is_empty() { Err(Problem::UsernameMissing) } else { Ok(()) }
    });
    let password = FieldState::new(validation::password::is_there);
    let remember = NodeRef::<Input>::new();
    let form = FormState::new(vec![("username", username), ("password", password)]);
    // Who has just registered need not type the name again.
    if let Some(name) = expect_context::<Registrant>().0.try_update_value(Option::take).flatten() {
        username.fill(name);
        // The input may be the one of the page before, with what was typed there.
        password.fill(String::new());
    }
    let submit = move |event: SubmitEvent| {
        let remembered = remember.get_untracked().is_none_or(|remember| remember.checked());
        let call = async move {
            let answer =
                login(Some(username.value()), Some(password.value()), Some(remembered)).await?;
            notices.clear();
            notices.status(|strings| strings.logged_in);
            // The guards lead on.
            browser::begin(answer, remembered);
            Ok(())
        };
        form.submit(&event, Box::pin(call));
    };
    view! {
        <section class="card-narrow guests-only">
            <h1 tabindex="-1">{language.t(|s| s.login_title)}</h1>
            <form method="post" novalidate on:submit=submit>
                <FormFailure form />
                <Field state=username name="username" label=|s| s.username autocomplete="username" inputmode="email" />
                <Field
                    state=password
                    name="password"
                    label=|s| s.password
                    autocomplete="current-password"
                    enterkeyhint="go"
                    secret=true
                />
                <label class="check">
                    <input class="checkbox checkbox-primary" type="checkbox" name="remember" checked node_ref=remember />
                    <span>{language.t(|s| s.remember)}</span>
                </label>
                <Submit label=|s| s.log_in busy=form.busy />
            </form>
            <p class="aside">
                {language.t(|s| s.no_account)}
                " "
                <a href="/register">{language.t(|s| s.register)}</a>
            </p>
        </section>
    }
}
