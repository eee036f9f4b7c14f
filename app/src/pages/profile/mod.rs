//! `/profile`: who you are and how long your token lives.

mod token;

use leptos::prelude::*;
use uuid::Uuid;

use crate::{
    api::{Profile as Me, me::me},
    components::{
        avatar::Avatar,
        icons,
        leave::LogOut,
        name_of,
        time::{self, Precision},
        trouble::{self, Trouble},
    },
    dom,
    i18n::{
        Lang,
        words::{Language, Words, welcome},
    },
    session::browser::Signals,
};

#[derive(Clone)]
enum Load {
    Running,
    Done(Me),
    Failed(Trouble),
}

/// What the page shows, and where it gets it from.
#[derive(Clone, Copy)]
struct Data {
    load: RwSignal<Load>,
    language: Language,
}

impl Data {
    /// Something of the data, once there is some. As with [`Language::say`], all texts are one type.
    fn get<T>(self, pick: impl FnOnce(&Me) -> T) -> Option<T> {
        self.load.with(|load| match load {
            Load::Done(profile) => Some(pick(profile)),
            Load::Running | Load::Failed(_) => None,
        })
    }

    /// A text of the data, nothing until there is some: the style sheet greys what is empty.
    fn text(self, pick: fn(&Me, Lang) -> String) -> impl Fn() -> Option<String> + Copy + Send + Sync {
        move || self.get(|me| pick(me, self.language.get()))
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
                Load::Failed(trouble) => Some(failure(&trouble, language, reload)),
                Load::Running | Load::Done(_) => None,
            }}
            <div class="cards" hidden=has_failed aria-busy=move || is_running().then_some("true")>
                <section class="card card-person">
                    <Avatar class="avatar" />
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
                {token::card(data)}
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
                Err(error) => load.set(Load::Failed(Trouble::new(error))),
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

fn failure(trouble: &Trouble, language: Language, reload: Callback<()>) -> impl IntoView + use<> {
    view! {
        <section class="card failure">
            <div class="failure-mark">{icons::closed_mark()}</div>
            <div role="alert">
                <h2>{language.say(|w| w.load_failed)}</h2>
                {trouble::told(trouble, language.words())}
            </div>
            {trouble::countdown(trouble, language)}
            <div class="actions">
                <button type="button" class="btn btn-primary" on:click=move |_| reload.run(())>
                    {language.say(|w| w.retry)}
                </button>
                <LogOut label=|w| w.switch_account />
            </div>
        </section>
    }
}
