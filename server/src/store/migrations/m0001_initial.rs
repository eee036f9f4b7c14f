//! All tables and indexes.
//!
//! Both databases get the same columns. Text has no maximum length: SQLite would not enforce it,
//! and the rules of `app::validation` and `domain` do. Times are seconds of Unix time. No column has a
//! default: the entities set every column. Columns are `NOT NULL` unless `null()` follows.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, big_pk_auto, boolean, integer, uuid},
};

use super::text::Text;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0001_initial"
    }
}

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
    Username,
    UsernameKey,
    UsernameSkeleton,
    PasswordHash,
    PasswordChangedAt,
    Nickname,
    AvatarUrl,
    Role,
    Email,
    Mobile,
    Language,
    AlertNewDevice,
    CreatedAt,
    DisabledAt,
    LoggedInAt,
    DeviceEpoch,
}

#[derive(DeriveIden)]
enum Addresses {
    Table,
    Id,
    UserId,
    Kind,
    Key,
    Value,
    VerifiedAt,
    CreatedAt,
}

#[derive(DeriveIden)]
enum UserWords {
    Table,
    Word,
    UserId,
    CreatedAt,
    UsernameKey,
}

#[derive(DeriveIden)]
enum RemovalNotices {
    Table,
    Id,
    UserId,
    FileName,
    Reason,
    Text,
    CreatedAt,
}

#[derive(DeriveIden)]
enum UsernameSkeletons {
    Table,
    Skeleton,
    Ascii,
    Usernames,
}

#[derive(DeriveIden)]
enum DeletedUsers {
    Table,
    UserId,
    DeletedAt,
}

#[derive(DeriveIden)]
enum Sessions {
    Table,
    Id,
    UserId,
    Generation,
    ParentGeneration,
    Acknowledged,
    Undelivered,
    Remember,
    CreatedAt,
    RefreshedAt,
    ExpiresAt,
    EndedAt,
    EndReason,
    Address,
    UserAgent,
    NewDevice,
}

#[derive(DeriveIden)]
enum RevokedTokens {
    Table,
    Seq,
    Jti,
    Type,
    ExpiresAt,
    RevokedAt,
    Reason,
}

#[derive(DeriveIden)]
enum Changes {
    Table,
    Seq,
    At,
    Kind,
    Id,
}

#[derive(DeriveIden)]
enum SigningKeys {
    Table,
    Id,
    Revision,
    Sealed,
}

#[derive(DeriveIden)]
enum LoginFailures {
    Table,
    Id,
    Subject,
    At,
}

#[derive(DeriveIden)]
enum AuditEvents {
    Table,
    Id,
    At,
    Event,
    Outcome,
    UserId,
    SessionId,
    Address,
    UserAgent,
    Detail,
}

#[derive(DeriveIden)]
enum Files {
    Table,
    Id,
    UserId,
    Name,
    MediaType,
    Size,
    StoredBytes,
    Width,
    Height,
    CreatedAt,
}

#[derive(DeriveIden)]
enum ObjectStores {
    Table,
    Id,
    Marker,
}

#[derive(DeriveIden)]
enum OrphanedObjects {
    Table,
    Key,
    DueAt,
}

#[derive(DeriveIden)]
enum Outbox {
    Table,
    Id,
    UserId,
    Recipient,
    Kind,
    Language,
    Parameters,
    CreatedAt,
    NextAttemptAt,
    Attempts,
}

#[derive(DeriveIden)]
enum OneTimeCodes {
    Table,
    Id,
    Purpose,
    UserId,
    Address,
    TokenHash,
    CodeHash,
    RequestHash,
    Tries,
    CreatedAt,
    ExpiresAt,
}

#[derive(DeriveIden)]
enum Cleanups {
    Table,
    Id,
    At,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let text = Text::of(manager.get_database_backend());
        users(manager, text).await?;
        sessions(manager, text).await?;
        audit_events(manager, text).await?;
        files(manager, text).await?;
        mail(manager, text).await
    }
}

async fn users(manager: &SchemaManager<'_>, text: Text) -> Result<(), DbErr> {
    let table = Table::create()
        .table(Users::Table)
        .col(uuid(Users::Id).primary_key())
        .col(text.column(Users::Username))
        .col(text.column(Users::UsernameKey).unique_key())
        .col(text.column(Users::UsernameSkeleton))
        .col(text.column(Users::PasswordHash))
        .col(big_integer(Users::PasswordChangedAt))
        .col(text.column(Users::Nickname).null())
        .col(text.column(Users::AvatarUrl).null())
        .col(text.column(Users::Role))
        .col(text.column(Users::Email).null())
        .col(text.column(Users::Mobile).null())
        .col(text.column(Users::Language))
        .col(boolean(Users::AlertNewDevice))
        .col(big_integer(Users::CreatedAt))
        .col(big_integer(Users::DisabledAt).null())
        .col(big_integer(Users::LoggedInAt).null())
        .col(big_integer(Users::DeviceEpoch))
        .take();
    manager.create_table(table).await?;
    let index = |name: &str| Index::create().name(name).table(Users::Table).take();
    for index in [
        index("users_by_creation").col(Users::CreatedAt).col(Users::Id).take(),
        // With all sort keys: a search does not fetch rows before the page.
        index("users_by_name").col(Users::UsernameKey).col(Users::CreatedAt).col(Users::Id).take(),
        index("users_by_role").col(Users::Role).col(Users::DisabledAt).take(),
    ] {
        manager.create_index(index).await?;
    }
    let disabled =
        |name: &str| index(name).and_where(Expr::col(Users::DisabledAt).is_not_null()).take();
    for index in [
        disabled("users_disabled_by_creation").col(Users::CreatedAt).col(Users::Id).take(),
        disabled("users_disabled_by_name").col(Users::UsernameKey).take(),
    ] {
        manager.create_index(index).await?;
    }
    user_words(manager, text).await?;
    addresses(manager, text).await?;
    // One row per reserved skeleton. ASCII usernames share it, any other has it exclusively. A row
    // of its own gives databases with concurrent writers something to lock, and its count of
    // usernames saves an index of them by skeleton.
    let mut table = Table::create()
        .table(UsernameSkeletons::Table)
        .col(text.column(UsernameSkeletons::Skeleton).primary_key())
        .col(boolean(UsernameSkeletons::Ascii))
        .col(big_integer(UsernameSkeletons::Usernames))
        .take();
    store_rows_in_primary_key(manager, &mut table);
    manager.create_table(table).await?;
    // Deleted accounts with remaining rows in other tables. Those tables have no foreign keys: their
    // rows are deleted in batches after the account.
    let table = Table::create()
        .table(DeletedUsers::Table)
        .col(uuid(DeletedUsers::UserId).primary_key())
        .col(big_integer(DeletedUsers::DeletedAt))
        .take();
    manager.create_table(table).await
}

/// Stores the small rows of a table in its primary key. SQLite would store them twice otherwise.
fn store_rows_in_primary_key(manager: &SchemaManager<'_>, table: &mut TableCreateStatement) {
    if manager.get_database_backend() == sea_orm::DbBackend::Sqlite {
        table.extra("WITHOUT ROWID");
    }
}

/// Words by which accounts are found, with the sort keys of the account list: a search reads no
/// accounts but those of the page.
async fn user_words(manager: &SchemaManager<'_>, text: Text) -> Result<(), DbErr> {
    let mut table = Table::create()
        .table(UserWords::Table)
        .col(text.column(UserWords::Word))
        .col(uuid(UserWords::UserId))
        .col(big_integer(UserWords::CreatedAt))
        .col(text.column(UserWords::UsernameKey))
        .primary_key(Index::create().col(UserWords::Word).col(UserWords::UserId))
        .take();
    store_rows_in_primary_key(manager, &mut table);
    manager.create_table(table).await?;
    let index = Index::create()
        .name("user_words_by_user")
        .table(UserWords::Table)
        .col(UserWords::UserId)
        .col(UserWords::Word)
        .take();
    manager.create_index(index).await
}

/// Addresses of accounts. A verified one belongs to one account; any number may claim it.
async fn addresses(manager: &SchemaManager<'_>, text: Text) -> Result<(), DbErr> {
    let table = Table::create()
        .table(Addresses::Table)
        .col(uuid(Addresses::Id).primary_key())
        .col(uuid(Addresses::UserId))
        .col(text.column(Addresses::Kind))
        // As usernames are looked up.
        .col(text.column(Addresses::Key))
        .col(text.column(Addresses::Value))
        .col(big_integer(Addresses::VerifiedAt).null())
        .col(big_integer(Addresses::CreatedAt))
        .take();
    manager.create_table(table).await?;
    let index = |name: &str| Index::create().name(name).table(Addresses::Table).take();
    for index in [
        index("addresses_by_user").col(Addresses::UserId).take(),
        index("addresses_verified")
            .col(Addresses::Kind)
            .col(Addresses::Key)
            .unique()
            .and_where(Expr::col(Addresses::VerifiedAt).is_not_null())
            .take(),
    ] {
        manager.create_index(index).await?;
    }
    Ok(())
}

async fn sessions(manager: &SchemaManager<'_>, text: Text) -> Result<(), DbErr> {
    let table = Table::create()
        .table(Sessions::Table)
        .col(uuid(Sessions::Id).primary_key())
        .col(uuid(Sessions::UserId))
        .col(big_integer(Sessions::Generation))
        .col(big_integer(Sessions::ParentGeneration).null())
        .col(boolean(Sessions::Acknowledged))
        .col(text.column(Sessions::Undelivered))
        .col(boolean(Sessions::Remember))
        .col(big_integer(Sessions::CreatedAt))
        .col(big_integer(Sessions::RefreshedAt))
        .col(big_integer(Sessions::ExpiresAt))
        .col(big_integer(Sessions::EndedAt).null())
        .col(text.column(Sessions::EndReason).null())
        .col(text.column(Sessions::Address).null())
        .col(text.column(Sessions::UserAgent).null())
        .col(boolean(Sessions::NewDevice))
        .take();
    manager.create_table(table).await?;
    let index = |name: &str| Index::create().name(name).table(Sessions::Table).take();
    for index in [
        // A login selects its user's oldest active sessions without a scan of the ended ones.
        index("sessions_by_user")
            .col(Sessions::UserId)
            .col(Sessions::EndedAt)
            .col(Sessions::CreatedAt)
            .take(),
        index("sessions_by_end").col(Sessions::ExpiresAt).take(),
        index("sessions_by_ended_at")
            .col(Sessions::EndedAt)
            .and_where(Expr::col(Sessions::EndedAt).is_not_null())
            .take(),
    ] {
        manager.create_index(index).await?;
    }
    // Servers follow this table by a number that is never reused.
    let table = Table::create()
        .table(RevokedTokens::Table)
        .col(big_pk_auto(RevokedTokens::Seq))
        .col(text.column(RevokedTokens::Jti).unique_key())
        .col(text.column(RevokedTokens::Type))
        .col(big_integer(RevokedTokens::ExpiresAt))
        .col(big_integer(RevokedTokens::RevokedAt))
        .col(text.column(RevokedTokens::Reason))
        .take();
    manager.create_table(table).await?;
    let index = Index::create()
        .name("revoked_tokens_by_end")
        .table(RevokedTokens::Table)
        .col(RevokedTokens::ExpiresAt)
        .take();
    manager.create_index(index).await?;
    changes(manager, text).await?;
    let table = Table::create()
        .table(LoginFailures::Table)
        .col(big_pk_auto(LoginFailures::Id))
        .col(text.column(LoginFailures::Subject))
        .col(big_integer(LoginFailures::At))
        .take();
    manager.create_table(table).await?;
    let index = |name: &str| Index::create().name(name).table(LoginFailures::Table).take();
    for index in [
        index("login_failures_by_subject")
            .col(LoginFailures::Subject)
            .col(LoginFailures::At)
            .take(),
        index("login_failures_by_time").col(LoginFailures::At).take(),
    ] {
        manager.create_index(index).await?;
    }
    // The time of the last cleanup.
    let table = Table::create()
        .table(Cleanups::Table)
        .col(big_integer(Cleanups::Id).primary_key())
        .col(big_integer(Cleanups::At))
        .take();
    manager.create_table(table).await
}

/// Changes that other servers must know of. They follow it by a number that is never reused.
async fn changes(manager: &SchemaManager<'_>, text: Text) -> Result<(), DbErr> {
    let table = Table::create()
        .table(Changes::Table)
        .col(big_pk_auto(Changes::Seq))
        .col(big_integer(Changes::At))
        .col(text.column(Changes::Kind))
        .col(text.column(Changes::Id))
        .take();
    manager.create_table(table).await?;
    let index =
        Index::create().name("changes_by_time").table(Changes::Table).col(Changes::At).take();
    manager.create_index(index).await?;
    if text.is_postgres() {
        // Transactions commit in another order than they take numbers: readers use their ids.
        for statement in [
            "ALTER TABLE changes ADD COLUMN transaction_id bigint NOT NULL \
             DEFAULT pg_current_xact_id()::text::bigint",
            "ALTER TABLE revoked_tokens ADD COLUMN transaction_id bigint NOT NULL \
             DEFAULT pg_current_xact_id()::text::bigint",
            "CREATE INDEX changes_by_transaction ON changes (transaction_id)",
            "CREATE INDEX revoked_tokens_by_transaction ON revoked_tokens (transaction_id)",
        ] {
            manager.get_connection().execute_unprepared(statement).await?;
        }
    }
    // One row: the encrypted keys of servers that share the database.
    let table = Table::create()
        .table(SigningKeys::Table)
        .col(big_integer(SigningKeys::Id).primary_key())
        .col(big_integer(SigningKeys::Revision))
        .col(text.column(SigningKeys::Sealed))
        .take();
    manager.create_table(table).await
}

async fn audit_events(manager: &SchemaManager<'_>, text: Text) -> Result<(), DbErr> {
    let table = Table::create()
        .table(AuditEvents::Table)
        .col(big_pk_auto(AuditEvents::Id))
        .col(big_integer(AuditEvents::At))
        .col(text.column(AuditEvents::Event))
        .col(text.column(AuditEvents::Outcome))
        // No foreign keys: entries outlive the rows that they refer to.
        .col(uuid(AuditEvents::UserId).null())
        .col(uuid(AuditEvents::SessionId).null())
        .col(text.column(AuditEvents::Address).null())
        .col(text.column(AuditEvents::UserAgent).null())
        .col(text.column(AuditEvents::Detail).null())
        .take();
    manager.create_table(table).await?;
    let index = |name: &str| Index::create().name(name).table(AuditEvents::Table).take();
    for index in [
        index("audit_events_by_time").col(AuditEvents::At).take(),
        index("audit_events_by_user").col(AuditEvents::UserId).take(),
    ] {
        manager.create_index(index).await?;
    }
    Ok(())
}

async fn files(manager: &SchemaManager<'_>, text: Text) -> Result<(), DbErr> {
    let table = Table::create()
        .table(Files::Table)
        .col(uuid(Files::Id).primary_key())
        .col(uuid(Files::UserId))
        .col(text.column(Files::Name))
        .col(text.column(Files::MediaType))
        .col(big_integer(Files::Size))
        .col(big_integer(Files::StoredBytes))
        .col(integer(Files::Width))
        .col(integer(Files::Height))
        .col(big_integer(Files::CreatedAt))
        .take();
    manager.create_table(table).await?;
    // Covers the pages of a user's files and their total size.
    let index = Index::create()
        .name("files_by_user")
        .table(Files::Table)
        .col(Files::UserId)
        .col(Files::Id)
        .col(Files::StoredBytes)
        .take();
    manager.create_index(index).await?;
    // Notices to the owners of pictures that administrators have removed.
    let table = Table::create()
        .table(RemovalNotices::Table)
        .col(uuid(RemovalNotices::Id).primary_key())
        .col(uuid(RemovalNotices::UserId))
        .col(text.column(RemovalNotices::FileName).null())
        .col(text.column(RemovalNotices::Reason))
        .col(text.column(RemovalNotices::Text).null())
        .col(big_integer(RemovalNotices::CreatedAt))
        .take();
    manager.create_table(table).await?;
    let index = Index::create()
        .name("removal_notices_by_user")
        .table(RemovalNotices::Table)
        .col(RemovalNotices::UserId)
        .col(RemovalNotices::Id)
        .take();
    manager.create_index(index).await?;
    let table = Table::create()
        .table(OrphanedObjects::Table)
        .col(text.column(OrphanedObjects::Key).primary_key())
        .col(big_integer(OrphanedObjects::DueAt))
        .take();
    manager.create_table(table).await?;
    let index = Index::create()
        .name("orphaned_objects_by_time")
        .table(OrphanedObjects::Table)
        .col(OrphanedObjects::DueAt)
        .take();
    manager.create_index(index).await?;
    // One row: the marker of the object store that belongs to the database.
    let table = Table::create()
        .table(ObjectStores::Table)
        .col(big_integer(ObjectStores::Id).primary_key())
        .col(uuid(ObjectStores::Marker))
        .take();
    manager.create_table(table).await
}

/// Messages that wait to be sent, and one-time codes.
async fn mail(manager: &SchemaManager<'_>, text: Text) -> Result<(), DbErr> {
    let table = Table::create()
        .table(Outbox::Table)
        .col(uuid(Outbox::Id).primary_key())
        .col(uuid(Outbox::UserId).null())
        .col(text.column(Outbox::Recipient))
        .col(text.column(Outbox::Kind))
        .col(text.column(Outbox::Language))
        .col(text.column(Outbox::Parameters))
        .col(big_integer(Outbox::CreatedAt))
        .col(big_integer(Outbox::NextAttemptAt))
        .col(integer(Outbox::Attempts))
        .take();
    manager.create_table(table).await?;
    let table = Table::create()
        .table(OneTimeCodes::Table)
        .col(uuid(OneTimeCodes::Id).primary_key())
        .col(text.column(OneTimeCodes::Purpose))
        .col(uuid(OneTimeCodes::UserId).null())
        .col(text.column(OneTimeCodes::Address).null())
        .col(text.column(OneTimeCodes::TokenHash).unique_key())
        .col(text.column(OneTimeCodes::CodeHash).null())
        .col(text.column(OneTimeCodes::RequestHash).null())
        .col(integer(OneTimeCodes::Tries))
        .col(big_integer(OneTimeCodes::CreatedAt))
        .col(big_integer(OneTimeCodes::ExpiresAt))
        .take();
    manager.create_table(table).await?;
    let index = |name: &str| Index::create().name(name).take();
    for index in [
        index("outbox_by_time").table(Outbox::Table).col(Outbox::NextAttemptAt).take(),
        index("outbox_by_user").table(Outbox::Table).col(Outbox::UserId).take(),
        index("one_time_codes_by_user")
            .table(OneTimeCodes::Table)
            .col(OneTimeCodes::UserId)
            .col(OneTimeCodes::Purpose)
            .take(),
        index("one_time_codes_by_end")
            .table(OneTimeCodes::Table)
            .col(OneTimeCodes::ExpiresAt)
            .take(),
    ] {
        manager.create_index(index).await?;
    }
    Ok(())
}
