//! The table of accounts: on a narrow window a card each.

use leptos::prelude::*;

use super::{
    list::{List, Row},
    question::{Ask, Deed},
};
use crate::{
    components::{
        icons,
        time::{self, Precision},
    },
    i18n::strings::{Language, Strings},
    protocol::{Role, users::Account},
};

/// The table. Roles are said once more: without its looks of a table a browser would not take it as
/// one.
pub(super) fn table(list: List) -> impl IntoView {
    let language = list.language;
    let head = move |label: fn(&'static Strings) -> &'static str| {
        view! { <th scope="col" role="columnheader">{language.t(label)}</th> }
    };
    view! {
        <div class="card people-card">
            <table class="people" role="table" aria-busy=move || list.is_coming().then_some("true")>
                <caption class="sr-only">{language.t(|s| s.users)}</caption>
                <thead role="rowgroup">
                    <tr role="row">
                        {head(|s| s.user)}
                        {head(|s| s.role)}
                        {head(|s| s.registered_at)}
                        {head(|s| s.active_sessions)}
                        {head(|s| s.status)}
                        <th scope="col" role="columnheader"><span class="sr-only">{language.t(|s| s.manage)}</span></th>
                    </tr>
                </thead>
                <tbody role="rowgroup">
                    <For each=move || list.rows() key=|row| (row.id, row.account) let:row>
                        {table_row(list, row)}
                    </For>
                </tbody>
            </table>
            <p class="people-none" hidden=move || !list.is_empty()>{language.t(|s| s.no_users_found)}</p>
        </div>
    }
}

fn table_row(list: List, row: Row) -> impl IntoView {
    let language = list.language;
    let fact = move |label: fn(&'static Strings) -> &'static str,
                     text: fn(&Account, Language) -> String| {
        view! {
            <td role="cell">
                <span class="people-label">{language.t(label)}</span>
                <span class="value">{move || row.get(|account| text(account, language))}</span>
            </td>
        }
    };
    view! {
        <tr role="row" data-disabled=move || row.get(|account| account.disabled_at.is_some()).unwrap_or_default().then_some("")>
            <th scope="row" role="rowheader">
                <span class="card-name value">{move || row.get(name_of)}</span>
                // Who has no nickname is called by the username already.
                <span class="card-username">
                    {move || row.get(|account| account.nickname.as_ref().map(|_| account.username.clone())).flatten()}
                </span>
                <span class="card-username">{move || row.get(|account| account.email.clone()).flatten()}</span>
            </th>
            {fact(|s| s.role, |account, language| {
                let strings = language.strings();
                if account.role == Role::Admin { strings.role_admin } else { strings.role_user }.to_owned()
            })}
            {fact(|s| s.registered_at, |account, language| time::moment(account.created_at, Precision::Day, language.get()))}
            {fact(|s| s.active_sessions, |account, _| account.sessions.to_string())}
            {fact(|s| s.status, |account, language| {
                let strings = language.strings();
                if account.disabled_at.is_some() { strings.disabled } else { strings.enabled }.to_owned()
            })}
            <td role="cell" class="people-menu">{menu(list, row)}</td>
        </tr>
    }
}

/// How a person is called.
pub(super) fn name_of(account: &Account) -> String {
    account.nickname.as_ref().unwrap_or(&account.username).clone()
}

/// What may be done about an account.
fn menu(list: List, row: Row) -> impl IntoView {
    let language = list.language;
    let menu = format!("menu-{}", row.id);
    let is = move |pick: fn(&Account) -> bool| row.get(pick).unwrap_or_default();
    let item = {
        let menu = menu.clone();
        move |deed: Deed, label: fn(&'static Strings) -> &'static str, is_offered: Signal<bool>| {
            view! {
                <button
                    type="button"
                    class="btn btn-ghost"
                    hidden=move || !is_offered.get()
                    popovertarget=menu.clone()
                    popovertargetaction="hide"
                    on:click=move |_| Ask::about(list, row, deed)
                >
                    {language.t(label)}
                </button>
            }
        }
    };
    // Nobody disables themself.
    let own = move || list.who() == Some(row.id);
    let always = Signal::stored(true);
    view! {
        <button
            type="button"
            id=format!("manage-{}", row.id)
            class="people-manage"
            popovertarget=menu.clone()
            disabled=move || row.get(|_| ()).is_none()
        >
            {icons::dots()}
            <span class="sr-only">
                {language.t(|s| s.manage)}": "{move || row.get(name_of)}
            </span>
        </button>
        <div id=menu class="person-menu" popover="auto">
            {item(Deed::Disable, |s| s.disable, Signal::derive(move || !own() && !is(|account| account.disabled_at.is_some())))}
            {item(Deed::Enable, |s| s.enable, Signal::derive(move || is(|account| account.disabled_at.is_some())))}
            {item(Deed::EndSessions, |s| s.end_sessions, always)}
            {item(Deed::Promote, |s| s.promote, Signal::derive(move || is(|account| account.role == Role::User)))}
            {item(Deed::Demote, |s| s.demote, Signal::derive(move || is(|account| account.role == Role::Admin)))}
        </div>
    }
}
