//! State of the user list: loaded for the query in the URL, updated after each change.

use leptos::prelude::*;
use uuid::Uuid;

use super::{Query, confirm_dialog::PendingAction};
use crate::{
    components::{api_error_view::DisplayedError, toasts::Toasts},
    dom,
    i18n::{authenticated::accounts_shown, strings::Language},
    protocol::{
        Role, User,
        error::Code,
        users::{Account, AccountPage, AccountQuery},
    },
    server_fns::list_users,
    session::browser::{self, SessionContext},
};

/// Skeleton rows while the list loads.
const SKELETON_ROWS: usize = 8;

/// A row of the table. It stays when its account changes, and keeps the focus.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) account: RwSignal<Option<Account>>,
}

#[derive(Clone)]
enum Load {
    Loading,
    Loaded {
        rows: Vec<Row>,
        /// Query of the next page.
        next: Option<Query>,
    },
    /// The user is not an administrator.
    Forbidden,
    Failed(DisplayedError),
}

/// State of the page.
#[derive(Clone, Copy)]
pub(super) struct List {
    load: RwSignal<Load>,
    query: RwSignal<Query>,
    /// True while a request is pending; the current rows stay meanwhile.
    is_busy: RwSignal<bool>,
    /// Number of the latest request: responses to earlier ones are dropped.
    latest_request: StoredValue<u32>,
    context: SessionContext,
    /// Toasts that report completed actions.
    pub(super) toasts: Toasts,
    /// Action that awaits confirmation.
    pub(super) pending_action: RwSignal<Option<PendingAction>>,
    /// Error of the last action.
    pub(super) action_error: RwSignal<Option<DisplayedError>>,
    /// Language of the page.
    pub(super) language: Language,
}

impl List {
    /// Creates the state of the list for the signed-in user.
    pub(super) fn of_page() -> Self {
        let list = Self {
            load: RwSignal::new(Load::Loading),
            query: RwSignal::new(Query::default()),
            is_busy: RwSignal::new(true),
            latest_request: StoredValue::new(0),
            context: SessionContext::of_page(),
            toasts: Toasts::of_page(),
            pending_action: RwSignal::new(None),
            action_error: RwSignal::new(None),
            language: Language::of_page(),
        };
        // Another user may have other permissions.
        Effect::new(move |before: Option<Option<Uuid>>| {
            let user_id = list.context.auth.with(|auth| auth.user().map(|user| user.id));
            if before.is_some_and(|before| before != user_id) {
                list.reload();
            }
            user_id
        });
        list
    }

    /// Loads the list for a query.
    pub(super) fn show(self, query: Query) {
        self.action_error.set(None);
        self.query.set(query);
        self.fetch();
    }

    /// Loads the list again.
    pub(super) fn reload(self) {
        self.load.set(Load::Loading);
        self.fetch();
    }

    fn fetch(self) {
        // The session is not restored yet.
        if self.user_id().is_none() {
            return;
        }
        let request = self.latest_request.get_value().wrapping_add(1);
        self.latest_request.set_value(request);
        self.is_busy.set(true);
        let query = self.untracked_query();
        dom::spawn(async move {
            let non_empty = |text: String| (!text.is_empty()).then_some(text);
            let Query { search, sort, after } = query.clone();
            let outcome = list_users(AccountQuery {
                search: non_empty(search),
                sort: Some(sort.as_str().to_owned()),
                after: non_empty(after),
                limit: None,
            })
            .await;
            // A later request was sent, or the page was left.
            if self.latest_request.try_get_value() != Some(request) {
                return;
            }
            self.is_busy.set(false);
            self.load.set(match outcome {
                Ok(AccountPage { users, next }) => {
                    self.update_own_role(Role::Admin);
                    let next = next.map(|after| Query { after, ..query });
                    Load::Loaded { rows: users.into_iter().map(Row::new).collect(), next }
                }
                Err(error) if error.code == Code::Forbidden => {
                    self.update_own_role(Role::User);
                    Load::Forbidden
                }
                Err(error) => Load::Failed(DisplayedError::new(error)),
            });
        });
    }

    /// Updates the role of the signed-in user, which may have changed since the login.
    pub(super) fn update_own_role(self, role: Role) {
        let user = self.context.auth.with_untracked(|auth| auth.user().cloned());
        if let Some(user) = user.filter(|user| user.role != role) {
            browser::update_user(User { role, ..user });
        }
    }

    /// Returns the id of the signed-in user.
    pub(super) fn user_id(self) -> Option<Uuid> {
        self.context.auth.with_untracked(|auth| auth.user().map(|user| user.id))
    }

    /// Returns the query without subscribing to it.
    pub(super) fn untracked_query(self) -> Query {
        self.query.get_untracked()
    }

    /// Returns the query and subscribes to it.
    pub(super) fn tracked_query(self) -> Query {
        self.query.get()
    }

    /// Returns the rows; skeletons while they load.
    pub(super) fn rows(self) -> Vec<Row> {
        self.load.with(|load| match load {
            Load::Loaded { rows, .. } => rows.clone(),
            Load::Loading => {
                (0..SKELETON_ROWS).map(|request| Row::empty(request as u128)).collect()
            }
            Load::Forbidden | Load::Failed(_) => Vec::new(),
        })
    }

    /// Returns the query of the next page. `None` while another search or order is being loaded:
    /// its response will name the next page.
    pub(super) fn next(self) -> Option<Query> {
        let next = self.load.with(|load| match load {
            Load::Loaded { next, .. } => next.clone(),
            Load::Loading | Load::Forbidden | Load::Failed(_) => None,
        });
        next.filter(|next| self.query.with(|asked| next.is_same_list(asked)))
    }

    /// Returns whether no user matches the query.
    pub(super) fn is_empty(self) -> bool {
        self.load.with(|load| matches!(load, Load::Loaded { rows, .. } if rows.is_empty()))
    }

    /// Returns whether the rows are skeletons.
    pub(super) fn is_loading(self) -> bool {
        self.load.with(|load| matches!(load, Load::Loading))
    }

    /// Returns whether access was denied.
    pub(super) fn is_forbidden(self) -> bool {
        self.load.with(|load| matches!(load, Load::Forbidden))
    }

    /// Returns whether the list is hidden. Users who are known not to be administrators do not even
    /// see its skeleton.
    pub(super) fn is_hidden(self) -> bool {
        let is_not_admin = || {
            self.context.auth.with(|auth| auth.user().is_some_and(|user| user.role != Role::Admin))
        };
        self.is_forbidden() || (self.is_loading() && is_not_admin())
    }

    /// Returns the error, if loading has failed.
    pub(super) fn load_error(self) -> Option<DisplayedError> {
        self.load.with(|load| match load {
            Load::Failed(error) => Some(error.clone()),
            Load::Loading | Load::Loaded { .. } | Load::Forbidden => None,
        })
    }

    /// Returns the status for screen readers.
    pub(super) fn status_text(self) -> String {
        self.load.with(|load| match load {
            _ if self.is_busy.get() => self.language.strings().users_loading.to_owned(),
            Load::Loaded { rows, .. } => accounts_shown(self.language.get(), rows.len()),
            Load::Loading | Load::Forbidden | Load::Failed(_) => String::new(),
        })
    }
}

impl Row {
    fn new(account: Account) -> Self {
        Self { id: account.id, account: RwSignal::new(Some(account)) }
    }

    fn empty(request: u128) -> Self {
        Self { id: Uuid::from_u128(request), account: RwSignal::new(None) }
    }

    /// Returns a value of the account, or `None` until it is loaded: the style sheet shows empty
    /// elements as skeletons.
    pub(super) fn get<T>(self, pick: impl FnOnce(&Account) -> T) -> Option<T> {
        self.account.with(|account| account.as_ref().map(pick))
    }
}
