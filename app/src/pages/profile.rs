//! `/profile`: who you are and how long your token lives.

use std::time::Duration;

use leptos::prelude::*;
use uuid::Uuid;

use crate::{
    api::{Profile as Me, error::ApiError, me::me},
    components::{
        form::failure_text,
        icons, initials,
        leave::LogOut,
        name_of,
        time::{self, Precision},
    },
    dom,
    i18n::{
        Lang,
        words::{Language, Words, welcome},
    },
    session::browser::{self, Signals},
};

#[derive(Clone)]
enum Load {
    Running,
    Done(Me),
    Failed(ApiError),
}

/// What the page shows, and where it gets it from.
#[derive(Clone, Copy)]
struct Data {
    load: RwSignal<Load>,
    language: Language,
}

impl Data {
    /// A text of the data, empty until there is some: the style sheet greys what is empty. As with [`Language::say`], all of
    /// them are one type.
    fn text(self, pick: fn(&Me, Lang) -> String) -> impl Fn() -> String + Copy + Send + Sync {
        move || {
            self.load.with(|load| match load {
                Load::Done(profile) => pick(profile, self.language.get()),
                Load::Running | Load::Failed(_) => String::new(),
            })
        }
    }
}

/// The page. Its frame is the same while the data comes, so that nothing jumps.
#[component]
pub fn Profile() -> impl IntoView {
    let signals = Signals::of_page();
    let language = Language::of_page();
    let data = Data { load: RwSignal::new(Load::Running), language };
    let reload = keep_loaded(signals, data.load);
    let greeting = move || {
        let known = signals.auth.with(|auth| auth.user().map(|user| welcome(language.get(), name_of(user))));
        known.unwrap_or_else(|| language.words().account.to_owned())
    };
    let is_running = move || data.load.with(|load| matches!(load, Load::Running));
    let has_failed = move || data.load.with(|load| matches!(load, Load::Failed(_)));
    view! {
        <div class="profile">
            <h1 tabindex="-1">{greeting}</h1>
            <p class="sr-only" role="status">{move || if is_running() { language.words().loading } else { "" }}</p>
            {move || match data.load.get() {
                Load::Failed(error) => Some(failure(&error, language, reload)),
                Load::Running | Load::Done(_) => None,
            }}
            <div class="cards" hidden=has_failed aria-busy=move || is_running().then_some("true")>
                <section class="card card-person">
                    <div class="avatar" aria-hidden="true">{data.text(|me, _| initials(name_of(&me.user)))}</div>
                    <p class="card-name">{data.text(|me, _| name_of(&me.user).to_owned())}</p>
                    // Who has no nickname is called by the username already.
                    <p class="card-username">
                        {data.text(|me, _| me.user.nickname.as_ref().map(|_| me.user.username.clone()).unwrap_or_default())}
                    </p>
                    <p class="card-since">
                        {data.text(|me, lang| {
                            let day = time::moment(me.created_at, Precision::Day, lang);
                            format!("{} {day}", Words::of(lang).since)
                        })}
                    </p>
                    <LogOut />
                </section>
                <section class="card card-token">
                    <h2>{language.say(|w| w.your_token)}</h2>
                    <dl>
                        {moment(data, |w| w.issued_at, |me| me.login_time)}
                        {moment(data, |w| w.expires_at, |me| me.expiration_time)}
                        <div class="row">
                            <dt>{language.say(|w| w.token_type)}</dt>
                            <dd>
                                {data.text(|me, lang| {
                                    if me.fresh { format!("access · {}", Words::of(lang).fresh) } else { "access".to_owned() }
                                })}
                            </dd>
                        </div>
                    </dl>
                    {life(data)}
                </section>
            </div>
        </div>
    }
}

/// Loads the data of whoever is signed in, again with each pair of tokens. Gives the way to ask once more.
fn keep_loaded(signals: Signals, load: RwSignal<Load>) -> Callback<()> {
    let running = StoredValue::new(None::<Uuid>);
    let who = move || signals.auth.with_untracked(|auth| auth.user().map(|user| user.id));
    let fetch = move || {
        // One at a time: a call that is renewed on its way shows the newest token anyway.
        let Some(user) = who().filter(|user| running.get_value() != Some(*user)) else { return };
        running.set_value(Some(user));
        dom::spawn(async move {
            let outcome = me().await;
            if running.try_get_value().flatten() != Some(user) {
                return;
            }
            running.set_value(None);
            // The answer to somebody who has left meanwhile is nobody's.
            if who() != Some(user) {
                return;
            }
            match outcome {
                Ok(profile) => load.set(Load::Done(profile)),
                // What is on screen is still true.
                Err(_) if load.with_untracked(|load| matches!(load, Load::Done(_))) => {}
                Err(error) => load.set(Load::Failed(error)),
            }
        });
    };
    Effect::new(move |before: Option<Option<Uuid>>| {
        signals.auth.track();
        signals.renewals.track();
        let now = who();
        if before.flatten() != now {
            load.set(Load::Running);
        }
        fetch();
        now
    });
    Callback::new(move |()| {
        load.set(Load::Running);
        fetch();
    })
}

fn failure(error: &ApiError, language: Language, reload: Callback<()>) -> impl IntoView + use<> {
    view! {
        <section class="card failure" role="alert">
            {icons::warning()}
            <h2>{language.say(|w| w.load_failed)}</h2>
            <p>{failure_text(error, language.words())}</p>
            <div class="actions">
                <button type="button" class="btn btn-primary" on:click=move |_| reload.run(())>
                    {language.say(|w| w.retry)}
                </button>
                <LogOut label=|w| w.switch_account />
            </div>
        </section>
    }
}

/// A row with a moment.
fn moment(data: Data, label: fn(&'static Words) -> &'static str, pick: fn(&Me) -> i64) -> impl IntoView {
    let seconds = move || {
        data.load.with(|load| match load {
            Load::Done(profile) => Some(pick(profile)),
            Load::Running | Load::Failed(_) => None,
        })
    };
    let text = move || {
        seconds().map(|seconds| time::moment(seconds, Precision::Second, data.language.get())).unwrap_or_default()
    };
    view! {
        <div class="row">
            <dt>{data.language.say(label)}</dt>
            <dd><time datetime=move || seconds().map(time::iso)>{text}</time></dd>
        </div>
    }
}

/// How much of the token's life is left, by the server's clock.
fn life(data: Data) -> impl IntoView {
    let language = data.language;
    let second = RwSignal::new(0_u32);
    Effect::new(move |_| {
        let handle = set_interval_with_handle(move || second.update(|second| *second += 1), Duration::from_secs(1));
        on_cleanup(move || {
            if let Ok(handle) = handle {
                handle.clear();
            }
        });
    });
    // Seconds that are left, and of how many.
    let left = move || {
        second.track();
        data.load.with(|load| match load {
            Load::Done(me) => {
                let left = browser::seconds_until(me.expiration_time)?;
                Some((left.max(0), (me.expiration_time - me.login_time).max(1)))
            }
            Load::Running | Load::Failed(_) => None,
        })
    };
    let text = move || match left() {
        None => String::new(),
        Some((0, _)) => language.words().expired.to_owned(),
        Some((left, _)) => format!("{} {}", language.words().time_left, time::clock(left)),
    };
    view! {
        <p class="life-text">{text}</p>
        <progress
            class="progress progress-primary life-bar"
            aria-label=language.say(|w| w.time_left)
            max=move || left().map_or(1, |(_, whole)| whole).to_string()
            value=move || left().map_or(0, |(left, _)| left).to_string()
        ></progress>
    }
}
