//! `/settings/devices`: active sessions, and logging them out.

use leptos::{ev::SubmitEvent, html, prelude::*, task::tick};
use uuid::Uuid;

use crate::{
    components::{
        api_error_view::{self, DisplayedError},
        form::{FormError, FormState},
        icons,
        submit_button::SubmitButton,
        time::{self, Precision},
        toasts::Toasts,
    },
    dom,
    i18n::{
        Lang,
        authenticated::device_name,
        strings::{Language, Strings},
    },
    protocol::{
        error::{ApiError, Code},
        sessions::{SessionInfo, SessionQuery, SessionSelector},
    },
    server_fns::{list_sessions, revoke_sessions},
    session::browser::SessionContext,
};

/// Selects a text of the page's language.
type Text = fn(&'static Strings) -> &'static str;

#[derive(Clone)]
enum Load {
    Loading,
    Loaded(Vec<SessionInfo>),
    Failed(DisplayedError),
}

/// Sessions to log out once confirmed.
#[derive(Clone, PartialEq)]
enum PendingLogout {
    One(SessionInfo),
    AllOthers,
}

/// The session list and the pending confirmation.
#[derive(Clone, Copy)]
struct DeviceList {
    load: RwSignal<Load>,
    pending: RwSignal<Option<PendingLogout>>,
    toasts: Toasts,
    language: Language,
}

/// Cards of the section.
pub(super) fn view() -> AnyView {
    let list = DeviceList {
        load: RwSignal::new(Load::Loading),
        pending: RwSignal::new(None),
        toasts: Toasts::of_page(),
        language: Language::of_page(),
    };
    let auth = SessionContext::of_page().auth;
    Effect::new(move |before: Option<Option<Uuid>>| {
        let user = auth.with(|auth| auth.user().map(|user| user.id));
        if user.is_some() && before != Some(user) {
            list.load.set(Load::Loading);
            list.fetch();
        }
        user
    });
    let language = list.language;
    let is_loading = move || list.load.with(|load| matches!(load, Load::Loading));
    view! {
        <p class="sr-only" role="status">{move || if is_loading() { language.strings().profile_loading } else { "" }}</p>
        <section class="card" aria-busy=move || is_loading().then_some("true")>
            <p class="lead">{language.t(|s| s.devices_text)}</p>
            {move || list.content()}
        </section>
        {list.confirm_dialog()}
    }
    .into_any()
}

impl DeviceList {
    fn fetch(self) {
        dom::spawn(async move {
            let load = match list_sessions().await {
                Ok(list) => Load::Loaded(list.sessions),
                Err(error) => Load::Failed(DisplayedError::new(error)),
            };
            // The page may have been left meanwhile.
            self.load.try_set(load);
        });
    }

    fn content(self) -> AnyView {
        match self.load.get() {
            Load::Loading => view! {
                <ul class="devices">
                    <li class="device">
                        <div>
                            <p class="value"></p>
                            <p class="value"></p>
                        </div>
                    </li>
                </ul>
            }
            .into_any(),
            Load::Loaded(list) => self.list(&list),
            Load::Failed(error) => self.error_panel(&error),
        }
    }

    fn list(self, list: &[SessionInfo]) -> AnyView {
        // By the server's clock: the current session was last seen now.
        let now = list.first().map_or(0, |device| device.last_seen_at);
        let has_others = list.iter().any(|device| !device.current);
        let rows: Vec<_> = list.iter().map(|device| self.row(device, now)).collect();
        let end_others = move || {
            view! {
                <div class="form-actions">
                    <button
                        type="button"
                        class="btn btn-outline"
                        on:click=move |_| self.pending.set(Some(PendingLogout::AllOthers))
                    >
                        {self.language.t(|s| s.log_out_others)}
                    </button>
                </div>
            }
        };
        view! {
            <ul class="devices">{rows}</ul>
            {has_others.then(end_others)}
        }
        .into_any()
    }

    fn row(self, device: &SessionInfo, now: i64) -> AnyView {
        let language = self.language;
        let (created_at, last_seen_at, is_new) =
            (device.created_at, device.last_seen_at, device.new_device);
        let current = device.current;
        let name = {
            let (browser, system) = (device.browser.clone(), device.system.clone());
            move || device_name(language.get(), browser.as_deref(), system.as_deref())
        };
        let address = device.address.clone();
        let badge = move |word: Text| {
            view! { <span class="badge">{language.t(word)}</span> }
        };
        let moment = move |seconds: i64, text: fn(i64, i64, Lang) -> String| {
            let exact = move || time::format_time(seconds, Precision::Second, language.get());
            view! {
                <time datetime=time::to_iso(seconds) title=exact>
                    {move || text(seconds, now, language.get())}
                </time>
            }
        };
        let end = {
            let (device, name) = (device.clone(), name.clone());
            move || {
                view! {
                    <button
                        type="button"
                        class="btn btn-outline"
                        on:click=move |_| self.pending.set(Some(PendingLogout::One(device.clone())))
                    >
                        {language.t(|s| s.log_out_device)}
                        <span class="sr-only">" "{name}</span>
                    </button>
                }
            }
        };
        view! {
            <li class="device">
                <div>
                    <h2>
                        {name}
                        {current.then(|| badge(|s| s.this_device))}
                        {(is_new && !current).then(|| badge(|s| s.new_device))}
                    </h2>
                    <p>
                        {(!current)
                            .then(|| {
                                view! {
                                    {language.t(|s| s.last_seen)}
                                    " "
                                    {moment(last_seen_at, |seconds, now, lang| time::format_relative(now - seconds, lang))}
                                }
                            })}
                        {address.map(|address| view! { <span>{address}</span> })}
                    </p>
                    <p>
                        {move || {
                            let strings = language.strings();
                            if is_new { strings.first_logged_in } else { strings.logged_in_since }
                        }}
                        " "
                        {moment(created_at, |seconds, _, lang| time::format_time(seconds, Precision::Second, lang))}
                    </p>
                </div>
                {(!current).then(end)}
            </li>
        }
        .into_any()
    }

    fn error_panel(self, error: &DisplayedError) -> AnyView {
        let language = self.language;
        let retry = move |_| {
            self.load.set(Load::Loading);
            self.fetch();
        };
        view! {
            <div class="error-panel">
                <div class="error-mark">{icons::closed_mark()}</div>
                <div role="alert">
                    <h2>{language.t(|s| s.devices_failed)}</h2>
                    {api_error_view::error_message(error, language.strings())}
                </div>
                {api_error_view::retry_countdown(error, language)}
                <button type="button" class="btn btn-primary" on:click=retry>
                    {language.t(|s| s.retry)}
                </button>
            </div>
        }
        .into_any()
    }

    /// Confirmation dialog.
    fn confirm_dialog(self) -> AnyView {
        let dialog = NodeRef::<html::Dialog>::new();
        Effect::new(move |_| {
            let Some(dialog) = dialog.get() else { return };
            if self.pending.with(Option::is_some) {
                // `showModal` throws where the dialog is open already.
                let _ = dialog.show_modal();
                // The form is rendered one frame later. The focus is on Cancel, so pressing Enter
                // does nothing.
                request_animation_frame(|| {
                    if let Some(button) = dom::find("#confirm-cancel") {
                        dom::focus(&button);
                    }
                });
            } else {
                dialog.close();
            }
        });
        view! {
            <dialog
                class="dialog"
                node_ref=dialog
                aria-labelledby="confirm-title"
                on:close=move |_| self.pending.set(None)
            >
                {move || self.pending.get().map(|pending| self.confirm_form(pending))}
            </dialog>
        }
        .into_any()
    }

    fn confirm_form(self, pending: PendingLogout) -> AnyView {
        let language = self.language;
        let form = FormState::new(Vec::new());
        let (title, text): (Text, Text) = match &pending {
            PendingLogout::One(_) => (|s| s.log_out_device_title, |s| s.log_out_device_text),
            PendingLogout::AllOthers => (|s| s.log_out_others_title, |s| s.log_out_others_text),
        };
        let name = match &pending {
            PendingLogout::One(device) => Some((device.browser.clone(), device.system.clone())),
            PendingLogout::AllOthers => None,
        };
        let device_label = move || {
            name.as_ref().map(|(browser, system)| {
                view! { <strong>{device_name(language.get(), browser.as_deref(), system.as_deref())}</strong> }
            })
        };
        let submit =
            move |event: SubmitEvent| form.submit(&event, Box::pin(self.end(pending.clone())));
        view! {
            <form method="post" novalidate on:submit=submit>
                <h2 id="confirm-title">{language.t(title)}</h2>
                <p class="lead">{device_label} " " {language.t(text)}</p>
                <FormError form />
                <div class="form-actions">
                    <SubmitButton label=|s| s.log_out_device busy=form.busy />
                    <button
                        type="button"
                        id="confirm-cancel"
                        class="btn btn-ghost"
                        on:click=move |_| self.pending.set(None)
                    >
                        {language.t(|s| s.cancel)}
                    </button>
                </div>
            </form>
        }
        .into_any()
    }

    async fn end(self, pending: PendingLogout) -> Result<(), ApiError> {
        let (selector, message): (SessionSelector, Text) = match pending {
            PendingLogout::One(device) => {
                (SessionSelector::One(device.id.to_string()), |s| s.device_logged_out)
            }
            PendingLogout::AllOthers => (SessionSelector::AllOthers, |s| s.others_logged_out),
        };
        match revoke_sessions(SessionQuery { id: selector }).await {
            Ok(_) => {}
            // The session has ended meanwhile, as intended.
            Err(error) if error.code == Code::NotFound => {}
            Err(error) => return Err(error),
        }
        self.toasts.status(message);
        self.pending.try_set(None);
        self.fetch();
        // The pressed button is removed with its row. An open dialog keeps the focus from the page.
        tick().await;
        if let Some(heading) = dom::find("h1") {
            dom::focus(&heading);
        }
        Ok(())
    }
}
