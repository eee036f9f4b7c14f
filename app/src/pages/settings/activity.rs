//! Recent activity: the events of the account, and "It was not me" beside a login.

use leptos::{ev::SubmitEvent, prelude::*, task::tick};
use uuid::Uuid;

use crate::{
    components::{
        dialog::Dialog,
        error_panel::ErrorPanel,
        form::{FormError, FormState},
        loader::Loader,
        submit_button::SubmitButton,
        time::{self, Precision},
        toasts::Toasts,
    },
    dom,
    i18n::{
        audit::{event_text, outcome_text},
        authenticated::device_name,
        strings::Language,
    },
    protocol::{
        activity::{ActivityEvent, ActivityPage, ActivityQuery},
        error::{ApiError, Code},
        sessions::{SessionQuery, SessionSelector},
    },
    server_fns::{list_activity, revoke_sessions},
    session::browser::{self, SessionContext},
};

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
    let context = SessionContext::of_page();
    Effect::new(move |before: Option<Option<Uuid>>| {
        let user_id = context.user_id();
        if user_id.is_some() && before != Some(user_id) {
            activity.events.load(request(None));
        }
        user_id
    });
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
        let is_success = outcome == "success";
        let name =
            move || event_text(language.get(), &event).map_or_else(|| event.clone(), Into::into);
        let outcome = move || {
            outcome_text(language.get(), &outcome).map_or_else(|| outcome.clone(), Into::into)
        };
        let device = (browser.is_some() || system.is_some()).then(|| {
            view! {
                <span>
                    {move || device_name(language.get(), browser.as_deref(), system.as_deref())}
                </span>
            }
        });
        view! {
            <li>
                <time datetime=time::to_iso(at)>
                    {move || time::format_time(at, Precision::Minute, language.get())}
                </time>
                <div>
                    <p class="audit-event">
                        <span>{name}</span>
                        {(!is_success)
                            .then(|| {
                                view! { <span class="pill" data-disabled="">{outcome}</span> }
                            })}
                    </p>
                    <p class="audit-facts">
                        {device} {address.map(|address| view! { <span>{address}</span> })}
                    </p>
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
        view! {
            <form method="post" novalidate on:submit=submit>
                <h2 id="not-me-title">{language.t(|s| s.not_me_title)}</h2>
                <p class="dialog-name">{device}</p>
                <p class="lead">
                    {language
                        .t(
                            if session_id.is_some() {
                                |s| s.not_me_text
                            } else {
                                |s| s.not_me_ended_text
                            },
                        )}
                </p>
                <FormError form />
                <div class="form-actions">
                    <SubmitButton
                        label=if session_id.is_some() {
                            |s| s.not_me_submit
                        } else {
                            |s| s.change_password
                        }
                        busy=form.busy
                        class="btn btn-danger btn-block"
                    />
                    <button
                        type="button"
                        id="not-me-cancel"
                        class="btn btn-ghost"
                        on:click=move |_| self.denied.set(None)
                    >
                        {language.t(|s| s.cancel)}
                    </button>
                </div>
            </form>
        }
        .into_any()
    }

    /// Ends the session, then leads to the password form on this page.
    async fn end(self, session_id: Option<Uuid>) -> Result<(), ApiError> {
        if let Some(id) = session_id {
            match revoke_sessions(SessionQuery { id: SessionSelector::One(id.to_string()) }).await {
                Ok(_) => {}
                // The session has ended meanwhile, as intended.
                Err(error) if error.code == Code::NotFound => {}
                Err(error) => return Err(error),
            }
            self.toasts.alert(|strings| strings.not_me_done);
            self.events.reload(request(None));
        }
        self.denied.try_set(None);
        // The open dialog keeps the focus from the page.
        tick().await;
        if let Some(field) = dom::find("#current_password") {
            dom::focus(&field);
        }
        Ok(())
    }
}
