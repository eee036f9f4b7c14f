//! The wire's flat objects behind data that is nested in the program.
//!
//! serde's own `flatten` reads an object into a map first: code that would make up some 5 kB of
//! what every visitor loads.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{LoggedIn, Profile, Refreshed, Role, TokenPair, TokenScheme, TokenType, User};

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub(super) struct FlatTokens {
    /// A sentence for the person.
    message: String,
    /// Signs calls: `Authorization: Bearer <access token>`.
    access_token: String,
    /// Gets the next pair.
    refresh_token: String,
    token_type: TokenScheme,
    /// Seconds until the access token expires.
    expires_in: i64,
    /// Seconds until the refresh token expires.
    refresh_expires_in: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<User>,
}

impl FlatTokens {
    fn new(message: String, tokens: TokenPair, user: Option<User>) -> Self {
        let TokenPair { access_token, refresh_token, token_type, expires_in, refresh_expires_in } =
            tokens;
        Self {
            message,
            access_token,
            refresh_token,
            token_type,
            expires_in,
            refresh_expires_in,
            user,
        }
    }

    fn split(self) -> (String, TokenPair, Option<User>) {
        let Self {
            message,
            access_token,
            refresh_token,
            token_type,
            expires_in,
            refresh_expires_in,
            user,
        } = self;
        (
            message,
            TokenPair { access_token, refresh_token, token_type, expires_in, refresh_expires_in },
            user,
        )
    }
}

impl From<LoggedIn> for FlatTokens {
    fn from(LoggedIn { message, tokens, user }: LoggedIn) -> Self {
        Self::new(message, tokens, Some(user))
    }
}

impl TryFrom<FlatTokens> for LoggedIn {
    type Error = &'static str;

    fn try_from(flat: FlatTokens) -> Result<Self, Self::Error> {
        let (message, tokens, user) = flat.split();
        Ok(Self { message, tokens, user: user.ok_or("missing field `user`")? })
    }
}

impl From<Refreshed> for FlatTokens {
    fn from(Refreshed { message, tokens }: Refreshed) -> Self {
        Self::new(message, tokens, None)
    }
}

impl From<FlatTokens> for Refreshed {
    fn from(flat: FlatTokens) -> Self {
        let (message, tokens, _) = flat.split();
        Self { message, tokens }
    }
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub(super) struct FlatProfile {
    /// A `UUIDv7` (RFC 9562 §5.7), made at registration.
    id: Uuid,
    /// The account's name as the person wrote it.
    username: String,
    /// How the person wants to be called: 1 to 64 characters.
    nickname: Option<String>,
    /// Where the person's picture is.
    avatar_url: Option<String>,
    role: Role,
    /// Where the person may be written to; no name to log in with.
    email: Option<String>,
    /// The number of the person's phone, as E.164 has it; no name to log in with.
    mobile: Option<String>,
    /// When the account was made, in seconds of Unix time.
    created_at: i64,
    /// The token's `iat`, in seconds of Unix time.
    login_time: i64,
    /// The token's `exp`, in seconds of Unix time.
    expiration_time: i64,
    token_type: TokenType,
    /// Whether the token comes straight from a password.
    fresh: bool,
}

impl From<Profile> for FlatProfile {
    fn from(profile: Profile) -> Self {
        let User { id, username, nickname, avatar_url, role } = profile.user;
        let Profile {
            email,
            mobile,
            created_at,
            login_time,
            expiration_time,
            token_type,
            fresh,
            ..
        } = profile;
        Self {
            id,
            username,
            nickname,
            avatar_url,
            role,
            email,
            mobile,
            created_at,
            login_time,
            expiration_time,
            token_type,
            fresh,
        }
    }
}

impl From<FlatProfile> for Profile {
    fn from(flat: FlatProfile) -> Self {
        let FlatProfile { id, username, nickname, avatar_url, role, .. } = flat;
        let FlatProfile {
            email,
            mobile,
            created_at,
            login_time,
            expiration_time,
            token_type,
            fresh,
            ..
        } = flat;
        let user = User { id, username, nickname, avatar_url, role };
        Self { user, email, mobile, created_at, login_time, expiration_time, token_type, fresh }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_wire_is_flat() {
        let user = json!({ "id": Uuid::nil(), "username": "bob", "nickname": null, "avatar_url": null, "role": "user" });
        let tokens = json!({
            "message": "m", "access_token": "a", "refresh_token": "r", "token_type": "Bearer",
            "expires_in": 900, "refresh_expires_in": 604_800,
        });
        let refreshed: Refreshed = serde_json::from_value(tokens.clone()).unwrap();
        assert_eq!(serde_json::to_value(&refreshed).unwrap(), tokens);
        assert!(serde_json::from_value::<LoggedIn>(tokens.clone()).is_err());

        let mut answer = tokens;
        answer["user"] = user.clone();
        let logged_in: LoggedIn = serde_json::from_value(answer.clone()).unwrap();
        assert_eq!(serde_json::to_value(&logged_in).unwrap(), answer);

        let mut answer = user;
        for (key, value) in
            [("created_at", json!(1)), ("login_time", json!(2)), ("expiration_time", json!(3))]
        {
            answer[key] = value;
        }
        answer["email"] = "bob@example.com".into();
        answer["mobile"] = serde_json::Value::Null;
        answer["token_type"] = "access".into();
        answer["fresh"] = true.into();
        let profile: Profile = serde_json::from_value(answer.clone()).unwrap();
        assert_eq!(serde_json::to_value(&profile).unwrap(), answer);
    }
}
