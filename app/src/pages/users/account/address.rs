//! State of the user's address, and the actions on one that is not verified.

use leptos::prelude::*;

use super::{Text, UserPage};
use crate::{
    components::address_state::address_state,
    dom, page_settings,
    protocol::{Done, addresses::AddressOwner, error::ApiError, users::Account},
    server_fns::{send_account_verification, verify_account_address},
};

/// Returns the address that the owner of an account is reached at: the contact address, else a
/// username that is one.
pub(super) fn address_of(account: &Account) -> Option<&str> {
    let name = Some(&*account.username).filter(|name| name.contains('@'));
    account.email.as_deref().or(name)
}

/// State of the address, beside it.
pub(super) fn state(page: UserPage) -> impl IntoView {
    let details = page.details;
    let is_verified = move || {
        let has_address = page.row.is(|account| address_of(account).is_some());
        details.get(|details| details.email_verified).filter(|_| has_address)
    };
    let waiting = move || details.get(|details| details.pending_email.clone()).flatten();
    address_state(is_verified, waiting)
}

/// Buttons that verify the address, or send its verification again.
pub(super) fn actions(page: UserPage) -> impl IntoView {
    let language = page.actions.language;
    let is_hidden = move || {
        !page_settings::has_mail()
            || page
                .details
                .get(|details| {
                    let has_address = address_of(&details.user).is_some();
                    details.pending_email.is_none() && (details.email_verified || !has_address)
                })
                .unwrap_or(true)
    };
    let button = move |action: Action, label: Text| {
        view! {
            <button
                type="button"
                class="btn btn-outline"
                hidden=is_hidden
                on:click=move |_| action.execute(page)
            >
                {language.t(label)}
            </button>
        }
    };
    view! {
        {button(Action::Verify, |s| s.verify_for_user)}
        {button(Action::Send, |s| s.send_for_user)}
    }
}

/// An action on the address.
#[derive(Clone, Copy)]
enum Action {
    Verify,
    Send,
}

impl Action {
    fn execute(self, page: UserPage) {
        page.actions.error.set(None);
        dom::spawn(async move {
            match self.call(AddressOwner { id: Some(page.row.id.to_string()) }).await {
                Ok(_) => page.actions.complete(match self {
                    Self::Verify => |strings| strings.verify_for_user_done,
                    Self::Send => |strings| strings.send_for_user_done,
                }),
                Err(error) => page.actions.fail(error),
            }
            // The pressed button may be gone.
            dom::focus_first(&format!("[id=\"manage-{}\"]", page.row.id));
        });
    }

    async fn call(self, body: AddressOwner) -> Result<Done, ApiError> {
        match self {
            Self::Verify => verify_account_address(body).await,
            Self::Send => send_account_verification(body).await,
        }
    }
}
