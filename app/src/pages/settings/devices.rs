//! `/settings/devices`: where a person is signed in, and an end to it from here.

use leptos::{ev::SubmitEvent, html, prelude::*, task::tick};
use uuid::Uuid;

use crate::{
    components::{
        button::Submit,
        form::{FormFailure, FormState},
        icons,
        notices::Notices,
        time::{self, Precision},
        trouble::{self, Trouble},
    },
    dom,
    i18n::{
        Lang,
        authenticated::device_name,
        strings::{Language, Strings},
    },
    protocol::{
        error::{ApiError, Code},
        sessions::{SessionInfo, SessionSelector, list_sessions, revoke_sessions},
    },
    session::browser::Signals,
};

/// A text of the page.
type Text = fn(&'static Strings) -> &'static str;

#[derive(Clone)]
enum Load {
    Running,
    Done(Vec<SessionInfo>),
    Failed(Trouble),
}

/// What is to end, once the person has said yes.
#[derive(Clone, PartialEq)]
enum Asked {
    One(SessionInfo),
    AllOthers,
}

/// The list, and what is asked about it.
#[derive(Clone, Copy)]
struct Devices {
    load: RwSignal<Load>,
    asked: RwSignal<Option<Asked>>,
    notices: Notices,
    language: Language,
}

/// The section's cards.
pub(super) fn view() -> AnyView {
    let page = Devices {
        load: RwSignal::new(Load::Running),
        asked: RwSignal::new(None),
        notices: Notices::of_page(),
        language: Language::of_page(),
    };
    let auth = Signals::of_page().auth;
    Effect::new(move |before: Option<Option<Uuid>>| {
        let user = auth.with(|auth| auth.user().map(|user| user.id));
        if user.is_some() && before != Some(user) {
            page.load.set(Load::Running);
            page.fetch();
        }
        user
    });
    let language = page.language;
    let is_coming = move || page.load.with(|load| matches!(load, Load::Running));
    view! {
        <p class="sr-only" role="status">{move || if is_coming() { language.strings().profile_loading } else { "" }}</p>
        <section class="card" aria-busy=move || is_coming().then_some("true")>
            <p class="lead">{language.t(|s| s.devices_text)}</p>
            {move || page.content()}
        </section>
        {page.question()}
    }
    .into_any()
}

impl Devices {
    fn fetch(self) {
        dom::spawn(async move {
            let load = match list_sessions().await {
                Ok(list) => Load::Done(list.sessions),
                Err(error) => Load::Failed(Trouble::new(error)),
            };
            // The page may be another by now.
            self.load.try_set(load);
        });
    }

    fn content(self) -> AnyView {
        match self.load.get() {
            Load::Running => view! {
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
            Load::Done(list) => self.list(&list),
            Load::Failed(trouble) => self.failure(&trouble),
        }
    }

    fn list(self, list: &[SessionInfo]) -> AnyView {
        // The server's clock: the device that asks is seen at this moment.
        let now = list.first().map_or(0, |device| device.last_seen_at);
        let has_others = list.iter().any(|device| !device.current);
        let rows: Vec<_> = list.iter().map(|device| self.row(device, now)).collect();
        let end_others = move || {
            view! {
                <div class="form-actions">
                    <button
                        type="button"
                        class="btn btn-outline"
                        on:click=move |_| self.asked.set(Some(Asked::AllOthers))
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
        let mark = move |word: Text| {
            view! { <span class="mark-text">{language.t(word)}</span> }
        };
        let moment = move |seconds: i64, text: fn(i64, i64, Lang) -> String| {
            let exact = move || time::moment(seconds, Precision::Second, language.get());
            view! {
                <time datetime=time::iso(seconds) title=exact>
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
                        on:click=move |_| self.asked.set(Some(Asked::One(device.clone())))
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
                        {current.then(|| mark(|s| s.this_device))}
                        {(is_new && !current).then(|| mark(|s| s.new_device))}
                    </h2>
                    <p>
                        {(!current)
                            .then(|| {
                                view! {
                                    {language.t(|s| s.last_seen)}
                                    " "
                                    {moment(last_seen_at, |seconds, now, lang| time::ago(now - seconds, lang))}
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
                        {moment(created_at, |seconds, _, lang| time::moment(seconds, Precision::Second, lang))}
                    </p>
                </div>
                {(!current).then(end)}
            </li>
        }
        .into_any()
    }

    fn failure(self, trouble: &Trouble) -> AnyView {
        let language = self.language;
        let again = move |_| {
            self.load.set(Load::Running);
            self.fetch();
        };
        view! {
            <div class="failure">
                <div class="failure-mark">{icons::closed_mark()}</div>
                <div role="alert">
                    <h2>{language.t(|s| s.devices_failed)}</h2>
                    {trouble::told(trouble, language.strings())}
                </div>
                {trouble::countdown(trouble, language)}
                <button type="button" class="btn btn-primary" on:click=again>
                    {language.t(|s| s.retry)}
                </button>
            </div>
        }
        .into_any()
    }

    /// The question that stands before an end: it is asked once.
    fn question(self) -> AnyView {
        let dialog = NodeRef::<html::Dialog>::new();
        Effect::new(move |_| {
            let Some(dialog) = dialog.get() else { return };
            if self.asked.with(Option::is_some) {
                // It throws where it is open already.
                let _ = dialog.show_modal();
                // One frame later the question is in it. Who only presses the key does nothing.
                request_animation_frame(|| {
                    if let Some(button) = dom::find("#question-cancel") {
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
                aria-labelledby="question-title"
                on:close=move |_| self.asked.set(None)
            >
                {move || self.asked.get().map(|asked| self.asking(asked))}
            </dialog>
        }
        .into_any()
    }

    fn asking(self, asked: Asked) -> AnyView {
        let language = self.language;
        let form = FormState::new(Vec::new());
        let (title, text): (Text, Text) = match &asked {
            Asked::One(_) => (|s| s.log_out_device_title, |s| s.log_out_device_text),
            Asked::AllOthers => (|s| s.log_out_others_title, |s| s.log_out_others_text),
        };
        let name = match &asked {
            Asked::One(device) => Some((device.browser.clone(), device.system.clone())),
            Asked::AllOthers => None,
        };
        let which = move || {
            name.as_ref().map(|(browser, system)| {
                view! { <strong>{device_name(language.get(), browser.as_deref(), system.as_deref())}</strong> }
            })
        };
        let submit =
            move |event: SubmitEvent| form.submit(&event, Box::pin(self.end(asked.clone())));
        view! {
            <form method="post" novalidate on:submit=submit>
                <h2 id="question-title">{language.t(title)}</h2>
                <p class="lead">{which} " " {language.t(text)}</p>
                <FormFailure form />
                <div class="form-actions">
                    <Submit label=|s| s.log_out_device busy=form.busy />
                    <button
                        type="button"
                        id="question-cancel"
                        class="btn btn-ghost"
                        on:click=move |_| self.asked.set(None)
                    >
                        {language.t(|s| s.cancel)}
                    </button>
                </div>
            </form>
        }
        .into_any()
    }

    async fn end(self, asked: Asked) -> Result<(), ApiError> {
        let (which, told): (SessionSelector, Text) = match asked {
            Asked::One(device) => {
                (SessionSelector::One(device.id.to_string()), |s| s.device_logged_out)
            }
            Asked::AllOthers => (SessionSelector::AllOthers, |s| s.others_logged_out),
        };
        match revoke_sessions(which).await {
            Ok(_) => {}
            // It has ended by itself meanwhile: that was wanted.
            Err(error) if error.code == Code::NotFound => {}
            Err(error) => return Err(error),
        }
        self.notices.status(told);
        self.asked.try_set(None);
        self.fetch();
        // What was pressed goes with its row. While the question is there, nothing behind it takes
        // the focus.
        tick().await;
        if let Some(heading) = dom::find("h1") {
            dom::focus(&heading);
        }
        Ok(())
    }
}
