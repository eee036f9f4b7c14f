//! Codec for `DELETE` with a JSON body: the typed confirmation of a deletion does not belong in a
//! URL, which is logged.

use http::Method;
use server_fn::{
    ContentType, Decodes, Encodes,
    codec::{Encoding, FromReq, IntoReq},
    error::{FromServerFnError, IntoAppError, ServerFnErrorErr},
    request::{ClientReq, Req},
};

use super::{DeleteAccount, json::JsonEncoding};

/// Encodes the arguments as a JSON object in the body of a `DELETE`.
pub struct DeleteJson;

impl ContentType for DeleteJson {
    const CONTENT_TYPE: &'static str = JsonEncoding::CONTENT_TYPE;
}

impl Encoding for DeleteJson {
    const METHOD: Method = Method::DELETE;
}

// Only for the function that needs it: a generic implementation would conflict with server_fn's.

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
