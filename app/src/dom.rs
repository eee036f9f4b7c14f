//! The few things that pages ask of the browser's document. Only [`spawn`] and [`yes`] mean anything to the server.

use futures::future::LocalBoxFuture;
use leptos::{html::Input, prelude::*, task::spawn_local};
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, HtmlFormElement, HtmlInputElement};

use crate::i18n::Lang;

/// The language that the page is shown in.
#[must_use]
pub fn lang() -> Lang {
    let root = document().document_element();
    root.and_then(|root| root.get_attribute("lang")).and_then(|tag| Lang::from_tag(&tag)).unwrap_or_default()
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

/// The first element of a selector.
#[must_use]
pub fn find(selector: &str) -> Option<HtmlElement> {
    document().query_selector(selector).ok().flatten()?.dyn_into().ok()
}

/// Moves the focus; where the element cannot take it, it stays.
pub fn focus(element: &HtmlElement) {
    let _ = element.focus();
}

/// What is typed into an input, also what was typed before the page was awake.
#[must_use]
pub fn value(input: NodeRef<Input>) -> String {
    input.get_untracked().map(|input| HtmlInputElement::value(&input)).unwrap_or_default()
}

/// A text in Unicode's normalisation form C, by the browser's tables: ours would cost every visitor.
#[must_use]
pub fn nfc(text: &str) -> String {
    js_sys::JsString::from(text).normalize("NFC").into()
}

/// Runs a future to its end, whatever becomes of the page that has begun it. It is boxed so that the code around it is there once.
pub fn spawn(future: impl Future<Output = ()> + 'static) {
    let future: LocalBoxFuture<'static, ()> = Box::pin(future);
    spawn_local(future);
}

/// The value of an attribute that says yes or nothing.
pub fn yes(signal: RwSignal<bool>) -> impl Fn() -> Option<&'static str> + Copy + Send + Sync {
    move || signal.get().then_some("true")
}

/// Tells the page's own scripts that the program is awake, and sends the form again that was sent before.
pub fn wake() {
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("data-awake", "");
    }
    if let Some(form) = find("form[data-held]") {
        let _ = form.remove_attribute("data-held");
        if let Ok(form) = form.dyn_into::<HtmlFormElement>() {
            let _ = form.request_submit();
        }
    }
}

/// Shows the banner that says that the page is broken.
pub fn mark_broken() {
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("data-broken", "");
    }
}
