//! Token pairs of a session.

use app::protocol::{TokenPair, TokenScheme};

use super::service::Inner;
use crate::{
    domain::{claims::Grant, session::Session},
    tokens::keys::SignError,
};

impl Inner {
    /// Issues the token pair of a session's current generation.
    pub(super) fn pair(&self, session: &Session, fresh: bool) -> Result<TokenPair, SignError> {
        self.pair_with(session, &session.refresh_grant(&self.lifetimes), fresh)
    }

    /// Issues an access token beside a given refresh token.
    pub(super) fn pair_with(
        &self,
        session: &Session,
        refresh: &Grant,
        fresh: bool,
    ) -> Result<TokenPair, SignError> {
        let now = self.env.now();
        let access = session.access_grant(now, &self.lifetimes);
        Ok(TokenPair {
            access_token: self.codec.access(&access, fresh, &self.env)?,
            refresh_token: self.codec.refresh(refresh)?,
            token_type: TokenScheme::Bearer,
            expires_in: access.expires_at - now,
            refresh_expires_in: refresh.expires_at - now,
        })
    }
}
