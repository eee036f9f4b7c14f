//! Actions on user accounts: the state that the list and the page of a user share.

use leptos::prelude::*;
use uuid::Uuid;

use super::confirm_dialog::PendingAction;
use crate::{
    components::{api_error_view::DisplayedError, icons, toasts::Toasts},
    i18n::strings::Language,
    protocol::{
        Role, User,
        error::{ApiError, Code},
        users::Account,
    },
    routes::Page,
    session::browser::{self, SessionContext},
};

/// An account as it is displayed. The row or page stays when its account changes, and keeps the
/// focus.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) account: RwSignal<Option<Account>>,
}

impl Row {
    pub(super) fn new(account: Account) -> Self {
        Self { id: account.id, account: RwSignal::new(Some(account)) }
    }

    pub(super) fn empty(id: Uuid) -> Self {
        Self { id, account: RwSignal::new(None) }
    }

    /// Returns whether the account is loaded and has a property.
    pub(super) fn is(self, property: fn(&Account) -> bool) -> bool {
        self.get(property).unwrap_or_default()
    }

    /// Returns a value of the account, or `None` until it is loaded: the style sheet shows empty
    /// elements as skeletons.
    pub(super) fn get<T>(self, pick: impl FnOnce(&Account) -> T) -> Option<T> {
        self.account.with(|account| account.as_ref().map(pick))
    }
}

/// State of the actions.
#[derive(Clone, Copy)]
pub(in crate::pages) struct Actions {
    /// Session, and toasts that report completed actions. Stored, since they are large.
    context: StoredValue<(SessionContext, Toasts)>,
    /// Action that awaits confirmation.
    pub(super) pending: RwSignal<Option<PendingAction>>,
    /// Error of the last action.
    pub(in crate::pages) error: RwSignal<Option<DisplayedError>>,
    /// Number of completed actions.
    pub(super) completed: RwSignal<u32>,
    /// Language of the page.
    pub(in crate::pages) language: Language,
}

impl Actions {
    /// Creates the state.
    pub(in crate::pages) fn new() -> Self {
        Self {
            context: StoredValue::new((SessionContext::of_page(), Toasts::of_page())),
            pending: RwSignal::new(None),
            error: RwSignal::new(None),
            completed: RwSignal::new(0),
            language: Language::of_page(),
        }
    }

    /// Returns the id of the signed-in user, without subscribing to it.
    pub(in crate::pages) fn user_id(self) -> Option<Uuid> {
        self.context.try_get_value()?.0.user_id_untracked()
    }

    /// Returns the id of the signed-in user, and subscribes to it: other changes of the user, for
    /// example of the role by a response, load nothing.
    pub(in crate::pages) fn tracked_user_id(self) -> Memo<Option<Uuid>> {
        Memo::new(move |_| self.context.get_value().0.user_id())
    }

    /// Returns whether the signed-in user is known not to be an administrator.
    pub(in crate::pages) fn is_not_admin(self) -> bool {
        let auth = self.context.get_value().0.auth;
        auth.with(|auth| auth.user().is_some_and(|user| user.role != Role::Admin))
    }

    /// Updates the role of the signed-in user by the response to a request that `user_id` has made.
    /// It may have changed since the login.
    pub(in crate::pages) fn note<T>(self, user_id: Option<Uuid>, result: &Result<T, ApiError>) {
        let role = match result {
            Ok(_) => Some(Role::Admin),
            Err(error) if error.code == Code::Forbidden => Some(Role::User),
            Err(_) => None,
        };
        // Another user may have signed in meanwhile.
        if let Some(role) = role.filter(|_| self.user_id() == user_id) {
            self.update_own_role(role);
        }
    }

    /// Updates the role of the signed-in user.
    pub(super) fn update_own_role(self, role: Role) {
        let Some((context, _)) = self.context.try_get_value() else { return };
        let user = context.auth.with_untracked(|auth| auth.user().cloned());
        if let Some(user) = user.filter(|user| user.role != role) {
            browser::update_user(User { role, ..user });
        }
    }

    /// Reports a completed action.
    pub(in crate::pages) fn complete(
        self,
        message: fn(&'static crate::i18n::strings::Strings) -> &'static str,
    ) {
        if let Some((_, toasts)) = self.context.try_get_value() {
            toasts.status(message);
        }
        self.completed.try_update(|count| *count += 1);
    }

    /// Reports a failed action.
    pub(in crate::pages) fn fail(self, error: ApiError) {
        // The user cancelled the password dialog.
        if error.code != Code::FreshRequired {
            self.error.try_set(Some(DisplayedError::new(error)));
        }
    }
}

/// Panel for users without permission.
pub(in crate::pages) fn forbidden_panel(language: Language) -> impl IntoView {
    view! {
        <section class="card error-panel">
            <div class="error-mark">{icons::closed_mark()}</div>
            <div role="alert">
                <h2>{language.t(|s| s.admin_only)}</h2>
                <p>{language.t(|s| s.admin_only_text)}</p>
            </div>
            <a class="btn btn-primary" href=Page::Home.path()>{language.t(|s| s.to_home)}</a>
        </section>
    }
}
