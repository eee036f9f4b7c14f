//! The token: how long it lives, where it comes from and what becomes of it.

use leptos::prelude::*;

use crate::{
    components::time::{self, Precision},
    i18n::strings::Strings,
    pages::person::Person,
    protocol::Profile as Me,
    session::browser,
};

/// The token's card.
pub(super) fn card(data: Person) -> impl IntoView {
    let language = data.language;
    view! {
        <section class="card card-token">
            <h2>{language.t(|s| s.current_session)}</h2>
            {life(data)}
            <dl>
                {row(data, |s| s.issued_at, moment(data, Precision::Second, |me| Some(me.login_time)))}
                {row(data, |s| s.expires_at, moment(data, Precision::Second, |me| Some(me.expiration_time)))}
                {row(
                    data,
                    |s| s.token_type,
                    data.text(|me, lang| {
                        if me.fresh { format!("access · {}", Strings::of(lang).password_confirmed) } else { "access".to_owned() }
                    })
                        .into_any(),
                )}
            </dl>
            <h3>{language.t(|s| s.timeline)}</h3>
            <ol class="story">
                {step(data, |me, strings| if me.fresh { strings.timeline_issued } else { strings.timeline_renewed }, |me| Some(me.login_time))}
                {step(data, |_, strings| strings.timeline_renews, renewal)}
                {step(data, |_, strings| strings.timeline_expires, |me| Some(me.expiration_time))}
            </ol>
        </section>
    }
}

/// When the token is renewed ahead of its time, by the server's clock.
fn renewal(me: &Me) -> Option<i64> {
    let left = browser::seconds_until(me.expiration_time)?;
    Some(me.expiration_time - left + browser::seconds_until_renewal()?)
}

/// A fact.
fn row(data: Person, label: fn(&'static Strings) -> &'static str, fact: AnyView) -> impl IntoView {
    view! {
        <div class="row">
            <dt>{data.language.t(label)}</dt>
            <dd>{fact}</dd>
        </div>
    }
}

/// A moment, for people and for machines.
fn moment(data: Person, precision: Precision, pick: fn(&Me) -> Option<i64>) -> AnyView {
    let seconds = move || data.get(pick).flatten();
    let text =
        move || seconds().map(|seconds| time::moment(seconds, precision, data.language.get()));
    view! { <time datetime=move || seconds().map(time::iso)>{text}</time> }.into_any()
}

/// A step of the token's life.
fn step(
    data: Person,
    what: fn(&Me, &'static Strings) -> &'static str,
    when: fn(&Me) -> Option<i64>,
) -> impl IntoView {
    let text = move || data.get(|me| what(me, data.language.strings())).unwrap_or_default();
    view! { <li>{moment(data, Precision::Clock, when)}<span>{text}</span></li> }
}

/// How much of the token's life is left, by the server's clock.
fn life(data: Person) -> impl IntoView {
    let language = data.language;
    let second = time::every_second();
    // Seconds that are left, and of how many.
    let left = move || {
        second.track();
        let (ends, whole) =
            data.get(|me| (me.expiration_time, me.expiration_time - me.login_time))?;
        Some((browser::seconds_until(ends)?.max(0), whole.max(1)))
    };
    let clock = move || left().filter(|(left, _)| *left > 0).map(|(left, _)| time::clock(left));
    let text = move || match left() {
        None => "",
        Some((0, _)) => language.strings().expired,
        Some(_) => language.strings().time_left,
    };
    view! {
        <p class="life-text">
            <span class="life-clock">{clock}</span>
            <span>{text}</span>
        </p>
        <progress
            class="progress progress-primary life-bar"
            aria-label=language.t(|s| s.time_left)
            max=move || left().map_or(1, |(_, whole)| whole).to_string()
            value=move || left().map_or(0, |(left, _)| left).to_string()
        ></progress>
    }
}
