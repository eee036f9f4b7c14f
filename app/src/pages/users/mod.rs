//! `/admin/users`: other people's accounts, for administrators. The address keeps what is looked
//! for, the order and the page, so that Back, a reload and a link show the same.

mod list;
mod question;
mod row;

use std::time::Duration;

use leptos::{ev::SubmitEvent, html, leptos_dom::helpers::TimeoutHandle, prelude::*};
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate},
};
use web_sys::UrlSearchParams;

use self::list::List;
use crate::{
    components::{
        icons,
        trouble::{self, Trouble},
    },
    dom,
    i18n::strings::{Language, Strings},
    protocol::users::AccountSort,
};

/// How long somebody stops typing before it is looked for.
const PAUSE: Duration = Duration::from_millis(300);

/// What the address says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Query {
    search: String,
    sort: AccountSort,
    /// After which account the page begins: empty for the first one.
    after: String,
}

impl Query {
    /// What stands in an address; what makes no sense there is left out.
    fn read(search: &str) -> Self {
        // The router's own map decodes a value twice.
        let Ok(members) = UrlSearchParams::new_with_str(search) else { return Self::default() };
        let get = |name| members.get(name).unwrap_or_default();
        Self {
            search: get("search"),
            sort: AccountSort::parse(&get("sort")).unwrap_or_default(),
            after: get("after"),
        }
    }

    /// Whether both ask for pages of the same list.
    fn is_of_list(&self, other: &Self) -> bool {
        (&self.search, self.sort) == (&other.search, other.sort)
    }

    /// The address that says it.
    fn address(&self) -> String {
        let sort = if self.sort == AccountSort::default() { "" } else { self.sort.as_str() };
        let members = [("search", &*self.search), ("sort", sort), ("after", &*self.after)];
        let members = members.into_iter().filter(|(_, value)| !value.is_empty());
        let members: Vec<_> = members
            .map(|(name, value)| format!("{name}={}", js_sys::encode_uri_component(value)))
            .collect();
        let separator = if members.is_empty() { "" } else { "?" };
        format!("/admin/users{separator}{}", members.join("&"))
    }
}

/// The page.
pub(super) fn view() -> AnyView {
    let list = List::of_page();
    let language = list.language;
    let location = use_location();
    // Only the browser knows how to read an address.
    Effect::new(move |_| list.show(Query::read(&location.search.read())));
    view! {
        <div class="users">
            <h1 tabindex="-1">{language.t(|s| s.users)}</h1>
            {move || list.is_refused().then(|| refusal(language))}
            <div hidden=move || list.is_hidden()>
                {finder(list)}
                {move || list.failure.get().map(|trouble| alert(&trouble, language))}
                <p class="sr-only" role="status">{move || list.state()}</p>
                {move || list.trouble().map(|trouble| failure(list, &trouble))}
                <div hidden=move || list.trouble().is_some()>
                    {row::table(list)}
                    {pages(list)}
                </div>
            </div>
            {question::dialog(list)}
        </div>
    }
    .into_any()
}

/// What is looked for, and the order.
fn finder(list: List) -> impl IntoView {
    let language = list.language;
    let input = NodeRef::<html::Input>::new();
    let timer = StoredValue::new(None::<TimeoutHandle>);
    // What was looked for last from here.
    let sent = StoredValue::new(String::new());
    let navigate = StoredValue::new(use_navigate());
    let go = move |query: &Query, replace: bool| {
        let options = NavigateOptions {
            resolve: false,
            replace,
            scroll: false,
            ..NavigateOptions::default()
        };
        navigate.with_value(|navigate| navigate(&query.address(), options));
    };
    let stop = move || {
        if let Some(timer) = timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
    };
    on_cleanup(stop);
    let find = move |replace: bool| {
        stop();
        let now = list.query();
        let search = dom::value(input).trim().to_owned();
        if search != now.search {
            sent.set_value(search.clone());
            go(&Query { search, after: String::new(), ..now }, replace);
        }
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        find(false);
    };
    // Looked for while somebody types, and in the history once.
    let typed = move |_| {
        stop();
        timer.set_value(
            set_timeout_with_handle(move || find(!list.query().search.is_empty()), PAUSE).ok(),
        );
    };
    let sort = move |event| {
        let sort = AccountSort::parse(&event_target_value(&event)).unwrap_or_default();
        go(&Query { sort, after: String::new(), ..list.query() }, false);
    };
    // Where the address has come from elsewhere, what it says is in the field; else somebody may be
    // typing on.
    Effect::new(move |_| {
        let search = list.followed().search;
        if let Some(input) = input.get()
            && sent.get_value() != search
        {
            input.set_value(&search);
            sent.set_value(search);
        }
    });
    let option = move |sort: AccountSort, name: fn(&'static Strings) -> &'static str| {
        view! {
            <option value=sort.as_str() prop:selected=move || list.followed().sort == sort>
                {language.t(name)}
            </option>
        }
    };
    view! {
        <form class="finder" role="search" on:submit=submit>
            <div class="field">
                <label for="people-search">{language.t(|s| s.users_search)}</label>
                <input
                    id="people-search"
                    class="input"
                    type="search"
                    name="search"
                    maxlength="254"
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    enterkeyhint="search"
                    aria-describedby="people-search-hint"
                    node_ref=input
                    on:input=typed
                />
                <p class="note" id="people-search-hint">{language.t(|s| s.users_search_hint)}</p>
            </div>
            <div class="field">
                <label for="people-sort">{language.t(|s| s.users_sort)}</label>
                <select id="people-sort" class="input" on:change=sort>
                    {option(AccountSort::Newest, |s| s.sort_newest)}
                    {option(AccountSort::Oldest, |s| s.sort_oldest)}
                    {option(AccountSort::Name, |s| s.sort_name)}
                    {option(AccountSort::NameReversed, |s| s.sort_name_reversed)}
                </select>
            </div>
        </form>
    }
}

/// The ways to the other pages.
fn pages(list: List) -> impl IntoView {
    let language = list.language;
    let first = move || {
        let query = list.followed();
        (!query.after.is_empty()).then(|| Query { after: String::new(), ..query }.address())
    };
    let next = move || list.next().map(|query| query.address());
    view! {
        <nav class="pages" aria-label=language.t(|s| s.pagination)>
            {move || first().map(|href| view! { <a class="btn btn-outline" href=href>{language.t(|s| s.first_page)}</a> })}
            {move || next().map(|href| view! { <a class="btn btn-outline" rel="next" href=href>{language.t(|s| s.next_page)}</a> })}
        </nav>
    }
}

/// What a change has failed with.
fn alert(trouble: &Trouble, language: Language) -> impl IntoView + use<> {
    view! {
        <div class="alert" role="alert">
            {icons::warning()}
            <div>{trouble::told(trouble, language.strings())}</div>
        </div>
    }
}

/// What stands in the place of a list that could not be loaded.
fn failure(list: List, trouble: &Trouble) -> impl IntoView + use<> {
    let language = list.language;
    view! {
        <section class="card failure">
            <div class="failure-mark">{icons::closed_mark()}</div>
            <div role="alert">
                <h2>{language.t(|s| s.users_failed)}</h2>
                {trouble::told(trouble, language.strings())}
            </div>
            {trouble::countdown(trouble, language)}
            <button type="button" class="btn btn-primary" on:click=move |_| list.again()>
                {language.t(|s| s.retry)}
            </button>
        </section>
    }
}

/// What somebody sees who is no administrator.
fn refusal(language: Language) -> impl IntoView {
    view! {
        <section class="card failure">
            <div class="failure-mark">{icons::closed_mark()}</div>
            <div role="alert">
                <h2>{language.t(|s| s.admin_only)}</h2>
                <p>{language.t(|s| s.admin_only_text)}</p>
            </div>
            <a class="btn btn-primary" href="/">{language.t(|s| s.to_home)}</a>
        </section>
    }
}
