//! Invitations to register.

use app::{
    backend::{Caller, ClientInfo, CreatedInvitation, Failure},
    i18n::{Lang, mail::Mail},
    protocol::{error::Code, invitations::Invitation},
};
use uuid::Uuid;

use super::service::Inner;
use crate::{
    clock::Env,
    domain::{
        email_address::EmailAddress,
        message::Message,
        one_time_code::{OneTimeCode, Purpose},
    },
    failure::internal,
    store::{Actor, AuditContext, Event, StoredInvitation},
};

impl Inner {
    pub(super) async fn invitations(&self) -> Result<Vec<Invitation>, Failure> {
        let stored = self.store.invitations(self.env.now()).await.map_err(internal)?;
        let inviters = stored.iter().filter_map(|invitation| invitation.user);
        let names = self.store.usernames(inviters.collect::<Vec<_>>()).await.map_err(internal)?;
        let shown = |invitation: StoredInvitation| Invitation {
            id: invitation.id,
            email: invitation.address,
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
            created_by: invitation.user.and_then(|user| names.get(&user).cloned()),
        };
        Ok(stored.into_iter().map(shown).collect())
    }

    /// Creates an invitation. Its address is kept only if it is sent there: the new user has proven
    /// to read that mail then.
    pub(super) async fn invite(
        &self,
        caller: &Caller,
        email: Option<String>,
        client_info: ClientInfo,
    ) -> Result<CreatedInvitation, Failure> {
        let typed = email.filter(|email| !email.trim().is_empty());
        let address = typed
            .map(|typed| EmailAddress::parse(&typed))
            .transpose()
            .map_err(|problem| Failure::field("email", problem))?
            .filter(|_| self.mail.is_on);
        let (code, message) =
            invitation(&self.env, Some(caller.user), address.as_ref(), client_info.lang);
        let created = CreatedInvitation {
            id: code.id,
            link: invitation_link(self.mail.site_url.as_deref(), &code),
            expires_at: code.expires_at,
            sent: message.is_some(),
        };
        let context = AuditContext::of(caller, self.env.now(), client_info);
        let entry = context.entry(Event::InvitationCreated, None, None);
        let actor = Actor::admin(caller, entry.at);
        self.store.invite_as(actor, code, message, entry).await.map_err(Failure::from)?;
        Ok(created)
    }

    pub(super) async fn revoke_invitation(
        &self,
        caller: &Caller,
        id: Uuid,
        client_info: ClientInfo,
    ) -> Result<(), Failure> {
        let context = AuditContext::of(caller, self.env.now(), client_info);
        let entry = context.entry(Event::InvitationRevoked, None, None);
        let actor = Actor::admin(caller, entry.at);
        let is_revoked = self.store.revoke_invitation(actor, id, entry).await;
        if is_revoked.map_err(Failure::from)? { Ok(()) } else { Err(Code::NotFound.into()) }
    }
}

/// Makes the code of an invitation, and the mail to its address, if there is one. `by`: the
/// administrator; `None` for the command line.
#[must_use]
pub fn invitation(
    env: &Env,
    by: Option<Uuid>,
    address: Option<&EmailAddress>,
    lang: Lang,
) -> (OneTimeCode, Option<Message>) {
    let address = address.map(|address| address.shown().to_owned());
    let code = OneTimeCode::generate(env, Purpose::Invite, by, address.clone(), None);
    let message = address.map(|address| {
        let mail = Mail::Invitation { token: code.link_secret() };
        Message::new(env, None, address, lang, mail)
    });
    (code, message)
}

/// Returns the link of an invitation, with the token in its fragment. Without a public URL it begins
/// with the path.
#[must_use]
pub fn invitation_link(site_url: Option<&str>, code: &OneTimeCode) -> String {
    format!("{}/register#{}", site_url.unwrap_or_default(), code.token.as_str())
}
