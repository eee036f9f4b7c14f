//! Sessions of the user, and ending one of them.

use leptos::{ev::SubmitEvent, prelude::*, task::tick};
use uuid::Uuid;

use super::UserPage;
use crate::{
    components::{
        confirm_form::ConfirmForm,
        dialog::Dialog,
        error_panel::ErrorPanel,
        form::FormState,
        loader::Loader,
        time::{self, Precision},
    },
    dom,
    i18n::authenticated::device_name,
    protocol::{
        error::{ApiError, done_or_gone},
        sessions::SessionInfo,
        users::{AccountId, AccountSessionId},
    },
    server_fns::{list_account_sessions, revoke_account_session},
};

/// The card.
pub(super) fn card(page: UserPage) -> impl IntoView {
    let language = page.actions.language;
    let sessions = Loader::new();
    let pending = RwSignal::new(None::<SessionInfo>);
    load_with_account(page, move || sessions.refresh(request(page.row.id)));
    let content = move || {
        if let Some(error) = sessions.error() {
            let retry = move |()| sessions.load(request(page.row.id));
            return view! { <ErrorPanel error retry class="error-panel" /> }.into_any();
        }
        match sessions.get(Clone::clone) {
            None => view! { <p class="value"></p> }.into_any(),
            Some(list) if list.is_empty() => {
                view! { <p class="note">{language.t(|s| s.no_sessions)}</p> }.into_any()
            }
            Some(list) => {
                let rows: Vec<_> =
                    list.into_iter().map(|session| row(page, session, pending)).collect();
                view! { <ul class="devices">{rows}</ul> }.into_any()
            }
        }
    };
    view! {
        <section class="card user-sessions" aria-labelledby="user-sessions">
            <h2 id="user-sessions" tabindex="-1">{language.t(|s| s.active_sessions)}</h2>
            {content}
            {dialog(page, pending)}
        </section>
    }
}

/// Runs an action once the account is loaded, and after each completed action.
pub(super) fn load_with_account(page: UserPage, load: impl Fn() + 'static) {
    let is_loaded = Memo::new(move |_| page.details.get(|_| ()).is_some());
    Effect::new(move |_| {
        page.actions.completed.track();
        if is_loaded.get() {
            untrack(&load);
        }
    });
}

async fn request(id: Uuid) -> Result<Vec<SessionInfo>, ApiError> {
    list_account_sessions(AccountId { id }).await.map(|list| list.sessions)
}

fn row(
    page: UserPage,
    session: SessionInfo,
    pending: RwSignal<Option<SessionInfo>>,
) -> impl IntoView {
    let language = page.actions.language;
    let SessionInfo { browser, system, address, last_seen_at, created_at, current, .. } =
        session.clone();
    let name = move || device_name(language.get(), browser.as_deref(), system.as_deref());
    let label = {
        let name = name.clone();
        move || format!("{}: {}", language.strings().end_session, name())
    };
    let moment = move |seconds: i64| {
        view! {
            <time datetime=time::to_iso(seconds)>
                {move || time::format_time(seconds, Precision::Second, language.get())}
            </time>
        }
    };
    view! {
        <li class="device">
            <div>
                <h3>
                    {name}
                    {current
                        .then(|| view! {
                            <span class="badge">{language.t(|s| s.this_device)}</span>
                        })}
                </h3>
                <p>
                    <span>{language.t(|s| s.last_seen)} " " {moment(last_seen_at)}</span>
                    {address.map(|address| view! { <span>{address}</span> })}
                </p>
                <p>{language.t(|s| s.logged_in_since)} " " {moment(created_at)}</p>
            </div>
            <button
                type="button"
                class="btn btn-outline"
                aria-label=label
                on:click=move |_| pending.set(Some(session.clone()))
            >
                {language.t(|s| s.end_session)}
            </button>
        </li>
    }
}

fn dialog(page: UserPage, pending: RwSignal<Option<SessionInfo>>) -> impl IntoView {
    let language = page.actions.language;
    let form = move |session: SessionInfo| {
        let form = FormState::new(Vec::new());
        let name = {
            let (browser, system) = (session.browser.clone(), session.system.clone());
            move || device_name(language.get(), browser.as_deref(), system.as_deref())
        };
        let id = session.id;
        let submit =
            move |event: SubmitEvent| form.submit(&event, Box::pin(end(page, id, pending)));
        let cancel = move |()| pending.set(None);
        view! {
            <ConfirmForm
                form
                title_id="end-session-title"
                title=|s| s.end_session_title
                label=|s| s.end_session
                class="btn btn-outline btn-danger"
                cancel_id="end-session-cancel"
                on_submit=submit
                on_cancel=cancel
            >
                <p class="lead"><strong>{name}</strong>" "{language.t(|s| s.log_out_device_text)}</p>
            </ConfirmForm>
        }
    };
    view! {
        <Dialog
            is_open=Signal::derive(move || pending.with(Option::is_some))
            on_close=move |()| pending.set(None)
            title_id="end-session-title"
            initial_focus="#end-session-cancel"
        >
            {move || pending.get().map(form)}
        </Dialog>
    }
}

async fn end(
    page: UserPage,
    session: Uuid,
    pending: RwSignal<Option<SessionInfo>>,
) -> Result<(), ApiError> {
    let query = AccountSessionId { id: page.row.id, session };
    done_or_gone(revoke_account_session(query).await)?;
    pending.try_set(None);
    page.actions.complete(|strings| strings.device_logged_out);
    // The pressed button is removed with its row. An open dialog keeps the focus from the page.
    tick().await;
    dom::focus_first("#user-sessions");
    Ok(())
}
