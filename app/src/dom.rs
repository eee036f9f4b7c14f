//! Access to the browser's document and window. On the server only [`spawn`] and [`yes`] may be
//! called.

pub mod object_url;

use futures::future::LocalBoxFuture;
use leptos::{ev, html::Input, prelude::*, task::spawn_local};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    ClipboardEvent, FileList, HtmlAnchorElement, HtmlElement, HtmlFormElement, HtmlInputElement,
};

use self::object_url::ObjectUrl;
use crate::i18n::Lang;

#[wasm_bindgen]
extern "C" {
    // One of the page's own scripts: `document/new_build.js`.
    #[wasm_bindgen(catch, js_name = loadNewBuild)]
    fn load_new_build(address: &str, asked: bool) -> Result<js_sys::Promise, JsValue>;
    // As in `web_sys`, but a missing clipboard is an error instead of an exception.
    #[wasm_bindgen(catch, js_namespace = ["navigator", "clipboard"], js_name = writeText)]
    fn clipboard_write(text: &str) -> Result<js_sys::Promise, JsValue>;
    // `document/link_token.js`, in the documents of pages that links in mails open.
    #[wasm_bindgen(catch, js_name = takeLinkToken)]
    fn taken_link_token() -> Result<String, JsValue>;
}

/// Returns the language of the document, from `<html lang>`.
#[must_use]
pub fn lang() -> Lang {
    root_attribute("lang").and_then(|tag| Lang::from_tag(&tag)).unwrap_or_default()
}

/// Returns the seconds since the page was opened.
#[must_use]
pub fn now() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now()) / 1000.0
}

/// Returns whether the browser reports that it has no network.
#[must_use]
pub fn is_offline() -> bool {
    !window().navigator().on_line()
}

/// Returns an attribute of `<html>`.
#[must_use]
pub fn root_attribute(name: &str) -> Option<String> {
    document().document_element()?.get_attribute(name)
}

/// Returns a number that the server rendered into an attribute of `<html>`.
#[must_use]
pub fn root_number(attribute: &str) -> Option<usize> {
    root_attribute(attribute)?.parse().ok()
}

/// Returns path and query of the URL in the address bar.
#[must_use]
pub fn path_and_query() -> String {
    let location = window().location();
    location.pathname().unwrap_or_default() + &location.search().unwrap_or_default()
}

/// Returns the path of the URL in the address bar.
#[must_use]
pub fn pathname() -> String {
    window().location().pathname().unwrap_or_default()
}

/// Returns the first element that matches a selector.
#[must_use]
pub fn find(selector: &str) -> Option<HtmlElement> {
    document().query_selector(selector).ok().flatten()?.dyn_into().ok()
}

/// Moves the focus to an element; does nothing if it is not focusable.
pub fn focus(element: &HtmlElement) {
    let _ = element.focus();
}

/// Moves the focus to the first element that matches a selector, if there is one.
pub fn focus_first(selector: &str) {
    if let Some(element) = find(selector) {
        focus(&element);
    }
}

/// Listens for the tab becoming visible.
pub fn on_tab_visible(action: impl Fn() + 'static) -> WindowListenerHandle {
    window_event_listener(ev::visibilitychange, move |_| {
        if !document().hidden() {
            action();
        }
    })
}

/// Returns the value of an input, including what was typed before hydration.
#[must_use]
pub fn value(input: NodeRef<Input>) -> String {
    input.get_untracked().map(|input| HtmlInputElement::value(&input)).unwrap_or_default()
}

/// Downloads data as a file.
pub fn save_file(name: &str, media_type: &str, bytes: &[u8]) {
    let Some(url) = ObjectUrl::new(bytes, media_type) else { return };
    let link = document()
        .create_element("a")
        .ok()
        .and_then(|link| link.dyn_into::<HtmlAnchorElement>().ok());
    if let Some(link) = link {
        link.set_href(url.as_str());
        link.set_download(name);
        link.click();
    }
    // The download has started by then.
    set_timeout(move || drop(url), std::time::Duration::from_mins(1));
}

/// Returns the files of a paste into the page itself: no text field has the focus, and the
/// clipboard has no text besides the file's name, which file managers may add. A spreadsheet puts
/// both the text and a picture of a cell into the clipboard; that is no paste of a file.
#[must_use]
pub fn pasted_files(event: &ClipboardEvent) -> Option<FileList> {
    const TEXT_FIELDS: &str =
        "textarea, input:not([type=file], [type=checkbox], [type=radio], [type=range])";
    let target = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok());
    let is_typing = target.is_some_and(|target| {
        target.is_content_editable() || target.matches(TEXT_FIELDS).unwrap_or(false)
    });
    let clipboard = event.clipboard_data()?;
    let files = clipboard.files()?;
    let text = clipboard.get_data("text/plain").unwrap_or_default();
    let is_name = || files.item(0).is_some_and(|file| file.name() == text);
    (!is_typing && (text.is_empty() || is_name())).then_some(files)
}

/// Normalises a text to Unicode NFC with the browser's tables: tables of our own would add to every
/// first load.
#[must_use]
pub fn nfc(text: &str) -> String {
    js_sys::JsString::from(text).normalize("NFC").into()
}

/// Takes the token that the URL of this document had in its fragment. Another call returns `None`.
#[must_use]
pub fn take_link_token() -> Option<String> {
    // The function is missing in a document that another page was opened with.
    taken_link_token().ok().filter(|token| !token.is_empty())
}

/// Runs a future to completion, even if the component that started it is removed. It is boxed so
/// that the code around it is compiled once.
pub fn spawn(future: impl Future<Output = ()> + 'static) {
    let future: LocalBoxFuture<'static, ()> = Box::pin(future);
    spawn_local(future);
}

/// Value of an attribute that is `true` or absent.
pub fn yes(signal: RwSignal<bool>) -> impl Fn() -> Option<&'static str> + Copy + Send + Sync {
    move || signal.get().then_some("true")
}

/// Marks the page as hydrated, and replays clicks and form submissions that its scripts deferred
/// until then.
pub fn replay_deferred() {
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("data-hydrated", "");
    }
    for selector in ["button[data-deferred]", "form[data-deferred]"] {
        let Some(deferred) = find(selector) else { continue };
        let _ = deferred.remove_attribute("data-deferred");
        match deferred.dyn_into::<HtmlFormElement>() {
            Ok(form) => {
                let _ = form.request_submit();
            }
            Err(button) => button.click(),
        }
    }
}

/// Reloads the page at a URL if the server has another build than this page, after a chunk could
/// not be loaded. Returns whether the page is being unloaded. `asked` is true if the user requested
/// it: then it is tried again even if it did not help before.
pub async fn leave_for_new_build(address: &str, asked: bool) -> bool {
    let Ok(unloading) = load_new_build(address, asked) else { return false };
    JsFuture::from(unloading).await.is_ok_and(|unloads| unloads.is_truthy())
}

/// Copies a text to the clipboard; returns whether the browser allowed it.
pub async fn copy_text(text: &str) -> bool {
    // The clipboard is missing outside secure contexts.
    match clipboard_write(text) {
        Ok(written) => JsFuture::from(written).await.is_ok(),
        Err(_) => false,
    }
}

/// Returns the absolute URL of a path on this origin; an absolute URL stays as it is.
#[must_use]
pub fn absolute_url(url: &str) -> String {
    let origin =
        if url.starts_with('/') { window().location().origin() } else { Ok(String::new()) };
    origin.unwrap_or_default() + url
}

/// Returns the full URL of the page.
#[must_use]
pub fn address() -> String {
    window().location().href().unwrap_or_default()
}

/// Shows the banner that the page was not loaded completely.
pub fn mark_broken() {
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("data-broken", "");
    }
}
