//! Recent activity: the events of the account, and "It was not me" beside a login.

use leptos::{ev::SubmitEvent, prelude::*, task::tick};
use uuid::Uuid;

use crate::{
    components::{
        confirm_form::ConfirmForm,
        dialog::Dialog,
        error_panel::ErrorPanel,
        form::FormState,
        loader::Loader,
        time::{self, Precision},
        toasts::Toasts,
    },
    dom,
    i18n::{
        authenticated::device_name,
        strings::{Language, Strings},
    },
    pages::audit,
    protocol::{
        activity::{ActivityEvent, ActivityPage, ActivityQuery},
        error::{ApiError, done_or_gone},
        sessions::{SessionQuery, SessionSelector},
    },
    server_fns::{list_activity, revoke_sessions},
    session::browser,
};

/// Selects a text of the page's language.
type Text = fn(&'static Strings) -> &'static str;

/// Events of a page.
const PAGE_SIZE: u32 = 20;

/// The events that are loaded, and the login that was not the user's.
#[derive(Clone, Copy)]
struct Activity {
    events: Loader<ActivityPage>,
    /// More events are being loaded.
    is_loading_more: RwSignal<bool>,
    denied: RwSignal<Option<ActivityEvent>>,
    toasts: Toasts,
    language: Language,
}

/// The card.
pub(super) fn card() -> impl IntoView {
    let activity = Activity {
        events: Loader::new(),
        is_loading_more: RwSignal::new(false),
        denied: RwSignal::new(None),
        toasts: Toasts::of_page(),
        language: Language::of_page(),
    };
    activity.events.load_for_user(|| request(None));
    let language = activity.language;
    view! {
        <section class="card" aria-labelledby="activity">
            <h2 id="activity" tabindex="-1">{language.t(|s| s.recent_activity)}</h2>
            <p class="lead">{language.t(|s| s.activity_text)}</p>
            {move || activity.content()}
            {activity.dialog()}
        </section>
    }
}

async fn request(after: Option<String>) -> Result<ActivityPage, ApiError> {
    list_activity(ActivityQuery { after, limit: Some(PAGE_SIZE.to_string()) }).await
}

/// Returns whether the event is a login whose session is not that of this page.
fn is_deniable(event: &ActivityEvent) -> bool {
    let is_login = matches!(event.event.as_str(), "logged_in" | "new_device");
    let is_own = event.session_id.is_some() && event.session_id == browser::session_id();
    is_login && event.outcome == "success" && !is_own
}

impl Activity {
    fn content(self) -> AnyView {
        let language = self.language;
        if let Some(error) = self.events.error() {
            let heading = view! { <h3>{language.t(|s| s.activity_failed)}</h3> }.into_any();
            let retry = move |()| self.events.load(request(None));
            return view! { <ErrorPanel error heading retry class="error-panel" /> }.into_any();
        }
        match self.events.get(Clone::clone) {
            None => view! { <p class="value"></p> }.into_any(),
            Some(page) if page.events.is_empty() => {
                view! { <p class="note">{language.t(|s| s.activity_none)}</p> }.into_any()
            }
            Some(page) => self.list(page),
        }
    }

    fn list(self, page: ActivityPage) -> AnyView {
        let language = self.language;
        let items: Vec<_> = page.events.into_iter().map(|event| self.item(event)).collect();
        let more = page.next.map(|next| {
            view! {
                <button
                    type="button"
                    class="btn btn-outline"
                    aria-busy=dom::yes(self.is_loading_more)
                    on:click=move |_| self.load_more(next.clone())
                >
                    <span class="spinner" aria-hidden="true"></span>
                    <span>{language.t(|s| s.audit_older)}</span>
                </button>
            }
        });
        view! {
            <ol class="audit-entries">{items}</ol>
            <div class="pagination">{more}</div>
        }
        .into_any()
    }

    fn load_more(self, after: String) {
        if self.is_loading_more.get_untracked() {
            return;
        }
        self.is_loading_more.set(true);
        dom::spawn(async move {
            let result = request(Some(after)).await;
            self.is_loading_more.try_set(false);
            match result {
                Ok(older) => {
                    self.events.update(|page| {
                        page.events.extend(older.events);
                        page.next = older.next;
                    });
                }
                Err(_) => self.toasts.alert(|strings| strings.activity_failed),
            }
        });
    }

    fn item(self, event: ActivityEvent) -> impl IntoView {
        let language = self.language;
        let deny = is_deniable(&event).then(|| {
            let event = event.clone();
            view! {
                <button
                    type="button"
                    class="btn btn-outline"
                    on:click=move |_| self.denied.set(Some(event.clone()))
                >
                    {language.t(|s| s.not_me)}
                </button>
            }
        });
        let ActivityEvent { event, at, browser, system, address, outcome, .. } = event;
        view! {
            <li>
                <time datetime=time::to_iso(at)>
                    {move || time::format_time(at, Precision::Minute, language.get())}
                </time>
                <div>
                    <p class="audit-event">
                        {audit::event(language, event, outcome)}
                    </p>
                    <p class="audit-facts">{audit::client(language, browser, system, address)}</p>
                    {deny}
                </div>
            </li>
        }
    }

    /// Confirmation before the session of a login ends.
    fn dialog(self) -> AnyView {
        let is_open = Signal::derive(move || self.denied.with(Option::is_some));
        view! {
            <Dialog
                is_open
                on_close=move |()| self.denied.set(None)
                title_id="not-me-title"
                initial_focus="#not-me-cancel"
            >
                {move || self.denied.get().map(|event| self.confirmation(event))}
            </Dialog>
        }
        .into_any()
    }

    fn confirmation(self, event: ActivityEvent) -> AnyView {
        let language = self.language;
        let form = FormState::new(Vec::new());
        let session_id = event.session_id;
        let submit = move |event: SubmitEvent| {
            form.submit(&event, Box::pin(self.end(session_id)));
        };
        let (browser, system) = (event.browser, event.system);
        let device = move || device_name(language.get(), browser.as_deref(), system.as_deref());
        let (text, label): (Text, Text) = if session_id.is_some() {
            (|s| s.not_me_text, |s| s.not_me_submit)
        } else {
            (|s| s.not_me_ended_text, |s| s.change_password)
        };
        let cancel = move |()| self.denied.set(None);
        view! {
            <ConfirmForm
                form
                title_id="not-me-title"
                title=|s| s.not_me_title
                label
                class="btn btn-danger btn-block"
                cancel_id="not-me-cancel"
                on_submit=submit
                on_cancel=cancel
            >
                <p class="dialog-name">{device}</p>
                <p class="lead">{language.t(text)}</p>
            </ConfirmForm>
        }
        .into_any()
    }

    /// Ends the session, then leads to the password form on this page.
    async fn end(self, session_id: Option<Uuid>) -> Result<(), ApiError> {
        if let Some(id) = session_id {
            let query = SessionQuery { id: SessionSelector::One(id.to_string()) };
            done_or_gone(revoke_sessions(query).await)?;
            self.toasts.alert(|strings| strings.not_me_done);
            self.events.reload(request(None));
        }
        self.denied.try_set(None);
        // The open dialog keeps the focus from the page.
        tick().await;
        dom::focus_first("#current_password");
        Ok(())
    }
}
