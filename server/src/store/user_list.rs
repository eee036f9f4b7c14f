//! Pages of the account list, and their total.
//!
//! Keyset pagination: a page costs the same wherever it is, and has no gaps or duplicates under
//! concurrent writes. A search finds accounts by the beginnings of their words (`user_words`), in
//! one of two ways, whichever reads less ([`Bounds`]):
//!
//! - Of a rare word, all matches are read and sorted. The table of words holds the sort keys too.
//! - Of a frequent word, accounts are read in the order of the list and tested, until the page is
//!   full. If the matches are so unevenly spread that the tested accounts do not fill it, the matches
//!   are sorted after all.

use std::collections::HashMap;

use app::protocol::{
    Role,
    users::{Account, AccountSort},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait as _, DatabaseConnection, EntityTrait,
    ExprTrait as _, Order, QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _,
    Select,
    sea_query::{Asterisk, Expr, Query, SelectStatement},
};
use uuid::Uuid;

use super::{
    Store, StoreError, StoredUser,
    entities::{
        session,
        user::{self, Column},
        user_word,
    },
};

/// Greatest character: the upper bound of a prefix search.
const LAST: char = char::MAX;
/// Largest total that is counted.
const COUNTED: u64 = if cfg!(test) { 200 } else { 10_000 };

/// Amounts up to which the ways to find accounts read. Measured with a million accounts: reading and
/// sorting a match takes 0.2 µs, testing an account 1 µs, testing a match for another condition
/// 2 µs.
#[derive(Clone, Copy)]
struct Bounds {
    /// Matches of a word up to which all of them are sorted.
    sorted: u64,
    /// Accounts that are tested for a page, in the order of the list, before the matches are sorted.
    walk: u64,
    /// Matches that are read to count the accounts.
    count_reads: u64,
}

/// Bounds of a search for one word.
const PLAIN: Bounds = if cfg!(test) {
    Bounds { sorted: 300, walk: 50, count_reads: 500 }
} else {
    Bounds { sorted: 30_000, walk: 5_000, count_reads: 50_000 }
};
/// Bounds of a search with further conditions.
const COMBINED: Bounds = if cfg!(test) {
    Bounds { sorted: 100, walk: 200, count_reads: 100 }
} else {
    Bounds { sorted: 10_000, walk: 20_000, count_reads: 10_000 }
};
/// Rows of the table of words that are read for each account of a page: several of an account's
/// words may match.
const WORDS_PER_ACCOUNT: u64 = 4;

/// Query of one page.
#[derive(Clone, Debug)]
pub struct UserQuery {
    /// Search criteria; [`None`] for all accounts.
    pub search: Option<UserSearch>,
    /// Role; [`None`] for any.
    pub role: Option<Role>,
    /// True for disabled accounts, false for active ones, [`None`] for both.
    pub disabled: Option<bool>,
    /// Order.
    pub sort: AccountSort,
    /// Position of the page.
    pub start: PageStart,
    /// Page size.
    pub limit: u64,
}

/// Position of a page in the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PageStart {
    /// The first page.
    #[default]
    First,
    /// The page after an account.
    After(Cursor),
    /// The page before an account.
    Before(Cursor),
}

/// Search criteria.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserSearch {
    /// Account id.
    Id(Uuid),
    /// Each term begins a word of the account; no account matches without terms.
    Terms(Vec<String>),
}

/// A page of accounts.
#[derive(Clone, Debug)]
pub struct UserPage {
    /// The accounts.
    pub accounts: Vec<Account>,
    /// Number of the first account in the list, from 1; 0 if the page is empty.
    pub first: u64,
    /// Cursor of the next page.
    pub next: Option<Cursor>,
    /// Cursor of the previous page: the page before it.
    pub previous: Option<Cursor>,
}

/// Number of accounts that match a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    /// The number.
    pub count: u64,
    /// False if there may be more.
    pub is_exact: bool,
}

/// Position of an account in the list; valid also after the account was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Number of the account when the cursor was issued, from 1.
    number: u64,
    key: SortKey,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum SortKey {
    /// Creation time, in seconds of Unix time, and id.
    Age(i64, Uuid),
    /// Username key.
    Name(String),
}

impl Cursor {
    /// Encodes the cursor for clients.
    #[must_use]
    pub fn write(&self) -> String {
        let number = self.number;
        URL_SAFE_NO_PAD.encode(match &self.key {
            SortKey::Age(at, id) => format!("a{number}.{at}.{}", id.simple()),
            SortKey::Name(key) => format!("n{number}.{key}"),
        })
    }

    /// Decodes a cursor; [`None`] if it is not one of a list in this order.
    #[must_use]
    pub fn parse(text: &str, sort: AccountSort) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (number, key) = if sort.is_by_age() {
            let (number, rest) = text.strip_prefix('a')?.split_once('.')?;
            let (at, id) = rest.split_once('.')?;
            (number, SortKey::Age(at.parse().ok()?, Uuid::try_parse(id).ok()?))
        } else {
            let (number, key) = text.strip_prefix('n')?.split_once('.')?;
            // No name has a NUL, and PostgreSQL takes none as a value either.
            let key = Some(key).filter(|key| !key.contains('\0'))?;
            (number, SortKey::Name(key.to_owned()))
        };
        // Numbers are added to.
        let number = number.parse::<u32>().ok()?.into();
        Some(Self { number, key })
    }
}

/// Id, creation time and username key of an account: its sort keys.
type Keys = (Uuid, i64, String);

fn sort_key((id, at, name): &Keys, sort: AccountSort) -> SortKey {
    if sort.is_by_age() { SortKey::Age(*at, *id) } else { SortKey::Name(name.clone()) }
}

/// A table with the sort keys of accounts.
#[derive(Clone, Copy)]
struct KeyColumns<C> {
    id: C,
    created_at: C,
    name: C,
}

const OF_USERS: KeyColumns<Column> =
    KeyColumns { id: Column::Id, created_at: Column::CreatedAt, name: Column::UsernameKey };
const OF_WORDS: KeyColumns<user_word::Column> = KeyColumns {
    id: user_word::Column::UserId,
    created_at: user_word::Column::CreatedAt,
    name: user_word::Column::UsernameKey,
};

/// A part of the list in one direction.
#[derive(Clone, Debug)]
struct Scan {
    sort: AccountSort,
    /// Against the order of the list.
    is_reversed: bool,
    /// Begins after this account.
    after: Option<SortKey>,
    /// Ends with this account.
    until: Option<SortKey>,
    limit: u64,
}

impl Scan {
    fn is_descending(&self) -> bool {
        self.sort.is_descending() != self.is_reversed
    }

    /// Restricts and sorts a query of accounts.
    fn apply<E: EntityTrait>(
        &self,
        select: Select<E>,
        columns: KeyColumns<E::Column>,
    ) -> Select<E> {
        let [id, at, name] =
            [columns.id, columns.created_at, columns.name].map(E::Column::into_expr);
        let keys = if self.sort.is_by_age() { vec![at, id] } else { vec![name] };
        let tuple = |keys: &[Expr]| match keys {
            [one] => one.clone(),
            several => Expr::tuple(several.to_vec()),
        };
        let value = |key: &SortKey| match key {
            SortKey::Age(at, id) => Expr::tuple([Expr::value(*at), Expr::value(*id)]),
            SortKey::Name(name) => Expr::value(name.as_str()),
        };
        let is_descending = self.is_descending();
        let after = self.after.as_ref().map(|key| {
            let keys = tuple(&keys);
            if is_descending { keys.lt(value(key)) } else { keys.gt(value(key)) }
        });
        let until = self.until.as_ref().map(|key| {
            let keys = tuple(&keys);
            if is_descending { keys.gte(value(key)) } else { keys.lte(value(key)) }
        });
        let order = if is_descending { Order::Desc } else { Order::Asc };
        let select = select
            .select_only()
            .columns([columns.id, columns.created_at, columns.name])
            .filter(Condition::all().add_option(after).add_option(until))
            .limit(self.limit);
        keys.into_iter().fold(select, |select, key| select.order_by(key, order.clone()))
    }
}

/// Returns the condition that a word of the table begins with a term.
fn begins_with(term: &str) -> Condition {
    let word = user_word::Column::Word;
    Condition::all().add(word.gte(term)).add(word.lt(format!("{term}{LAST}")))
}

/// Returns the condition that a word of an account begins with a term.
fn has_word(account: Expr, term: &str) -> Expr {
    // An alias, so that the condition also fits a query of the table itself.
    let other = "other";
    let column = |column: user_word::Column| Expr::col((other, column));
    let word = || column(user_word::Column::Word);
    let select = Query::select()
        .expr(Expr::value(1))
        .from_as(user_word::Entity, other)
        .and_where(column(user_word::Column::UserId).eq(account))
        .and_where(word().gte(term))
        .and_where(word().lt(format!("{term}{LAST}")))
        .to_owned();
    Expr::exists(select)
}

impl UserQuery {
    fn terms(&self) -> &[String] {
        match &self.search {
            Some(UserSearch::Terms(terms)) => terms,
            _ => &[],
        }
    }

    /// Returns whether no account can match.
    fn is_empty(&self) -> bool {
        matches!(&self.search, Some(UserSearch::Terms(terms)) if terms.is_empty())
    }

    fn is_filtered(&self) -> bool {
        self.role.is_some() || self.disabled.is_some()
    }

    fn bounds(&self) -> Bounds {
        if self.terms().len() == 1 && !self.is_filtered() { PLAIN } else { COMBINED }
    }

    /// Returns whether few accounts match, and an index finds them.
    fn is_selective(&self) -> bool {
        self.role == Some(Role::Admin)
            || self.disabled == Some(true)
            || matches!(self.search, Some(UserSearch::Id(_)))
    }

    /// Conditions on the row of an account other than its words.
    fn account_conditions(&self) -> Condition {
        let role = self.role.map(|role| match role {
            Role::Admin => Column::Role.eq(role.as_str()),
            // Not by equality: most accounts have this role, and without statistics SQLite would
            // use its index and sort all of them.
            Role::User => Column::Role.ne(Role::Admin.as_str()),
        });
        let disabled = self.disabled.map(|is_disabled| {
            if is_disabled {
                Column::DisabledAt.is_not_null()
            } else {
                Column::DisabledAt.is_null()
            }
        });
        let id = match self.search {
            Some(UserSearch::Id(id)) => Some(Column::Id.eq(id)),
            _ => None,
        };
        Condition::all().add_option(role).add_option(disabled).add_option(id)
    }

    /// Accounts that match, from their table.
    fn select_users(&self) -> Select<user::Entity> {
        let words = self.terms().iter().map(|term| has_word(Column::Id.into_expr(), term));
        let words = words.fold(Condition::all(), Condition::add);
        user::Entity::find().filter(self.account_conditions()).filter(words)
    }

    /// Accounts that match, from the table of words: by a term, and tested for the others.
    fn select_words(&self, term: &str) -> Select<user_word::Entity> {
        let account = || user_word::Column::UserId.into_expr();
        let others = self.terms().iter().filter(|other| *other != term);
        let mut conditions =
            others.map(|other| has_word(account(), other)).fold(begins_with(term), Condition::add);
        if self.is_filtered() {
            let matching = user::Entity::find()
                .select_only()
                .column(Column::Id)
                .filter(Column::Id.into_expr().eq(account()))
                .filter(self.account_conditions());
            conditions = conditions.add(Expr::exists(matching.into_query()));
        }
        user_word::Entity::find().filter(conditions)
    }

    /// Part of the list that the query asks for, with one account more than the page size, to know
    /// whether there are more.
    fn scan(&self) -> Scan {
        let (after, is_reversed) = match &self.start {
            PageStart::First => (None, false),
            PageStart::After(cursor) => (Some(cursor.key.clone()), false),
            PageStart::Before(cursor) => (Some(cursor.key.clone()), true),
        };
        let limit = self.limit.saturating_add(1);
        Scan { sort: self.sort, is_reversed, after, until: None, limit }
    }
}

/// A term of a search, and its number of matches, up to one more than are sorted.
struct RarestTerm<'a> {
    term: &'a str,
    matches: u64,
}

impl Store {
    /// Returns a page of accounts. A page before a cursor that has fewer accounts than fit is the
    /// first page instead.
    pub async fn accounts(&self, query: &UserQuery, now: i64) -> Result<UserPage, StoreError> {
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let mut found = self.keys(query, query.scan()).await?;
        let has_more = found.len() > limit;
        found.truncate(limit);
        let (has_previous, has_next, first) = match &query.start {
            PageStart::First => (false, has_more, 1),
            PageStart::After(cursor) => (true, has_more, cursor.number.saturating_add(1)),
            PageStart::Before(_) if !has_more => {
                let start = PageStart::First;
                return Box::pin(self.accounts(&UserQuery { start, ..query.clone() }, now)).await;
            }
            PageStart::Before(cursor) => {
                found.reverse();
                // More accounts than the numbers tell may have been created since.
                (true, true, Ord::max(cursor.number.saturating_sub(query.limit), 2))
            }
        };
        let cursor = |keys: &Keys, number: u64| Cursor { number, key: sort_key(keys, query.sort) };
        let last = first.saturating_add(found.len() as u64).saturating_sub(1);
        let next = found.last().filter(|_| has_next).map(|keys| cursor(keys, last));
        let previous = found.first().filter(|_| has_previous).map(|keys| cursor(keys, first));
        let ids: Vec<Uuid> = found.into_iter().map(|(id, ..)| id).collect();
        let first = if ids.is_empty() { 0 } else { first };
        Ok(UserPage { accounts: self.accounts_of(&ids, now).await?, first, next, previous })
    }

    /// Returns the number of accounts that match a query, up to 10 000.
    pub async fn count_accounts(&self, query: &UserQuery) -> Result<Total, StoreError> {
        if query.is_empty() {
            return Ok(Total { count: 0, is_exact: true });
        }
        let connection = &self.read;
        let Bounds { sorted, count_reads, .. } = query.bounds();
        let (matching, read) = match self.rarest_term(query).await? {
            None => {
                let matching = query.select_users().select_only().column(Column::Id);
                (matching.limit(COUNTED + 1).into_query(), None)
            }
            Some(RarestTerm { term, matches }) if matches <= sorted => {
                let account = user_word::Column::UserId;
                let matching = query.select_words(term).select_only().column(account).distinct();
                (matching.into_query(), None)
            }
            Some(RarestTerm { term, .. }) => {
                // A bound for terms that are frequent each but hardly occur together.
                let read = user_word::Entity::find()
                    .select_only()
                    .columns([user_word::Column::Word, user_word::Column::UserId])
                    .filter(begins_with(term))
                    .limit(count_reads)
                    .into_query();
                let mut matching = query
                    .select_words(term)
                    .select_only()
                    .column(user_word::Column::UserId)
                    .distinct()
                    .limit(COUNTED + 1)
                    .into_query();
                matching.from_clear().from_subquery(read.clone(), user_word::Entity);
                (matching, Some(read))
            }
        };
        let counted = count(connection, matching).await?;
        if counted > COUNTED {
            return Ok(Total { count: COUNTED, is_exact: false });
        }
        let is_exact = match read {
            Some(read) => count(connection, read).await? < count_reads,
            None => true,
        };
        Ok(Total { count: counted, is_exact })
    }

    /// Returns an account.
    pub async fn account(&self, id: Uuid, now: i64) -> Result<Option<Account>, StoreError> {
        Ok(self.accounts_of(&[id], now).await?.pop())
    }

    /// Returns the first accounts of a scan.
    async fn keys(&self, query: &UserQuery, scan: Scan) -> Result<Vec<Keys>, StoreError> {
        if query.is_empty() {
            return Ok(Vec::new());
        }
        let Some(RarestTerm { term, matches }) = self.rarest_term(query).await? else {
            return self.keys_of_users(query, &scan).await;
        };
        let Bounds { sorted, walk, .. } = query.bounds();
        if matches > sorted {
            if query.is_selective() {
                return self.keys_of_users(query, &scan).await;
            }
            let until = self.end_of_walk(&scan, walk).await?;
            let is_whole = until.is_none();
            let walked = self.keys_of_users(query, &Scan { until, ..scan.clone() }).await?;
            if is_whole || walked.len() as u64 >= scan.limit {
                return Ok(walked);
            }
        }
        let mut words =
            Scan { limit: scan.limit.saturating_mul(WORDS_PER_ACCOUNT), ..scan.clone() };
        loop {
            let select = words.apply(query.select_words(term), OF_WORDS);
            let mut found = select.into_tuple::<Keys>().all(&self.read).await?;
            let is_all = (found.len() as u64) < words.limit;
            // Matching words of an account are adjacent: they have the same sort keys.
            found.dedup_by_key(|(id, ..)| *id);
            if is_all || found.len() as u64 >= scan.limit {
                found.truncate(usize::try_from(scan.limit).unwrap_or(usize::MAX));
                return Ok(found);
            }
            words.limit = words.limit.saturating_mul(WORDS_PER_ACCOUNT);
        }
    }

    async fn keys_of_users(&self, query: &UserQuery, scan: &Scan) -> Result<Vec<Keys>, StoreError> {
        Ok(scan.apply(query.select_users(), OF_USERS).into_tuple().all(&self.read).await?)
    }

    /// Returns the last account that is tested for a page; [`None`] if the list ends before.
    async fn end_of_walk(&self, scan: &Scan, walk: u64) -> Result<Option<SortKey>, StoreError> {
        let one = Scan { limit: 1, ..scan.clone() };
        let select = one.apply(user::Entity::find(), OF_USERS).offset(walk);
        let end = select.into_tuple::<Keys>().one(&self.read).await?;
        Ok(end.map(|keys| sort_key(&keys, scan.sort)))
    }

    /// Returns the term of a search that matches the fewest words; [`None`] without terms.
    async fn rarest_term<'a>(
        &self,
        query: &'a UserQuery,
    ) -> Result<Option<RarestTerm<'a>>, StoreError> {
        let most = query.bounds().sorted.saturating_add(1);
        let mut rarest: Option<RarestTerm<'a>> = None;
        for term in query.terms() {
            let matching = user_word::Entity::find()
                .select_only()
                .column(user_word::Column::UserId)
                .filter(begins_with(term))
                .limit(rarest.as_ref().map_or(most, |rarest| rarest.matches))
                .into_query();
            let matches = count(&self.read, matching).await?;
            if rarest.as_ref().is_none_or(|rarest| matches < rarest.matches) {
                rarest = Some(RarestTerm { term, matches });
            }
        }
        Ok(rarest)
    }

    /// Returns the accounts with these ids, in this order, without deleted ones.
    async fn accounts_of(&self, ids: &[Uuid], now: i64) -> Result<Vec<Account>, StoreError> {
        let rows = user::Entity::find()
            .filter(Column::Id.is_in(ids.iter().copied()))
            .all(&self.read)
            .await?;
        let mut rows: HashMap<Uuid, user::Model> =
            rows.into_iter().map(|row| (row.id, row)).collect();
        let living = Condition::all()
            .add(session::Column::EndedAt.is_null())
            .add(session::Column::ExpiresAt.gt(now));
        let sessions: Vec<(Uuid, i64)> = session::Entity::find()
            .select_only()
            .column(session::Column::UserId)
            .column_as(session::Column::Id.count(), "sessions")
            .filter(living.add(session::Column::UserId.is_in(ids.iter().copied())))
            .group_by(session::Column::UserId)
            .into_tuple()
            .all(&self.read)
            .await?;
        let sessions: HashMap<Uuid, i64> = sessions.into_iter().collect();
        ids.iter()
            .filter_map(|id| rows.remove(id))
            .map(|row| {
                let StoredUser { user, email, created_at, disabled_at, .. } = row.try_into()?;
                Ok(Account {
                    sessions: sessions.get(&user.id).copied().map_or(0, i64::unsigned_abs),
                    id: user.id,
                    username: user.username,
                    nickname: user.nickname,
                    avatar_url: user.avatar_url,
                    role: user.role,
                    email,
                    created_at,
                    disabled_at,
                })
            })
            .collect()
    }
}

/// Returns the number of rows of a query.
async fn count(connection: &DatabaseConnection, rows: SelectStatement) -> Result<u64, StoreError> {
    let select =
        Query::select().expr(Expr::col(Asterisk).count()).from_subquery(rows, "counted").to_owned();
    let count: i64 = match connection.query_one(&select).await? {
        Some(row) => row.try_get_by_index(0)?,
        None => 0,
    };
    Ok(count.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use app::backend::ClientInfo;
    use proptest::prelude::*;
    use sea_orm::{DbBackend, Statement};

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
        let steps: Vec<String> =
            rows.iter().map(|row| row.try_get("", "detail").unwrap()).collect();
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
                    let scan =
                        Scan { sort, is_reversed, after: after.clone(), until: None, limit: 51 };
                    let in_order =
                        if sort.is_by_age() { "users_by_creation" } else { "users_by_name" };
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
                        (
                            UserQuery { role: Some(Role::Admin), ..all.clone() },
                            "users_by_role",
                            false,
                        ),
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

    /// Reads the whole list, page by page, and back.
    async fn read_all(store: &Store, query: &UserQuery) -> Vec<String> {
        let (mut seen, mut pages, mut start) = (Vec::new(), Vec::new(), PageStart::First);
        let last = loop {
            let page = store.accounts(&UserQuery { start, ..query.clone() }, 0).await.unwrap();
            assert!(page.accounts.is_empty() || page.first == seen.len() as u64 + 1);
            assert_eq!(page.previous.is_some(), !seen.is_empty(), "{query:?}");
            seen.extend(page.accounts.iter().map(|account| account.username.clone()));
            pages.push(page.accounts.clone());
            let Some(next) = page.next.clone() else { break page };
            start = PageStart::After(next);
        };
        let mut page = last;
        while let Some(previous) = page.previous.clone() {
            pages.pop();
            let start = PageStart::Before(previous);
            page = store.accounts(&UserQuery { start, ..query.clone() }, 0).await.unwrap();
            assert_eq!(Some(&page.accounts), pages.last(), "{query:?}");
            assert!(page.next.is_some());
        }
        assert_eq!(page.first, u64::from(!page.accounts.is_empty()));
        assert_eq!(pages.len(), 1);
        seen
    }

    /// A frequent word is found by testing accounts in order; where its accounts lie beyond the walk,
    /// by sorting the matches.
    #[tokio::test]
    async fn search_for_frequent_word_returns_the_same_accounts_however_they_are_found() {
        let (_folder, store) = open().await;
        let total = PLAIN.sorted.cast_signed() + 100;
        let mut all = Vec::new();
        // The accounts with the word are the oldest, and the last by name.
        for number in 1..=total {
            all.push(new_user(number, &format!("z{number:06}"), "Common Crowd"));
        }
        for number in 0..COMBINED.walk.cast_signed() + 100 {
            all.push(new_user(total + 1 + number, &format!("a{number:06}"), "Rare"));
        }
        store.insert_users(all).await.unwrap();
        for sort in AccountSort::ALL {
            let query = UserQuery { limit: 100, ..query("common", sort) };
            let page = store.accounts(&query, 0).await.unwrap();
            assert_eq!(page.accounts.len(), 100, "{sort:?}");
            assert!(page.accounts.iter().all(|account| account.username.starts_with('z')));
            let next = PageStart::After(page.next.clone().unwrap());
            let second =
                store.accounts(&UserQuery { start: next, ..query.clone() }, 0).await.unwrap();
            assert_eq!(second.first, 101);
            let mut names: Vec<_> = page.accounts.iter().chain(&second.accounts).collect();
            names.dedup_by_key(|account| account.id);
            assert_eq!(names.len(), 200);
            let expected = match sort {
                AccountSort::Oldest | AccountSort::Name => "z000001".to_owned(),
                AccountSort::Newest | AccountSort::NameReversed => format!("z{total:06}"),
            };
            assert_eq!(page.accounts[0].username, expected, "{sort:?}");
            assert_eq!(
                store.count_accounts(&query).await.unwrap(),
                Total { count: COUNTED, is_exact: false }
            );
        }
        let both = query("common crowd z000007", AccountSort::Newest);
        assert_eq!(read_all(&store, &both).await, ["z000007"]);
        assert_eq!(store.count_accounts(&both).await.unwrap(), Total { count: 1, is_exact: true });
        // Two frequent words that never occur together.
        let none = query("common rare", AccountSort::Newest);
        assert_eq!(read_all(&store, &none).await, [""; 0]);
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
                for (search, count) in [("", 23), ("b", 23), ("be", 11), ("bob bea", 11), ("x", 0)]
                {
                    let query = UserQuery { limit, ..query(search, sort) };
                    let seen = read_all(&store, &query).await;
                    assert_eq!(seen.len(), count, "{search:?} {limit} {sort:?}: {seen:?}");
                    let total = store.count_accounts(&query).await.unwrap();
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
            async move { store.count_accounts(&query).await.unwrap().count }
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
}
