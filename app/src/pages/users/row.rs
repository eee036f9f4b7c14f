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
    i18n::words::{Language, Words},
    protocol::{Role, users::Account},
};

/// The table. Roles are said once more: without its looks of a table a browser would not take it as
/// one.
pub(super) fn table(list: List) -> impl IntoView {
    let language = list.language;
    let head = move |label: fn(&'static Words) -> &'static str| {
        view! { <th scope="col" role="columnheader">{language.say(label)}</th> }
    };
    view! {
        <div class="card people-card">
            <table class="people" role="table" aria-busy=move || list.is_coming().then_some("true")>
                <caption class="sr-only">{language.say(|w| w.people)}</caption>
                <thead role="rowgroup">
                    <tr role="row">
                        {head(|w| w.person)}
                        {head(|w| w.role)}
                        {head(|w| w.made)}
                        {head(|w| w.sessions)}
                        {head(|w| w.standing)}
                        <th scope="col" role="columnheader"><span class="sr-only">{language.say(|w| w.manage)}</span></th>
                    </tr>
                </thead>
                <tbody role="rowgroup">
                    <For each=move || list.rows() key=|row| (row.id, row.account) let:row>
                        {table_row(list, row)}
                    </For>
                </tbody>
            </table>
            <p class="people-none" hidden=move || !list.is_empty()>{language.say(|w| w.nobody_found)}</p>
        </div>
    }
}

fn table_row(list: List, row: Row) -> impl IntoView {
    let language = list.language;
    let fact = move |label: fn(&'static Words) -> &'static str,
                     text: fn(&Account, Language) -> String| {
        view! {
            <td role="cell">
                <span class="people-label">{language.say(label)}</span>
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
            {fact(|w| w.role, |account, language| {
                let words = language.words();
                if account.role == Role::Admin { words.role_admin } else { words.role_user }.to_owned()
            })}
            {fact(|w| w.made, |account, language| time::moment(account.created_at, Precision::Day, language.get()))}
            {fact(|w| w.sessions, |account, _| account.sessions.to_string())}
            {fact(|w| w.standing, |account, language| {
                let words = language.words();
                if account.disabled_at.is_some() { words.disabled } else { words.enabled }.to_owned()
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
        move |deed: Deed, label: fn(&'static Words) -> &'static str, is_offered: Signal<bool>| {
            view! {
                <button
                    type="button"
                    class="btn btn-ghost"
                    hidden=move || !is_offered.get()
                    popovertarget=menu.clone()
                    popovertargetaction="hide"
                    on:click=move |_| Ask::about(list, row, deed)
                >
                    {language.say(label)}
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
                {language.say(|w| w.manage)}": "{move || row.get(name_of)}
            </span>
        </button>
        <div id=menu class="person-menu" popover="auto">
            {item(Deed::Disable, |w| w.disable, Signal::derive(move || !own() && !is(|account| account.disabled_at.is_some())))}
            {item(Deed::Enable, |w| w.enable, Signal::derive(move || is(|account| account.disabled_at.is_some())))}
            {item(Deed::EndSessions, |w| w.end_sessions, always)}
            {item(Deed::Promote, |w| w.promote, Signal::derive(move || is(|account| account.role == Role::User)))}
            {item(Deed::Demote, |w| w.demote, Signal::derive(move || is(|account| account.role == Role::Admin)))}
        </div>
    }
}
