//! Changes that contradict each other, made at the same time: the outcome is one of their order.
//! They run on SQLite, and on PostgreSQL with `GATEHOUSE_TEST_POSTGRES`.

use app::{backend::ClientInfo, protocol::Role};
use futures::future::join_all;
use sea_orm::{EntityTrait as _, PaginatorTrait as _};
use uuid::Uuid;

use super::{
    AccountChange, ActError, Actor, AddressVerification, AuditContext, AuditEntry, AuditFilter,
    AuditStart, DeletionOutcome, Event, FileLimits, InsertFileOutcome, InsertSessionOutcome,
    NewSession, NewUser, PasswordChange, Renaming, SessionChange, Store, StoreError, StoredFile,
    UserChange, VerificationContext, VerificationOutcome,
    entities::{audit_event, session, user, username_skeleton},
    test_store::{NOW, TestStore},
};
use crate::domain::{
    email_address::EmailAddress,
    session::{EndReason, Session},
    username::Name,
};

const HASH: &str = "hash";
const ROUNDS: u128 = 10;

fn entry(event: Event, user: Uuid) -> AuditEntry {
    AuditEntry { user: Some(user), ..AuditEntry::of(event, NOW, ClientInfo::default()) }
}

fn name(key: &str, skeleton: &str) -> Name {
    Name { key: key.to_owned(), skeleton: skeleton.to_owned(), is_ascii: key.is_ascii() }
}

async fn register(store: &Store, id: u128, name: Name, role: Role) -> Result<Uuid, StoreError> {
    let id = Uuid::from_u128(id);
    let new = NewUser {
        id,
        username: name.key.clone(),
        name,
        password_hash: HASH.to_owned(),
        nickname: None,
        role,
        email: None,
        created_at: NOW,
    };
    store.insert_user(new, entry(Event::Registered, id)).await.map(|_| id)
}

/// Registers an account with a name of its own.
async fn account(store: &Store, id: u128, role: Role) -> Uuid {
    let key = format!("user{id}");
    register(store, id, name(&key, &key), role).await.unwrap()
}

async fn log_in(
    store: &Store,
    user: Uuid,
    id: u128,
    allowed: u64,
) -> Result<InsertSessionOutcome, StoreError> {
    let session = Session {
        id: Uuid::from_u128(id),
        user,
        generation: 1,
        parent_generation: None,
        acknowledged: false,
        undelivered: Vec::new(),
        remember: true,
        created_at: NOW,
        refreshed_at: NOW,
        expires_at: NOW + 1000,
        ended: None,
    };
    let new = NewSession {
        session,
        password_hash: HASH.to_owned(),
        is_known_device: true,
        cleared_subject: None,
    };
    store.insert_session(new, allowed, entry(Event::LoggedIn, user)).await
}

fn actor(user: Uuid, session: u128, role: Option<Role>) -> Actor {
    Actor { user, session: Uuid::from_u128(session), at: NOW, role }
}

fn context() -> AuditContext {
    AuditContext { at: NOW, by: "a test".to_owned(), client_info: ClientInfo::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn change_session_concurrently_loses_no_change() {
    let TestStore { store, .. } = &TestStore::open().await;
    let user = account(store, 1, Role::User).await;
    log_in(store, user, 2, 10).await.unwrap();
    let next = |session: Session| SessionChange {
        session: Some(Session { generation: session.generation + 1, ..session.clone() }),
        seen_from: None,
        entry: None,
        answer: session.generation,
    };
    let changes = (0..40).map(|_| store.change_session(Uuid::from_u128(2), next));
    let mut seen: Vec<i64> =
        join_all(changes).await.into_iter().map(|seen| seen.unwrap().unwrap()).collect();
    seen.sort_unstable();
    assert_eq!(seen, (1..=40).collect::<Vec<_>>(), "each has seen the change before it");
    let session = store.session(Uuid::from_u128(2)).await.unwrap().unwrap();
    assert_eq!(session.generation, 41);
}

/// The next generation of a session, as a refresh makes it.
async fn next_generation(store: &Store, id: u128) -> Session {
    let session = store.session(Uuid::from_u128(id)).await.unwrap().unwrap();
    Session {
        parent_generation: Some(session.generation),
        generation: session.generation + 1,
        ..session
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rotate_session_concurrently_rotates_each_generation_once() {
    let TestStore { store, .. } = &TestStore::open().await;
    let user = account(store, 1, Role::User).await;
    log_in(store, user, 2, 10).await.unwrap();
    for generation in 2..20 {
        let next = next_generation(store, 2).await;
        let rotations = (0..8).map(|_| store.rotate_session(&next, ClientInfo::default()));
        let rotated =
            join_all(rotations).await.into_iter().filter(|rotated| *rotated.as_ref().unwrap());
        assert_eq!(rotated.count(), 1);
        let session = store.session(next.id).await.unwrap().unwrap();
        assert_eq!(
            (session.generation, session.parent_generation),
            (generation, Some(generation - 1))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rotate_session_concurrently_with_its_end_leaves_it_ended() {
    let TestStore { store, .. } = &TestStore::open().await;
    let user = account(store, 1, Role::User).await;
    for id in 10..10 + ROUNDS {
        log_in(store, user, id, 100).await.unwrap();
        let next = next_generation(store, id).await;
        let end = store.end_session(
            actor(user, id, None),
            EndReason::LoggedOut,
            entry(Event::LoggedOut, user),
        );
        let (rotated, ended) =
            tokio::join!(store.rotate_session(&next, ClientInfo::default()), end);
        ended.unwrap();
        let session = store.session(next.id).await.unwrap().unwrap();
        assert_eq!(session.ended, Some(EndReason::LoggedOut));
        assert_eq!(session.generation, if rotated.unwrap() { 2 } else { 1 });
        let next = next_generation(store, id).await;
        assert!(!store.rotate_session(&next, ClientInfo::default()).await.unwrap());
        assert_eq!(store.session(next.id).await.unwrap(), Some(session));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn change_account_of_each_other_concurrently_leaves_an_administrator() {
    let TestStore { store, .. } = &TestStore::open().await;
    for round in 0..ROUNDS {
        let mut admins = Vec::new();
        for number in 0..3 {
            let id = 100 * round + 10 + number;
            let user = account(store, id, Role::Admin).await;
            log_in(store, user, id, 10).await.unwrap();
            admins.push((user, id));
        }
        let disable = AccountChange { disabled: Some(true), ..AccountChange::default() };
        let step_down = AccountChange { role: Some(Role::User), ..AccountChange::default() };
        let changes = admins.iter().enumerate().map(|(place, (user, session))| {
            let (other, _) = admins[(place + 1) % admins.len()];
            let change = if round % 2 == 0 { disable } else { step_down };
            store.change_account_as(
                actor(*user, *session, Some(Role::Admin)),
                other,
                change,
                context(),
            )
        });
        let done = join_all(changes).await.into_iter().flatten().count();
        assert!((1..=2).contains(&done), "{done} of three who disable the next one");
        let users = user::Entity::find().all(&store.read).await.unwrap();
        let active = users
            .iter()
            .filter(|row| row.role == Role::Admin.as_str() && row.disabled_at.is_none());
        let active: Vec<_> = active.map(|row| row.id).collect();
        assert_eq!(active.len(), 3 - done, "round {round}");
        // The next round begins without one.
        for id in active {
            user::Entity::delete_by_id(id).exec(store.write()).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_user_of_two_administrators_concurrently_leaves_one() {
    let TestStore { store, .. } = &TestStore::open().await;
    for round in 0..ROUNDS {
        let mut admins = Vec::new();
        for number in 0..2 {
            let id = 100 * round + 10 + number;
            let user = account(store, id, Role::Admin).await;
            log_in(store, user, id, 10).await.unwrap();
            admins.push((user, id));
        }
        let deletions = admins.iter().map(|(user, session)| {
            let entry = entry(Event::AccountDeleted, *user);
            store.delete_user(actor(*user, *session, None), Vec::new(), entry)
        });
        let outcomes = join_all(deletions).await;
        let refused =
            outcomes.iter().filter(|outcome| matches!(outcome, Ok(DeletionOutcome::LastAdmin)));
        assert_eq!(refused.count(), 1, "{outcomes:?}");
        user::Entity::delete_many().exec(store.write()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn insert_session_concurrently_stays_within_the_limit() {
    let TestStore { store, .. } = &TestStore::open().await;
    let user = account(store, 1, Role::User).await;
    let logins = (0..20).map(|number| log_in(store, user, 100 + number, 3));
    for outcome in join_all(logins).await {
        assert!(matches!(outcome, Ok(InsertSessionOutcome::Inserted { .. })), "{outcome:?}");
    }
    assert_eq!(store.devices(user, NOW).await.unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn insert_file_concurrently_stays_within_the_quota() {
    let TestStore { store, .. } = &TestStore::open().await;
    let user = account(store, 1, Role::User).await;
    log_in(store, user, 2, 10).await.unwrap();
    let most = FileLimits { files: 4, bytes: 30 };
    let uploads = (0..12).map(|number| {
        let file = StoredFile {
            id: Uuid::from_u128(100 + number),
            user,
            name: "x".to_owned(),
            media_type: "image/png".to_owned(),
            size: 10,
            stored_bytes: 10,
            width: 1,
            height: 1,
            created_at: NOW,
        };
        store.insert_file(actor(user, 2, None), file, most)
    });
    let outcomes = join_all(uploads).await;
    let inserted =
        outcomes.iter().filter(|outcome| matches!(outcome, Ok(InsertFileOutcome::Inserted)));
    assert_eq!(inserted.count(), 3, "{outcomes:?}");
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let usage = store.files_usage(user).await.unwrap();
    assert_eq!((usage.files, usage.bytes), (3, 30));
}

#[tokio::test(flavor = "multi_thread")]
async fn insert_user_with_confusable_names_concurrently_inserts_one() {
    let TestStore { store, .. } = &TestStore::open().await;
    for round in 0..ROUNDS {
        let skeleton = format!("bobl{round}");
        let names =
            [format!("b\u{43e}bl{round}"), format!("bob1{round}"), format!("bo\u{432}l{round}")];
        let registrations = (0..9).map(|number| {
            let key = &names[number % names.len()];
            let id = 100 * round + 10 + number as u128;
            register(store, id, name(key, &skeleton), Role::User)
        });
        let outcomes = join_all(registrations).await;
        let taken = outcomes.iter().filter(|outcome| matches!(outcome, Err(StoreError::Conflict)));
        assert_eq!((taken.count(), outcomes.iter().flatten().count()), (8, 1), "{outcomes:?}");
    }
    let rounds = u64::try_from(ROUNDS).unwrap();
    assert_eq!(user::Entity::find().count(&store.read).await.unwrap(), rounds);
    let skeletons = username_skeleton::Entity::find().all(&store.read).await.unwrap();
    assert_eq!(skeletons.len() as u64, rounds);
    assert!(skeletons.iter().all(|skeleton| skeleton.usernames == 1), "{skeletons:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn change_password_concurrently_succeeds_once_and_revokes_the_logins_with_the_old_one() {
    let TestStore { store, .. } = &TestStore::open().await;
    for round in 0..ROUNDS {
        let base = 100 * round + 10;
        let user = account(store, base, Role::User).await;
        let attempts = (0..4).map(|number| {
            let change = PasswordChange {
                user,
                old_hash: Some(HASH.to_owned()),
                new_hash: format!("new {number}"),
                kept: None,
                cleared_subject: None,
            };
            store.change_password(change, entry(Event::PasswordChanged, user))
        });
        let logins = (0..4).map(|number| log_in(store, user, base + number, 10));
        let (changed, _) = futures::join!(join_all(attempts), join_all(logins));
        let changed = changed.into_iter().filter_map(Result::unwrap);
        assert_eq!(changed.count(), 1);
        let left = store.devices(user, NOW).await.unwrap();
        assert_eq!(left.len(), 0, "a session that a former password began");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn change_user_concurrently_loses_no_field() {
    let TestStore { store, .. } = &TestStore::open().await;
    let user = account(store, 1, Role::User).await;
    log_in(store, user, 2, 10).await.unwrap();
    for round in 0..ROUNDS {
        let text = format!("{round}");
        let changes = (0..3).map(|field| {
            let text = text.clone();
            store.change_user(actor(user, 2, None), move |mut found| {
                match field {
                    0 => found.user.nickname = Some(text),
                    1 => found.email = Some(text),
                    _ => found.mobile = Some(text),
                }
                UserChange { user: Some(found), entry: None, verification: None, answer: () }
            })
        });
        join_all(changes).await.into_iter().for_each(|changed| assert!(changed.unwrap().is_some()));
        let found = store.user(user).await.unwrap().unwrap();
        let fields = [found.user.nickname, found.email, found.mobile];
        assert!(fields.iter().all(|field| field.as_ref() == Some(&text)), "{fields:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_user_beside_other_changes_leaves_nothing_of_the_account() {
    let TestStore { store, .. } = &TestStore::open().await;
    for round in 0..ROUNDS {
        let base = 100 * round + 10;
        let user = account(store, base, Role::User).await;
        log_in(store, user, base, 10).await.unwrap();
        let deletion = store.delete_user(
            actor(user, base, None),
            Vec::new(),
            entry(Event::AccountDeleted, user),
        );
        let logins = join_all((1..5).map(|number| log_in(store, user, base + number, 10)));
        let entries =
            join_all((0..5).map(|_| store.insert_audit_entry(entry(Event::Refreshed, user))));
        let (deleted, _, entries) = futures::join!(deletion, logins, entries);
        assert!(matches!(deleted, Ok(DeletionOutcome::Deleted(_))), "{deleted:?}");
        assert!(entries.iter().all(Result::is_ok), "{entries:?}");
        while store.continue_deletions().await.unwrap() {}
        let sessions = session::Entity::find().all(&store.read).await.unwrap();
        assert!(sessions.iter().all(|row| row.user_id != user), "round {round}");
        let entries = audit_event::Entity::find().all(&store.read).await.unwrap();
        assert!(entries.iter().all(|row| row.user_id != Some(user)), "round {round}");
    }
}

/// Writes 200 audit entries, eight at a time.
async fn write_entries(store: &Store) {
    let writers = (0..8).map(|_| async {
        for _ in 0..25 {
            let entry = AuditEntry::of(Event::Refreshed, NOW, ClientInfo::default());
            store.insert_audit_entry(entry).await.unwrap();
        }
    });
    join_all(writers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_entries_read_during_changes_are_complete() {
    let TestStore { store, .. } = &TestStore::open().await;
    let mut written = std::pin::pin!(write_entries(store));
    let (mut seen, mut last, mut is_done) = (Vec::new(), 0, false);
    // Ends with a look after the last change.
    loop {
        let complete = store.complete_audit_entries().await.unwrap();
        let page = store.audit_page(AuditFilter::default(), last, 1000).await.unwrap();
        seen.extend(page.iter().map(|entry| entry.id).filter(|id| *id <= complete));
        last = seen.last().copied().unwrap_or_default();
        if is_done {
            break;
        }
        is_done = futures::poll!(&mut written).is_ready();
    }
    assert_eq!(seen.len(), 200, "each entry once: {seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_list_followed_by_full_pages_during_changes_returns_each_entry_once() {
    let TestStore { store, .. } = &TestStore::open().await;
    let mut written = std::pin::pin!(write_entries(store));
    let (mut seen, mut latest, mut is_done) = (Vec::new(), 0, false);
    loop {
        let start = AuditStart::After(latest);
        let page = store.audit_list(AuditFilter::default(), start, 5).await.unwrap();
        seen.extend(page.entries.iter().rev().map(|entry| entry.id));
        latest = page.latest;
        // Ends with a page that is not full after the last change.
        if is_done && page.entries.len() < 5 {
            break;
        }
        is_done = is_done || futures::poll!(&mut written).is_ready();
    }
    assert_eq!(seen.len(), 200, "each entry once: {seen:?}");
    assert!(seen.is_sorted(), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn end_session_concurrently_succeeds_once() {
    let TestStore { store, .. } = &TestStore::open().await;
    let user = account(store, 1, Role::User).await;
    log_in(store, user, 2, 10).await.unwrap();
    let ends = (0..8).map(|_| {
        let reason = crate::domain::session::EndReason::LoggedOut;
        store.end_session(actor(user, 2, None), reason, entry(Event::LoggedOut, user))
    });
    let outcomes = join_all(ends).await;
    assert_eq!(outcomes.iter().flatten().count(), 1, "{outcomes:?}");
    let denied = outcomes.iter().filter(|outcome| matches!(outcome, Err(ActError::Denied(_))));
    assert_eq!(denied.count(), 7, "{outcomes:?}");
}

fn verification(user: Uuid, number: u128, address: &str) -> AddressVerification {
    let username = format!("renamed{number}");
    AddressVerification {
        user,
        address: EmailAddress::parse(address).unwrap(),
        context: VerificationContext {
            id: Uuid::from_u128(number),
            renaming: Renaming {
                name: name(&username, &username),
                username,
                password_hash: HASH.to_owned(),
            },
        },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_address_for_two_accounts_concurrently_gives_it_to_one() {
    let TestStore { store, .. } = &TestStore::open().await;
    for round in 0..ROUNDS {
        let address = format!("round{round}@example.com");
        let mut accounts = Vec::new();
        for number in 1..=3 {
            accounts.push(account(store, round * 10 + number, Role::User).await);
        }
        let verifying = accounts.iter().map(|user| {
            let new = verification(*user, user.as_u128() + 1_000, &address);
            store.verify_address(new, entry(Event::AddressVerified, *user))
        });
        let outcomes: Vec<_> = join_all(verifying).await.into_iter().map(Result::unwrap).collect();
        let taken = outcomes.iter().filter(|outcome| **outcome == VerificationOutcome::Taken);
        assert_eq!(taken.count(), 2, "{outcomes:?}");
        let owner = store.owner_of_address(&address).await.unwrap();
        assert!(owner.is_some_and(|owner| accounts.contains(&owner)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_address_while_it_is_registered_as_a_username_leaves_it_to_its_owner() {
    let TestStore { store, .. } = &TestStore::open().await;
    for round in 0..ROUNDS {
        let address = format!("round{round}@example.com");
        let user = account(store, round * 10 + 1, Role::User).await;
        let new = verification(user, round * 10 + 5, &address);
        let verifying = store.verify_address(new, entry(Event::AddressVerified, user));
        let registering = register(store, round * 10 + 2, name(&address, &address), Role::User);
        let (verified, registered) = tokio::join!(verifying, registering);
        let VerificationOutcome::Verified(verified) = verified.unwrap() else {
            panic!("no other account has verified it");
        };
        // Either the registration came too late, or its account was renamed.
        assert_eq!(verified.access.former, registered.ok());
        assert!(store.user_with_hash(&address).await.unwrap().is_none());
        assert_eq!(store.owner_of_address(&address).await.unwrap(), Some(user));
    }
}
