//! Dialog that shows a picture at full size, with a download link.

use leptos::{html, prelude::*};

use super::tile::ObjectUrl;
use crate::{components::icons, i18n::strings::Language, protocol::files::FileEntry};

/// The dialog; open while a file is selected.
pub(super) fn viewer(shown: RwSignal<Option<FileEntry>>) -> impl IntoView {
    let language = Language::of_page();
    let dialog = NodeRef::<html::Dialog>::new();
    let object_url = ObjectUrl::new();
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        let wanted =
            shown.with(|file| file.as_ref().map(|file| (file.id, file.media_type.clone())));
        if let Some((id, media_type)) = wanted {
            object_url.fetch(id, "full", media_type);
            // `showModal` throws where the dialog is open already.
            let _ = dialog.show_modal();
        } else {
            dialog.close();
            object_url.revoke();
        }
    });
    let name = move || shown.with(|file| file.as_ref().map(|file| file.name.clone()));
    view! {
        <dialog class="viewer" aria-label=name node_ref=dialog on:close=move |_| shown.set(None)>
            <button
                type="button"
                class="close"
                aria-label=language.t(|s| s.close)
                on:click=move |_| shown.set(None)
            >
                {icons::cross()}
            </button>
            <div class="viewer-picture" aria-busy=move || object_url.get().is_none().then_some("true")>
                {move || object_url.get().map(|url| view! { <img src=url alt=name /> })}
            </div>
            <p class="viewer-name"><bdi>{name}</bdi></p>
            <div class="actions">
                {move || object_url.get().map(|url| view! {
                    <a class="btn btn-outline" href=url download=name>{language.t(|s| s.file_save)}</a>
                })}
            </div>
        </dialog>
    }
}
