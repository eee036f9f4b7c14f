//! `/register`.

use leptos::{ev::SubmitEvent, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use crate::{
    components::{
        field::{Field, FieldState},
        form::{FormError, FormState},
        icons,
        new_password::{NewPassword, NewPasswordFields},
        submit_button::SubmitButton,
        toasts::Toasts,
    },
    dom,
    i18n::strings::{Language, Strings, domain_question},
    page_settings,
    protocol::{auth::Registration, invitations::RegistrationPolicy},
    routes::Page,
    server_fns::register,
    validation,
};

/// Username of a new account, to be filled in at the login, which confirms the registration. Context
/// instead of the URL, so that it is not recorded.
#[derive(Clone, Copy)]
pub struct PrefillUsername(pub StoredValue<Option<String>>);

/// The page.
#[component]
pub fn Register() -> impl IntoView {
    let language = Language::of_page();
    let toasts = Toasts::of_page();
    let navigate = use_navigate();
    let prefill_username = expect_context::<PrefillUsername>().0;
    let username = FieldState::new(validation::username::check);
    let password = NewPassword::of(move || username.value());
    let [chosen, confirmation] = password.fields();
    let form = FormState::new(vec![("username", username), chosen, confirmation]);
    let invitation = StoredValue::new(None);
    Effect::new(move |_| invitation.set_value(dom::take_link_token()));
    // A typo that would lock the name for ever is questioned once for each address.
    let questioned = StoredValue::new(String::new());
    let submit = move |event: SubmitEvent| {
        let typed = username.value().trim().to_owned();
        if validation::username::lacks_domain_dot(&typed) && questioned.get_value() != typed {
            event.prevent_default();
            username.show_server_error(domain_question(dom::lang(), &typed));
            username.focus();
            questioned.set_value(typed);
            return;
        }
        let navigate = navigate.clone();
        let call = async move {
            let answer = register(Registration {
                username: Some(username.value()),
                password: Some(password.value()),
                nickname: None,
                invitation: invitation.get_value(),
            })
            .await?;
            prefill_username.set_value(Some(answer.user.username));
            toasts.clear();
            navigate(
                Page::Login.path(),
                NavigateOptions { resolve: false, ..NavigateOptions::default() },
            );
            Ok(())
        };
        form.submit(&event, Box::pin(call));
    };
    view! {
        <section class="card-narrow guests-only">
            {icons::mark()}
            <h1 tabindex="-1">{language.t(|s| s.register_title)}</h1>
            // Without an invitation the style sheet shows it in place of the form.
            <p class="lead registration-closed">
                {language.t(|s| {
                    match page_settings::registration() {
                        RegistrationPolicy::Invite => s.invitation_needed,
                        _ => s.registration_closed,
                    }
                })}
            </p>
            <form class="registration" method="post" novalidate on:submit=submit>
                <FormError form />
                <Field
                    state=username
                    name="username"
                    label=|s| s.username
                    hint=|lang| Strings::of(lang).username_hint.to_owned()
                    autocomplete="username"
                    inputmode="email"
                />
                <NewPasswordFields of=password label=|s| s.password />
                <SubmitButton label=|s| s.register busy=form.busy />
            </form>
            <p class="aside">
                {language.t(|s| s.already_registered)}
                " "
                <a href=Page::Login.path()>{language.t(|s| s.log_in)}</a>
            </p>
        </section>
    }
}
