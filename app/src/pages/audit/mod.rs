//! `/admin/audit`: the audit log for administrators, filtered and followed live. The filters are in
//! the URL, so that Back, reload and links restore them.

mod log;

use leptos::{
    ev::{self, SubmitEvent},
    html,
    prelude::*,
};
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate},
    location::Url,
};
use uuid::Uuid;
use web_sys::UrlSearchParams;

use self::log::Log;
use super::users::{account, actions::forbidden_panel};
use crate::{
    components::{
        error_panel::{ErrorAlert, ErrorPanel},
        time::{self, Precision},
    },
    dom,
    i18n::{
        audit::{detail_text, event_text, event_with_outcome_text, outcome_text},
        authenticated::device_name,
        strings::{Language, Strings},
    },
    protocol::{
        audit::{AuditEntry, AuditUser, EVENTS, OUTCOMES},
        error::Code,
    },
    routes::Page,
};

/// Periods of the filter by time, as in the URL.
const PERIOD_NAMES: [&str; 4] = ["1h", "24h", "7d", "30d"];
/// Their lengths in seconds.
const PERIOD_SECONDS: [i64; 4] = [3600, 86_400, 7 * 86_400, 30 * 86_400];

/// Filters of the log, as in the URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Filters {
    event: String,
    outcome: String,
    user: String,
    /// One of [`PERIOD_NAMES`]; empty for all entries.
    period: String,
}

impl Filters {
    /// Parses the query string; unknown values are ignored.
    fn read(search: &str) -> Self {
        let Ok(members) = UrlSearchParams::new_with_str(search) else { return Self::default() };
        let get = |name| members.get(name).unwrap_or_default();
        let known = |text: String, all: &[&str]| {
            if all.contains(&text.as_str()) { text } else { String::new() }
        };
        Self {
            event: known(get("event"), &EVENTS),
            outcome: known(get("outcome"), &OUTCOMES),
            user: get("user"),
            period: known(get("since"), &PERIOD_NAMES),
        }
    }

    /// Returns the URL of the filtered log.
    fn url(&self) -> String {
        let members = [
            ("event", &self.event),
            ("outcome", &self.outcome),
            ("user", &self.user),
            ("since", &self.period),
        ];
        let members: Vec<_> = members
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", Url::escape(value)))
            .collect();
        let separator = if members.is_empty() { "" } else { "?" };
        format!("{}{separator}{}", Page::Audit.path(), members.join("&"))
    }
}

/// Returns the URL of the log of a user.
pub(super) fn path_of_user(id: Uuid) -> String {
    Filters { user: id.to_string(), ..Filters::default() }.url()
}

/// The page.
pub(super) fn view() -> AnyView {
    let location = use_location();
    let log = Log::new(move || Filters::read(&location.search.read()));
    let language = log.actions.language;
    let older = move || {
        view! {
            <button
                type="button"
                class="btn btn-outline"
                aria-busy=move || log.is_loading_older().then_some("true")
                on:click=move |_| log.load_older()
            >
                {language.t(|s| s.audit_older)}
            </button>
        }
    };
    view! {
        <div class="users audit-page">
            <h1 tabindex="-1">{language.t(|s| s.audit_log)}</h1>
            {move || log.is_forbidden().then(|| forbidden_panel(language))}
            <div hidden=move || log.is_hidden()>
                {filter_form(log)}
                {follow_bar(log)}
                {move || {
                    log.load_error().map(|error| {
                        // There is no such user: another attempt would not help.
                        if error.code() == Code::ValidationFailed {
                            return view! { <ErrorAlert error /> }.into_any();
                        }
                        let heading =
                            view! { <h2>{language.t(|s| s.audit_failed)}</h2> }.into_any();
                        view! { <ErrorPanel error heading retry=move |()| log.retry() /> }
                            .into_any()
                    })
                }}
                <section
                    class="card audit-card"
                    hidden=move || log.load_error().is_some()
                    aria-label=language.t(|s| s.audit_log)
                    aria-busy=move || log.is_loading().then_some("true")
                >
                    <ol class="audit-entries">
                        <For each=move || log.entries() key=|entry| entry.id let:entry>
                            {item(entry, language, true)}
                        </For>
                    </ol>
                    <p class="users-none" hidden=move || !log.is_empty()>
                        {language.t(|s| s.audit_none)}
                    </p>
                </section>
                <div class="pagination">{move || log.has_older().then(older)}</div>
            </div>
        </div>
    }
    .into_any()
}

/// Selects a text of the page's language.
type Text = fn(&'static Strings) -> &'static str;

/// A filter that offers some values.
#[derive(Clone, Copy)]
struct Choice {
    id: &'static str,
    label: Text,
    /// Label of no filter.
    all: Text,
    values: &'static [&'static str],
    name: fn(Language, &'static str) -> String,
    member: fn(&mut Filters) -> &mut String,
}

const CHOICES: [Choice; 3] = [
    Choice {
        id: "audit-event",
        label: |s| s.audit_event,
        all: |s| s.audit_all_events,
        values: &EVENTS,
        name: event_option,
        member: |filters| &mut filters.event,
    },
    Choice {
        id: "audit-outcome",
        label: |s| s.audit_outcome,
        all: |s| s.audit_all_outcomes,
        values: &OUTCOMES,
        name: outcome_option,
        member: |filters| &mut filters.outcome,
    },
    Choice {
        id: "audit-since",
        label: |s| s.audit_period,
        all: |s| s.audit_any_time,
        values: &PERIOD_NAMES,
        name: period_option,
        member: |filters| &mut filters.period,
    },
];

/// The filters.
fn filter_form(log: Log) -> impl IntoView {
    let language = log.actions.language;
    let navigate = StoredValue::new(use_navigate());
    let go = move |filters: &Filters| {
        let options =
            NavigateOptions { resolve: false, scroll: false, ..NavigateOptions::default() };
        navigate.with_value(|navigate| navigate(&filters.url(), options));
    };
    let user = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        let filters = log.filters();
        if let Some(user) = user.get() {
            user.set_value(&filters.user);
        }
    });
    let find = move || {
        let filters = log.untracked_filters();
        let user = dom::value(user).trim().to_owned();
        if user != filters.user {
            go(&Filters { user, ..filters });
        }
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        find();
    };
    let select = move |choice: Choice| {
        let change = move |event| {
            let mut filters = log.untracked_filters();
            *(choice.member)(&mut filters) = event_target_value(&event);
            go(&filters);
        };
        choice_field(log, choice, change)
    };
    view! {
        <form class="search-form audit-filters" role="search" on:submit=submit>
            {CHOICES.map(select)}
            <div class="field">
                <label for="audit-user">{language.t(|s| s.user)}</label>
                <input
                    id="audit-user"
                    class="input"
                    type="search"
                    name="user"
                    maxlength="254"
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    enterkeyhint="search"
                    aria-describedby="audit-user-hint"
                    node_ref=user
                    on:change=move |_| find()
                />
                <p class="note" id="audit-user-hint">{language.t(|s| s.audit_user_hint)}</p>
            </div>
        </form>
    }
}

fn choice_field(
    log: Log,
    choice: Choice,
    change: impl Fn(ev::Event) + Clone + Send + 'static,
) -> impl IntoView {
    let Choice { id, label, all, values, name, member } = choice;
    let language = log.actions.language;
    let is_selected = move |value: &str| *member(&mut log.filters()) == value;
    let option = move |value: &'static str| {
        view! {
            <option value=value prop:selected=move || is_selected(value)>
                {move || name(language, value)}
            </option>
        }
    };
    let options: Vec<_> = values.iter().map(|value| option(value)).collect();
    view! {
        <div class="field">
            <label for=id>{language.t(label)}</label>
            <select id=id class="input" on:change=change>
                <option value="" prop:selected=move || is_selected("")>{language.t(all)}</option>
                {options}
            </select>
        </div>
    }
}

fn event_option(language: Language, event: &'static str) -> String {
    event_text(language.get(), event).unwrap_or(event).to_owned()
}

fn outcome_option(language: Language, outcome: &'static str) -> String {
    outcome_text(language.get(), outcome).unwrap_or(outcome).to_owned()
}

fn period_option(language: Language, period: &'static str) -> String {
    let strings = language.strings();
    let text = match period {
        "1h" => strings.last_hour,
        "24h" => strings.last_day,
        "7d" => strings.last_week,
        _ => strings.last_month,
    };
    text.to_owned()
}

/// State of following, and the button that pauses it.
fn follow_bar(log: Log) -> impl IntoView {
    let language = log.actions.language;
    let label = move || {
        let strings = language.strings();
        if log.is_paused() { strings.audit_resume } else { strings.audit_pause }
    };
    view! {
        <div class="audit-follow">
            <p role="status" data-live=move || log.is_live().then_some("")>
                {move || log.status_text()}
            </p>
            <button type="button" class="btn btn-outline" on:click=move |_| log.toggle()>
                {label}
            </button>
        </div>
    }
}

/// Name of an event, and its outcome if it was no success.
pub(super) fn event(language: Language, event: String, outcome: String) -> impl IntoView {
    let failure = (outcome != "success").then(|| {
        let outcome = outcome.clone();
        let name = move || {
            outcome_text(language.get(), &outcome).map_or_else(|| outcome.clone(), Into::into)
        };
        view! { <span class="pill" data-disabled="">{name}</span> }
    });
    let name = move || {
        event_with_outcome_text(language.get(), &event, &outcome)
            .map_or_else(|| event.clone(), Into::into)
    };
    view! { <span>{name}</span> {failure} }
}

/// Device and address of the client, as far as they are known.
pub(super) fn client(
    language: Language,
    browser: Option<String>,
    system: Option<String>,
    address: Option<String>,
) -> impl IntoView {
    let device = (browser.is_some() || system.is_some()).then(|| {
        view! {
            <span>
                {move || device_name(language.get(), browser.as_deref(), system.as_deref())}
            </span>
        }
    });
    view! { {device} {address.map(|address| view! { <span>{address}</span> })} }
}

/// An entry. `has_user`: names the account, which on the page of a user goes without saying.
pub(super) fn item(entry: AuditEntry, language: Language, has_user: bool) -> impl IntoView {
    let AuditEntry { at, event, outcome, user, actor, address, browser, system, detail, .. } =
        entry;
    let link = |account: AuditUser| {
        let AuditUser { id, username } = account;
        // A deleted account has no page.
        match username {
            Some(username) => view! {
                <a class="link" href=account::path(id)><bdi>{username}</bdi></a>
            }
            .into_any(),
            None => view! { <code>{id.to_string()}</code> }.into_any(),
        }
    };
    let detail = detail.map(|detail| {
        view! { <span><bdi>{move || detail_text(language.get(), &detail)}</bdi></span> }
    });
    view! {
        <li>
            <time datetime=time::to_iso(at)>
                {move || time::format_time(at, Precision::Second, language.get())}
            </time>
            <div>
                <p class="audit-event">
                    {self::event(language, event, outcome)}
                    {user.filter(|_| has_user).map(link)}
                </p>
                <p class="audit-facts">
                    {actor
                        .map(|actor| view! {
                            <span>{language.t(|s| s.audit_by)} " " {link(actor)}</span>
                        })}
                    {detail}
                    {client(language, browser, system, address)}
                </p>
            </div>
        </li>
    }
}
