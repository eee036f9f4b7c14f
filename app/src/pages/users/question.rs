//! What an administrator is asked before it is done, and the doing.

use leptos::{html, prelude::*, task::tick};

use super::{
    list::{List, Row},
    row::name_of,
};
use crate::{
    components::trouble::Trouble,
    dom,
    i18n::strings::Strings,
    protocol::{Role, error::Code, users::change_account},
};

/// What is done about an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Disable,
    Enable,
    EndSessions,
    Promote,
    Demote,
}

/// A question: whether it is to be done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Ask {
    row: Row,
    deed: Deed,
}

impl Deed {
    fn title(self, strings: &Strings) -> &'static str {
        match self {
            Self::Disable => strings.disable_title,
            Self::Enable => strings.enable,
            Self::EndSessions => strings.end_sessions_title,
            Self::Promote => strings.promote_title,
            Self::Demote => strings.demote_title,
        }
    }

    fn text(self, strings: &Strings) -> &'static str {
        match self {
            Self::Disable => strings.disable_text,
            Self::Enable => strings.enabled,
            Self::EndSessions => strings.end_sessions_text,
            Self::Promote => strings.promote_text,
            Self::Demote => strings.demote_text,
        }
    }

    fn label(self, strings: &Strings) -> &'static str {
        match self {
            Self::Disable => strings.disable,
            Self::Enable => strings.enable,
            Self::EndSessions => strings.end_sessions,
            Self::Promote => strings.promote,
            Self::Demote => strings.demote,
        }
    }
}

impl Ask {
    /// Asks, and does what takes nothing from anybody at once.
    pub(super) fn about(list: List, row: Row, deed: Deed) {
        let ask = Self { row, deed };
        if deed == Deed::Enable {
            ask.go(list);
        } else {
            list.ask.set(Some(ask));
        }
    }

    fn go(self, list: List) {
        let Self { row, deed } = self;
        list.failure.set(None);
        let id = Some(row.id.to_string());
        dom::spawn(async move {
            let outcome = match deed {
                Deed::Disable => change_account(id, Some(true), None, None).await,
                Deed::Enable => change_account(id, Some(false), None, None).await,
                Deed::EndSessions => change_account(id, None, None, Some(true)).await,
                Deed::Promote => change_account(id, None, Some(Role::Admin), None).await,
                Deed::Demote => change_account(id, None, Some(Role::User), None).await,
            };
            match outcome {
                Ok(changed) => {
                    if list.who() == Some(row.id) {
                        list.know(changed.user.role);
                    }
                    row.account.try_set(Some(changed.user));
                    list.notices.status(|strings| strings.account_saved);
                }
                // Who would rather not give the password has changed their mind.
                Err(error) if error.code == Code::FreshRequired => {}
                Err(error) => {
                    list.failure.try_set(Some(Trouble::new(error)));
                }
            }
        });
    }

    /// Gives the focus back to where it came from.
    fn focus(self) {
        let button = format!("[id=\"manage-{}\"]", self.row.id);
        dom::spawn(async move {
            tick().await;
            if let Some(button) = dom::find(&button) {
                dom::focus(&button);
            }
        });
    }
}

/// The dialog; closed while there is nothing to ask.
pub(super) fn dialog(list: List) -> impl IntoView {
    let language = list.language;
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |before: Option<Option<Ask>>| {
        let ask = list.ask.get();
        if let Some(dialog) = dialog.get() {
            if ask.is_some() {
                // It throws where it is open already.
                let _ = dialog.show_modal();
            } else {
                dialog.close();
                if let Some(ask) = before.flatten() {
                    ask.focus();
                }
            }
        }
        ask
    });
    let close = move || list.ask.set(None);
    let go = move |_| {
        let ask = list.ask.get_untracked();
        close();
        if let Some(ask) = ask {
            ask.go(list);
        }
    };
    let said = move |pick: fn(Deed, &'static Strings) -> &'static str| {
        move || list.ask.get().map(|ask| pick(ask.deed, language.strings()))
    };
    view! {
        <dialog class="dialog" node_ref=dialog aria-labelledby="ask-title" on:close=move |_| close()>
            <h2 id="ask-title">{said(Deed::title)}</h2>
            <p class="dialog-name">{move || list.ask.get().and_then(|ask| ask.row.get(name_of))}</p>
            <p class="lead">{said(Deed::text)}</p>
            <div class="form-actions">
                <button type="button" class="btn btn-outline" on:click=go>{said(Deed::label)}</button>
                <button type="button" class="btn btn-ghost" on:click=move |_| close()>
                    {language.t(|s| s.cancel)}
                </button>
            </div>
        </dialog>
    }
}
