//! State of the user list: loaded for the query in the URL, updated after each change.

use leptos::prelude::*;
use uuid::Uuid;

use super::{Query, confirm_dialog::PendingAction};
use crate::{
    components::{api_error_view::DisplayedError, loader::Loader, toasts::Toasts},
    i18n::{authenticated::accounts_shown, strings::Language},
    protocol::{
        Role, User,
        error::{ApiError, Code},
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

/// A page of the list.
struct LoadedPage {
    rows: Vec<Row>,
    /// Query of the next page.
    next: Option<Query>,
}

/// State of the page.
#[derive(Clone, Copy)]
pub(super) struct List {
    page: Loader<LoadedPage>,
    query: RwSignal<Query>,
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
    /// Creates the state of the list. It is loaded for each user and each query.
    pub(super) fn new(query: impl Fn() -> Query + 'static) -> Self {
        let list = Self {
            page: Loader::new(),
            query: RwSignal::new(Query::default()),
            context: SessionContext::of_page(),
            toasts: Toasts::of_page(),
            pending_action: RwSignal::new(None),
            action_error: RwSignal::new(None),
            language: Language::of_page(),
        };
        // Other changes of the user, for example of the role by a response, load nothing.
        let user_id = Memo::new(move |_| list.context.user_id());
        Effect::new(move |before: Option<Option<Uuid>>| {
            list.query.set(query());
            list.action_error.set(None);
            let user_id = user_id.get();
            match user_id {
                None => list.page.reset(),
                Some(_) if before.flatten() == user_id => list.page.reload(list.request()),
                // Another user may have other permissions.
                Some(_) => list.retry(),
            }
            user_id
        });
        list
    }

    /// Loads the list, with skeleton rows meanwhile.
    pub(super) fn retry(self) {
        self.page.load(self.request());
    }

    /// Requests the page of the current query, and updates the user's role by the response.
    fn request(self) -> impl Future<Output = Result<LoadedPage, ApiError>> {
        let (query, user_id) = (self.untracked_query(), self.user_id());
        let non_empty = |text: String| (!text.is_empty()).then_some(text);
        async move {
            let Query { search, sort, after } = query.clone();
            let result = list_users(AccountQuery {
                search: non_empty(search),
                sort: Some(sort.as_str().to_owned()),
                after: non_empty(after),
                limit: None,
            })
            .await;
            let role = match &result {
                Ok(_) => Some(Role::Admin),
                Err(error) if error.code == Code::Forbidden => Some(Role::User),
                Err(_) => None,
            };
            // Another user may have signed in meanwhile.
            if let Some(role) = role.filter(|_| self.user_id() == user_id) {
                self.update_own_role(role);
            }
            result.map(|AccountPage { users, next }| LoadedPage {
                rows: users.into_iter().map(Row::new).collect(),
                next: next.map(|after| Query { after, ..query }),
            })
        }
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
        self.context.user_id_untracked()
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
        if self.is_loading() {
            return (0..SKELETON_ROWS).map(|number| Row::empty(number as u128)).collect();
        }
        self.page.get(|page| page.rows.clone()).unwrap_or_default()
    }

    /// Returns the query of the next page. `None` while another search or order is being loaded:
    /// its response will name the next page.
    pub(super) fn next(self) -> Option<Query> {
        let next = self.page.get(|page| page.next.clone()).flatten();
        next.filter(|next| self.query.with(|query| next.is_same_list(query)))
    }

    /// Returns whether no user matches the query.
    pub(super) fn is_empty(self) -> bool {
        self.page.get(|page| page.rows.is_empty()).unwrap_or_default()
    }

    /// Returns whether the rows are skeletons.
    pub(super) fn is_loading(self) -> bool {
        self.page.is_loading()
    }

    /// Returns whether access was denied.
    pub(super) fn is_forbidden(self) -> bool {
        self.page.error().is_some_and(|error| error.code() == Code::Forbidden)
    }

    /// Returns whether the list is hidden. Users who are known not to be administrators do not even
    /// see its skeleton.
    pub(super) fn is_hidden(self) -> bool {
        let is_not_admin = || {
            self.context.auth.with(|auth| auth.user().is_some_and(|user| user.role != Role::Admin))
        };
        self.is_forbidden() || (self.is_loading() && is_not_admin())
    }

    /// Returns the error, if loading has failed for another reason than missing permission.
    pub(super) fn load_error(self) -> Option<DisplayedError> {
        self.page.error().filter(|error| error.code() != Code::Forbidden)
    }

    /// Returns the status for screen readers.
    pub(super) fn status_text(self) -> String {
        if self.page.is_loading() || self.page.is_pending() {
            return self.language.strings().users_loading.to_owned();
        }
        let count = self.page.get(|page| page.rows.len());
        count.map(|count| accounts_shown(self.language.get(), count)).unwrap_or_default()
    }
}

impl Row {
    fn new(account: Account) -> Self {
        Self { id: account.id, account: RwSignal::new(Some(account)) }
    }

    fn empty(number: u128) -> Self {
        Self { id: Uuid::from_u128(number), account: RwSignal::new(None) }
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
