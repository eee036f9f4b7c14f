//! `/admin/users`: user management for administrators. Search, filters, order and page are in the
//! URL, so that Back, reload and links restore them.

pub(super) mod account;
pub(super) mod actions;
mod confirm_dialog;
mod list;
mod row;

use std::time::Duration;

use leptos::{ev::SubmitEvent, html, leptos_dom::helpers::TimeoutHandle, prelude::*};
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate},
    location::Url,
};
use web_sys::UrlSearchParams;

use self::{actions::forbidden_panel, list::List};
use crate::{
    components::{
        api_error_view::DisplayedError,
        error_panel::{ErrorAlert, ErrorPanel},
    },
    dom,
    i18n::strings::Strings,
    protocol::{
        Role,
        users::{AccountSort, AccountStatus},
    },
    routes::Page,
};

/// Pause in typing after which the search runs.
const SEARCH_DEBOUNCE: Duration = Duration::from_millis(300);

/// Query of the list, as in the URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Query {
    search: String,
    role: Option<Role>,
    status: Option<AccountStatus>,
    sort: AccountSort,
    start: PageStart,
}

/// Position of a page in the list, with the cursor of the response that named it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum PageStart {
    #[default]
    First,
    After(String),
    Before(String),
}

impl Query {
    /// Parses the query string; invalid members are ignored.
    fn read(search: &str) -> Self {
        // leptos_router's `use_query_map` decodes values twice.
        let Ok(members) = UrlSearchParams::new_with_str(search) else { return Self::default() };
        let get = |name| members.get(name).unwrap_or_default();
        let start = match (get("after"), get("before")) {
            (after, _) if !after.is_empty() => PageStart::After(after),
            (_, before) if !before.is_empty() => PageStart::Before(before),
            _ => PageStart::First,
        };
        Self {
            search: get("search"),
            role: Role::parse(&get("role")),
            status: AccountStatus::parse(&get("status")),
            sort: AccountSort::parse(&get("sort")).unwrap_or_default(),
            start,
        }
    }

    /// Returns the query of the first page of the same list.
    fn first_page(&self) -> Self {
        Self { start: PageStart::First, ..self.clone() }
    }

    /// Returns whether both queries are pages of the same list.
    fn is_same_list(&self, other: &Self) -> bool {
        self.first_page() == other.first_page()
    }

    /// Returns the URL of the query.
    fn url(&self) -> String {
        let sort = if self.sort == AccountSort::default() { "" } else { self.sort.as_str() };
        let (after, before) = match &self.start {
            PageStart::First => ("", ""),
            PageStart::After(cursor) => (cursor.as_str(), ""),
            PageStart::Before(cursor) => ("", cursor.as_str()),
        };
        let members = [
            ("search", self.search.as_str()),
            ("role", self.role.map_or("", Role::as_str)),
            ("status", self.status.map_or("", AccountStatus::as_str)),
            ("sort", sort),
            ("after", after),
            ("before", before),
        ];
        let members = members.into_iter().filter(|(_, value)| !value.is_empty());
        let members: Vec<_> =
            members.map(|(name, value)| format!("{name}={}", Url::escape(value))).collect();
        let separator = if members.is_empty() { "" } else { "?" };
        format!("{}{separator}{}", Page::Users.path(), members.join("&"))
    }
}

/// The page.
pub(super) fn view() -> AnyView {
    let location = use_location();
    let list = List::new(move || Query::read(&location.search.read()));
    let language = list.language;
    view! {
        <div class="users">
            <div class="files-head">
                <h1 tabindex="-1">{language.t(|s| s.users)}</h1>
                <a class="btn btn-outline" href=Page::Invitations.path()>
                    {language.t(|s| s.invitations)}
                </a>
            </div>
            {move || list.is_forbidden().then(|| forbidden_panel(language))}
            <div hidden=move || list.is_hidden()>
                {search_form(list)}
                {filters(list)}
                {move || list.actions.error.get().map(|error| view! { <ErrorAlert error /> })}
                <p class="users-summary" id="users-summary" role="status" tabindex="-1">
                    {move || list.summary()}
                </p>
                {move || list.load_error().map(|error| load_error_panel(list, error))}
                <div hidden=move || list.load_error().is_some()>
                    {row::table(list)}
                    {pagination(list)}
                </div>
            </div>
            {confirm_dialog::dialog(list.actions)}
        </div>
    }
    .into_any()
}

/// Search field and order.
fn search_form(list: List) -> impl IntoView {
    let language = list.language;
    let input = NodeRef::<html::Input>::new();
    let timer = StoredValue::new(None::<TimeoutHandle>);
    // The last search that was sent from this field.
    let sent = StoredValue::new(String::new());
    let navigate = StoredValue::new(use_navigate());
    let go = move |query: &Query, replace: bool| {
        let options = NavigateOptions {
            resolve: false,
            replace,
            scroll: false,
            ..NavigateOptions::default()
        };
        navigate.with_value(|navigate| navigate(&query.url(), options));
    };
    let stop = move || {
        if let Some(timer) = timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
    };
    on_cleanup(stop);
    let find = move |replace: bool| {
        stop();
        let now = list.untracked_query();
        let search = dom::value(input).trim().to_owned();
        if search != now.search {
            sent.set_value(search.clone());
            go(&Query { search, ..now.first_page() }, replace);
        }
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        find(false);
    };
    // Searches while typing; the history gets one entry for all of it.
    let typed = move |_| {
        stop();
        timer.set_value(
            set_timeout_with_handle(
                move || find(!list.untracked_query().search.is_empty()),
                SEARCH_DEBOUNCE,
            )
            .ok(),
        );
    };
    let sort = move |event| {
        let sort = AccountSort::parse(&event_target_value(&event)).unwrap_or_default();
        go(&Query { sort, ..list.untracked_query().first_page() }, false);
    };
    // Restores the field after a navigation, but does not overwrite what is being typed.
    Effect::new(move |_| {
        let search = list.tracked_query().search;
        if let Some(input) = input.get()
            && sent.get_value() != search
        {
            input.set_value(&search);
            sent.set_value(search);
        }
    });
    let option = move |sort: AccountSort, name: fn(&'static Strings) -> &'static str| {
        view! {
            <option value=sort.as_str() prop:selected=move || list.tracked_query().sort == sort>
                {language.t(name)}
            </option>
        }
    };
    view! {
        <form class="search-form" role="search" on:submit=submit>
            <div class="field">
                <label for="user-search">{language.t(|s| s.users_search)}</label>
                <input
                    id="user-search"
                    class="input"
                    type="search"
                    name="search"
                    maxlength="254"
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    enterkeyhint="search"
                    aria-describedby="user-search-hint"
                    node_ref=input
                    on:input=typed
                />
                <p class="note" id="user-search-hint">{language.t(|s| s.users_search_hint)}</p>
            </div>
            <div class="field">
                <label for="user-sort">{language.t(|s| s.users_sort)}</label>
                <select id="user-sort" class="input" on:change=sort>
                    {option(AccountSort::Newest, |s| s.sort_newest)}
                    {option(AccountSort::Oldest, |s| s.sort_oldest)}
                    {option(AccountSort::Name, |s| s.sort_name)}
                    {option(AccountSort::NameReversed, |s| s.sort_name_reversed)}
                </select>
            </div>
        </form>
    }
}

/// Links that restrict the list by role and status.
fn filters(list: List) -> impl IntoView {
    let language = list.language;
    let link = move |change: fn(Query) -> Query, label: fn(&'static Strings) -> &'static str| {
        let changed = move || {
            let query = list.tracked_query();
            let changed = change(query.first_page());
            let is_current = changed == query.first_page();
            (changed.url(), is_current)
        };
        view! {
            <a
                class="chip"
                href=move || changed().0
                aria-current=move || changed().1.then_some("true")
            >
                {language.t(label)}
            </a>
        }
    };
    view! {
        <div class="users-filters">
            <div class="chips" role="group" aria-label=language.t(|s| s.role)>
                {link(|query| Query { role: None, ..query }, |s| s.any_role)}
                {link(|query| Query { role: Some(Role::User), ..query }, |s| s.only_members)}
                {link(|query| Query { role: Some(Role::Admin), ..query }, |s| s.only_admins)}
            </div>
            <div class="chips" role="group" aria-label=language.t(|s| s.status)>
                {link(|query| Query { status: None, ..query }, |s| s.any_status)}
                {link(
                    |query| Query { status: Some(AccountStatus::Active), ..query },
                    |s| s.enabled,
                )}
                {link(
                    |query| Query { status: Some(AccountStatus::Disabled), ..query },
                    |s| s.disabled,
                )}
            </div>
        </div>
    }
}

/// Links to the first, the previous and the next page.
fn pagination(list: List) -> impl IntoView {
    let language = list.language;
    let first = move || {
        let query = list.tracked_query();
        (query.start != PageStart::First).then(|| query.first_page().url())
    };
    let previous = move || list.previous().map(|query| query.url());
    let next = move || list.next().map(|query| query.url());
    let link = move |href: String, rel, label: fn(&'static Strings) -> &'static str| {
        view! {
            <a class="btn btn-outline" href=href rel=rel>{language.t(label)}</a>
        }
    };
    view! {
        <nav class="pagination" aria-label=language.t(|s| s.pagination)>
            {move || first().map(|href| link(href, None, |s| s.first_page))}
            {move || previous().map(|href| link(href, Some("prev"), |s| s.previous_page))}
            {move || next().map(|href| link(href, Some("next"), |s| s.next_page))}
        </nav>
    }
}

/// Error panel in place of a list that could not be loaded.
fn load_error_panel(list: List, error: DisplayedError) -> impl IntoView {
    let heading = view! { <h2>{list.language.t(|s| s.users_failed)}</h2> }.into_any();
    view! { <ErrorPanel error heading retry=move |()| list.retry() /> }
}
