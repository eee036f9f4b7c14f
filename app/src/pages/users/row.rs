//! The table of users; on narrow windows a card for each.

use leptos::prelude::*;

use super::{
    account,
    actions::{Actions, Row},
    confirm_dialog::{AdminAction, PendingAction},
    list::List,
};
use crate::{
    components::{
        avatar::user_avatar,
        icons,
        time::{self, Precision},
    },
    i18n::strings::{Language, Strings},
    protocol::{Role, users::Account},
};

/// The table. Its ARIA roles are explicit: browsers drop them when the style sheet changes
/// `display`.
pub(super) fn table(list: List) -> impl IntoView {
    let language = list.language;
    let head = move |label: fn(&'static Strings) -> &'static str| {
        view! { <th scope="col" role="columnheader">{language.t(label)}</th> }
    };
    view! {
        <div class="card users-card">
            <table
                class="users-table"
                role="table"
                aria-busy=move || list.is_loading().then_some("true")
            >
                <caption class="sr-only">{language.t(|s| s.users)}</caption>
                <colgroup>
                    <col class="col-user" />
                    <col class="col-role" />
                    <col class="col-date" />
                    <col class="col-sessions" />
                    <col class="col-status" />
                    <col class="col-menu" />
                </colgroup>
                <thead role="rowgroup">
                    <tr role="row">
                        {head(|s| s.user)}
                        {head(|s| s.role)}
                        {head(|s| s.registered_at)}
                        {head(|s| s.active_sessions)}
                        {head(|s| s.status)}
                        <th scope="col" role="columnheader">
                            <span class="sr-only">{language.t(|s| s.manage)}</span>
                        </th>
                    </tr>
                </thead>
                <tbody role="rowgroup">
                    <For each=move || list.rows() key=|row| (row.id, row.account) let:row>
                        {table_row(list, row)}
                    </For>
                </tbody>
            </table>
            <p class="users-none" hidden=move || !list.is_empty()>
                {language.t(|s| s.no_users_found)}
            </p>
        </div>
    }
}

fn table_row(list: List, row: Row) -> impl IntoView {
    let language = list.language;
    let fact = move |label: fn(&'static Strings) -> &'static str,
                     text: fn(&Account, Language) -> String| {
        view! {
            <td role="cell">
                <span class="users-label">{language.t(label)}</span>
                <span class="value">{move || row.get(|account| text(account, language))}</span>
            </td>
        }
    };
    view! {
        <tr role="row" data-disabled=move || row.is(is_disabled).then_some("")>
            <th scope="row" role="rowheader">
                <div class="users-person">
                    {avatar(row, "avatar avatar-small")}
                    <div>
                        <a
                            class="card-name value"
                            href=move || row.get(|account| account::path(account.id))
                        >
                            {move || row.get(display_name)}
                        </a>
                        <span class="card-username">
                            {move || row.get(username_below_nickname).flatten()}
                        </span>
                        <span class="card-username">
                            {move || row.get(|account| account.email.clone()).flatten()}
                        </span>
                    </div>
                </div>
            </th>
            {fact(|s| s.role, role_name)}
            {fact(|s| s.registered_at, |account, language| {
                time::format_time(account.created_at, Precision::Day, language.get())
            })}
            {fact(|s| s.active_sessions, |account, _| account.sessions.to_string())}
            <td role="cell">
                <span class="users-label">{language.t(|s| s.status)}</span>
                {status_pill(row, language)}
            </td>
            <td role="cell" class="users-menu">{menu(list.actions, row)}</td>
        </tr>
    }
}

/// Returns the name to display: the nickname, else the username.
pub(super) fn display_name(account: &Account) -> String {
    account.nickname.as_ref().unwrap_or(&account.username).clone()
}

/// Returns the username if a nickname is shown as the name.
fn username_below_nickname(account: &Account) -> Option<String> {
    account.nickname.as_ref().map(|_| account.username.clone())
}

pub(super) fn is_admin(account: &Account) -> bool {
    account.role == Role::Admin
}

pub(super) fn is_disabled(account: &Account) -> bool {
    account.disabled_at.is_some()
}

/// Avatar of a user.
pub(super) fn avatar(row: Row, class: &'static str) -> impl IntoView {
    let picture = move || row.get(|account| account.avatar_url.clone()).flatten();
    user_avatar(move || row.get(display_name), picture, class)
}

/// Returns the role in words.
pub(super) fn role_name(account: &Account, language: Language) -> String {
    let strings = language.strings();
    let role = if is_admin(account) { strings.role_admin } else { strings.role_user };
    role.to_owned()
}

/// Status of an account; empty until it is loaded.
pub(super) fn status_pill(row: Row, language: Language) -> impl IntoView {
    let text = move || {
        row.get(|account| {
            let strings = language.strings();
            if is_disabled(account) { strings.disabled } else { strings.enabled }
        })
    };
    view! {
        <span class="value">
            <span
                class="pill"
                hidden=move || text().is_none()
                data-disabled=move || row.is(is_disabled).then_some("")
            >
                {text}
            </span>
        </span>
    }
}

/// Menu of actions on a user account.
pub(super) fn menu(actions: Actions, row: Row) -> impl IntoView {
    let language = actions.language;
    let menu = format!("menu-{}", row.id);
    let is_user = move || row.get(|account| !is_admin(account)).unwrap_or_default();
    let item = {
        let menu = menu.clone();
        move |action: AdminAction,
              label: fn(&'static Strings) -> &'static str,
              is_offered: Signal<bool>| {
            view! {
                <button
                    type="button"
                    class="btn btn-ghost"
                    hidden=move || !is_offered.get()
                    popovertarget=menu.clone()
                    popovertargetaction="hide"
                    on:click=move |_| PendingAction::request(actions, row, action)
                >
                    {language.t(label)}
                </button>
            }
        }
    };
    // Administrators cannot disable themselves.
    let can_disable = move || actions.user_id() != Some(row.id) && !row.is(is_disabled);
    let always = Signal::stored(true);
    view! {
        <button
            type="button"
            id=format!("manage-{}", row.id)
            class="users-manage"
            popovertarget=menu.clone()
            disabled=move || row.get(|_| ()).is_none()
        >
            {icons::dots()}
            <span class="sr-only">
                {language.t(|s| s.manage)}": "{move || row.get(display_name)}
            </span>
        </button>
        <div id=menu class="account-menu" popover="auto">
            {item(AdminAction::Disable, |s| s.disable, Signal::derive(can_disable))}
            {item(AdminAction::Enable, |s| s.enable, Signal::derive(move || row.is(is_disabled)))}
            {item(AdminAction::EndSessions, |s| s.end_sessions, always)}
            {item(AdminAction::Promote, |s| s.promote, Signal::derive(is_user))}
            {item(AdminAction::Demote, |s| s.demote, Signal::derive(move || row.is(is_admin)))}
        </div>
    }
}
