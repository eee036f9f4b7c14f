//! Switch for the mail about logins on new devices; the other alerts are always sent.

use leptos::{ev, html::Input, prelude::*};

use crate::{
    components::toasts::Toasts,
    dom, page_settings,
    pages::profile_resource::ProfileResource,
    protocol::{ProfileChanges, error::Code},
    server_fns::update_profile,
};

/// The card, on a server that sends mail.
pub(super) fn card(profile: ProfileResource) -> impl IntoView {
    page_settings::has_mail().then(|| switch(profile))
}

fn switch(profile: ProfileResource) -> AnyView {
    let language = profile.language;
    let toasts = Toasts::of_page();
    let input = NodeRef::<Input>::new();
    let is_busy = RwSignal::new(false);
    let is_on = Memo::new(move |_| profile.get(|me| me.alert_new_device).unwrap_or_default());
    let change = move |event: ev::Event| {
        let is_on = event_target_checked(&event);
        is_busy.set(true);
        dom::spawn(async move {
            let changes =
                ProfileChanges { alert_new_device: Some(is_on), ..ProfileChanges::default() };
            let result = update_profile(changes).await;
            is_busy.try_set(false);
            match result {
                Ok(_) => {
                    profile.update(|me| me.alert_new_device = is_on);
                    toasts.status(|strings| strings.alerts_saved);
                }
                Err(error) => {
                    if let Some(input) = input.try_get_untracked().flatten() {
                        input.set_checked(!is_on);
                    }
                    if error.code != Code::FreshRequired {
                        toasts.alert(|strings| strings.alerts_failed);
                    }
                }
            }
        });
    };
    view! {
        <section class="card" aria-labelledby="alerts">
            <h2 id="alerts">{language.t(|s| s.alerts)}</h2>
            <p class="lead">{language.t(|s| s.alerts_text)}</p>
            <label class="check">
                <input
                    class="checkbox checkbox-primary"
                    type="checkbox"
                    name="alert_new_device"
                    node_ref=input
                    prop:checked=move || is_on.get()
                    disabled=move || profile.is_loading() || profile.has_failed() || is_busy.get()
                    on:change=change
                />
                <span>{language.t(|s| s.alert_new_device)}</span>
            </label>
        </section>
    }
    .into_any()
}
