//! `/register`.

use leptos::{ev::SubmitEvent, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use crate::{
    components::{
        button::Submit,
        field::{Field, FieldState},
        form::{FormFailure, FormState},
        new_password::{NewPassword, NewPasswordFields},
        notices::Notices,
    },
    i18n::strings::{Language, Strings},
    protocol::auth::register,
    validation,
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
    let username = FieldState::new(validation::username::check);
    let password = NewPassword::of(move || username.value());
    let [chosen, again] = password.fields();
    let form = FormState::new(vec![("username", username), chosen, again]);
    let submit = move |event: SubmitEvent| {
        let navigate = navigate.clone();
        let call = async move {
            let answer = register(Some(username.value()), Some(password.value()), None).await?;
            registrant.set_value(Some(answer.user.username));
            notices.clear();
            notices.status(|strings| strings.registered);
            navigate("/login", NavigateOptions { resolve: false, ..NavigateOptions::default() });
            Ok(())
        };
        form.submit(&event, Box::pin(call));
    };
    view! {
        <section class="card-narrow guests-only">
            <h1 tabindex="-1">{language.t(|s| s.register_title)}</h1>
            <form method="post" novalidate on:submit=submit>
                <FormFailure form />
                <Field
                    state=username
                    name="username"
                    label=|s| s.username
                    hint=|lang| Strings::of(lang).username_hint.to_owned()
                    autocomplete="username"
                    inputmode="email"
                />
                <NewPasswordFields of=password label=|s| s.password />
                <Submit label=|s| s.register busy=form.busy />
            </form>
            <p class="aside">
                {language.t(|s| s.already_registered)}
                " "
                <a href="/login">{language.t(|s| s.log_in)}</a>
            </p>
        </section>
    }
}
