//! `/api/invitations`: invitations to register, for administrators.

use leptos::prelude::*;
use server_fn::codec::{DeleteUrl, GetUrl};

use super::{client::ApiClient, json::Json, transparent};
use crate::protocol::{
    Done,
    error::ApiError,
    invitations::{InvitationId, InvitationList, Invited, NewInvitation},
};
#[cfg(feature = "ssr")]
use crate::{
    backend::{CreatedInvitation, RequestContext, set_status},
    i18n::messages::Messages,
};

/// Lists the valid invitations.
#[server(prefix = "/api", endpoint = "invitations", input = GetUrl, output = Json, client = ApiClient)]
pub async fn list_invitations() -> Result<InvitationList, ApiError> {
    let request = RequestContext::current()?;
    request.caller()?;
    Ok(InvitationList { invitations: request.backend.addresses.invitations().await? })
}

/// Creates an invitation. Responds with 201.
#[server(
    prefix = "/api", endpoint = "invitations", input = Json, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn create_invitation(body: NewInvitation) -> Result<Invited, ApiError> {
    let request = RequestContext::current()?;
    let (caller, client) = (request.caller()?, request.client_info.clone());
    let created = request.backend.addresses.invite(caller, body.email, client).await?;
    set_status(http::StatusCode::CREATED);
    let CreatedInvitation { id, link, expires_at, sent } = created;
    let message =
        request.message(
            |messages: &Messages| {
                if sent { messages.invitation_sent } else { messages.invitation_created }
            },
        );
    Ok(Invited { message, id, link, expires_at, sent })
}

transparent!(CreateInvitation { body: NewInvitation });

/// Revokes an invitation.
#[server(
    prefix = "/api", endpoint = "invitations", input = DeleteUrl, output = Json, client = ApiClient, input_derive = (Clone,)
)]
pub async fn revoke_invitation(query: InvitationId) -> Result<Done, ApiError> {
    let request = RequestContext::current()?;
    let (caller, client) = (request.caller()?, request.client_info.clone());
    request.backend.addresses.revoke_invitation(caller, query.id, client).await?;
    Ok(Done { message: request.message(|messages| messages.invitation_revoked) })
}

transparent!(RevokeInvitation { query: InvitationId });
