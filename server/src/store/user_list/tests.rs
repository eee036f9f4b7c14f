//! Queries, pages and totals of the account list.

use app::backend::ClientInfo;
use proptest::prelude::*;
use sea_orm::Statement;

use super::*;
use crate::{
    domain::{search_words, username::Username},
    store::{AuditEntry, Event, NewUser},
};

async fn open() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("list.sqlite").display());
    let store = Store::open(&url).await.unwrap();
    (folder, store)
}

fn query(search: &str, sort: AccountSort) -> UserQuery {
    let search = (!search.is_empty()).then(|| UserSearch::Terms(search_words::terms(search)));
    let start = PageStart::First;
    UserQuery { search, role: None, disabled: None, sort, start, limit: 50 }
}

/// Returns SQLite's query plan.
async fn plan<E: EntityTrait>(store: &Store, select: Select<E>) -> String {
    let Statement { sql, values, db_backend } = select.build(DbBackend::Sqlite);
    let explain = Statement { sql: format!("EXPLAIN QUERY PLAN {sql}"), values, db_backend };
    let rows = store.read.query_all_raw(explain).await.unwrap();
    let steps: Vec<String> = rows.iter().map(|row| row.try_get("", "detail").unwrap()).collect();
    steps.join("; ")
}

/// No query scans a table, and none sorts more than the matches of a word or a small index.
#[tokio::test]
async fn select_with_any_conditions_uses_an_index() {
    let (_folder, store) = open().await;
    for sort in AccountSort::ALL {
        let keys = (Uuid::nil(), 1_800_000_000, "b".to_owned());
        for after in [None, Some(sort_key(&keys, sort))] {
            for is_reversed in [false, true] {
                let scan = Scan { sort, is_reversed, after: after.clone(), until: None, limit: 51 };
                let in_order = if sort.is_by_age() { "users_by_creation" } else { "users_by_name" };
                let disabled = if sort.is_by_age() {
                    "users_disabled_by_creation"
                } else {
                    "users_disabled_by_name"
                };
                let all = query("", sort);
                for (query, index, is_sorted) in [
                    (all.clone(), in_order, true),
                    (query("a", sort), in_order, true),
                    (UserQuery { role: Some(Role::User), ..all.clone() }, in_order, true),
                    (UserQuery { disabled: Some(false), ..all.clone() }, in_order, true),
                    (UserQuery { disabled: Some(true), ..all.clone() }, disabled, true),
                    (UserQuery { role: Some(Role::Admin), ..all.clone() }, "users_by_role", false),
                    (
                        UserQuery { search: Some(UserSearch::Id(Uuid::nil())), ..all.clone() },
                        "sqlite_autoindex_users_1",
                        false,
                    ),
                ] {
                    let plan = plan(&store, scan.apply(query.select_users(), OF_USERS)).await;
                    let context = format!("{query:?} {scan:?}: {plan}");
                    // The usernames have a unique index, too.
                    let is_unique =
                        index == "users_by_name" && plan.contains("sqlite_autoindex_users_2");
                    assert!(plan.contains(index) || is_unique, "{context}");
                    assert!(!(is_sorted && plan.contains("TEMP B-TREE")), "{context}");
                    if query.search.is_some() && is_sorted {
                        let probe = "user_words_by_user (user_id=? AND word>? AND word<?)";
                        assert!(plan.contains(probe), "{context}");
                    }
                }
                let both = UserQuery { role: Some(Role::User), ..query("a b", sort) };
                let plan = plan(&store, scan.apply(both.select_words("a"), OF_WORDS)).await;
                assert!(
                    plan.starts_with("SEARCH user_words USING PRIMARY KEY (word>? AND word<?)"),
                    "{plan}"
                );
                assert!(plan.contains("sqlite_autoindex_users_1 (id=?)"), "{plan}");
            }
        }
    }
}

fn new_user(number: i64, username: &str, nickname: &str) -> NewUser {
    let username = Username::parse(username).unwrap();
    NewUser {
        id: Uuid::from_u128(number.unsigned_abs().into()),
        username: username.shown().to_owned(),
        name: username.name().clone(),
        password_hash: String::new(),
        nickname: Some(nickname.to_owned()),
        role: Role::User,
        email: None,
        created_at: number / 2,
    }
}

/// Reads the whole list, page by page, and back. Returns the usernames, and the number of accounts
/// of each page.
async fn read_all(store: &Store, query: &UserQuery) -> (Vec<String>, Vec<usize>) {
    let names = |page: &UserPage| -> Vec<String> {
        page.accounts.iter().map(|account| account.username.clone()).collect()
    };
    let (mut seen, mut sizes, mut start) = (Vec::new(), Vec::new(), PageStart::First);
    let last = loop {
        let page = store.accounts(&UserQuery { start, ..query.clone() }, 0).await.unwrap();
        let number = if page.accounts.is_empty() { 0 } else { seen.len() as u64 + 1 };
        assert_eq!(page.first, number, "{query:?}");
        seen.extend(names(&page));
        sizes.push(page.accounts.len());
        let Some(next) = page.next.clone() else { break page };
        start = PageStart::After(next);
    };
    let mut page = last;
    let mut back = names(&page);
    while let Some(previous) = page.previous.clone() {
        let start = PageStart::Before(previous);
        page = store.accounts(&UserQuery { start, ..query.clone() }, 0).await.unwrap();
        let mut before = names(&page);
        if page.previous.is_none() {
            // The first page is a whole one.
            before.retain(|name| !back.contains(name));
        } else {
            assert!(page.next.is_some(), "{query:?}");
        }
        back.splice(..0, before);
    }
    assert_eq!(back, seen, "{query:?}");
    assert_eq!(page.first, u64::from(!page.accounts.is_empty()));
    (seen, sizes)
}

async fn total(store: &Store, query: &UserQuery) -> Total {
    store.accounts_and_total(query, 0).await.unwrap().1
}

/// Accounts of which the first ones in each order do not have the frequent words.
async fn insert_clumped(store: &Store) -> (i64, i64) {
    let (common, rare) = (500, 500);
    let mut all = Vec::new();
    for number in 1..=common {
        all.push(new_user(number, &format!("z{number:06}"), "Common Crowd"));
    }
    for number in common + 1..=common + rare {
        all.push(new_user(number, &format!("a{number:06}"), "Rare Crowd"));
    }
    store.insert_users(all).await.unwrap();
    (common, rare)
}

/// Frequent words are found by testing accounts in order, however far that is.
#[tokio::test]
async fn search_for_frequent_words_finds_all_accounts_also_behind_pages_that_end_early() {
    let (_folder, store) = open().await;
    let (common, rare) = insert_clumped(&store).await;
    for sort in AccountSort::ALL {
        let are_first = matches!(sort, AccountSort::Oldest | AccountSort::NameReversed);
        for (search, expected, is_early) in [
            ("common", common, !are_first),
            ("common crowd", common, !are_first),
            ("rare crowd", rare, are_first),
            ("crowd", common + rare, false),
            // Frequent each, and never together.
            ("common rare", 0, true),
        ] {
            let query = UserQuery { limit: 40, ..query(search, sort) };
            let (seen, sizes) = read_all(&store, &query).await;
            assert_eq!(seen.len(), usize::try_from(expected).unwrap(), "{search} {sort:?}");
            assert_eq!(sizes[0], if is_early { 0 } else { 40 }, "{search} {sort:?}: {sizes:?}");
        }
    }
    let query = |search| query(search, AccountSort::Newest);
    let counted = total(&store, &query("common")).await;
    assert_eq!(counted, Total { count: COUNTED, is_exact: false });
    let both = query("common crowd z000007");
    assert_eq!(read_all(&store, &both).await, (vec!["z000007".to_owned()], vec![1]));
    assert_eq!(total(&store, &both).await, Total { count: 1, is_exact: true });
    assert!(!total(&store, &query("common rare")).await.is_exact);
}

/// The bound of what a page costs: no page covers more accounts than may be tested for it.
#[tokio::test]
async fn page_of_frequent_words_or_filters_tests_a_bounded_number_of_accounts() {
    let (_folder, store) = open().await;
    let (common, rare) = insert_clumped(&store).await;
    store
        .write()
        .execute_unprepared("UPDATE users SET disabled_at = 1 WHERE username < 'z000400'")
        .await
        .unwrap();
    let filtered = |search: &str, role, disabled| UserQuery {
        role,
        disabled,
        ..query(search, AccountSort::Name)
    };
    for query in [
        filtered("common rare", None, None),
        filtered("common rare", Some(Role::User), None),
        filtered("common rare", None, Some(true)),
        filtered("", None, Some(false)),
        filtered("", Some(Role::User), Some(false)),
    ] {
        let walk = query.bounds(DbBackend::Sqlite).walk;
        let (mut start, mut last, mut pages) = (PageStart::First, String::new(), 0);
        loop {
            let page = store.accounts(&UserQuery { start, ..query.clone() }, 0).await.unwrap();
            pages += 1;
            let Some(next) = page.next else { break };
            let SortKey::Name(name) = &next.key else { panic!("by name") };
            let covered = user::Entity::find()
                .filter(Column::UsernameKey.gt(last.as_str()))
                .filter(Column::UsernameKey.lte(name.as_str()))
                .into_query();
            let covered = count(&store.read, covered).await.unwrap();
            assert!(covered <= walk, "{query:?}: {covered} of {walk}");
            last.clone_from(name);
            start = PageStart::After(next);
        }
        let whole = u64::try_from(common + rare).unwrap() / walk;
        assert!(pages >= whole / 2, "{query:?}: {pages}");
    }
}

#[tokio::test]
async fn pages_of_any_query_are_complete_in_both_directions() {
    let (_folder, store) = open().await;
    let all = (1..=23).map(|number| {
        // Several words of an account begin with "b".
        let nickname = if number % 2 == 0 { "Bea Bob-Bert" } else { "Carl" };
        new_user(number, &format!("b{:02}", (number * 7) % 23), nickname)
    });
    store.insert_users(all.collect()).await.unwrap();
    for limit in [1, 4, 11, 12, 23, 100] {
        for sort in AccountSort::ALL {
            for (search, count) in [("", 23), ("b", 23), ("be", 11), ("bob bea", 11), ("x", 0)] {
                let query = UserQuery { limit, ..query(search, sort) };
                let (seen, sizes) = read_all(&store, &query).await;
                assert_eq!(seen.len(), count, "{search:?} {limit} {sort:?}: {seen:?}");
                let (_, full) = sizes.split_last().unwrap();
                assert!(full.iter().all(|size| *size as u64 == limit), "{sizes:?}");
                let total = total(&store, &query).await;
                assert_eq!(total, Total { count: count as u64, is_exact: true });
                if !sort.is_by_age() {
                    let is_descending = sort.is_descending();
                    assert!(seen.is_sorted_by(|one, other| (one > other) == is_descending));
                }
            }
        }
    }
}

/// Words follow the account: in the transaction that inserts, renames or deletes it.
#[tokio::test]
async fn words_of_a_refused_account_are_not_kept() {
    let (_folder, store) = open().await;
    let entry = || AuditEntry::of(Event::Registered, 0, ClientInfo::default());
    store.insert_user(new_user(1, "alice", "Zoe"), entry()).await.unwrap();
    let taken = store.insert_user(new_user(2, "alice", "Yvonne"), entry()).await;
    assert!(matches!(taken, Err(StoreError::Conflict)), "{taken:?}");
    let total = |search| {
        let query = query(search, AccountSort::Newest);
        let store = store.clone();
        async move { self::total(&store, &query).await.count }
    };
    assert_eq!((total("zoe").await, total("yvonne").await), (1, 0));
}

proptest! {
    #[test]
    fn parse_of_written_cursor_returns_it(
        at: i64, id: u128, number: u32, name in "\\PC{0,40}"
    ) {
        let keys = (Uuid::from_u128(id), at, name);
        for sort in AccountSort::ALL {
            let cursor = Cursor { number: number.into(), key: sort_key(&keys, sort) };
            prop_assert_eq!(Cursor::parse(&cursor.write(), sort), Some(cursor.clone()));
            let other =
                if sort.is_by_age() { AccountSort::Name } else { AccountSort::Newest };
            prop_assert_eq!(Cursor::parse(&cursor.write(), other), None);
        }
    }

    #[test]
    fn parse_of_any_text_does_not_panic(text in "\\PC{0,60}") {
        for sort in AccountSort::ALL {
            let _ = Cursor::parse(&text, sort);
        }
    }
}
