//! `DELETE` with JSON as its body: what somebody types to confirm a deletion has no place in an
//! address, which is logged.

use http::Method;
use server_fn::{
    ContentType, Decodes, Encodes,
    codec::{Encoding, FromReq, IntoReq, JsonEncoding},
    error::{FromServerFnError, IntoAppError, ServerFnErrorErr},
    request::{ClientReq, Req},
};

use super::me::DeleteAccount;

/// The arguments are a JSON object in the body of a `DELETE`.
pub struct DeleteJson;

impl ContentType for DeleteJson {
    const CONTENT_TYPE: &'static str = JsonEncoding::CONTENT_TYPE;
}

impl Encoding for DeleteJson {
    const METHOD: Method = Method::DELETE;
}

// For the one operation that needs it: for any other type this is the machinery's to say.

impl<R: ClientReq<E>, E: FromServerFnError> IntoReq<DeleteJson, R, E> for DeleteAccount {
    fn into_req(self, path: &str, accepts: &str) -> Result<R, E> {
        let body = <JsonEncoding as Encodes<Self>>::encode(&self)
            .map_err(|error| ServerFnErrorErr::Serialization(error.to_string()).into_app_error())?;
        R::try_new_req_bytes(path, DeleteJson::CONTENT_TYPE, accepts, body, Method::DELETE)
    }
}

impl<R: Req<E> + Send + 'static, E: FromServerFnError> FromReq<DeleteJson, R, E> for DeleteAccount {
    async fn from_req(request: R) -> Result<Self, E> {
        let body = request.try_into_bytes().await?;
        <JsonEncoding as Decodes<Self>>::decode(body)
            .map_err(|error| ServerFnErrorErr::Deserialization(error.to_string()).into_app_error())
    }
}
