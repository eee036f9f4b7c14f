//! Profile of the signed-in user: loaded, kept up to date, or its error.

use leptos::prelude::*;
use uuid::Uuid;

use crate::{
    components::{error_panel::ErrorPanel, loader::Loader, logout_button::LogoutButton},
    dom,
    i18n::{Lang, strings::Language},
    protocol::{Profile, error::ApiError},
    server_fns::get_profile,
    session::browser::{self, SessionContext},
};

/// The profile and its loading state.
#[derive(Clone, Copy)]
pub(super) struct ProfileResource {
    profile: Loader<Profile>,
    context: SessionContext,
    /// Language of the page.
    pub(super) language: Language,
}

impl ProfileResource {
    /// Creates the resource. It is loaded for each user, and refreshed after each token refresh and
    /// when the tab becomes visible again.
    pub(super) fn new() -> Self {
        let resource = Self {
            profile: Loader::new(),
            context: SessionContext::of_page(),
            language: Language::of_page(),
        };
        let Self { profile, context, .. } = resource;
        Effect::new(move |before: Option<(Option<Uuid>, u32)>| {
            let user = context.auth.with(|auth| auth.user().cloned());
            let user_id = user.as_ref().map(|user| user.id);
            let tokens_refreshed = context.tokens_refreshed.get();
            match (user, before) {
                (None, _) => profile.reset(),
                (Some(user), Some(before)) if before == (user_id, tokens_refreshed) => {
                    // The user was changed here or in another tab.
                    profile.update(|profile| profile.set_user(user));
                }
                (Some(user), Some((before, _))) if before == user_id => {
                    // A pending request that is repeated after the token refresh returns the newest
                    // token anyway.
                    if !profile.is_pending_untracked() {
                        profile.refresh(resource.request(user.id));
                    }
                }
                (Some(user), _) => profile.load(resource.request(user.id)),
            }
            (user_id, tokens_refreshed)
        });
        // Meanwhile the session may have been ended from another device.
        Effect::new(move |_| {
            let listener = dom::on_tab_visible(move || {
                if let Some(user) = context.user_id_untracked()
                    && !profile.is_pending_untracked()
                {
                    profile.refresh(resource.request(user));
                }
            });
            on_cleanup(move || listener.remove());
        });
        resource
    }

    /// Requests the profile, and updates the user in the session with it.
    async fn request(self, user_id: Uuid) -> Result<Profile, ApiError> {
        let request = self.profile.latest_request();
        let profile = get_profile().await?;
        // Another user may have signed in meanwhile, or this one changed the profile.
        if self.context.user_id_untracked() == Some(user_id)
            && self.profile.latest_request() == request
        {
            browser::update_user(profile.user());
        }
        Ok(profile)
    }

    /// Returns a value of the profile once it is loaded. As with [`Language::t`], all texts share
    /// one type.
    pub(super) fn get<T>(self, pick: impl FnOnce(&Profile) -> T) -> Option<T> {
        self.profile.get(pick)
    }

    /// Returns a text of the profile, or `None` until it is loaded: the style sheet shows empty
    /// elements as skeletons.
    pub(super) fn text(
        self,
        pick: fn(&Profile, Lang) -> String,
    ) -> impl Fn() -> Option<String> + Copy + Send + Sync {
        move || self.get(|profile| pick(profile, self.language.get()))
    }

    /// Returns the profile without subscribing to it.
    pub(super) fn get_untracked(self) -> Option<Profile> {
        self.profile.get_untracked(Clone::clone)
    }

    /// Applies a change that the server has confirmed. A profile that was requested before is
    /// dropped when it arrives. Does nothing if the page is gone.
    pub(super) fn update(self, change: impl FnOnce(&mut Profile)) {
        self.profile.supersede_pending();
        self.profile.update(change);
    }

    /// Requests the profile again. The earlier one is shown until the response.
    pub(super) fn refresh(self) {
        if let Some(user_id) = self.context.user_id_untracked() {
            self.profile.refresh(self.request(user_id));
        }
    }

    /// Returns whether the profile is being loaded.
    pub(super) fn is_loading(self) -> bool {
        self.profile.is_loading()
    }

    /// Returns whether loading has failed.
    pub(super) fn has_failed(self) -> bool {
        self.profile.error().is_some()
    }

    /// Loading status for screen readers, and the error panel if loading has failed.
    pub(super) fn status_view(self) -> impl IntoView {
        let language = self.language;
        let status =
            move || if self.is_loading() { language.strings().profile_loading } else { "" };
        let retry = move |()| {
            if let Some(user_id) = self.context.user_id_untracked() {
                self.profile.load(self.request(user_id));
            }
        };
        let error_panel = move |error| {
            let heading = view! { <h2>{language.t(|s| s.profile_failed)}</h2> }.into_any();
            view! {
                <ErrorPanel error heading retry>
                    <LogoutButton label=|s| s.switch_account />
                </ErrorPanel>
            }
        };
        view! {
            <p class="sr-only" role="status">{status}</p>
            {move || self.profile.error().map(error_panel)}
        }
    }
}
