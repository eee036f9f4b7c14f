//! `/`: landing page.

use leptos::{prelude::*, tachys::html::InertElement};

use crate::{
    components::{avatar::Avatar, display_name, icons},
    i18n::strings::{Language, Strings, welcome},
    routes::Page,
    session::browser::SessionContext,
};

/// The page. As in the header, the style sheet hides what is for the other kind of visitor.
#[component]
pub fn Home() -> impl IntoView {
    let language = Language::of_page();
    let auth = SessionContext::of_page().auth;
    let greeting = move || {
        auth.with(|auth| auth.user().map(|user| welcome(language.get(), display_name(user))))
            .unwrap_or_else(|| language.strings().tagline.to_owned())
    };
    view! {
        <section class="hero">
            <div class="hero-mark for-guest">{icons::mark()}</div>
            <Avatar class="avatar for-member" />
            <h1 tabindex="-1">{greeting}</h1>
            <p class="for-member">{language.t(|s| s.home_member)}</p>
            <p class="for-guest">{language.t(|s| s.home_guest)}</p>
            <div class="actions">
                <a class="btn btn-primary for-member" href=Page::Profile.path()>
                    {language.t(|s| s.to_profile)}
                </a>
                <a class="btn btn-primary for-guest" href=Page::Register.path()>
                    {language.t(|s| s.register)}
                </a>
                <a class="btn btn-outline for-guest" href=Page::Login.path()>
                    {language.t(|s| s.log_in)}
                </a>
            </div>
        </section>
        <ul class="features for-guest">
            {feature(icons::renew(), |s| s.home_renewal, |s| s.home_renewal_text)}
            {feature(icons::closed_mark(), |s| s.home_logout, |s| s.home_logout_text)}
            {feature(icons::eye(), |s| s.home_password, |s| s.home_password_text)}
        </ul>
    }
}

/// A feature of the product, with icon.
fn feature(
    icon: InertElement,
    title: fn(&'static Strings) -> &'static str,
    text: fn(&'static Strings) -> &'static str,
) -> impl IntoView {
    let language = Language::of_page();
    view! {
        <li>
            {icon}
            <div>
                <h2>{language.t(title)}</h2>
                <p>{language.t(text)}</p>
            </div>
        </li>
    }
}
