//! Card of the current session, with the lifetime of its access token.

use leptos::prelude::*;

use crate::{
    components::time::{self, Precision},
    i18n::{
        Lang,
        strings::{Language, Strings},
    },
    pages::profile_resource::ProfileResource,
    protocol::Profile as Me,
    session::browser,
};

/// The session's card: its state, and the token's data as details. They are open, since the page
/// documents the token's times.
pub(super) fn card(profile: ProfileResource) -> impl IntoView {
    let language = profile.language;
    let left = time_left(profile);
    let is_expired = move || left().is_some_and(|(left, _)| left == 0);
    let state = move || {
        let strings = language.strings();
        profile.get(|_| if is_expired() { strings.expired } else { strings.session_active })
    };
    view! {
        <section class="card card-token">
            <h2>{language.t(|s| s.current_session)}</h2>
            <p class="session-state" data-expired=move || is_expired().then_some("")>
                <span class="value">{state}</span>
            </p>
            <details open>
                <summary>{language.t(|s| s.technical_details)}</summary>
                {countdown(language, left)}
                <dl>
                    {row(profile, |s| s.issued_at, timestamp(profile, Precision::Second, issued_at))}
                    {row(profile, |s| s.expires_at, timestamp(profile, Precision::Second, expires_at))}
                    {row(profile, |s| s.token_type, profile.text(token_type).into_any())}
                </dl>
                <h3>{language.t(|s| s.timeline)}</h3>
                <ol class="timeline">
                    {step(profile, start_event, issued_at)}
                    {step(profile, |_, strings| strings.timeline_renews, renewal_time)}
                    {step(profile, |_, strings| strings.timeline_expires, expires_at)}
                </ol>
            </details>
        </section>
    }
}

#[expect(clippy::unnecessary_wraps, reason = "other times may be unknown")]
fn issued_at(me: &Me) -> Option<i64> {
    Some(me.login_time)
}

#[expect(clippy::unnecessary_wraps, reason = "other times may be unknown")]
fn expires_at(me: &Me) -> Option<i64> {
    Some(me.expiration_time)
}

fn token_type(me: &Me, lang: Lang) -> String {
    if me.fresh {
        format!("access · {}", Strings::of(lang).password_confirmed)
    } else {
        "access".to_owned()
    }
}

fn start_event(me: &Me, strings: &'static Strings) -> &'static str {
    if me.fresh { strings.timeline_issued } else { strings.timeline_renewed }
}

/// Returns the time of the next refresh ahead of expiry, by the server's clock.
fn renewal_time(me: &Me) -> Option<i64> {
    let left = browser::seconds_until(me.expiration_time)?;
    Some(me.expiration_time - left + browser::seconds_until_renewal()?)
}

/// A labelled value.
fn row(
    profile: ProfileResource,
    label: fn(&'static Strings) -> &'static str,
    fact: AnyView,
) -> impl IntoView {
    view! {
        <div class="row">
            <dt>{profile.language.t(label)}</dt>
            <dd>{fact}</dd>
        </div>
    }
}

/// A localised timestamp in a `<time>` element.
fn timestamp(
    profile: ProfileResource,
    precision: Precision,
    pick: fn(&Me) -> Option<i64>,
) -> AnyView {
    let seconds = move || profile.get(pick).flatten();
    let text = move || {
        seconds().map(|seconds| time::format_time(seconds, precision, profile.language.get()))
    };
    view! { <time datetime=move || seconds().map(time::to_iso)>{text}</time> }.into_any()
}

/// An event in the token's lifetime.
fn step(
    profile: ProfileResource,
    what: fn(&Me, &'static Strings) -> &'static str,
    when: fn(&Me) -> Option<i64>,
) -> impl IntoView {
    let text = move || profile.get(|me| what(me, profile.language.strings())).unwrap_or_default();
    view! { <li>{timestamp(profile, Precision::Clock, when)}<span>{text}</span></li> }
}

/// Returns the remaining and the whole lifetime of the token in seconds, by the server's clock.
fn time_left(profile: ProfileResource) -> impl Fn() -> Option<(i64, i64)> + Copy + Send + Sync {
    let second = time::every_second();
    move || {
        second.track();
        let (ends, whole) =
            profile.get(|me| (me.expiration_time, me.expiration_time - me.login_time))?;
        Some((browser::seconds_until(ends)?.max(0), whole.max(1)))
    }
}

/// Remaining lifetime of the token as text and bar.
fn countdown(
    language: Language,
    left: impl Fn() -> Option<(i64, i64)> + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let clock = move || left().map(|(left, _)| time::format_duration(left));
    view! {
        <p class="token-time">
            <span class="token-clock">{clock}</span>
            <span>{language.t(|s| s.time_left)}</span>
        </p>
        <progress
            class="progress progress-primary token-bar"
            aria-label=language.t(|s| s.time_left)
            max=move || left().map_or(1, |(_, whole)| whole).to_string()
            value=move || left().map_or(0, |(left, _)| left).to_string()
        ></progress>
    }
}
