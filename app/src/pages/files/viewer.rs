//! Dialog that shows a picture at full size, with a download link.

use leptos::prelude::*;

use super::tile::{request_picture, url_of};
use crate::{
    components::{dialog::Dialog, icons, loader::Loader},
    i18n::strings::Language,
    protocol::files::FileEntry,
};

/// The dialog; open while a file is selected.
pub(super) fn viewer(shown: RwSignal<Option<FileEntry>>) -> impl IntoView {
    let language = Language::of_page();
    let picture = Loader::new();
    Effect::new(move |_| {
        let file = shown.with(|file| file.as_ref().map(|file| (file.id, file.media_type.clone())));
        match file {
            Some((id, media_type)) => picture.load(request_picture(id, "full", media_type)),
            None => picture.reset(),
        }
    });
    let name = move || shown.with(|file| file.as_ref().map(|file| file.name.clone()));
    let image = move || url_of(picture).map(|url| view! { <img src=url alt=name /> });
    let save = move || {
        url_of(picture).map(|url| {
            view! {
                <a class="btn btn-outline" href=url download=name>
                    {language.t(|s| s.file_save)}
                </a>
            }
        })
    };
    view! {
        <Dialog
            is_open=Signal::derive(move || shown.with(Option::is_some))
            on_close=move |()| shown.set(None)
            title_id="viewer-name"
            class="viewer"
        >
            <button
                type="button"
                class="close"
                aria-label=language.t(|s| s.close)
                on:click=move |_| shown.set(None)
            >
                {icons::cross()}
            </button>
            <div
                class="viewer-picture"
                aria-busy=move || url_of(picture).is_none().then_some("true")
            >
                {image}
            </div>
            <p class="viewer-name" id="viewer-name"><bdi>{name}</bdi></p>
            <div class="actions">{save}</div>
        </Dialog>
    }
}
