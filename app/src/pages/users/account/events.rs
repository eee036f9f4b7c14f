//! The newest audit entries of the user.

use leptos::prelude::*;

use super::{UserPage, sessions::load_with_account};
use crate::{
    components::{error_panel::ErrorPanel, loader::Loader},
    pages::audit,
    protocol::{
        audit::{AuditEntry, AuditQuery},
        error::ApiError,
    },
    server_fns::list_audit_entries,
};

/// Number of entries.
const SHOWN: u32 = 10;

/// The card.
pub(super) fn card(page: UserPage) -> impl IntoView {
    let language = page.actions.language;
    let entries = Loader::new();
    load_with_account(page, move || entries.refresh(request(page)));
    let content = move || {
        if let Some(error) = entries.error() {
            let retry = move |()| entries.load(request(page));
            return view! { <ErrorPanel error retry class="error-panel" /> }.into_any();
        }
        match entries.get(Clone::clone) {
            None => view! { <p class="value"></p> }.into_any(),
            Some(list) if list.is_empty() => {
                view! { <p class="note">{language.t(|s| s.audit_none)}</p> }.into_any()
            }
            Some(list) => {
                let items: Vec<_> =
                    list.into_iter().map(|entry| audit::item(entry, language, false)).collect();
                view! { <ol class="audit-entries">{items}</ol> }.into_any()
            }
        }
    };
    view! {
        <section class="card user-events" aria-labelledby="user-events">
            <div class="files-head">
                <h2 id="user-events">{language.t(|s| s.recent_activity)}</h2>
                <a class="link" href=audit::path_of_user(page.row.id)>
                    {language.t(|s| s.audit_all)}
                </a>
            </div>
            {content}
        </section>
    }
}

async fn request(page: UserPage) -> Result<Vec<AuditEntry>, ApiError> {
    let query = AuditQuery {
        user: Some(page.row.id.to_string()),
        limit: Some(SHOWN.to_string()),
        ..AuditQuery::default()
    };
    list_audit_entries(query).await.map(|page| page.entries)
}
