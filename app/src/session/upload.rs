//! Sending what takes a while: with how far it is and a way to stop it, which `fetch` has not; and
//! sending what must still go while the page is being left.

use bytes::Bytes;
use futures::channel::oneshot;
use http::Method;
use js_sys::{ArrayBuffer, Object, Reflect, Uint8Array};
use leptos::prelude::*;
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
use web_sys::{
    Blob, ProgressEvent, RequestInit, RequestRedirect, XmlHttpRequest, XmlHttpRequestResponseType,
};

use super::{
    browser::{current, send},
    core::Session,
    wire::{Answer, Call, NoAnswer, with_retry_after},
};
use crate::{
    browser_value::BrowserValue,
    dom,
    protocol::{Verified, paths},
};

/// What every upload is answered with.
const ACCEPT: &str = "application/json";

/// What is being sent at this moment: whoever has it can stop it.
pub type Stop = BrowserValue<Option<XmlHttpRequest>>;

impl Session {
    /// The token that signs calls.
    fn access(&self) -> Option<String> {
        self.inner.borrow().held.as_ref().map(|held| held.saved.access.clone())
    }
}

/// Posts something with the session's token, and tells how many hundredths have gone. As with any
/// other call, a token that is refused is renewed, and the call repeated once.
///
/// # Errors
///
/// [`NoAnswer`] where none came, or somebody has stopped it.
pub async fn post(
    url: &str,
    body: &Blob,
    progress: impl Fn(u32) + Clone + 'static,
    stop: Stop,
) -> Result<Answer, NoAnswer> {
    let answer = post_once(url, body, progress.clone(), stop).await?;
    if !answer.refuses_token() {
        return Ok(answer);
    }
    // A call that goes the usual way has the session get another token, or end.
    let verify = Call {
        method: Method::POST,
        url: paths::VERIFY.to_owned(),
        content_type: String::new(),
        accept: ACCEPT.to_owned(),
        body: None,
    };
    if send(verify).await?.success::<Verified>().is_none() {
        return Ok(answer);
    }
    post_once(url, body, progress, stop).await
}

async fn post_once(
    url: &str,
    body: &Blob,
    progress: impl Fn(u32) + 'static,
    stop: Stop,
) -> Result<Answer, NoAnswer> {
    let bearer = current().and_then(|session| session.access());
    let (tell, told) = oneshot::channel::<()>();
    let mut tell = Some(tell);
    // Comes last, however it ends. Both closures live until then.
    let ended = Closure::<dyn FnMut()>::new(move || drop(tell.take()));
    let moved = Closure::<dyn FnMut(ProgressEvent)>::new(move |event: ProgressEvent| {
        if event.length_computable() && event.total() > 0.0 {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "from 0 to 100"
            )]
            progress((event.loaded() / event.total() * 100.0) as u32);
        }
    });
    let request = begin(url, body, bearer, &ended, &moved).map_err(|_| NoAnswer)?;
    stop.set(Some(request.clone()));
    // An error is what is waited for: that the closure has dropped its end.
    let _ = told.await;
    stop.set(None);
    request.set_onloadend(None);
    let status = request.status().unwrap_or_default();
    let body = request
        .response()
        .ok()
        .and_then(|body| body.dyn_into::<ArrayBuffer>().ok())
        .ok_or(NoAnswer)?;
    if status == 0 {
        return Err(NoAnswer);
    }
    let header = |name: &str| request.get_response_header(name).ok().flatten();
    let body = with_retry_after(Uint8Array::new(&body).to_vec(), header("Retry-After"));
    let content_type = header("Content-Type").unwrap_or_default();
    let answer = Answer { status, content_type, body: Bytes::from(body), date: None };
    if answer.is_ours(ACCEPT) { Ok(answer) } else { Err(NoAnswer) }
}

fn begin(
    url: &str,
    body: &Blob,
    bearer: Option<String>,
    ended: &Closure<dyn FnMut()>,
    moved: &Closure<dyn FnMut(ProgressEvent)>,
) -> Result<XmlHttpRequest, JsValue> {
    let request = XmlHttpRequest::new()?;
    request.open("POST", url)?;
    request.set_response_type(XmlHttpRequestResponseType::Arraybuffer);
    request.set_request_header("Accept", ACCEPT)?;
    request.set_request_header("Accept-Language", dom::lang().tag())?;
    if let Some(bearer) = bearer {
        request.set_request_header("Authorization", &format!("Bearer {bearer}"))?;
    }
    request.set_onloadend(Some(ended.as_ref().unchecked_ref()));
    request.upload()?.set_onprogress(Some(moved.as_ref().unchecked_ref()));
    request.send_with_opt_blob(Some(body))?;
    Ok(request)
}

/// Stops what is being sent.
pub fn abort(stop: Stop) {
    if let Some(request) = stop.with(Clone::clone).flatten() {
        // One that has ended already cannot be stopped.
        let _ = request.abort();
    }
}

/// Sends a call that nobody can wait for: the page is being left.
pub fn delete_while_leaving(url: &str) {
    let Some(bearer) = current().and_then(|session| session.access()) else { return };
    let headers = Object::new();
    let init = RequestInit::new();
    init.set_method("DELETE");
    // Plain objects take every property.
    let _ = Reflect::set(&headers, &"Authorization".into(), &format!("Bearer {bearer}").into());
    init.set_headers(&headers);
    let _ = Reflect::set(&init, &"keepalive".into(), &true.into());
    init.set_redirect(RequestRedirect::Error);
    let _ = window().fetch_with_str_and_init(url, &init);
}
