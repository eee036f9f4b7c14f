//! A file on its way: how far it is, the way to stop it, and what went wrong.

use leptos::prelude::*;

use super::{MAX, album::Album, size};
use crate::{
    browser_value::BrowserValue,
    components::{
        icons,
        trouble::{self, Trouble},
    },
    i18n::strings::{Language, Strings},
    protocol::{
        error::ApiError,
        files::{FileEntry, FileKept},
    },
    session::{
        upload::{self, Stop},
        wire::read,
    },
};

/// Why it will not arrive.
#[derive(Clone)]
enum Wrong {
    /// What the page can tell by itself.
    Here(fn(&'static Strings) -> &'static str),
    /// What the call has failed with.
    There(Trouble),
}

/// A file on its way.
#[derive(Clone)]
pub(super) struct Upload {
    /// Later ones have greater ones.
    pub(super) number: u32,
    name: String,
    bytes: f64,
    percent: RwSignal<u32>,
    wrong: RwSignal<Option<Wrong>>,
    stop: Stop,
}

impl Upload {
    pub(super) fn new(number: u32, file: &web_sys::File) -> Self {
        let wrong = (file.size() > MAX).then_some(Wrong::Here(|strings| strings.file_too_large));
        Self {
            number,
            name: file.name(),
            bytes: file.size(),
            percent: RwSignal::new(0),
            wrong: RwSignal::new(wrong),
            stop: BrowserValue::new(|| None),
        }
    }

    /// Whether it is worth a try.
    pub(super) fn is_possible(&self) -> bool {
        self.wrong.with_untracked(Option::is_none)
    }

    pub(super) fn abort(&self) {
        upload::abort(self.stop);
    }
}

/// Sends a file: what is kept of it, where it has arrived.
pub(super) async fn send(upload: &Upload, file: &web_sys::File) -> Option<FileEntry> {
    let url = format!("/api/me/files?name={}", js_sys::encode_uri_component(&upload.name));
    let percent = upload.percent;
    let progress = move |hundredths: u32| {
        percent.try_set(hundredths);
    };
    let outcome = upload::post(&url, file, progress, upload.stop).await;
    let error = match read::<FileKept>(&outcome) {
        Ok(kept) => return Some(kept.file),
        Err(error) => with_field(error),
    };
    upload.wrong.try_set(Some(Wrong::There(Trouble::new(error))));
    None
}

/// What is said about the one thing that was sent says it all.
fn with_field(mut error: ApiError) -> ApiError {
    if let Some((_, text)) = error.fields.pop_first() {
        error.message = text;
    }
    error
}

/// Its place among the others.
pub(super) fn tile(album: Album, upload: Upload) -> impl IntoView {
    let language = Language::of_page();
    let Upload { name, bytes, percent, wrong, .. } = upload.clone();
    #[expect(clippy::cast_possible_truncation, reason = "whole bytes")]
    let told = size(bytes as i64);
    let label = name.clone();
    let state = move || {
        wrong.with(|wrong| match wrong {
            None => {
                let label = format!("{} {label}", language.strings().uploading);
                let value = move || f64::from(percent.get());
                view! { <progress class="progress progress-primary" max="100" aria-label=label prop:value=value></progress> }
                    .into_any()
            }
            Some(Wrong::Here(text)) => {
                view! { <p role="alert" class="tile-wrong">{language.t(*text)}</p> }.into_any()
            }
            Some(Wrong::There(why)) => {
                view! { <div role="alert" class="tile-wrong">{trouble::told(why, language.strings())}</div> }.into_any()
            }
        })
    };
    let close_label = {
        let name = name.clone();
        move || {
            let strings = language.strings();
            let verb = if wrong.with(Option::is_none) { strings.cancel } else { strings.close };
            format!("{verb}: {name}")
        }
    };
    view! {
        <li class="tile tile-sending">
            {state}
            <p class="tile-text">
                <span class="tile-name"><bdi>{name}</bdi></span>
                <span class="tile-size">{told}</span>
            </p>
            <button type="button" class="tile-button" aria-label=close_label on:click=move |_| album.stop(&upload)>
                {icons::cross()}
            </button>
        </li>
    }
}
