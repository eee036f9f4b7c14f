//! Messages for failed API requests: the cause, and the remedy where there is one.

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

/// A failed API request as it is displayed, with the language of the server's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayedError {
    source: ApiError,
    lang: Lang,
    was_offline: bool,
}

impl DisplayedError {
    /// Captures the error, the page's language and whether the browser is offline.
    #[must_use]
    pub fn new(source: ApiError) -> Self {
        Self { source, lang: dom::lang(), was_offline: dom::is_offline() }
    }

    /// Returns the error code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.source.code
    }

    /// Returns the message for the user: the server's own, else one by error code.
    fn message(&self, strings: &'static Strings) -> String {
        match self.source.code {
            _ if !self.source.message.is_empty() => self.source.message.clone(),
            Code::Network if self.was_offline => strings.network_offline.to_owned(),
            Code::Network => strings.network_error.to_owned(),
            _ => strings.unexpected_error.to_owned(),
        }
    }

    /// Returns advice that goes beyond the message.
    fn remedy(&self, strings: &'static Strings) -> Option<&'static str> {
        Some(match self.source.code {
            Code::Network if self.was_offline => strings.help_offline,
            Code::Network => strings.help_no_response,
            Code::InternalError | Code::Unknown => strings.help_server_error,
            Code::AccountDisabled => strings.help_disabled,
            _ => return None,
        })
    }
}

/// Message, remedy and request id. The caller provides the `role="alert"` element.
pub fn error_message(error: DisplayedError, strings: &'static Strings) -> impl IntoView {
    let message = error.message(strings);
    let remedy = error.remedy(strings);
    let id = error.source.request_id;
    let id = (!id.is_empty()).then(|| view! { <code>{id}</code> });
    view! {
        <p lang=error.lang.tag()>{message}</p>
        {remedy.map(|remedy| view! { <p class="help">{remedy}" "{id}</p> })}
    }
}

/// Countdown to the end of `Retry-After`. It belongs outside the alert element: screen readers
/// would announce it every second.
pub fn retry_countdown(error: &DisplayedError, language: Language) -> impl IntoView + use<> {
    error.source.retry_after.map(|seconds| {
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
                format!("{} {}", strings.try_again_in, time::format_duration(left))
            } else {
                strings.try_now.to_owned()
            }
        };
        view! { <p class="countdown" role="timer">{text}</p> }
    })
}
