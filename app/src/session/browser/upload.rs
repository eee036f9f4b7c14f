//! Uploads with `XMLHttpRequest`, which reports progress and can be aborted, unlike `fetch`; and
//! requests that must outlive the page.

use bytes::Bytes;
use futures::channel::oneshot;
use js_sys::{ArrayBuffer, Object, Reflect, Uint8Array};
use leptos::prelude::*;
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
use web_sys::{
    Blob, ProgressEvent, RequestInit, RequestRedirect, XmlHttpRequest, XmlHttpRequestResponseType,
};

use super::{current, send};
use crate::{
    browser_value::BrowserValue,
    dom,
    protocol::Verified,
    session::transport::{ApiRequest, ApiResponse, NetworkError, with_retry_after},
};

/// Media type of the response to every upload.
const ACCEPT: &str = "application/json";

/// The request of an upload in progress, for [`abort`].
pub type UploadHandle = BrowserValue<Option<XmlHttpRequest>>;

/// Uploads a body with the session's access token, and reports progress in per cent. As with other
/// requests, a rejected token is refreshed and the upload repeated once.
///
/// # Errors
///
/// [`NetworkError`] if the server did not respond, a proxy responded in its place, or the upload
/// was aborted.
pub async fn upload(
    url: &str,
    body: &Blob,
    progress: impl Fn(u32) + Clone + 'static,
    handle: UploadHandle,
) -> Result<ApiResponse, NetworkError> {
    let response = upload_once(url, body, progress.clone(), handle).await?;
    if !response.is_token_rejected() {
        return Ok(response);
    }
    // An ordinary request refreshes the token, or ends the session.
    if send(ApiRequest::verify()).await?.success::<Verified>().is_none() {
        return Ok(response);
    }
    upload_once(url, body, progress, handle).await
}

async fn upload_once(
    url: &str,
    body: &Blob,
    progress: impl Fn(u32) + 'static,
    handle: UploadHandle,
) -> Result<ApiResponse, NetworkError> {
    let bearer = current().and_then(|session| session.access_token());
    let (ended, completion) = oneshot::channel::<()>();
    let mut ended = Some(ended);
    // `loadend` is the last event, after success, failure and abort. Both closures live until then.
    let on_loadend = Closure::<dyn FnMut()>::new(move || drop(ended.take()));
    let on_progress = Closure::<dyn FnMut(ProgressEvent)>::new(move |event: ProgressEvent| {
        if event.length_computable() && event.total() > 0.0 {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "from 0 to 100"
            )]
            progress((event.loaded() / event.total() * 100.0) as u32);
        }
    });
    let xhr = start_xhr(url, body, bearer, &on_loadend, &on_progress).map_err(|_| NetworkError)?;
    handle.set(Some(xhr.clone()));
    // The closure drops the sender without a message, so that this is always `Err`.
    let _ = completion.await;
    handle.set(None);
    xhr.set_onloadend(None);
    let status = xhr.status().unwrap_or_default();
    let body = xhr
        .response()
        .ok()
        .and_then(|body| body.dyn_into::<ArrayBuffer>().ok())
        .ok_or(NetworkError)?;
    if status == 0 {
        return Err(NetworkError);
    }
    let header = |name: &str| xhr.get_response_header(name).ok().flatten();
    let body = with_retry_after(Uint8Array::new(&body).to_vec(), header("Retry-After"));
    let content_type = header("Content-Type").unwrap_or_default();
    let response = ApiResponse { status, content_type, body: Bytes::from(body), date: None };
    if response.is_from_server(ACCEPT) { Ok(response) } else { Err(NetworkError) }
}

fn start_xhr(
    url: &str,
    body: &Blob,
    bearer: Option<String>,
    on_loadend: &Closure<dyn FnMut()>,
    on_progress: &Closure<dyn FnMut(ProgressEvent)>,
) -> Result<XmlHttpRequest, JsValue> {
    let xhr = XmlHttpRequest::new()?;
    xhr.open("POST", url)?;
    xhr.set_response_type(XmlHttpRequestResponseType::Arraybuffer);
    xhr.set_request_header("Accept", ACCEPT)?;
    xhr.set_request_header("Accept-Language", dom::lang().tag())?;
    if let Some(bearer) = bearer {
        xhr.set_request_header("Authorization", &format!("Bearer {bearer}"))?;
    }
    xhr.set_onloadend(Some(on_loadend.as_ref().unchecked_ref()));
    xhr.upload()?.set_onprogress(Some(on_progress.as_ref().unchecked_ref()));
    xhr.send_with_opt_blob(Some(body))?;
    Ok(xhr)
}

/// Aborts an upload in progress.
pub fn abort(handle: UploadHandle) {
    if let Some(xhr) = handle.with(Clone::clone).flatten() {
        // Fails if the upload has completed.
        let _ = xhr.abort();
    }
}

/// Sends a `DELETE` with `keepalive`, so that it completes after the page is unloaded.
pub fn delete_with_keepalive(url: &str) {
    let Some(bearer) = current().and_then(|session| session.access_token()) else { return };
    let headers = Object::new();
    let init = RequestInit::new();
    init.set_method("DELETE");
    // Setting a property of a plain object cannot fail.
    let _ = Reflect::set(&headers, &"Authorization".into(), &format!("Bearer {bearer}").into());
    init.set_headers(&headers);
    let _ = Reflect::set(&init, &"keepalive".into(), &true.into());
    init.set_redirect(RequestRedirect::Error);
    let _ = window().fetch_with_str_and_init(url, &init);
}
