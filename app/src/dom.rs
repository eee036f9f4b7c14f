//! The few things that pages ask of the browser's document. Only [`spawn`] and [`yes`] mean
//! anything to the server.

pub mod object_url;

use futures::future::LocalBoxFuture;
use leptos::{html::Input, prelude::*, task::spawn_local};
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
}

/// The language that the page is shown in.
#[must_use]
pub fn lang() -> Lang {
    let root = document().document_element();
    root.and_then(|root| root.get_attribute("lang"))
        .and_then(|tag| Lang::from_tag(&tag))
        .unwrap_or_default()
}

/// Seconds since the page was opened.
#[must_use]
pub fn now() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now()) / 1000.0
}

/// Returns whether the browser reports that it has no network.
#[must_use]
pub fn is_offline() -> bool {
    !window().navigator().on_line()
}

/// A number that the server has written on the page's root.
#[must_use]
pub fn root_number(attribute: &str) -> Option<usize> {
    document().document_element()?.get_attribute(attribute)?.parse().ok()
}

/// The path and query of the address bar.
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

/// The first element of a selector.
#[must_use]
pub fn find(selector: &str) -> Option<HtmlElement> {
    document().query_selector(selector).ok().flatten()?.dyn_into().ok()
}

/// Moves the focus; where the element cannot take it, it stays.
pub fn focus(element: &HtmlElement) {
    let _ = element.focus();
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

/// The files of a paste that is meant for the page itself: no text field has the focus, and no text
/// comes with them. A spreadsheet puts the text of a cell and a picture of it into the clipboard. A
/// file manager may add the file's name.
#[must_use]
pub fn pasted_files(event: &ClipboardEvent) -> Option<FileList> {
    const TEXT_FIELDS: &str =
        "textarea, input:not([type=file], [type=checkbox], [type=radio], [type=range])";
    let target = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok());
    let is_typing = target.is_some_and(|target| {
        target.is_content_editable() || target.matches(TEXT_FIELDS).unwrap_or(false)
    });
    let carried = event.clipboard_data()?;
    let files = carried.files()?;
    let text = carried.get_data("text/plain").unwrap_or_default();
    let is_name = || files.item(0).is_some_and(|file| file.name() == text);
    (!is_typing && (text.is_empty() || is_name())).then_some(files)
}

/// A text in Unicode's normalisation form C, by the browser's tables: ours would cost every
/// visitor.
#[must_use]
pub fn nfc(text: &str) -> String {
    js_sys::JsString::from(text).normalize("NFC").into()
}

/// Runs a future to its end, whatever becomes of the page that has begun it. It is boxed so that
/// the code around it is there once.
pub fn spawn(future: impl Future<Output = ()> + 'static) {
    let future: LocalBoxFuture<'static, ()> = Box::pin(future);
    spawn_local(future);
}

/// The value of an attribute that says yes or nothing.
pub fn yes(signal: RwSignal<bool>) -> impl Fn() -> Option<&'static str> + Copy + Send + Sync {
    move || signal.get().then_some("true")
}

/// Tells the page's own scripts that the program is awake, and does again what was done before: a
/// button that was pressed, a form that was sent.
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

/// Called where a file of the program could not be loaded. Loads the address as a whole where the
/// server has another build than this page, and returns whether the page is being left. `asked`:
/// the user wants it, also where it did not help before.
pub async fn leave_for_new_build(address: &str, asked: bool) -> bool {
    let Ok(leaving) = load_new_build(address, asked) else { return false };
    JsFuture::from(leaving).await.is_ok_and(|leaves| leaves.is_truthy())
}

/// The whole address of the page.
#[must_use]
pub fn address() -> String {
    window().location().href().unwrap_or_default()
}

/// Shows the banner that says that the page is broken.
pub fn mark_broken() {
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("data-broken", "");
    }
}
