//! Messages that wait to be sent. A message is enqueued in the transaction of the change that causes
//! it, so that none is sent for a change that was not made, and none is lost for one that was.
//!
//! A server claims messages before it sends them, by moving their next attempt past the time that an
//! attempt can take. If it crashes meanwhile, the attempt is repeated then: a message is sent once,
//! and at most once more if the crash was between sending and deletion.

use app::i18n::{Lang, mail::Mail};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait as _, ExprTrait as _,
    PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect,
    sea_query::{Expr, LockBehavior, LockType},
};
use uuid::Uuid;

use super::{
    AuditEntry, Store, StoreError, audit,
    entities::outbox::{self, Column},
};
use crate::domain::message::Message;

/// A message that this server may send.
#[derive(Clone, Debug)]
pub struct QueuedMessage {
    /// Id of the message.
    pub id: Uuid,
    /// The account that it is about.
    pub user: Option<Uuid>,
    /// E-mail address.
    pub recipient: String,
    /// Kind of the mail, one of [`Mail::KINDS`].
    pub kind: String,
    /// Language of the text.
    pub lang: Lang,
    /// The text with its parameters; [`None`] if another version has written it in a form that this
    /// one does not know.
    pub mail: Option<Mail>,
    /// Seconds of Unix time.
    pub created_at: i64,
    /// Number of attempts, including the one that is to be made.
    pub attempts: i32,
}

impl From<outbox::Model> for QueuedMessage {
    fn from(row: outbox::Model) -> Self {
        Self {
            id: row.id,
            user: row.user_id,
            recipient: row.recipient,
            kind: row.kind,
            lang: Lang::from_tag(&row.language).unwrap_or_default(),
            mail: serde_json::from_str(&row.parameters).ok(),
            created_at: row.created_at,
            attempts: row.attempts,
        }
    }
}

/// Adds a message to the outbox, to be sent after the change is committed.
pub(super) async fn enqueue(
    connection: &impl ConnectionTrait,
    message: Message,
) -> Result<(), StoreError> {
    let parameters = serde_json::to_string(&message.mail)
        .map_err(|error| StoreError::Unreadable(error.to_string()))?;
    let row = outbox::ActiveModel {
        id: Set(message.id),
        user_id: Set(message.user),
        recipient: Set(message.recipient),
        kind: Set(message.mail.kind().to_owned()),
        language: Set(message.lang.tag().to_owned()),
        parameters: Set(parameters),
        created_at: Set(message.created_at),
        next_attempt_at: Set(message.created_at),
        attempts: Set(0),
    };
    outbox::Entity::insert(row).exec_without_returning(connection).await?;
    Ok(())
}

/// Deletes the messages about a deleted account.
pub(super) async fn delete_all(
    connection: &impl ConnectionTrait,
    user: Uuid,
) -> Result<(), StoreError> {
    outbox::Entity::delete_many().filter(Column::UserId.eq(user)).exec(connection).await?;
    Ok(())
}

impl Store {
    /// Adds a message to the outbox that no other change causes.
    pub async fn enqueue_message(&self, message: Message) -> Result<(), StoreError> {
        self.writer.write(move |transaction| Box::pin(enqueue(transaction, message))).await
    }

    /// Returns whether an attempt is due.
    pub async fn is_message_due(&self, now: i64) -> Result<bool, StoreError> {
        let due = outbox::Entity::find().select_only().column(Column::Id).filter(is_due(now));
        Ok(due.limit(1).into_tuple::<Uuid>().one(&self.read).await?.is_some())
    }

    /// Claims messages whose attempt is due, the longest due first. Until `lease_end` no other
    /// server claims them.
    pub async fn claim_messages(
        &self,
        now: i64,
        lease_end: i64,
        at_most: u64,
    ) -> Result<Vec<QueuedMessage>, StoreError> {
        self.writer
            .write(move |transaction| {
                Box::pin(async move { claim(transaction, now, lease_end, at_most).await })
            })
            .await
    }

    /// Deletes a message that was sent.
    pub async fn delete_message(&self, id: Uuid) -> Result<(), StoreError> {
        self.writer
            .write(move |transaction| {
                Box::pin(async move {
                    outbox::Entity::delete_by_id(id).exec(transaction).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Sets the time of the next attempt of a message that was not sent.
    pub async fn retry_message(&self, id: Uuid, at: i64) -> Result<(), StoreError> {
        self.writer
            .write(move |transaction| {
                Box::pin(async move {
                    outbox::Entity::update_many()
                        .col_expr(Column::NextAttemptAt, Expr::value(at))
                        .filter(Column::Id.eq(id))
                        .exec(transaction)
                        .await?;
                    Ok(())
                })
            })
            .await
    }

    /// Deletes a message that cannot be sent, with an audit entry.
    pub async fn give_up_message(&self, id: Uuid, entry: AuditEntry) -> Result<(), StoreError> {
        self.writer
            .write(move |transaction| {
                Box::pin(async move {
                    let deleted = outbox::Entity::delete_by_id(id).exec(transaction).await?;
                    if deleted.rows_affected > 0 {
                        audit::insert(transaction, entry).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Returns the number of waiting messages.
    pub async fn waiting_messages(&self) -> Result<u64, StoreError> {
        Ok(outbox::Entity::find().count(&self.read).await?)
    }

    /// Deletes the messages up to a time, and returns their number: those of a server that is not
    /// set up to send mail any more.
    pub async fn sweep_outbox(&self, until: i64) -> Result<u64, StoreError> {
        let over = Condition::all().add(Column::CreatedAt.lte(until));
        self.delete_in_batches::<outbox::Entity>(Column::Id, over).await
    }
}

/// Due messages of the kinds that this version knows: during an upgrade a newer server sends its
/// new ones.
fn is_due(now: i64) -> Condition {
    Condition::all().add(Column::NextAttemptAt.lte(now)).add(Column::Kind.is_in(Mail::KINDS))
}

async fn claim(
    connection: &impl ConnectionTrait,
    now: i64,
    lease_end: i64,
    at_most: u64,
) -> Result<Vec<QueuedMessage>, StoreError> {
    let mut due = outbox::Entity::find()
        .filter(is_due(now))
        .order_by_asc(Column::NextAttemptAt)
        .order_by_asc(Column::Id)
        .limit(at_most);
    if connection.get_database_backend() == DbBackend::Postgres {
        // Servers take different messages instead of waiting for each other.
        QuerySelect::query(&mut due).lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    }
    let mut rows = due.all(connection).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    outbox::Entity::update_many()
        .col_expr(Column::NextAttemptAt, Expr::value(lease_end))
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
        .filter(Column::Id.is_in(rows.iter().map(|row| row.id)))
        .exec(connection)
        .await?;
    for row in &mut rows {
        row.attempts += 1;
    }
    Ok(rows.into_iter().map(QueuedMessage::from).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use futures::future::join_all;

    use super::*;
    use crate::{
        clock::Env,
        store::test_store::{NOW, TestStore},
    };

    fn message(env: &Env) -> Message {
        Message::new(env, None, "ada@example.com".to_owned(), Lang::Zh, Mail::Test)
    }

    #[tokio::test]
    async fn enqueue_in_a_change_that_fails_leaves_no_message() {
        let TestStore { store, env, .. } = &TestStore::open().await;
        let lost = message(env);
        let failing: Result<(), _> = store
            .writer
            .write(move |transaction| {
                Box::pin(async move {
                    enqueue(transaction, lost).await?;
                    Err(StoreError::Unreadable("a reason".into()))
                })
            })
            .await;
        assert!(failing.is_err());
        assert_eq!(store.waiting_messages().await.unwrap(), 0);
        store.enqueue_message(message(env)).await.unwrap();
        assert_eq!(store.waiting_messages().await.unwrap(), 1);
    }

    #[tokio::test]
    async fn claimed_message_is_due_again_after_its_lease_until_it_is_deleted() {
        let TestStore { store, env, .. } = &TestStore::open().await;
        let waiting = message(env);
        store.enqueue_message(waiting.clone()).await.unwrap();
        assert!(!store.is_message_due(NOW - 1).await.unwrap());
        for attempt in 0_i32..3 {
            let at = NOW + i64::from(attempt) * 100;
            assert!(store.is_message_due(at).await.unwrap());
            let claimed = store.claim_messages(at, at + 100, 10).await.unwrap();
            let [QueuedMessage { id, lang, mail, attempts, .. }] = &claimed[..] else {
                panic!("{claimed:?}");
            };
            assert_eq!((*id, *attempts), (waiting.id, attempt + 1));
            assert_eq!((*lang, mail), (Lang::Zh, &Some(Mail::Test)));
            assert!(!store.is_message_due(at + 99).await.unwrap());
            assert!(store.claim_messages(at + 99, at + 200, 10).await.unwrap().is_empty());
        }
        store.delete_message(waiting.id).await.unwrap();
        assert!(!store.is_message_due(i64::MAX).await.unwrap());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn claim_concurrently_gives_each_message_to_one_server() {
        let TestStore { store, env, .. } = &TestStore::open().await;
        for _ in 0..40 {
            store.enqueue_message(message(env)).await.unwrap();
        }
        // Each goes on until nothing is left for it.
        let servers = (0..6).map(|_| async {
            let mut taken = Vec::new();
            loop {
                let claimed = store.claim_messages(NOW, NOW + 100, 3).await.unwrap();
                if claimed.is_empty() && !store.is_message_due(NOW).await.unwrap() {
                    return taken;
                }
                taken.extend(claimed.into_iter().map(|claimed| claimed.id));
            }
        });
        let taken: Vec<_> = join_all(servers).await.concat();
        assert_eq!(taken.len(), 40);
        assert_eq!(taken.iter().collect::<HashSet<_>>().len(), 40);
    }

    #[tokio::test]
    async fn sweep_of_the_outbox_deletes_old_messages() {
        let TestStore { store, env, .. } = &TestStore::open().await;
        store.enqueue_message(message(env)).await.unwrap();
        assert_eq!(store.sweep_outbox(NOW - 1).await.unwrap(), 0);
        assert_eq!(store.sweep_outbox(NOW).await.unwrap(), 1);
    }
}
