//! A call that has failed, in words: what happened, and what to do about it.

use leptos::prelude::*;

use super::time;
use crate::{
    dom,
    i18n::{
        Lang,
        strings::{Language, Strings},
    },
    protocol::error::{ApiError, Code},
};

/// A failure, and the language in which the server has described it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    error: ApiError,
    said_in: Lang,
    was_offline: bool,
}

impl Trouble {
    /// What a call has just failed with.
    #[must_use]
    pub fn new(error: ApiError) -> Self {
        Self { error, said_in: dom::lang(), was_offline: dom::is_offline() }
    }

    /// What happened.
    fn text(&self, strings: &'static Strings) -> String {
        match self.error.code {
            _ if !self.error.message.is_empty() => self.error.message.clone(),
            Code::Network if self.was_offline => strings.network_offline.to_owned(),
            Code::Network => strings.network_error.to_owned(),
            _ => strings.unexpected_error.to_owned(),
        }
    }

    /// What to do about it, where that is more than the text says.
    fn help(&self, strings: &'static Strings) -> Option<&'static str> {
        Some(match self.error.code {
            Code::Network if self.was_offline => strings.help_offline,
            Code::Network => strings.help_no_response,
            Code::InternalError | Code::Unknown => strings.help_server_error,
            Code::AccountDisabled => strings.help_disabled,
            _ => return None,
        })
    }
}

/// What happened and what to do, for inside an alert.
pub fn told(trouble: &Trouble, strings: &'static Strings) -> impl IntoView + use<> {
    let request = &trouble.error.request_id;
    view! {
        <p lang=trouble.said_in.tag()>{trouble.text(strings)}</p>
        {trouble
            .help(strings)
            .map(|help| view! { <p class="help">{help}" "{(!request.is_empty()).then(|| view! { <code>{request.clone()}</code> })}</p> })}
    }
}

/// Counts down to when the server wants to be asked again. It stands outside the alert, which would
/// be read out each second.
pub fn countdown(trouble: &Trouble, language: Language) -> impl IntoView + use<> {
    trouble.error.retry_after.map(|seconds| {
        let end = dom::now() + f64::from(seconds);
        let second = time::every_second();
        let text = move || {
            second.track();
            #[expect(
                clippy::cast_possible_truncation,
                reason = "whole seconds, of which there are few"
            )]
            let left = (end - dom::now()).ceil() as i64;
            let strings = language.strings();
            if left > 0 {
                format!("{} {}", strings.try_again_in, time::clock(left))
            } else {
                strings.try_now.to_owned()
            }
        };
        view! { <p class="countdown" role="timer">{text}</p> }
    })
}
