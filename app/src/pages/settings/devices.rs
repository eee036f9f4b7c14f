//! `/settings/devices`: active sessions, and logging them out.

use leptos::{ev::SubmitEvent, prelude::*, tachys::html::InertElement, task::tick};

use crate::{
    components::{
        confirm_form::ConfirmForm,
        dialog::Dialog,
        error_panel::ErrorPanel,
        form::FormState,
        icons,
        loader::Loader,
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
        error::{ApiError, done_or_gone},
        sessions::{DeviceKind, SessionInfo, SessionQuery, SessionSelector},
    },
    routes::Page,
    server_fns::{list_sessions, revoke_sessions},
};

/// Age in seconds up to which a session counts as in use.
const ACTIVE_SECONDS: i64 = 60;

/// Selects a text of the page's language.
type Text = fn(&'static Strings) -> &'static str;

/// Sessions to log out once confirmed.
#[derive(Clone, PartialEq)]
enum PendingLogout {
    One(SessionInfo),
    AllOthers,
}

/// The session list and the pending confirmation.
#[derive(Clone, Copy)]
struct DeviceList {
    sessions: Loader<Vec<SessionInfo>>,
    pending: RwSignal<Option<PendingLogout>>,
    toasts: Toasts,
    language: Language,
}

/// Cards of the section.
pub(super) fn view() -> AnyView {
    let list = DeviceList {
        sessions: Loader::new(),
        pending: RwSignal::new(None),
        toasts: Toasts::of_page(),
        language: Language::of_page(),
    };
    list.sessions.load_for_user(request);
    let language = list.language;
    let is_loading = move || list.sessions.is_loading();
    let status = move || if is_loading() { language.strings().profile_loading } else { "" };
    view! {
        <p class="sr-only" role="status">{status}</p>
        <section class="card" aria-busy=move || is_loading().then_some("true")>
            <p class="lead">
                {language.t(|s| s.devices_text)} " "
                <a class="inline-link" href=Page::SettingsSecurity.path()>
                    {language.t(|s| s.change_password)}
                </a>
            </p>
            {move || list.content()}
        </section>
        {list.confirm_dialog()}
    }
    .into_any()
}

/// Icon of a device.
fn icon(device: &SessionInfo) -> InertElement {
    match device.kind() {
        DeviceKind::Phone => icons::phone(),
        DeviceKind::Tablet => icons::tablet(),
        DeviceKind::Computer => icons::desktop(),
        DeviceKind::Unknown => icons::unknown_device(),
    }
}

async fn request() -> Result<Vec<SessionInfo>, ApiError> {
    list_sessions().await.map(|list| list.sessions)
}

impl DeviceList {
    fn content(self) -> AnyView {
        if let Some(error) = self.sessions.error() {
            let heading = view! { <h2>{self.language.t(|s| s.devices_failed)}</h2> }.into_any();
            let retry = move |()| self.sessions.load(request());
            return view! { <ErrorPanel error heading retry class="error-panel" /> }.into_any();
        }
        let skeleton = || {
            view! {
                <ul class="devices">
                    <li class="device">
                        <span class="device-icon"></span>
                        <div>
                            <p class="value"></p>
                            <p class="value"></p>
                        </div>
                    </li>
                </ul>
            }
            .into_any()
        };
        self.sessions.get(|list| self.list(list)).unwrap_or_else(skeleton)
    }

    fn list(self, list: &[SessionInfo]) -> AnyView {
        // By the server's clock: the current session was last seen now.
        let now = list.first().map_or(0, |device| device.last_seen_at);
        let has_others = list.iter().any(|device| !device.current);
        let rows: Vec<_> = list.iter().map(|device| self.row(device, now)).collect();
        let end_others = move || {
            view! {
                <div class="form-actions card-footer">
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
        let icon = icon(device);
        let moment = move |seconds: i64, text: fn(i64, i64, Lang) -> String| {
            let exact = move || time::format_time(seconds, Precision::Minute, language.get());
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
                        class="btn btn-ghost"
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
                <span class="device-icon">{icon}</span>
                <div>
                    <h2>
                        {name}
                        {current
                            .then(|| {
                                view! {
                                    <span class="badge">{language.t(|s| s.this_device)}</span>
                                }
                            })}
                        {(is_new && !current)
                            .then(|| {
                                view! {
                                    <span class="badge badge-warning">
                                        {icons::warning()}
                                        {language.t(|s| s.new_device)}
                                    </span>
                                }
                            })}
                    </h2>
                    <p>
                        {if now - last_seen_at < ACTIVE_SECONDS {
                            view! { <span class="active">{language.t(|s| s.active_now)}</span> }
                                .into_any()
                        } else {
                            view! {
                                <span>
                                    {language.t(|s| s.last_seen)} " "
                                    {moment(last_seen_at, |seconds, now, lang| {
                                        time::format_relative(now - seconds, lang)
                                    })}
                                </span>
                            }
                                .into_any()
                        }}
                        {address.map(|address| view! { <span>{address}</span> })}
                    </p>
                    <p>
                        {move || {
                            let strings = language.strings();
                            if is_new { strings.first_logged_in } else { strings.logged_in_since }
                        }}
                        " "
                        {moment(created_at, |seconds, _, lang| {
                            time::format_time(seconds, Precision::Minute, lang)
                        })}
                    </p>
                </div>
                {(!current).then(end)}
            </li>
        }
        .into_any()
    }

    /// Confirmation dialog.
    fn confirm_dialog(self) -> AnyView {
        let is_open = Signal::derive(move || self.pending.with(Option::is_some));
        // The focus is on Cancel, so pressing Enter does nothing.
        view! {
            <Dialog
                is_open
                on_close=move |()| self.pending.set(None)
                title_id="confirm-title"
                initial_focus="#confirm-cancel"
            >
                {move || self.pending.get().map(|pending| self.confirm_form(pending))}
            </Dialog>
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
                let name = device_name(language.get(), browser.as_deref(), system.as_deref());
                view! { <strong>{name}</strong> }
            })
        };
        let submit =
            move |event: SubmitEvent| form.submit(&event, Box::pin(self.end(pending.clone())));
        let cancel = move |()| self.pending.set(None);
        view! {
            <ConfirmForm
                form
                title_id="confirm-title"
                title
                label=|s| s.log_out_device
                class="btn btn-danger btn-block"
                cancel_id="confirm-cancel"
                on_submit=submit
                on_cancel=cancel
            >
                <p class="lead">{device_label} " " {language.t(text)}</p>
            </ConfirmForm>
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
        done_or_gone(revoke_sessions(SessionQuery { id: selector }).await)?;
        self.toasts.status(message);
        self.pending.try_set(None);
        self.sessions.reload(request());
        // The pressed button is removed with its row. An open dialog keeps the focus from the page.
        tick().await;
        dom::focus_first("h1");
        Ok(())
    }
}
