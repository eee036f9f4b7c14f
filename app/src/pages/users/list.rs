//! State of the user list: loaded for the query in the URL, updated after each change.

use leptos::prelude::*;
use uuid::Uuid;

use super::{
    PageStart, Query,
    actions::{Actions, Row},
};
use crate::{
    components::{api_error_view::DisplayedError, loader::Loader},
    dom,
    i18n::{authenticated::accounts_shown, strings::Language},
    protocol::{
        error::{ApiError, Code},
        users::AccountQuery,
    },
    server_fns::list_users,
};

/// Skeleton rows while the list loads.
const SKELETON_ROWS: usize = 8;

/// A page of the list.
struct LoadedPage {
    rows: Vec<Row>,
    /// Query of the next page.
    next: Option<Query>,
    /// Query of the previous page.
    previous: Option<Query>,
    /// Number of the first row in the list.
    first: u64,
    /// Number of users in the list.
    total: u64,
    /// False if there may be more.
    is_total_exact: bool,
}

/// State of the page.
#[derive(Clone, Copy)]
pub(super) struct List {
    page: Loader<LoadedPage>,
    query: RwSignal<Query>,
    /// Actions on the users.
    pub(super) actions: Actions,
    /// Language of the page.
    pub(super) language: Language,
}

impl List {
    /// Creates the state of the list. It is loaded for each user and each query.
    pub(super) fn new(query: impl Fn() -> Query + 'static) -> Self {
        let list = Self {
            page: Loader::new(),
            query: RwSignal::new(Query::default()),
            actions: Actions::new(),
            language: Language::of_page(),
        };
        let user_id = list.actions.tracked_user_id();
        // True while another page of the same list is being loaded.
        let is_paging = StoredValue::new(false);
        Effect::new(move |before: Option<Option<Uuid>>| {
            let (former, query) = (list.untracked_query(), query());
            is_paging.set_value(before.is_some() && former != query && former.is_same_list(&query));
            list.query.set(query);
            list.actions.error.set(None);
            let user_id = user_id.get();
            match user_id {
                None => list.page.reset(),
                Some(_) if before.flatten() == user_id => list.page.reload(list.request()),
                // Another user may have other permissions.
                Some(_) => list.retry(),
            }
            user_id
        });
        Effect::new(move |was_pending: Option<bool>| {
            let is_pending = list.page.is_pending();
            if was_pending == Some(true) && !is_pending && is_paging.get_value() {
                is_paging.set_value(false);
                // The rows are rendered one frame later.
                request_animation_frame(|| {
                    if let Some(summary) = dom::find("#users-summary") {
                        summary.scroll_into_view();
                        dom::focus(&summary);
                    }
                });
            }
            is_pending
        });
        list
    }

    /// Loads the list, with skeleton rows meanwhile.
    pub(super) fn retry(self) {
        self.page.load(self.request());
    }

    /// Requests the page of the current query, and updates the user's role by the response.
    fn request(self) -> impl Future<Output = Result<LoadedPage, ApiError>> {
        let (query, user_id) = (self.untracked_query(), self.actions.user_id());
        let non_empty = |text: String| (!text.is_empty()).then_some(text);
        async move {
            let Query { search, role, status, sort, start } = query.clone();
            let (after, before) = match start {
                PageStart::First => (None, None),
                PageStart::After(cursor) => (Some(cursor), None),
                PageStart::Before(cursor) => (None, Some(cursor)),
            };
            let mut request = AccountQuery {
                search: non_empty(search),
                role: role.map(|role| role.as_str().to_owned()),
                status: status.map(|status| status.as_str().to_owned()),
                sort: Some(sort.as_str().to_owned()),
                after,
                before,
                limit: None,
            };
            let result = loop {
                let result = list_users(request.clone()).await;
                // A search goes through a part of the list at a time: on to the first page with users.
                match &result {
                    Ok(page) if page.users.is_empty() && request.before.is_some() => {
                        let Some(previous) = &page.previous else { break result };
                        request.before = Some(previous.clone());
                    }
                    Ok(page) if page.users.is_empty() => {
                        let Some(next) = &page.next else { break result };
                        request.after = Some(next.clone());
                    }
                    _ => break result,
                }
            };
            self.actions.note(user_id, &result);
            let page_at = |start| Query { start, ..query.clone() };
            result.map(|page| LoadedPage {
                next: page.next.map(|after| page_at(PageStart::After(after))),
                previous: page.previous.map(|before| page_at(PageStart::Before(before))),
                rows: page.users.into_iter().map(Row::new).collect(),
                first: page.first,
                total: page.total,
                is_total_exact: page.total_exact,
            })
        }
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
            return (0..SKELETON_ROWS)
                .map(|number| Row::empty(Uuid::from_u128(number as u128)))
                .collect();
        }
        self.page.get(|page| page.rows.clone()).unwrap_or_default()
    }

    /// Returns the query of the next page. `None` while another list is being loaded: its response
    /// will name the next page.
    pub(super) fn next(self) -> Option<Query> {
        self.neighbour(|page| page.next.clone())
    }

    /// Returns the query of the previous page; `None` as for [`Self::next`].
    pub(super) fn previous(self) -> Option<Query> {
        self.neighbour(|page| page.previous.clone())
    }

    fn neighbour(self, pick: fn(&LoadedPage) -> Option<Query>) -> Option<Query> {
        let found = self.page.get(pick).flatten();
        found.filter(|found| self.query.with(|query| found.is_same_list(query)))
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
        self.is_forbidden() || (self.is_loading() && self.actions.is_not_admin())
    }

    /// Returns the error, if loading has failed for another reason than missing permission.
    pub(super) fn load_error(self) -> Option<DisplayedError> {
        self.page.error().filter(|error| error.code() != Code::Forbidden)
    }

    /// Returns the summary of the page, or that it is being loaded.
    pub(super) fn summary(self) -> String {
        if self.page.is_loading() || self.page.is_pending() {
            return self.language.strings().users_loading.to_owned();
        }
        let lang = self.language.get();
        let summary = self.page.get(|page| {
            let last = page.first + (page.rows.len() as u64).saturating_sub(1);
            accounts_shown(lang, (page.first, last), page.total, page.is_total_exact)
        });
        summary.unwrap_or_default()
    }
}
