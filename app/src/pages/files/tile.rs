//! Picture tile: a square that loads the thumbnail when it is near the viewport.

use js_sys::Array;
use leptos::{html, prelude::*};
use uuid::Uuid;
use wasm_bindgen::{JsCast as _, closure::Closure};
use web_sys::{IntersectionObserver, IntersectionObserverEntry, IntersectionObserverInit};

use super::{file_list::FileListState, format_size};
use crate::{
    browser_value::BrowserValue,
    components::{icons, loader::Loader},
    dom::{self, object_url::ObjectUrl},
    i18n::strings::Language,
    protocol::{
        error::{ApiError, Code},
        files::FileEntry,
        paths,
    },
    session::browser,
};

/// Returns the URL of a file of the signed-in user.
pub(super) fn file_url(id: Uuid, size: &'static str) -> String {
    format!("{}?id={id}&size={size}", paths::FILE)
}

/// Requests a picture and returns its object URL.
pub(in crate::pages) async fn request_picture(
    url: String,
    media_type: String,
) -> Result<ObjectUrl, ApiError> {
    let bytes = browser::download(&url, "image/*").await?;
    ObjectUrl::new(&bytes, &media_type).ok_or_else(|| ApiError::local(Code::Unknown))
}

/// Returns the URL of a loaded picture.
pub(in crate::pages) fn url_of(picture: Loader<ObjectUrl>) -> Option<String> {
    picture.get(|url| url.as_str().to_owned())
}

/// Returns the element id of the button that opens a file.
fn tile_id(id: Uuid) -> String {
    format!("file-{id}")
}

/// Moves the focus to the button that opens a file.
pub(super) fn focus_tile(id: Uuid) {
    dom::focus_first(&format!("#{}", tile_id(id)));
}

/// The tile of a file.
pub(super) fn tile(
    list: FileListState,
    file: FileEntry,
    shown: RwSignal<Option<FileEntry>>,
) -> impl IntoView {
    let language = Language::of_page();
    let picture = Loader::new();
    let place = NodeRef::<html::Li>::new();
    let id = file.id;
    when_near_viewport(place, move || {
        picture.load(request_picture(file_url(id, "thumb"), "image/jpeg".to_owned()));
    });
    let FileEntry { name, size: bytes, .. } = file.clone();
    let (label, title) = (name.clone(), name.clone());
    let remove_label = {
        let name = name.clone();
        move || format!("{}: {name}", language.strings().file_delete)
    };
    view! {
        <li class="tile" node_ref=place>
            <button
                type="button"
                class="tile-picture"
                id=tile_id(id)
                aria-label=label
                on:click=move |_| shown.set(Some(file.clone()))
            >
                {move || url_of(picture).map(|url| view! { <img src=url alt="" /> })}
            </button>
            <p class="tile-text">
                <span class="tile-name" title=title><bdi>{name}</bdi></span>
                <span class="tile-size">{format_size(bytes)}</span>
            </p>
            <button
                type="button"
                class="tile-button"
                aria-label=remove_label
                on:click=move |_| list.remove(id)
            >
                {icons::bin()}
            </button>
        </li>
    }
}

/// Runs an action once, when an element is within 400 px of the viewport.
pub(in crate::pages) fn when_near_viewport(
    place: NodeRef<html::Li>,
    action: impl Fn() + Copy + 'static,
) {
    Effect::new(move |_| {
        let Some(place) = place.get() else { return };
        let seen = Closure::<dyn FnMut(Array, IntersectionObserver)>::new(
            move |entries: Array, observer: IntersectionObserver| {
                let is_near = |entry: wasm_bindgen::JsValue| {
                    entry
                        .dyn_into::<IntersectionObserverEntry>()
                        .is_ok_and(|entry| entry.is_intersecting())
                };
                if entries.iter().any(is_near) {
                    observer.disconnect();
                    action();
                }
            },
        );
        let options = IntersectionObserverInit::new();
        options.set_root_margin("400px");
        let Ok(observer) =
            IntersectionObserver::new_with_options(seen.as_ref().unchecked_ref(), &options)
        else {
            return action();
        };
        observer.observe(&place);
        let kept = BrowserValue::new(|| seen);
        on_cleanup(move || {
            observer.disconnect();
            kept.dispose();
        });
    });
}
