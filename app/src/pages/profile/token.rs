//! Card with the lifetime of the access token.

use leptos::prelude::*;

use crate::{
    components::time::{self, Precision},
    i18n::{Lang, strings::Strings},
    pages::profile_resource::ProfileResource,
    protocol::Profile as Me,
    session::browser,
};

/// The token's card.
pub(super) fn card(profile: ProfileResource) -> impl IntoView {
    let language = profile.language;
    view! {
        <section class="card card-token">
            <h2>{language.t(|s| s.current_session)}</h2>
            {time_left(profile)}
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

/// Remaining lifetime of the token, by the server's clock.
fn time_left(profile: ProfileResource) -> impl IntoView {
    let language = profile.language;
    let second = time::every_second();
    // Seconds that remain, and the whole lifetime.
    let left = move || {
        second.track();
        let (ends, whole) =
            profile.get(|me| (me.expiration_time, me.expiration_time - me.login_time))?;
        Some((browser::seconds_until(ends)?.max(0), whole.max(1)))
    };
    let clock =
        move || left().filter(|(left, _)| *left > 0).map(|(left, _)| time::format_duration(left));
    let text = move || match left() {
        None => "",
        Some((0, _)) => language.strings().expired,
        Some(_) => language.strings().time_left,
    };
    view! {
        <p class="token-time">
            <span class="token-clock">{clock}</span>
            <span>{text}</span>
        </p>
        <progress
            class="progress progress-primary token-bar"
            aria-label=language.t(|s| s.time_left)
            max=move || left().map_or(1, |(_, whole)| whole).to_string()
            value=move || left().map_or(0, |(left, _)| left).to_string()
        ></progress>
    }
}
