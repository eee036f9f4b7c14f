//! Upload of a file: progress, cancellation and errors.

use leptos::prelude::*;

use super::{MAX_FILE_BYTES, file_list::FileListState, format_size};
use crate::{
    browser_value::BrowserValue,
    components::{
        api_error_view::{self, DisplayedError},
        icons,
    },
    i18n::strings::{Language, Strings},
    protocol::{
        error::ApiError,
        files::{FileEntry, FileUploaded},
        paths,
    },
    session::{
        browser::upload::{self, UploadHandle},
        transport::decode,
    },
};

/// Error of an upload.
#[derive(Clone)]
enum UploadError {
    /// From client-side validation.
    Client(fn(&'static Strings) -> &'static str),
    /// From the request.
    Server(DisplayedError),
}

/// An upload that is queued, pending or failed.
#[derive(Clone)]
pub(super) struct Upload {
    /// Sequence number.
    pub(super) number: u32,
    name: String,
    bytes: f64,
    percent: RwSignal<u32>,
    error: RwSignal<Option<UploadError>>,
    handle: UploadHandle,
}

impl Upload {
    pub(super) fn new(number: u32, file: &web_sys::File) -> Self {
        let error = (file.size() > MAX_FILE_BYTES)
            .then_some(UploadError::Client(|strings| strings.file_too_large));
        Self {
            number,
            name: file.name(),
            bytes: file.size(),
            percent: RwSignal::new(0),
            error: RwSignal::new(error),
            handle: BrowserValue::new(|| None),
        }
    }

    /// Returns whether client-side validation has passed.
    pub(super) fn is_possible(&self) -> bool {
        self.error.with_untracked(Option::is_none)
    }

    pub(super) fn abort(&self) {
        upload::abort(self.handle);
    }
}

/// Uploads a file and returns its entry, or `None` if that fails.
pub(super) async fn upload_file(upload: &Upload, file: &web_sys::File) -> Option<FileEntry> {
    let url = format!("{}?name={}", paths::FILES, js_sys::encode_uri_component(&upload.name));
    let percent = upload.percent;
    let progress = move |hundredths: u32| {
        percent.try_set(hundredths);
    };
    let outcome = upload::upload(&url, file, progress, upload.handle).await;
    let error = match decode::<FileUploaded>(&outcome) {
        Ok(kept) => return Some(kept.file),
        Err(error) => with_field(error),
    };
    upload.error.try_set(Some(UploadError::Server(DisplayedError::new(error))));
    None
}

/// Uses the message of the invalid field in place of the general one: a single file is sent.
fn with_field(mut error: ApiError) -> ApiError {
    if let Some((_, text)) = error.fields.pop_first() {
        error.message = text;
    }
    error
}

/// The tile of an upload.
pub(super) fn tile(list: FileListState, upload: Upload) -> impl IntoView {
    let language = Language::of_page();
    let Upload { name, bytes, percent, error, .. } = upload.clone();
    #[expect(clippy::cast_possible_truncation, reason = "whole bytes")]
    let size_text = format_size(bytes as i64);
    let label = name.clone();
    let state = move || {
        error.with(|error| match error {
            None => {
                let label = format!("{} {label}", language.strings().uploading);
                let value = move || f64::from(percent.get());
                view! {
                    <progress
                        class="progress progress-primary"
                        max="100"
                        aria-label=label
                        prop:value=value
                    ></progress>
                }
                .into_any()
            }
            Some(UploadError::Client(text)) => {
                view! { <p role="alert" class="tile-error">{language.t(*text)}</p> }.into_any()
            }
            Some(UploadError::Server(why)) => {
                let message = api_error_view::error_message(why.clone(), language.strings());
                view! { <div role="alert" class="tile-error">{message}</div> }.into_any()
            }
        })
    };
    let close_label = {
        let name = name.clone();
        move || {
            let strings = language.strings();
            let verb = if error.with(Option::is_none) { strings.cancel } else { strings.close };
            format!("{verb}: {name}")
        }
    };
    view! {
        <li class="tile tile-uploading">
            {state}
            <p class="tile-text">
                <span class="tile-name"><bdi>{name}</bdi></span>
                <span class="tile-size">{size_text}</span>
            </p>
            <button
                type="button"
                class="tile-button"
                aria-label=close_label
                on:click=move |_| list.cancel_upload(&upload)
            >
                {icons::cross()}
            </button>
        </li>
    }
}
