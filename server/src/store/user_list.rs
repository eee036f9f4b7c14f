//! Pages of the account list, and their total.
//!
//! Keyset pagination: a page costs the same wherever it is, and has no gaps or duplicates under
//! concurrent writes. A search finds accounts by the beginnings of their words (`user_words`), in
//! one of two ways, whichever reads less ([`Bounds`]):
//!
//! - Of a rare word, all matches are read and sorted. The table of words holds the sort keys too.
//! - Of a frequent word, accounts are read in the order of the list and tested, until the page is
//!   full. If the matches are so unevenly spread that the tested accounts do not fill it, the page
//!   ends early, and the next one goes on behind them. Words that are frequent each but hardly occur
//!   together would otherwise make a page test all accounts: 0.4 s for a million of them.

use std::collections::HashMap;

use app::protocol::{
    Role,
    users::{Account, AccountSort},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait as _, DatabaseConnection, DbBackend, EntityTrait,
    ExprTrait as _, Order, QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _,
    Select,
    sea_query::{Asterisk, Expr, Query, SelectStatement},
};
use uuid::Uuid;

use super::{
    AccountAddresses, Store, StoreError, StoredUser,
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

/// Amounts that a query may read, so that a page takes some milliseconds.
#[derive(Clone, Copy)]
struct Bounds {
    /// Matches of a word up to which all of them are sorted.
    sorted: u64,
    /// Accounts that are tested for a page, in the order of the list.
    walk: u64,
    /// Rows that are read to count the accounts.
    count_reads: u64,
}

/// Amounts that a database reads within some milliseconds.
struct Speed {
    /// Matches of a word that are read and sorted, or read and counted.
    matches: u64,
    /// Conditions that are tested on the matches of a word, spread over the accounts.
    match_tests: u64,
    /// Conditions that are tested on accounts in the order of the list.
    account_tests: u64,
}

/// Measured with a million accounts: reading and sorting a match takes 0.2 µs, a test 1 µs, one of a
/// match 2 µs; on slow disks and processors several times as much.
const SQLITE: Speed = Speed { matches: 20_000, match_tests: 2_500, account_tests: 7_500 };
/// Measured with a million accounts: reading and sorting a match takes 1 µs, a test 3 µs, one of a
/// match 5 µs.
const POSTGRES: Speed = Speed { matches: 6_000, match_tests: 1_500, account_tests: 4_500 };
/// Amounts that tests exceed with few accounts.
const SMALL: Speed = Speed { matches: 300, match_tests: 100, account_tests: 200 };

const fn speed(backend: DbBackend) -> Speed {
    match backend {
        _ if cfg!(test) => SMALL,
        DbBackend::Postgres => POSTGRES,
        _ => SQLITE,
    }
}

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

/// A page of accounts. It may have fewer than fit, also none, and still not be the last one.
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

/// A key behind all accounts of a list.
fn end_of_list(sort: AccountSort) -> SortKey {
    match (sort.is_by_age(), sort.is_descending()) {
        (true, false) => SortKey::Age(i64::MAX, Uuid::max()),
        (true, true) => SortKey::Age(i64::MIN, Uuid::nil()),
        (false, false) => SortKey::Name(LAST.into()),
        (false, true) => SortKey::Name(String::new()),
    }
}

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

/// The accounts of a scan that match.
struct Found {
    keys: Vec<Keys>,
    /// The last account that was tested, if the list goes on behind it and the scan is not full.
    end: Option<SortKey>,
}

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

    fn bounds(&self, backend: DbBackend) -> Bounds {
        let Speed { matches, match_tests, account_tests } = speed(backend);
        let conditions = self.terms().len() as u64 + u64::from(self.is_filtered());
        // The word by which the matches are found needs no test.
        let tested = match_tests.checked_div(conditions.saturating_sub(1));
        let sorted = tested.map_or(matches, |tested| Ord::min(tested, matches));
        let walk = account_tests / Ord::max(conditions, 1);
        Bounds { sorted, walk, count_reads: tested.unwrap_or(2 * matches) }
    }

    /// Returns whether the accounts of the list have to be tested, because no index has those that
    /// match.
    fn is_scattered(&self) -> bool {
        self.is_filtered() && !self.is_selective()
    }

    /// Accounts that are tested in the order of the list, if no word finds fewer.
    fn select_tested(&self) -> Select<user::Entity> {
        let disabled = Column::DisabledAt.is_not_null();
        let is_indexed = self.disabled == Some(true);
        let condition = Condition::all().add_option(is_indexed.then_some(disabled));
        user::Entity::find().filter(condition)
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
    /// Returns a page of accounts, and how many there are on all pages. A page before a cursor that
    /// has fewer accounts than fit, because the list begins there, is the first page instead.
    pub async fn accounts_and_total(
        &self,
        query: &UserQuery,
        now: i64,
    ) -> Result<(UserPage, Total), StoreError> {
        let rarest = self.rarest_term(query).await?;
        // On two connections: for frequent words both read many rows.
        tokio::try_join!(self.page(query, rarest.as_ref(), now), self.total(query, rarest.as_ref()))
    }

    /// Returns a page of accounts, as [`Store::accounts_and_total`] does.
    pub async fn accounts(&self, query: &UserQuery, now: i64) -> Result<UserPage, StoreError> {
        let rarest = self.rarest_term(query).await?;
        self.page(query, rarest.as_ref(), now).await
    }

    async fn page(
        &self,
        query: &UserQuery,
        rarest: Option<&RarestTerm<'_>>,
        now: i64,
    ) -> Result<UserPage, StoreError> {
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let Found { keys: mut found, end } = self.keys(query, rarest, query.scan()).await?;
        let has_more = found.len() > limit || end.is_some();
        found.truncate(limit);
        let count = found.len() as u64;
        let (has_previous, has_next, first) = match &query.start {
            PageStart::First => (false, has_more, 1),
            PageStart::After(cursor) => (true, has_more, cursor.number.saturating_add(1)),
            PageStart::Before(_) if !has_more => {
                let first = UserQuery { start: PageStart::First, ..query.clone() };
                return Box::pin(self.page(&first, rarest, now)).await;
            }
            PageStart::Before(cursor) => {
                found.reverse();
                // More accounts than the numbers tell may have been created since.
                (true, true, Ord::max(cursor.number.saturating_sub(count), 2))
            }
        };
        let key = |keys: Option<&Keys>| keys.map(|keys| sort_key(keys, query.sort));
        let (begin, end) = match (&query.start, end) {
            (PageStart::Before(_), end) => {
                (end.clone().or_else(|| key(found.first())), { key(found.last()).or(end) })
            }
            (_, end) => (
                key(found.first())
                    .or_else(|| end.clone())
                    .or_else(|| Some(end_of_list(query.sort))),
                end.or_else(|| key(found.last())),
            ),
        };
        let cursor = |key, number| Cursor { number, key };
        let last = first.saturating_add(count).saturating_sub(1);
        let next = end.filter(|_| has_next).map(|key| cursor(key, last));
        let previous = begin.filter(|_| has_previous).map(|key| cursor(key, first));
        let ids: Vec<Uuid> = found.into_iter().map(|(id, ..)| id).collect();
        let first = if ids.is_empty() { 0 } else { first };
        Ok(UserPage { accounts: self.accounts_of(&ids, now).await?, first, next, previous })
    }

    /// Returns the number of accounts that match a query, up to 10 000.
    async fn total(
        &self,
        query: &UserQuery,
        rarest: Option<&RarestTerm<'_>>,
    ) -> Result<Total, StoreError> {
        if query.is_empty() {
            return Ok(Total { count: 0, is_exact: true });
        }
        let connection = &self.read;
        let Bounds { sorted, count_reads, .. } = query.bounds(connection.get_database_backend());
        let (matching, read) = match rarest {
            None if query.is_scattered() => {
                let read = user::Entity::find()
                    .select_only()
                    .columns([Column::Id, Column::Role, Column::DisabledAt])
                    .limit(count_reads)
                    .into_query();
                let matching = query.select_users().select_only().column(Column::Id);
                let mut matching = matching.limit(COUNTED + 1).into_query();
                matching.from_clear().from_subquery(read.clone(), user::Entity);
                (matching, Some(read))
            }
            None => {
                let matching = query.select_users().select_only().column(Column::Id);
                (matching.limit(COUNTED + 1).into_query(), None)
            }
            Some(RarestTerm { term, matches }) if *matches <= sorted => {
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
    async fn keys(
        &self,
        query: &UserQuery,
        rarest: Option<&RarestTerm<'_>>,
        scan: Scan,
    ) -> Result<Found, StoreError> {
        if query.is_empty() {
            return Ok(Found { keys: Vec::new(), end: None });
        }
        let Bounds { sorted, walk, .. } = query.bounds(self.read.get_database_backend());
        let term = match rarest {
            Some(RarestTerm { term, matches }) if *matches <= sorted => term,
            // An index has the few that are left to test or to sort, or all accounts of the list match.
            _ if query.role == Some(Role::Admin) || rarest.is_none() && !query.is_scattered() => {
                let keys = self.keys_of_users(query, &scan).await?;
                return Ok(Found { keys, end: None });
            }
            _ => {
                let end = self.end_of_walk(query, &scan, walk).await?;
                let walked = Scan { until: end.clone(), ..scan };
                let keys = self.keys_of_users(query, &walked).await?;
                let is_full = keys.len() as u64 >= walked.limit;
                return Ok(Found { keys, end: end.filter(|_| !is_full) });
            }
        };
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
                return Ok(Found { keys: found, end: None });
            }
            words.limit = words.limit.saturating_mul(WORDS_PER_ACCOUNT);
        }
    }

    async fn keys_of_users(&self, query: &UserQuery, scan: &Scan) -> Result<Vec<Keys>, StoreError> {
        Ok(scan.apply(query.select_users(), OF_USERS).into_tuple().all(&self.read).await?)
    }

    /// Returns the last account that is tested for a page; [`None`] if the list ends before.
    async fn end_of_walk(
        &self,
        query: &UserQuery,
        scan: &Scan,
        walk: u64,
    ) -> Result<Option<SortKey>, StoreError> {
        let one = Scan { limit: 1, ..scan.clone() };
        let select = one.apply(query.select_tested(), OF_USERS).offset(walk.saturating_sub(1));
        let end = select.into_tuple::<Keys>().one(&self.read).await?;
        Ok(end.map(|keys| sort_key(&keys, scan.sort)))
    }

    /// Returns the term of a search that matches the fewest words; [`None`] without terms.
    async fn rarest_term<'a>(
        &self,
        query: &'a UserQuery,
    ) -> Result<Option<RarestTerm<'a>>, StoreError> {
        let backend = self.read.get_database_backend();
        let most = query.bounds(backend).sorted.saturating_add(1);
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
                let StoredUser { user, email, created_at, disabled_at, .. } =
                    StoredUser::of(row, AccountAddresses::default())?;
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
mod tests;
