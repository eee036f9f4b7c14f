//! Server functions, one file an area: each names the caller, calls the backend and builds the
//! response.
#![expect(
    missing_docs,
    reason = "the macro makes public fields of the arguments, which the types describe"
)]

mod activity;
mod addresses;
mod audit;
mod auth;
mod client;
mod delete_json;
mod error;
mod files;
mod invitations;
mod json;
mod notices;
mod profile;
mod sessions;
mod users;

pub use activity::*;
pub use addresses::*;
pub use audit::*;
pub use auth::*;
pub use files::*;
pub use invitations::*;
pub use notices::*;
pub use profile::*;
pub use sessions::*;
pub use users::*;

/// A server function whose only argument is the whole body or query.
#[cfg(feature = "ssr")]
pub trait WithInput {
    /// The type of the argument.
    type Input;
}

/// Serializes the only argument of a server function as the whole body or query, not as a member of
/// it: `#[serde(transparent)]`, which `#[server]` cannot add to the type that it generates.
macro_rules! transparent {
    ($function:ident { $argument:ident: $input:ty }) => {
        #[cfg(feature = "ssr")]
        impl super::WithInput for $function {
            type Input = $input;
        }

        impl serde::Serialize for $function {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.$argument.serialize(serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $function {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                serde::Deserialize::deserialize(deserializer).map(|$argument| Self { $argument })
            }
        }
    };
}
use transparent;

#[cfg(test)]
mod tests {
    use server_fn::ServerFn;

    use super::*;
    use crate::protocol::paths;

    #[test]
    fn paths_of_the_session_are_those_of_the_server_functions() {
        for (path, expected) in [
            (Register::PATH, paths::REGISTER),
            (Login::PATH, paths::LOGIN),
            (Refresh::PATH, paths::REFRESH),
            (Verify::PATH, paths::VERIFY),
            (Logout::PATH, paths::LOGOUT),
            (DeleteAvatar::PATH, paths::AVATAR),
            (ListFiles::PATH, paths::FILES),
        ] {
            assert_eq!(path, expected);
        }
    }
}
