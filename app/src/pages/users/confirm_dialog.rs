//! Administrator actions and their confirmation dialog.

use leptos::{prelude::*, task::tick};

use super::{
    actions::{Actions, Row},
    row::display_name,
};
use crate::{
    components::dialog::Dialog,
    dom,
    i18n::strings::Strings,
    protocol::{Role, users::AccountChanges},
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

    /// Returns whether the action takes something from the user.
    fn is_harmful(self) -> bool {
        matches!(self, Self::Disable | Self::EndSessions | Self::Demote)
    }

    pub(super) fn label(self, strings: &Strings) -> &'static str {
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
    pub(super) fn request(actions: Actions, row: Row, action: AdminAction) {
        let pending = Self { row, action };
        if action == AdminAction::Enable {
            pending.execute(actions);
        } else {
            actions.pending.set(Some(pending));
        }
    }

    fn execute(self, actions: Actions) {
        let Self { row, action } = self;
        actions.error.set(None);
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
                    if actions.user_id() == Some(row.id) {
                        actions.update_own_role(answer.user.role);
                    }
                    row.account.try_set(Some(answer.user));
                    if action == AdminAction::Enable {
                        // No dialog returns the focus, and the pressed button is gone.
                        self.focus();
                    }
                    actions.complete(|strings| strings.account_saved);
                }
                Err(error) => actions.fail(error),
            }
        });
    }

    /// Returns the focus to the menu button of the row or page.
    fn focus(self) {
        let button = format!("[id=\"manage-{}\"]", self.row.id);
        dom::spawn(async move {
            tick().await;
            dom::focus_first(&button);
        });
    }
}

/// The dialog; open while an action awaits confirmation.
pub(super) fn dialog(actions: Actions) -> impl IntoView {
    let language = actions.language;
    // After closing the focus returns to the row.
    Effect::new(move |before: Option<Option<PendingAction>>| {
        let pending = actions.pending.get();
        if let (None, Some(before)) = (pending, before.flatten()) {
            before.focus();
        }
        pending
    });
    let close = move || actions.pending.set(None);
    let execute = move |_| {
        let pending = actions.pending.get_untracked();
        close();
        if let Some(pending) = pending {
            pending.execute(actions);
        }
    };
    let text_of = move |pick: fn(AdminAction, &'static Strings) -> &'static str| {
        move || actions.pending.get().map(|pending| pick(pending.action, language.strings()))
    };
    let user = move || actions.pending.get().and_then(|pending| pending.row.get(display_name));
    let is_open = Signal::derive(move || actions.pending.with(Option::is_some));
    view! {
        <Dialog
            is_open
            on_close=move |()| close()
            title_id="confirm-title"
            initial_focus="#confirm-cancel"
        >
            <h2 id="confirm-title">{text_of(AdminAction::title)}</h2>
            <p class="dialog-name">{user}</p>
            <p class="lead">{text_of(AdminAction::text)}</p>
            <div class="form-actions">
                <button
                    type="button"
                    class=move || {
                        let is_harmful = actions
                            .pending
                            .with(|pending| pending.is_some_and(|it| it.action.is_harmful()));
                        if is_harmful { "btn btn-outline btn-danger" } else { "btn btn-outline" }
                    }
                    on:click=execute
                >
                    {text_of(AdminAction::label)}
                </button>
                <button
                    type="button"
                    id="confirm-cancel"
                    class="btn btn-ghost"
                    on:click=move |_| close()
                >
                    {language.t(|s| s.cancel)}
                </button>
            </div>
        </Dialog>
    }
}
