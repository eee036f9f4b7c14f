//! Pictures of other users, for administrators: to look at them, and to remove those that break the
//! rules of the site.

use app::{
    backend::{Caller, ClientInfo, Failure, RemovalRequest},
    protocol::{
        error::Code,
        files::{FileList, FileSize},
        moderation::RemovalNotice,
        users::AccountFilesQuery,
    },
};
use uuid::Uuid;

use super::{FileService, Opened};
use crate::{
    failure::internal,
    store::{Actor, AuditContext, Event, PictureRemoval},
};

impl FileService {
    /// Returns a page of the files of an account. The first page is recorded in the audit log before
    /// it is returned.
    ///
    /// # Errors
    ///
    /// [`Failure`]: `not_found` if there is no such account.
    pub async fn list_of(
        &self,
        caller: &Caller,
        query: AccountFilesQuery,
        client_info: ClientInfo,
    ) -> Result<FileList, Failure> {
        let AccountFilesQuery { id, after, limit } = query;
        self.require_account(id).await?;
        let files = self.list_page(id, after, limit).await?;
        if after.is_none() {
            let context = self.audit_context(caller, client_info);
            let entry = context.entry(Event::PicturesViewed, Some(id), None);
            let actor = Actor::admin(caller, context.at);
            let store = self.0.store.clone();
            let recording = async move { Ok(store.insert_audit_entry_as(actor, entry).await?) };
            self.run_to_completion(recording).await?;
        }
        Ok(files)
    }

    /// Opens a file of an account.
    ///
    /// # Errors
    ///
    /// [`Failure`]: `not_found` if the account has no such file.
    pub async fn open_of(&self, user: Uuid, id: Uuid, size: FileSize) -> Result<Opened, Failure> {
        self.open_file(user, id, size).await
    }

    /// Removes a picture of an account, and leaves its owner a notice.
    ///
    /// # Errors
    ///
    /// [`Failure`]: `not_found` if there is no such picture; nothing was removed.
    pub async fn remove_for(
        &self,
        caller: &Caller,
        removal: RemovalRequest,
        client_info: ClientInfo,
    ) -> Result<(), Failure> {
        let context = self.audit_context(caller, client_info);
        let (service, actor) = (self.clone(), Actor::admin(caller, context.at));
        self.run_to_completion(async move {
            let inner = &service.0;
            let RemovalRequest { id: user, file, reason, text } = removal;
            let removal =
                PictureRemoval { notice: inner.env.uuid(), user, file, reason, text };
            let removed = inner.store.remove_picture(actor, removal, context).await;
            // Invalidate even if the write's outcome is unknown, so the cache never disagrees with
            // the database.
            inner.user_cache.invalidate(user);
            let keys = removed.map_err(Failure::from)?.ok_or(Code::NotFound)?;
            inner.delete_objects(keys).await;
            tracing::info!(%user, by = %actor.user, ?file, ?reason, "picture removed by an administrator");
            Ok(())
        })
        .await
    }

    /// Returns the notices to the caller, newest first.
    pub async fn notices_to(&self, caller: &Caller) -> Result<Vec<RemovalNotice>, Failure> {
        self.0.store.removal_notices(caller.user).await.map_err(internal)
    }

    /// Dismisses a notice to the caller.
    ///
    /// # Errors
    ///
    /// [`Failure`]: `not_found` also for notices to other users.
    pub async fn dismiss(&self, caller: &Caller, id: Uuid) -> Result<(), Failure> {
        let (service, actor) = (self.clone(), Actor::new(caller, self.0.env.now()));
        self.run_to_completion(async move {
            let dismissed = service.0.store.dismiss_notice(actor, id).await;
            if dismissed.map_err(Failure::from)? { Ok(()) } else { Err(Code::NotFound.into()) }
        })
        .await
    }

    async fn require_account(&self, id: Uuid) -> Result<(), Failure> {
        match self.0.user_cache.get(id).await.map_err(internal)? {
            Some(_) => Ok(()),
            None => Err(Code::NotFound.into()),
        }
    }

    fn audit_context(&self, caller: &Caller, client_info: ClientInfo) -> AuditContext {
        AuditContext::of(caller, self.0.env.now(), client_info)
    }
}
