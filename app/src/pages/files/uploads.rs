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

    /// Returns whether it has failed.
    pub(super) fn has_failed(&self) -> bool {
        self.error.with(Option::is_some)
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

/// The tile of an upload that is queued or pending.
pub(super) fn tile(list: FileListState, upload: Upload) -> impl IntoView {
    let language = Language::of_page();
    let Upload { name, bytes, percent, .. } = upload.clone();
    #[expect(clippy::cast_possible_truncation, reason = "whole bytes")]
    let size_text = format_size(bytes as i64);
    let (label, title) = (name.clone(), name.clone());
    let cancel_label = button_label(&name, |s| s.cancel);
    view! {
        <li class="tile tile-uploading">
            <progress
                class="progress progress-primary"
                max="100"
                aria-label=move || format!("{} {label}", language.strings().uploading)
                prop:value=move || f64::from(percent.get())
            ></progress>
            <p class="tile-text">
                <span class="tile-name" title=title><bdi>{name}</bdi></span>
                <span class="tile-size">{size_text}</span>
            </p>
            <button
                type="button"
                class="tile-button"
                aria-label=cancel_label
                on:click=move |_| list.cancel_upload(&upload)
            >
                {icons::cross()}
            </button>
        </li>
    }
}

/// Alert that lists the uploads that have failed.
pub(super) fn errors(list: FileListState) -> impl IntoView {
    let is_any = Memo::new(move |_| !list.uploads(true).is_empty());
    move || {
        is_any.get().then(|| {
            view! {
                <div class="alert">
                    {icons::warning()}
                    <ul class="upload-errors">
                        <For
                            each=move || list.uploads(true)
                            key=|upload| upload.number
                            let:upload
                        >
                            {error_item(list, upload)}
                        </For>
                    </ul>
                </div>
            }
        })
    }
}

fn error_item(list: FileListState, upload: Upload) -> impl IntoView {
    let language = Language::of_page();
    let (name, error) = (upload.name.clone(), upload.error);
    let close_label = button_label(&name, |s| s.close);
    let message = move || {
        error.get().map(|error| match error {
            UploadError::Client(text) => view! { <span>{language.t(text)}</span> }.into_any(),
            UploadError::Server(why) => {
                api_error_view::error_message(why, language.strings()).into_any()
            }
        })
    };
    view! {
        <li>
            <div role="alert">
                <bdi>{name}</bdi>
                ": "
                {message}
            </div>
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

/// Label of a button that acts on a file.
fn button_label(
    name: &str,
    verb: fn(&'static Strings) -> &'static str,
) -> impl Fn() -> String + Send + Sync + 'static {
    let (language, name) = (Language::of_page(), name.to_owned());
    move || format!("{}: {name}", verb(language.strings()))
}
