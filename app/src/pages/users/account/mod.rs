//! `/admin/users/{id}`: a user, as administrators see it: profile, sessions, pictures, events and
//! actions.

mod address;
mod events;
mod pictures;
mod removal_dialog;
mod sessions;

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use uuid::Uuid;

use super::{
    actions::{Actions, Row, forbidden_panel},
    confirm_dialog::{self, AdminAction, PendingAction},
    row::{avatar, display_name, is_admin, is_disabled, role_name, status_pill},
};
use crate::{
    components::{
        api_error_view::DisplayedError,
        error_panel::{ErrorAlert, ErrorPanel},
        icons,
        loader::Loader,
        time::{self, Precision},
    },
    i18n::strings::Strings,
    protocol::{
        error::Code,
        users::{AccountDetails, AccountId},
    },
    routes::Page,
    server_fns::get_account,
};

/// Selects a text of the page's language.
type Text = fn(&'static Strings) -> &'static str;

/// Returns the path of a user's page.
pub(in crate::pages) fn path(id: Uuid) -> String {
    Page::User.path().replace(":id", &id.to_string())
}

/// Returns the account id of a path.
fn id_of(path: &str) -> Option<Uuid> {
    Uuid::try_parse(path.trim_end_matches('/').rsplit('/').next()?).ok()
}

/// State of the page.
#[derive(Clone, Copy)]
struct UserPage {
    row: Row,
    details: Loader<AccountDetails>,
    actions: Actions,
}

/// The page.
pub(in crate::pages) fn view() -> AnyView {
    let pathname = use_location().pathname;
    // A navigation to another page keeps the user until that page is rendered.
    let id = Memo::new(move |before: Option<&Option<Uuid>>| {
        id_of(&pathname.read()).or_else(|| before.copied().flatten())
    });
    (move || id.get().map(user_view)).into_any()
}

fn user_view(id: Uuid) -> AnyView {
    let page = UserPage { row: Row::empty(id), details: Loader::new(), actions: Actions::new() };
    let UserPage { row, actions, .. } = page;
    let language = actions.language;
    let user_id = actions.tracked_user_id();
    Effect::new(move |_| match user_id.get() {
        Some(_) => page.load(),
        None => page.details.reset(),
    });
    // An action may have changed the account in more ways than its response tells.
    Effect::new(move |before: Option<u32>| {
        let completed = actions.completed.get();
        if before.is_some_and(|before| before != completed) {
            page.details.refresh(page.request());
        }
        completed
    });
    let has_failed = move || page.details.error().is_some();
    let is_loading = move || page.details.is_loading();
    let status = move || if is_loading() { language.strings().users_loading } else { "" };
    let title =
        move || row.get(display_name).unwrap_or_else(|| language.strings().user_details.to_owned());
    view! {
        <div class="users user-page">
            <a class="back" href=Page::Users.path()>
                {icons::back()} {language.t(|s| s.users)}
            </a>
            <h1 tabindex="-1">{title}</h1>
            <p class="sr-only" role="status">{status}</p>
            {move || page.details.error().map(|error| page.failure(error))}
            <div hidden=has_failed aria-busy=move || is_loading().then_some("true")>
                {move || actions.error.get().map(|error| view! { <ErrorAlert error /> })}
                <div class="user-cards">
                    {page.profile_card()} {page.actions_card()} {sessions::card(page)}
                    {pictures::card(page)} {events::card(page)}
                </div>
            </div>
            {confirm_dialog::dialog(actions)}
        </div>
    }
    .into_any()
}

impl UserPage {
    /// Loads the account.
    fn load(self) {
        self.details.load(self.request());
    }

    fn request(
        self,
    ) -> impl Future<Output = Result<AccountDetails, crate::protocol::error::ApiError>> {
        let (id, user_id) = (self.row.id, self.actions.user_id());
        async move {
            let result = get_account(AccountId { id }).await;
            self.actions.note(user_id, &result);
            if let Ok(details) = &result {
                self.row.account.try_set(Some(details.user.clone()));
            }
            result
        }
    }

    /// Panel in place of an account that could not be loaded.
    fn failure(self, error: DisplayedError) -> AnyView {
        let language = self.actions.language;
        match error.code() {
            Code::Forbidden => forbidden_panel(language).into_any(),
            Code::NotFound => view! {
                <section class="card error-panel">
                    <div class="error-mark">{icons::closed_mark()}</div>
                    <div role="alert">
                        <h2>{language.t(|s| s.user_gone)}</h2>
                        <p>{language.t(|s| s.user_gone_text)}</p>
                    </div>
                    <a class="btn btn-primary" href=Page::Users.path()>
                        {language.t(|s| s.users)}
                    </a>
                </section>
            }
            .into_any(),
            _ => {
                let heading = view! { <h2>{language.t(|s| s.user_failed)}</h2> }.into_any();
                view! { <ErrorPanel error heading retry=move |()| self.load() /> }.into_any()
            }
        }
    }

    fn profile_card(self) -> impl IntoView {
        let Self { row, details, actions } = self;
        let language = actions.language;
        let fact = move |label: Text, value: Signal<Option<String>>| {
            view! {
                <div>
                    <dt>{language.t(label)}</dt>
                    <dd class="value"><bdi>{move || value.get()}</bdi></dd>
                </div>
            }
        };
        let day = move |seconds| time::format_time(seconds, Precision::Day, language.get());
        let not_given = move || language.strings().not_provided.to_owned();
        let nickname =
            move || row.get(|account| account.nickname.clone().unwrap_or_else(not_given));
        let email = move || {
            row.get(|account| address::address_of(account).map_or_else(not_given, str::to_owned))
        };
        let last_login = move || {
            details.get(|details| details.last_login_at).map(|at| {
                at.map_or_else(
                    || language.strings().never.to_owned(),
                    |at| time::format_time(at, Precision::Second, language.get()),
                )
            })
        };
        view! {
            <section class="card user-profile" aria-labelledby="user-profile">
                <h2 id="user-profile" class="sr-only">{language.t(|s| s.section_profile)}</h2>
                {avatar(row, "avatar")}
                <dl>
                    {fact(
                        |s| s.account_name,
                        Signal::derive(move || row.get(|account| account.username.clone())),
                    )}
                    {fact(|s| s.nickname, Signal::derive(nickname))}
                    <div>
                        <dt>{language.t(|s| s.email)}</dt>
                        <dd>
                            <span class="value"><bdi>{email}</bdi></span>
                            {address::state(self)}
                        </dd>
                    </div>
                    {fact(
                        |s| s.role,
                        Signal::derive(move || row.get(|account| role_name(account, language))),
                    )}
                    <div>
                        <dt>{language.t(|s| s.status)}</dt>
                        <dd>{status_pill(row, language)}</dd>
                    </div>
                    {fact(
                        |s| s.registered_at,
                        Signal::derive(move || row.get(|account| day(account.created_at))),
                    )}
                    {fact(|s| s.last_login, Signal::derive(last_login))}
                </dl>
            </section>
        }
    }

    fn actions_card(self) -> impl IntoView {
        let Self { row, actions, .. } = self;
        let language = actions.language;
        // After a reload the page is rendered before the session has been restored.
        let user_id = actions.tracked_user_id();
        let is_own = move || user_id.get() == Some(row.id);
        let button = move |action: AdminAction, class: &'static str, is_offered: Signal<bool>| {
            view! {
                <button
                    type="button"
                    class=class
                    hidden=move || !is_offered.get()
                    on:click=move |_| PendingAction::request(actions, row, action)
                >
                    {move || action.label(language.strings())}
                </button>
            }
        };
        let outline = "btn btn-outline";
        let danger = "btn btn-outline btn-danger";
        let is_member = move || row.get(|account| !is_admin(account)).unwrap_or_default();
        let is_active = move || row.get(|account| !is_disabled(account)).unwrap_or_default();
        view! {
            <section class="card user-actions" aria-labelledby="manage-heading">
                <h2 id="manage-heading">{language.t(|s| s.manage)}</h2>
                <p class="note" hidden=move || !is_own()>{language.t(|s| s.own_account)}</p>
                <div class="form-actions" id=format!("manage-{}", row.id) tabindex="-1">
                    {button(AdminAction::Promote, outline, Signal::derive(is_member))}
                    {button(AdminAction::Demote, danger, Signal::derive(move || row.is(is_admin)))}
                    {button(
                        AdminAction::EndSessions,
                        danger,
                        Signal::derive(move || row.get(|_| ()).is_some()),
                    )}
                    {button(
                        AdminAction::Disable,
                        danger,
                        Signal::derive(move || !is_own() && is_active()),
                    )}
                    {button(AdminAction::Enable, outline, Signal::derive(move || row.is(is_disabled)))}
                    {address::actions(self)}
                </div>
            </section>
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_of_path_returns_that_of_path_of() {
        let id = Uuid::from_u128(7);
        assert_eq!(id_of(&path(id)), Some(id));
        assert_eq!(id_of(&format!("{}/", path(id))), Some(id));
        assert_eq!(id_of("/admin/users"), None);
    }
}
