//! `/profile`: who you are and how long your token lives.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};
use uuid::Uuid;

use crate::{
    api::{Profile as Me, error::ApiError, me::me},
    components::{
        form::failure_text,
        icons::Warning,
        initials,
        leave::LogOut,
        name_of,
        time::{self, Precision},
    },
    i18n::words::{Language, Words, welcome},
    session::browser::{self, Signals},
};

#[derive(Clone)]
enum Load {
    Running,
    Done(Me),
    Failed(ApiError),
}

/// The page. Its frame is the same while the data comes, so that nothing jumps.
#[component]
pub fn Profile() -> impl IntoView {
    let language = Language::of_page();
    let signals = Signals::of_page();
    let user = Memo::new(move |_| signals.auth.with(|auth| auth.user().cloned()));
    let (load, reload) = use_profile(signals);
    let greeting = move || match user.get() {
        Some(user) => welcome(language.get(), name_of(&user)),
        None => language.words().account.to_owned(),
    };
    view! {
        <div class="profile">
            <h1 tabindex="-1">{greeting}</h1>
            {move || match load.get() {
                Load::Failed(error) => view! { <Failure error reload /> }.into_any(),
                Load::Running => view! { <Cards profile=None /> }.into_any(),
                Load::Done(profile) => view! { <Cards profile=Some(profile) /> }.into_any(),
            }}
        </div>
    }
}

/// Loads the data of whoever is signed in, again with each pair of tokens. Gives the data and the way to ask once more.
fn use_profile(signals: Signals) -> (RwSignal<Load>, Callback<()>) {
    let load = RwSignal::new(Load::Running);
    let running = StoredValue::new(None::<Uuid>);
    let id = Memo::new(move |_| signals.auth.with(|auth| auth.user().map(|user| user.id)));
    let fetch = move || {
        // One at a time: a call that is renewed on its way shows the newest token anyway.
        let Some(user) = id.get_untracked().filter(|user| running.get_value() != Some(*user)) else { return };
        running.set_value(Some(user));
        spawn_local(async move {
            let outcome = me().await;
            if running.try_get_value().flatten() != Some(user) {
                return;
            }
            running.set_value(None);
            // The answer to somebody who has left meanwhile is nobody's.
            if id.get_untracked() != Some(user) {
                return;
            }
            match outcome {
                Ok(profile) => load.set(Load::Done(profile)),
                // What is on screen is still true.
                Err(_) if matches!(load.get_untracked(), Load::Done(_)) => {}
                Err(error) => load.set(Load::Failed(error)),
            }
        });
    };
    Effect::new(move |before: Option<Option<Uuid>>| {
        let now = id.get();
        if before.flatten() != now {
            load.set(Load::Running);
        }
        signals.renewals.track();
        fetch();
        now
    });
    let reload = Callback::new(move |()| {
        load.set(Load::Running);
        fetch();
    });
    (load, reload)
}

#[component]
fn Failure(error: ApiError, reload: Callback<()>) -> impl IntoView {
    let language = Language::of_page();
    view! {
        <section class="card failure" role="alert">
            <Warning />
            <h2>{language.say(|w| w.load_failed)}</h2>
            <p>{move || failure_text(&error, language.words())}</p>
            <div class="actions">
                <button type="button" class="btn btn-primary" on:click=move |_| reload.run(())>
                    {language.say(|w| w.retry)}
                </button>
                <LogOut label=|w| w.switch_account />
            </div>
        </section>
    }
}

/// The two cards; grey where the data is still missing.
#[component]
fn Cards(profile: Option<Me>) -> impl IntoView {
    let language = Language::of_page();
    let is_loading = profile.is_none();
    let name = profile.as_ref().map(|profile| name_of(&profile.user).to_owned());
    let username = profile.as_ref().map(|profile| profile.user.username.clone());
    let created = profile.as_ref().map(|profile| profile.created_at);
    view! {
        <div class="cards" aria-busy=is_loading.then_some("true")>
            {is_loading.then(|| view! { <p class="sr-only" role="status">{language.say(|w| w.loading)}</p> })}
            <section class="card card-person">
                <div class="avatar" class:skeleton=is_loading aria-hidden="true">{name.as_deref().map(initials)}</div>
                <p class="card-name">{line(name)}</p>
                <p class="card-username">{line(username)}</p>
                <p class="card-since">
                    {match created {
                        Some(created) => view! { {language.say(|w| w.since)} " " <Moment seconds=created precision=Precision::Day /> }.into_any(),
                        None => line(None).into_any(),
                    }}
                </p>
                <LogOut />
            </section>
            <section class="card card-token">
                <h2>{language.say(|w| w.your_token)}</h2>
                <dl>
                    <Row label=|w| w.issued_at moment=profile.as_ref().map(|profile| profile.login_time) />
                    <Row label=|w| w.expires_at moment=profile.as_ref().map(|profile| profile.expiration_time) />
                    <div class="row">
                        <dt>{language.say(|w| w.token_type)}</dt>
                        <dd>
                            {match &profile {
                                None => line(None).into_any(),
                                Some(profile) if profile.fresh => view! { "access" <span class="aside-note">" · " {language.say(|w| w.fresh)}</span> }.into_any(),
                                Some(_) => "access".into_any(),
                            }}
                        </dd>
                    </div>
                </dl>
                <Life profile />
            </section>
        </div>
    }
}

/// A text, or a grey line of its height.
fn line(text: Option<String>) -> impl IntoView {
    match text {
        Some(text) => text.into_any(),
        None => view! { <span class="skeleton skeleton-line" aria-hidden="true"></span> }.into_any(),
    }
}

#[component]
fn Row(label: fn(&'static Words) -> &'static str, moment: Option<i64>) -> impl IntoView {
    let language = Language::of_page();
    view! {
        <div class="row">
            <dt>{language.say(label)}</dt>
            <dd>
                {match moment {
                    Some(seconds) => view! { <Moment seconds precision=Precision::Second /> }.into_any(),
                    None => line(None).into_any(),
                }}
            </dd>
        </div>
    }
}

#[component]
fn Moment(seconds: i64, precision: Precision) -> impl IntoView {
    let language = Language::of_page();
    view! { <time datetime=time::iso(seconds)>{move || time::moment(seconds, precision, language.get())}</time> }
}

/// How much of the token's life is left, by the server's clock.
#[component]
fn Life(profile: Option<Me>) -> impl IntoView {
    let language = Language::of_page();
    let Some(profile) = profile else {
        return view! { <div class="life"><div class="life-text">{line(None)}</div><div class="skeleton life-bar"></div></div> }
            .into_any();
    };
    let left = move || browser::seconds_until(profile.expiration_time).unwrap_or(0).max(0);
    let seconds = RwSignal::new(left());
    Effect::new(move |_| {
        let handle = set_interval_with_handle(move || seconds.set(left()), Duration::from_secs(1));
        on_cleanup(move || {
            if let Ok(handle) = handle {
                handle.clear();
            }
        });
    });
    let whole = (profile.expiration_time - profile.login_time).max(1);
    view! {
        <div class="life">
            <div class="life-text">
                {move || match seconds.get() {
                    0 => language.words().expired.to_owned(),
                    left => format!("{} {}", language.words().time_left, time::clock(left)),
                }}
            </div>
            <progress class="progress progress-primary life-bar" max=whole.to_string() value=move || seconds.get().to_string() aria-label=language.say(|w| w.time_left)></progress>
        </div>
    }
    .into_any()
}
