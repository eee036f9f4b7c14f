//! `/login`.

use leptos::{ev::SubmitEvent, html::Input, prelude::*};
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate},
};

use super::register::PrefillUsername;
use crate::{
    components::{
        field::{Field, FieldState},
        form::{FormError, FormState},
        icons,
        submit_button::SubmitButton,
        toasts::Toasts,
    },
    i18n::strings::{Language, log_in_for, remember_hint},
    page_settings,
    protocol::{auth::Credentials, error::Code},
    routes::Page,
    server_fns::login,
    session::browser,
    validation::{self, Problem},
};

/// Credentials of a login that was refused because the account has no verified address:
/// they authorize sending its mail again. In memory only.
#[derive(Clone, Copy)]
pub struct UnverifiedLogin(pub StoredValue<Option<Credentials>>);

/// Names the page that a route guard has redirected from.
fn purpose() -> impl Fn() -> Option<String> {
    let language = Language::of_page();
    let query = use_location().query;
    move || {
        let target = query.read().get("redirect")?;
        let page = Page::at(target.split(['?', '#']).next()?);
        let lang = language.get();
        page.requires_auth().then(|| log_in_for(lang, page.title(language.strings())))
    }
}

/// The page.
#[component]
pub fn Login() -> impl IntoView {
    let language = Language::of_page();
    let toasts = Toasts::of_page();
    // Only the server knows which usernames exist, so all but blank ones are accepted.
    let username = FieldState::new(|typed| {
        if typed.trim().is_empty() { Err(Problem::UsernameMissing) } else { Ok(()) }
    });
    let password = FieldState::new(validation::password::check_present);
    let remember = NodeRef::<Input>::new();
    let remember_seconds = page_settings::remember_seconds();
    let form = FormState::new(vec![("username", username), ("password", password)]);
    let navigate = use_navigate();
    let unverified = expect_context::<UnverifiedLogin>().0;
    // After a registration the username is filled in.
    let registered = expect_context::<PrefillUsername>().0.try_update_value(Option::take).flatten();
    let is_new = registered.is_some();
    if let Some(name) = registered {
        username.fill(name);
        // The input may be reused from the previous page, with its text.
        password.fill(String::new());
    }
    let submit = move |event: SubmitEvent| {
        let remembered = remember.get_untracked().is_none_or(|remember| remember.checked());
        let navigate = navigate.clone();
        let call = async move {
            let credentials = Credentials {
                username: Some(username.value()),
                password: Some(password.value()),
                remember: Some(remembered),
            };
            match login(credentials.clone()).await {
                Ok(answer) => {
                    toasts.clear();
                    toasts.status(|strings| strings.logged_in);
                    // The route guard redirects from here.
                    browser::start_session(answer, remembered);
                }
                // That page offers to send the verification again.
                Err(error) if error.code == Code::AddressUnverified => {
                    unverified.set_value(Some(credentials));
                    let options = NavigateOptions { resolve: false, ..NavigateOptions::default() };
                    navigate(Page::Verify.path(), options);
                }
                Err(error) => return Err(error),
            }
            Ok(())
        };
        form.submit(&event, Box::pin(call));
    };
    view! {
        <section class="card-narrow guests-only">
            {icons::mark()}
            <h1 tabindex="-1">{language.t(|s| s.login_title)}</h1>
            {is_new
                .then(|| {
                    view! {
                        <p class="success" role="status">
                            {icons::tick()}
                            {language.t(|s| s.registered)}
                        </p>
                    }
                })}
            <p class="lead">{purpose()}</p>
            <form method="post" novalidate on:submit=submit>
                <FormError form />
                <Field
                    state=username
                    name="username"
                    label=|s| s.username
                    autocomplete="username"
                    inputmode="email"
                />
                <Field
                    state=password
                    name="password"
                    label=|s| s.password
                    autocomplete="current-password"
                    enterkeyhint="go"
                    secret=true
                />
                <label class="check">
                    <input
                        class="checkbox checkbox-primary"
                        type="checkbox"
                        name="remember"
                        checked
                        node_ref=remember
                        aria-describedby="remember-note"
                    />
                    <span>{language.t(|s| s.remember)}</span>
                </label>
                <p class="note" id="remember-note">
                    {move || remember_hint(language.get(), remember_seconds)}
                </p>
                <SubmitButton label=|s| s.log_in busy=form.busy />
            </form>
            <p class="aside">
                <a href=Page::Forgot.path()>{language.t(|s| s.forgot_password)}</a>
            </p>
            <p class="aside">
                {language.t(|s| s.no_account)}
                " "
                <a href=Page::Register.path()>{language.t(|s| s.register)}</a>
            </p>
        </section>
    }
}
