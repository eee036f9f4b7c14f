//! Notices to the owner of pictures that an administrator has removed.

use leptos::prelude::*;
use uuid::Uuid;

use crate::{
    components::{
        icons,
        loader::Loader,
        time::{self, Precision},
        toasts::Toasts,
    },
    dom,
    i18n::{audit::removal_reason, strings::Language},
    protocol::{
        error::done_or_gone,
        moderation::{NoticeQuery, RemovalNotice},
    },
    server_fns::{dismiss_notice, list_notices},
};

/// The notices, requested if there are any; nothing if they could not be loaded. `count`: their
/// number, as the response with the user's files has it; none while that is loading.
pub(super) fn view(count: Memo<Option<u64>>) -> impl IntoView {
    let notices = Loader::<Vec<RemovalNotice>>::new();
    Effect::new(move |_| {
        if count.get().unwrap_or_default() > 0 {
            notices.load(async { list_notices().await.map(|list| list.notices) });
        } else {
            notices.reset();
        }
    });
    let all = move || notices.get(Clone::clone).unwrap_or_default();
    view! {
        <div class="removal-notices" role="status">
            <For each=all key=|notice| notice.id let:notice>{card(notices, notice)}</For>
        </div>
    }
}

fn card(notices: Loader<Vec<RemovalNotice>>, notice: RemovalNotice) -> impl IntoView {
    let language = Language::of_page();
    let toasts = Toasts::of_page();
    let RemovalNotice { id, file_name, reason, text, created_at } = notice;
    let is_file = file_name.is_some();
    let title = move || {
        let strings = language.strings();
        if is_file { strings.notice_file } else { strings.notice_avatar }
    };
    let reason = move || removal_reason(language.get(), reason);
    let day = move || time::format_time(created_at, Precision::Day, language.get());
    let forget = move |id: Uuid| {
        notices.update(|all| all.retain(|notice| notice.id != id));
        // The pressed button is removed with its notice.
        dom::focus_first("h1");
    };
    let dismiss = move |_| {
        dom::spawn(async move {
            match done_or_gone(dismiss_notice(NoticeQuery { id }).await) {
                Ok(()) => forget(id),
                Err(_) => toasts.alert(|strings| strings.notice_dismiss_failed),
            }
        });
    };
    view! {
        <section class="alert alert-warning removal-notice" aria-label=title>
            {icons::warning()}
            <div>
                <h2>{title}</h2>
                {file_name.map(|name| view! { <p class="removal-text"><bdi>{name}</bdi></p> })}
                <p>{language.t(|s| s.removal_reason)}": "{reason}</p>
                {text.map(|text| view! { <p class="removal-text"><bdi>{text}</bdi></p> })}
                <p class="note">
                    <time datetime=time::to_iso(created_at)>{day}</time>
                </p>
            </div>
            <button type="button" class="btn btn-outline" on:click=dismiss>
                {language.t(|s| s.notice_dismiss)}
            </button>
        </section>
    }
}
