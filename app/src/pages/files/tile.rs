//! Picture tile: it reserves the picture's aspect ratio, and loads the thumbnail when it is near
//! the viewport.

use http::Method;
use js_sys::{Array, Uint8Array};
use leptos::{html, prelude::*};
use uuid::Uuid;
use wasm_bindgen::{JsCast as _, closure::Closure};
use web_sys::{
    Blob, BlobPropertyBag, IntersectionObserver, IntersectionObserverEntry,
    IntersectionObserverInit, Url,
};

use super::{file_list::FileListState, format_size};
use crate::{
    browser_value::BrowserValue,
    components::icons,
    dom,
    i18n::strings::Language,
    protocol::{files::FileEntry, paths},
    session::{browser, transport::ApiRequest},
};

/// Object URL of a picture, revoked when it is no longer shown.
#[derive(Clone, Copy)]
pub(super) struct ObjectUrl(RwSignal<Option<String>>);

impl ObjectUrl {
    pub(super) fn new() -> Self {
        let object_url = Self(RwSignal::new(None));
        on_cleanup(move || object_url.revoke());
        object_url
    }

    pub(super) fn get(self) -> Option<String> {
        self.0.get()
    }

    /// Revokes the URL.
    pub(super) fn revoke(self) {
        if let Some(url) = self.0.try_update(Option::take).flatten() {
            let _ = Url::revoke_object_url(&url);
        }
    }

    /// Loads a picture with the user's access token.
    pub(super) fn fetch(self, id: Uuid, size: &'static str, media_type: String) {
        dom::spawn(async move {
            let Some(url) = fetch(id, size, &media_type).await else { return };
            if self.0.try_get_untracked().is_none() {
                // The page was left meanwhile.
                let _ = Url::revoke_object_url(&url);
                return;
            }
            self.revoke();
            self.0.try_set(Some(url));
        });
    }
}

async fn fetch(id: Uuid, size: &'static str, media_type: &str) -> Option<String> {
    let request = ApiRequest {
        method: Method::GET,
        url: format!("{}?id={id}&size={size}", paths::FILE),
        content_type: String::new(),
        accept: "image/*".to_owned(),
        body: None,
    };
    let answer = browser::send(request).await.ok().filter(|answer| answer.error().is_none())?;
    let bytes = Uint8Array::from(&*answer.body);
    let kind = BlobPropertyBag::new();
    kind.set_type(media_type);
    let blob = Blob::new_with_u8_array_sequence_and_options(&Array::of1(&bytes), &kind).ok()?;
    Url::create_object_url_with_blob(&blob).ok()
}

/// The tile of a file.
pub(super) fn tile(
    list: FileListState,
    file: FileEntry,
    shown: RwSignal<Option<FileEntry>>,
) -> impl IntoView {
    let language = Language::of_page();
    let object_url = ObjectUrl::new();
    let place = NodeRef::<html::Li>::new();
    let id = file.id;
    when_near_viewport(place, move || object_url.fetch(id, "thumb", "image/jpeg".to_owned()));
    let ratio = format!("{} / {}", file.width.max(1), file.height.max(1));
    let FileEntry { name, size: bytes, .. } = file.clone();
    let label = name.clone();
    let remove_label = {
        let name = name.clone();
        move || format!("{}: {name}", language.strings().file_delete)
    };
    view! {
        <li class="tile" node_ref=place>
            <button
                type="button"
                class="tile-picture"
                style:aspect-ratio=ratio
                aria-label=label
                on:click=move |_| shown.set(Some(file.clone()))
            >
                {move || object_url.get().map(|url| view! { <img src=url alt="" /> })}
            </button>
            <p class="tile-text">
                <span class="tile-name"><bdi>{name}</bdi></span>
                <span class="tile-size">{format_size(bytes)}</span>
            </p>
            <button type="button" class="tile-button" aria-label=remove_label on:click=move |_| list.remove(id)>
                {icons::bin()}
            </button>
        </li>
    }
}

/// Runs an action once, when an element is within 400 px of the viewport.
fn when_near_viewport(place: NodeRef<html::Li>, action: impl Fn() + Copy + 'static) {
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
