//! Administrator actions and their confirmation dialog.

use leptos::{prelude::*, task::tick};

use super::{
    list::{List, Row},
    row::display_name,
};
use crate::{
    components::{api_error_view::DisplayedError, dialog::Dialog},
    dom,
    i18n::strings::Strings,
    protocol::{Role, error::Code, users::AccountChanges},
    server_fns::update_user,
};

/// An action on a user account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AdminAction {
    Disable,
    Enable,
    EndSessions,
    Promote,
    Demote,
}

/// An action that awaits confirmation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct PendingAction {
    row: Row,
    action: AdminAction,
}

impl AdminAction {
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

impl PendingAction {
    /// Asks for confirmation; harmless actions are executed at once.
    pub(super) fn request(list: List, row: Row, action: AdminAction) {
        let pending = Self { row, action };
        if action == AdminAction::Enable {
            pending.execute(list);
        } else {
            list.pending_action.set(Some(pending));
        }
    }

    fn execute(self, list: List) {
        let Self { row, action } = self;
        list.action_error.set(None);
        let unchanged =
            AccountChanges { id: Some(row.id.to_string()), ..AccountChanges::default() };
        let changes = match action {
            AdminAction::Disable => AccountChanges { disabled: Some(true), ..unchanged },
            AdminAction::Enable => AccountChanges { disabled: Some(false), ..unchanged },
            AdminAction::EndSessions => AccountChanges { end_sessions: Some(true), ..unchanged },
            AdminAction::Promote => AccountChanges { role: Some(Role::Admin), ..unchanged },
            AdminAction::Demote => AccountChanges { role: Some(Role::User), ..unchanged },
        };
        dom::spawn(async move {
            match update_user(changes).await {
                Ok(answer) => {
                    if list.user_id() == Some(row.id) {
                        list.update_own_role(answer.user.role);
                    }
                    row.account.try_set(Some(answer.user));
                    list.toasts.status(|strings| strings.account_saved);
                }
                // The user cancelled the password dialog.
                Err(error) if error.code == Code::FreshRequired => {}
                Err(error) => {
                    list.action_error.try_set(Some(DisplayedError::new(error)));
                }
            }
        });
    }

    /// Returns the focus to the row's menu button.
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

/// The dialog; open while an action awaits confirmation.
pub(super) fn dialog(list: List) -> impl IntoView {
    let language = list.language;
    // After closing the focus returns to the row.
    Effect::new(move |before: Option<Option<PendingAction>>| {
        let pending = list.pending_action.get();
        if let (None, Some(before)) = (pending, before.flatten()) {
            before.focus();
        }
        pending
    });
    let close = move || list.pending_action.set(None);
    let execute = move |_| {
        let pending = list.pending_action.get_untracked();
        close();
        if let Some(pending) = pending {
            pending.execute(list);
        }
    };
    let text_of = move |pick: fn(AdminAction, &'static Strings) -> &'static str| {
        move || list.pending_action.get().map(|pending| pick(pending.action, language.strings()))
    };
    let user = move || list.pending_action.get().and_then(|pending| pending.row.get(display_name));
    let is_open = Signal::derive(move || list.pending_action.with(Option::is_some));
    view! {
        <Dialog is_open on_close=move |()| close() title_id="confirm-title">
            <h2 id="confirm-title">{text_of(AdminAction::title)}</h2>
            <p class="dialog-name">{user}</p>
            <p class="lead">{text_of(AdminAction::text)}</p>
            <div class="form-actions">
                <button type="button" class="btn btn-outline" on:click=execute>
                    {text_of(AdminAction::label)}
                </button>
                <button type="button" class="btn btn-ghost" on:click=move |_| close()>
                    {language.t(|s| s.cancel)}
                </button>
            </div>
        </Dialog>
    }
}
