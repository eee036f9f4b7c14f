//! Profile of the signed-in user: loaded, kept up to date, or its error.

use leptos::prelude::*;
use uuid::Uuid;

use crate::{
    components::{
        api_error_view::{self, DisplayedError},
        icons,
        logout_button::LogoutButton,
    },
    dom,
    i18n::{Lang, strings::Language},
    protocol::Profile,
    server_fns::get_profile,
    session::browser::{self, SessionContext},
};

#[derive(Clone)]
enum Load {
    Loading,
    Loaded(Profile),
    Failed(DisplayedError),
}

/// The profile and its loading state.
#[derive(Clone, Copy)]
pub(super) struct ProfileResource {
    load: RwSignal<Load>,
    in_flight: StoredValue<Option<Uuid>>,
    context: SessionContext,
    /// Language of the page.
    pub(super) language: Language,
}

impl ProfileResource {
    /// Creates the resource. It is reloaded for each user and after each token refresh.
    pub(super) fn of_page() -> Self {
        let resource = Self {
            load: RwSignal::new(Load::Loading),
            in_flight: StoredValue::new(None),
            context: SessionContext::of_page(),
            language: Language::of_page(),
        };
        let SessionContext { auth, tokens_refreshed, .. } = resource.context;
        Effect::new(move |before: Option<(Option<Uuid>, u32)>| {
            let user = auth.with(|auth| auth.user().cloned());
            let now = (user.as_ref().map(|user| user.id), tokens_refreshed.get());
            if before.and_then(|(user_id, _)| user_id) != now.0 {
                resource.load.set(Load::Loading);
            }
            if before != Some(now) {
                resource.fetch();
            } else if let Some(user) = user {
                // The user was changed here or in another tab.
                resource.update(|profile| profile.set_user(user));
            }
            now
        });
        resource
    }

    /// Returns a value of the profile once it is loaded. As with [`Language::t`], all texts share
    /// one type.
    pub(super) fn get<T>(self, pick: impl FnOnce(&Profile) -> T) -> Option<T> {
        self.load.with(|load| match load {
            Load::Loaded(profile) => Some(pick(profile)),
            Load::Loading | Load::Failed(_) => None,
        })
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
        untrack(|| self.get(Clone::clone))
    }

    /// Updates the displayed profile; does nothing if the page is gone.
    pub(super) fn update(self, change: impl FnOnce(&mut Profile)) {
        let _ = self.load.try_update(|load| {
            if let Load::Loaded(profile) = load {
                change(profile);
            }
        });
    }

    /// Returns whether the profile is being loaded.
    pub(super) fn is_loading(self) -> bool {
        self.load.with(|load| matches!(load, Load::Loading))
    }

    /// Returns whether loading has failed.
    pub(super) fn has_failed(self) -> bool {
        self.load.with(|load| matches!(load, Load::Failed(_)))
    }

    /// Loading status for screen readers, and the error panel if loading has failed.
    pub(super) fn status_view(self) -> impl IntoView {
        view! {
            <p class="sr-only" role="status">
                {move || if self.is_loading() { self.language.strings().profile_loading } else { "" }}
            </p>
            {move || match self.load.get() {
                Load::Failed(error) => Some(self.error_panel(&error)),
                Load::Loading | Load::Loaded(_) => None,
            }}
        }
    }

    fn user_id(self) -> Option<Uuid> {
        self.context.auth.with_untracked(|auth| auth.user().map(|user| user.id))
    }

    fn fetch(self) {
        // One request at a time: a request that is repeated after a refresh shows the newest token
        // anyway.
        let Some(user) = self.user_id().filter(|user| self.in_flight.get_value() != Some(*user))
        else {
            return;
        };
        self.in_flight.set_value(Some(user));
        dom::spawn(async move {
            let outcome = get_profile().await;
            if self.in_flight.try_get_value().flatten() != Some(user) {
                return;
            }
            self.in_flight.set_value(None);
            // Another user has signed in meanwhile.
            if self.user_id() != Some(user) {
                return;
            }
            match outcome {
                Ok(profile) => {
                    let user = profile.user();
                    self.load.set(Load::Loaded(profile));
                    browser::update_user(user);
                }
                // The displayed data is still valid.
                Err(_) if self.load.with_untracked(|load| matches!(load, Load::Loaded(_))) => {}
                Err(error) => self.load.set(Load::Failed(DisplayedError::new(error))),
            }
        });
    }

    fn error_panel(self, error: &DisplayedError) -> impl IntoView + use<> {
        let language = self.language;
        let retry = move |_| {
            self.load.set(Load::Loading);
            self.fetch();
        };
        view! {
            <section class="card error-panel">
                <div class="error-mark">{icons::closed_mark()}</div>
                <div role="alert">
                    <h2>{language.t(|s| s.profile_failed)}</h2>
                    {api_error_view::error_message(error, language.strings())}
                </div>
                {api_error_view::retry_countdown(error, language)}
                <div class="actions">
                    <button type="button" class="btn btn-primary" on:click=retry>
                        {language.t(|s| s.retry)}
                    </button>
                    <LogoutButton label=|s| s.switch_account />
                </div>
            </section>
        }
    }
}
