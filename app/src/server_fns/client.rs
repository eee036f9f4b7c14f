//! Client of the server functions: sends their requests through the session.

use bytes::Bytes;
use futures::{Sink, Stream, stream};
use http::Method;
use send_wrapper::SendWrapper;
use server_fn::{
    client::{Client, browser::BrowserClient},
    error::{FromServerFnError, IntoAppError, ServerFnErrorErr},
    request::{ClientReq, browser::BrowserFormData},
    response::ClientRes,
};

use crate::session::{
    browser,
    transport::{ApiRequest, ApiResponse},
};

/// Sends requests through the session, which adds the access token.
pub struct ApiClient;

impl<E, I, O> Client<E, I, O> for ApiClient
where
    E: FromServerFnError,
    I: FromServerFnError,
    O: FromServerFnError,
{
    type Request = ApiRequest;
    type Response = ApiResponse;

    fn send(request: ApiRequest) -> impl Future<Output = Result<ApiResponse, E>> + Send {
        // The browser has one thread, so the future never leaves it.
        #[expect(
            clippy::disallowed_methods,
            reason = "never polled on the server, where server functions are called directly"
        )]
        SendWrapper::new(async move {
            browser::send(request)
                .await
                .map_err(|_| ServerFnErrorErr::Request("no response".to_owned()).into_app_error())
        })
    }

    fn open_websocket(
        path: &str,
    ) -> impl Future<
        Output = Result<
            (
                impl Stream<Item = Result<Bytes, Bytes>> + Send + 'static,
                impl Sink<Bytes> + Send + 'static,
            ),
            E,
        >,
    > + Send {
        <BrowserClient as Client<E, I, O>>::open_websocket(path)
    }

    fn spawn(future: impl Future<Output = ()> + Send + 'static) {
        <BrowserClient as Client<E, I, O>>::spawn(future);
    }
}

/// No server function takes forms or streams: uploads are handlers of the server.
fn unsupported<T, E: FromServerFnError>(method: &Method) -> Result<T, E> {
    Err(ServerFnErrorErr::UnsupportedRequestMethod(method.to_string()).into_app_error())
}

impl<E: FromServerFnError> ClientReq<E> for ApiRequest {
    type FormData = BrowserFormData;

    fn try_new_req_query(
        path: &str,
        content_type: &str,
        accepts: &str,
        query: &str,
        method: Method,
    ) -> Result<Self, E> {
        let separator = if query.is_empty() { "" } else { "?" };
        Ok(ApiRequest::new(
            &format!("{path}{separator}{query}"),
            content_type,
            accepts,
            method,
            None,
        ))
    }

    fn try_new_req_text(
        path: &str,
        content_type: &str,
        accepts: &str,
        body: String,
        method: Method,
    ) -> Result<Self, E> {
        Ok(ApiRequest::new(path, content_type, accepts, method, Some(body.into())))
    }

    fn try_new_req_bytes(
        path: &str,
        content_type: &str,
        accepts: &str,
        body: Bytes,
        method: Method,
    ) -> Result<Self, E> {
        Ok(ApiRequest::new(path, content_type, accepts, method, Some(body)))
    }

    fn try_new_req_form_data(
        _: &str,
        _: &str,
        _: &str,
        _: BrowserFormData,
        method: Method,
    ) -> Result<Self, E> {
        unsupported(&method)
    }

    fn try_new_req_multipart(
        _: &str,
        _: &str,
        _: BrowserFormData,
        method: Method,
    ) -> Result<Self, E> {
        unsupported(&method)
    }

    fn try_new_req_streaming(
        _: &str,
        _: &str,
        _: &str,
        _: impl Stream<Item = Bytes> + Send + 'static,
        method: Method,
    ) -> Result<Self, E> {
        unsupported(&method)
    }
}

impl<E: FromServerFnError> ClientRes<E> for ApiResponse {
    async fn try_into_string(self) -> Result<String, E> {
        String::from_utf8(self.body.into())
            .map_err(|error| ServerFnErrorErr::Deserialization(error.to_string()).into_app_error())
    }

    async fn try_into_bytes(self) -> Result<Bytes, E> {
        Ok(self.body)
    }

    fn try_into_stream(
        self,
    ) -> Result<impl Stream<Item = Result<Bytes, Bytes>> + Send + 'static, E> {
        Ok(stream::once(async move { Ok(self.body) }))
    }

    fn status(&self) -> u16 {
        self.status
    }

    fn status_text(&self) -> String {
        String::new()
    }

    fn location(&self) -> String {
        String::new()
    }

    // The API responds with JSON and never redirects.
    fn has_redirect(&self) -> bool {
        false
    }
}
