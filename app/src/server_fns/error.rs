//! Conversion of failures of a server function's codec, and the status and headers of its failures.

use server_fn::error::{FromServerFnError, ServerFnErrorErr};

use super::json::JsonEncoding;
use crate::protocol::error::ApiError;
#[cfg(not(feature = "ssr"))]
use crate::protocol::error::Code;

impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;

    #[cfg(feature = "ssr")]
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        crate::backend::codec_failure(&error).into()
    }

    #[cfg(not(feature = "ssr"))]
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        Self::local(match error {
            // A body that cannot be parsed does not come from our server.
            ServerFnErrorErr::Request(_)
            | ServerFnErrorErr::Response(_)
            | ServerFnErrorErr::Deserialization(_) => Code::Network,
            _ => Code::Unknown,
        })
    }

    /// Runs for each failed call, whichever layer failed: the one place that sets its status and
    /// headers.
    #[cfg(feature = "ssr")]
    fn ser(&self) -> bytes::Bytes {
        crate::backend::set_error_head(self);
        self.body()
    }
}
