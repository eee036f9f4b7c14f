//! State of the email address: verified or not, a new one that waits, and the digits that confirm
//! either.

use leptos::{ev::SubmitEvent, prelude::*};

use super::profile::shown_address;
use crate::{
    components::{
        address_state::address_state,
        form::{FormError, FormState},
        submit_button::SubmitButton,
        toasts::Toasts,
    },
    i18n::strings::Strings,
    page_settings,
    pages::{
        profile_resource::ProfileResource,
        recovery::{at_digits, checked_digits, digits_field, digits_input, resend_form},
    },
    protocol::{Profile, addresses::AddressVerification},
    server_fns::{send_own_verification, verify_address},
};

/// State of the address, beside it.
pub(super) fn state(profile: ProfileResource) -> impl IntoView {
    let is_verified = Memo::new(move |_| {
        profile.get(|me| shown_address(me).map(|_| me.email_verified)).flatten()
    });
    let waiting = move || profile.get(|me| me.pending_email.clone()).flatten();
    address_state(move || is_verified.get(), waiting)
}

/// Returns the address that awaits its confirmation.
fn unconfirmed(me: &Profile) -> Option<String> {
    let claim = shown_address(me).filter(|_| !me.email_verified);
    me.pending_email.as_ref().or(claim).cloned()
}

/// Card that asks for the digits of the mail to an unconfirmed address.
pub(super) fn card(profile: ProfileResource) -> impl IntoView {
    let address = Memo::new(move |_| {
        profile.get(unconfirmed).flatten().filter(|_| page_settings::has_mail())
    });
    move || address.get().map(|address| confirmation(profile, address))
}

fn confirmation(profile: ProfileResource, address: String) -> AnyView {
    let language = profile.language;
    let toasts = Toasts::of_page();
    let digits = digits_field();
    let form = FormState::new(vec![("code", digits)]);
    let submit = move |event: SubmitEvent| {
        let Some(code) = checked_digits(digits, &event) else { return };
        let call = async move {
            let body = AddressVerification { token: None, code: Some(code) };
            let answer = verify_address(body).await.map_err(at_digits)?;
            profile.update(|me| {
                me.email = Some(answer.email);
                me.email_verified = true;
                me.pending_email = None;
            });
            toasts.status(|strings| strings.verify_done);
            super::profile::focus_edit_button();
            Ok(())
        };
        form.submit(&event, Box::pin(call));
    };
    let resend = || async { send_own_verification().await.map(drop) };
    let is_claim = move || profile.get(|me| me.pending_email.is_none()).unwrap_or_default();
    view! {
        <section class="card" aria-labelledby="address-check">
            <h2 id="address-check">{language.t(|s| s.address_check)}</h2>
            <p class="lead">
                <strong><bdi>{address}</bdi></strong>
                <br />
                {language.t(|s| s.address_check_text)}
                {move || is_claim().then(|| language.strings().address_claim_text)}
            </p>
            <form class="form-narrow" method="post" novalidate on:submit=submit>
                <FormError form />
                {digits_input(digits, |lang| Strings::of(lang).address_digits_hint.to_owned(), "go")}
                <SubmitButton label=|s| s.verify_submit busy=form.busy />
            </form>
            {resend_form(resend, "form-narrow aside", None)}
        </section>
    }
    .into_any()
}
