//! The data of whoever is signed in, for the pages that show it: loaded, kept up to date, or the
//! words for why it is not there.

use leptos::prelude::*;
use uuid::Uuid;

use crate::{
    components::{
        icons,
        leave::LogOut,
        trouble::{self, Trouble},
    },
    dom,
    i18n::{Lang, strings::Language},
    protocol::{Profile, me::me},
    session::browser::{self, Signals},
};

#[derive(Clone)]
enum Load {
    Running,
    Done(Profile),
    Failed(Trouble),
}

/// What a page shows of the person, and how it is loaded.
#[derive(Clone, Copy)]
pub(super) struct Person {
    load: RwSignal<Load>,
    running: StoredValue<Option<Uuid>>,
    signals: Signals,
    /// The page's language.
    pub(super) language: Language,
}

impl Person {
    /// The data of whoever is signed in, loaded again with each pair of tokens.
    pub(super) fn of_page() -> Self {
        let person = Self {
            load: RwSignal::new(Load::Running),
            running: StoredValue::new(None),
            signals: Signals::of_page(),
            language: Language::of_page(),
        };
        let Signals { auth, renewals, .. } = person.signals;
        Effect::new(move |before: Option<(Option<Uuid>, u32)>| {
            let user = auth.with(|auth| auth.user().cloned());
            let now = (user.as_ref().map(|user| user.id), renewals.get());
            if before.and_then(|(who, _)| who) != now.0 {
                person.load.set(Load::Running);
            }
            if before != Some(now) {
                person.fetch();
            } else if let Some(user) = user {
                // Somebody has changed how they are called, here or in another tab.
                person.change(|profile| profile.user = user);
            }
            now
        });
        person
    }

    /// Something of the data, once there is some. As with [`Language::t`], all texts are one
    /// type.
    pub(super) fn get<T>(self, pick: impl FnOnce(&Profile) -> T) -> Option<T> {
        self.load.with(|load| match load {
            Load::Done(profile) => Some(pick(profile)),
            Load::Running | Load::Failed(_) => None,
        })
    }

    /// A text of the data, nothing until there is some: the style sheet greys what is empty.
    pub(super) fn text(
        self,
        pick: fn(&Profile, Lang) -> String,
    ) -> impl Fn() -> Option<String> + Copy + Send + Sync {
        move || self.get(|profile| pick(profile, self.language.get()))
    }

    /// The data as it is, without following it.
    pub(super) fn now(self) -> Option<Profile> {
        untrack(|| self.get(Clone::clone))
    }

    /// Changes what is shown; nothing where the page is gone.
    pub(super) fn change(self, change: impl FnOnce(&mut Profile)) {
        let _ = self.load.try_update(|load| {
            if let Load::Done(profile) = load {
                change(profile);
            }
        });
    }

    /// Whether the data is on its way.
    pub(super) fn is_coming(self) -> bool {
        self.load.with(|load| matches!(load, Load::Running))
    }

    /// Whether it could not be loaded.
    pub(super) fn is_lost(self) -> bool {
        self.load.with(|load| matches!(load, Load::Failed(_)))
    }

    /// What stands in the place of data that could not be loaded, and for screen readers that it is
    /// on its way.
    pub(super) fn state(self) -> impl IntoView {
        view! {
            <p class="sr-only" role="status">
                {move || if self.is_coming() { self.language.strings().profile_loading } else { "" }}
            </p>
            {move || match self.load.get() {
                Load::Failed(trouble) => Some(self.failure(&trouble)),
                Load::Running | Load::Done(_) => None,
            }}
        }
    }

    fn who(self) -> Option<Uuid> {
        self.signals.auth.with_untracked(|auth| auth.user().map(|user| user.id))
    }

    fn fetch(self) {
        // One at a time: a call that is renewed on its way shows the newest token anyway.
        let Some(user) = self.who().filter(|user| self.running.get_value() != Some(*user)) else {
            return;
        };
        self.running.set_value(Some(user));
        dom::spawn(async move {
            let outcome = me().await;
            if self.running.try_get_value().flatten() != Some(user) {
                return;
            }
            self.running.set_value(None);
            // The answer to somebody who has left meanwhile is nobody's.
            if self.who() != Some(user) {
                return;
            }
            match outcome {
                Ok(profile) => {
                    self.load.set(Load::Done(profile.clone()));
                    browser::know(profile.user);
                }
                // What is on screen is still true.
                Err(_) if self.load.with_untracked(|load| matches!(load, Load::Done(_))) => {}
                Err(error) => self.load.set(Load::Failed(Trouble::new(error))),
            }
        });
    }

    fn failure(self, trouble: &Trouble) -> impl IntoView + use<> {
        let language = self.language;
        let again = move |_| {
            self.load.set(Load::Running);
            self.fetch();
        };
        view! {
            <section class="card failure">
                <div class="failure-mark">{icons::closed_mark()}</div>
                <div role="alert">
                    <h2>{language.t(|s| s.profile_failed)}</h2>
                    {trouble::told(trouble, language.strings())}
                </div>
                {trouble::countdown(trouble, language)}
                <div class="actions">
                    <button type="button" class="btn btn-primary" on:click=again>
                        {language.t(|s| s.retry)}
                    </button>
                    <LogOut label=|s| s.switch_account />
                </div>
            </section>
        }
    }
}
