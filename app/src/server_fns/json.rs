//! Codec of server functions: JSON, as in `server_fn`, but for the decoder in the browser.

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use server_fn::{
    ContentType, Decodes, Encodes, Format, FormatType,
    codec::{self, Patch, Post},
};

/// Encodes like `server_fn`'s. In the browser it decodes with [`crate::protocol::json`], which is
/// smaller; on the server with `serde_json`, whose errors tell the client the place.
pub struct JsonEncoding;

/// JSON in the bodies of a `POST` and its response.
pub(super) type Json = Post<JsonEncoding>;

/// JSON in the bodies of a `PATCH` and its response.
pub(super) type PatchJson = Patch<JsonEncoding>;

impl ContentType for JsonEncoding {
    const CONTENT_TYPE: &'static str = codec::JsonEncoding::CONTENT_TYPE;
}

impl FormatType for JsonEncoding {
    const FORMAT_TYPE: Format = codec::JsonEncoding::FORMAT_TYPE;
}

impl<T: Serialize> Encodes<T> for JsonEncoding {
    type Error = serde_json::Error;

    fn encode(value: &T) -> Result<Bytes, Self::Error> {
        codec::JsonEncoding::encode(value)
    }
}

#[cfg(feature = "ssr")]
impl<T: DeserializeOwned> Decodes<T> for JsonEncoding {
    type Error = serde_json::Error;

    fn decode(body: Bytes) -> Result<T, Self::Error> {
        codec::JsonEncoding::decode(body)
    }
}

#[cfg(not(feature = "ssr"))]
impl<T: DeserializeOwned> Decodes<T> for JsonEncoding {
    type Error = crate::protocol::json::InvalidJson;

    fn decode(body: Bytes) -> Result<T, Self::Error> {
        crate::protocol::json::from_slice(&body)
    }
}
