//! Keyset pagination of accounts: constant cost per page, no gaps or duplicates under concurrent
//! writes.

use std::{cmp::Ordering, collections::HashMap};

use app::protocol::users::{Account, AccountSort};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, ExprTrait as _, Order, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Select,
    sea_query::{Expr, Func},
};
use uuid::Uuid;

use super::{
    Store, StoreError, StoredUser,
    entities::{
        session,
        user::{self, Column},
    },
};

/// Greatest character: the upper bound of a prefix search.
const LAST: char = char::MAX;

/// Query of one page.
#[derive(Clone, Debug)]
pub struct UserQuery {
    /// Search criteria; [`None`] for all accounts.
    pub search: Option<UserSearch>,
    /// Order.
    pub sort: AccountSort,
    /// Cursor of the previous page.
    pub after: Option<Cursor>,
    /// Page size.
    pub limit: u64,
}

/// Search criteria; an account matches by any of them.
#[derive(Clone, Debug)]
pub struct UserSearch {
    /// Prefix of the username key; [`None`] if no username has this prefix.
    pub name: Option<String>,
    /// Prefix of the nickname; ASCII letters match in any case.
    pub nickname: String,
    /// Forms of the e-mail address, in any case.
    pub email: Vec<String>,
    /// Account id.
    pub id: Option<Uuid>,
}

/// Position of an account in the list; valid also after the account was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// Position in the order of creation.
    Age {
        /// Creation time, in seconds of Unix time.
        at: i64,
        /// Account id, as tie-breaker.
        id: Uuid,
    },
    /// Position in the order of usernames: the username key.
    Name(String),
}

impl Cursor {
    /// Encodes the cursor for clients.
    #[must_use]
    pub fn write(&self) -> String {
        URL_SAFE_NO_PAD.encode(match self {
            Self::Age { at, id } => format!("a{at}.{}", id.simple()),
            Self::Name(key) => format!("n{key}"),
        })
    }

    /// Decodes a cursor; [`None`] if it is not one of a list in this order.
    #[must_use]
    pub fn parse(text: &str, sort: AccountSort) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        match sort {
            AccountSort::Oldest | AccountSort::Newest => {
                let (at, id) = text.strip_prefix('a')?.split_once('.')?;
                Some(Self::Age { at: at.parse().ok()?, id: Uuid::try_parse(id).ok()? })
            }
            AccountSort::Name | AccountSort::NameReversed => {
                let name = text.strip_prefix('n').filter(|name| !name.contains('\0'))?;
                Some(Self::Name(name.to_owned()))
            }
        }
    }
}

/// Id, creation time and username key of an account: its sort keys.
type Keys = (Uuid, i64, String);

fn cursor((id, at, key): &Keys, sort: AccountSort) -> Cursor {
    match sort {
        AccountSort::Oldest | AccountSort::Newest => Cursor::Age { at: *at, id: *id },
        AccountSort::Name | AccountSort::NameReversed => Cursor::Name(key.clone()),
    }
}

fn compare(one: &Keys, other: &Keys, sort: AccountSort) -> Ordering {
    let ((one_id, one_at, one_key), (id, at, key)) = (one, other);
    match sort {
        AccountSort::Oldest => (one_at, one_id).cmp(&(at, id)),
        AccountSort::Newest => (at, id).cmp(&(one_at, one_id)),
        AccountSort::Name => one_key.cmp(key),
        AccountSort::NameReversed => key.cmp(one_key),
    }
}

/// Column that a search uses. Each column is a query of its own with its own index; `OR` would use
/// none.
#[derive(Clone, Debug)]
enum SearchColumn {
    All,
    Name(String),
    Nickname(String),
    Email(String),
    Id(Uuid),
}

impl SearchColumn {
    fn of(search: Option<&UserSearch>) -> Vec<Self> {
        let Some(UserSearch { name, nickname, email, id }) = search else { return vec![Self::All] };
        // No account has a text with a NUL, and PostgreSQL takes none as a value either.
        let is_stored = |text: &String| !text.contains('\0');
        let name = name.clone().filter(is_stored).map(Self::Name);
        let nickname = Some(nickname.clone()).filter(is_stored).map(Self::Nickname);
        let email = email.iter().filter(|email| is_stored(email)).cloned().map(Self::Email);
        name.into_iter().chain(nickname).chain(email).chain(id.map(Self::Id)).collect()
    }

    /// Selects the first accounts after the cursor that match on this column.
    fn select(&self, query: &UserQuery) -> Select<user::Entity> {
        let begins = |expression: Expr, with: &str| {
            expression.clone().gte(with.to_owned()).and(expression.lt(format!("{with}{LAST}")))
        };
        let lower = |column| Expr::expr(Func::lower(Expr::col(column)));
        let found = match self {
            Self::All => None,
            Self::Name(name) => Some(begins(Expr::col(Column::UsernameKey), name)),
            Self::Nickname(nickname) => {
                Some(begins(lower(Column::Nickname), &nickname.to_ascii_lowercase()))
            }
            Self::Email(email) => Some(lower(Column::Email).eq(email.to_ascii_lowercase())),
            Self::Id(id) => Some(Column::Id.eq(*id)),
        };
        let order = match query.sort {
            AccountSort::Oldest | AccountSort::Name => Order::Asc,
            AccountSort::Newest | AccountSort::NameReversed => Order::Desc,
        };
        let [at, id, name] = [Column::CreatedAt, Column::Id, Column::UsernameKey].map(Expr::col);
        let after_cursor = |keys: Expr, cursor: Expr| match order {
            Order::Desc => keys.lt(cursor),
            _ => keys.gt(cursor),
        };
        let after = query.after.as_ref().map(|cursor| match cursor {
            Cursor::Age { at: cursor_at, id: cursor_id } => after_cursor(
                Expr::tuple([at.clone(), id.clone()]),
                Expr::tuple([Expr::value(*cursor_at), Expr::value(*cursor_id)]),
            ),
            Cursor::Name(key) => after_cursor(name.clone(), Expr::value(key.as_str())),
        });
        let select = user::Entity::find()
            .select_only()
            .columns([Column::Id, Column::CreatedAt, Column::UsernameKey])
            .filter(Condition::all().add_option(found).add_option(after))
            // One row more than the page size, to know whether there is a next page.
            .limit(query.limit.saturating_add(1));
        match query.sort {
            AccountSort::Oldest | AccountSort::Newest => {
                select.order_by(at, order.clone()).order_by(id, order)
            }
            AccountSort::Name | AccountSort::NameReversed => select.order_by(name, order),
        }
    }
}

impl Store {
    /// Returns a page of accounts, and the cursor of the next page if there is one.
    pub async fn accounts(
        &self,
        query: &UserQuery,
        now: i64,
    ) -> Result<(Vec<Account>, Option<Cursor>), StoreError> {
        let mut found = Vec::<Keys>::new();
        for column in SearchColumn::of(query.search.as_ref()) {
            found.extend(column.select(query).into_tuple::<Keys>().all(&self.read).await?);
        }
        found.sort_by(|one, other| compare(one, other, query.sort));
        found.dedup_by_key(|(id, ..)| *id);
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let has_more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| has_more).map(|last| cursor(last, query.sort));
        let ids: Vec<Uuid> = found.into_iter().map(|(id, ..)| id).collect();
        Ok((self.accounts_of(&ids, now).await?, next))
    }

    /// Returns an account.
    pub async fn account(&self, id: Uuid, now: i64) -> Result<Option<Account>, StoreError> {
        Ok(self.accounts_of(&[id], now).await?.pop())
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sea_orm::{ConnectionTrait as _, DbBackend, QueryTrait as _, Statement};

    use super::*;

    /// Returns SQLite's query plan.
    async fn plan(store: &Store, select: Select<user::Entity>) -> String {
        let Statement { sql, values, db_backend } = select.build(DbBackend::Sqlite);
        let explain = Statement { sql: format!("EXPLAIN QUERY PLAN {sql}"), values, db_backend };
        let rows = store.read.query_all_raw(explain).await.unwrap();
        let steps: Vec<String> =
            rows.iter().map(|row| row.try_get("", "detail").unwrap()).collect();
        steps.join("; ")
    }

    /// No query scans the table, and none sorts all accounts.
    #[tokio::test]
    async fn select_on_every_column_uses_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let store =
            Store::open(&format!("sqlite://{}", folder.path().join("list.sqlite").display()))
                .await
                .unwrap();
        let search = UserSearch {
            name: Some("a".into()),
            nickname: "a".into(),
            email: vec!["a".into()],
            id: Some(Uuid::nil()),
        };
        let columns = [SearchColumn::of(None), SearchColumn::of(Some(&search))].concat();
        assert_eq!(columns.len(), 5);
        for column in columns {
            for sort in AccountSort::ALL {
                for is_first in [true, false] {
                    let keys = (Uuid::nil(), 1_800_000_000, "b".to_owned());
                    let after = (!is_first).then(|| cursor(&keys, sort));
                    let query = UserQuery { search: None, sort, after, limit: 50 };
                    let plan = plan(&store, column.select(&query)).await;
                    let by_age = matches!(sort, AccountSort::Oldest | AccountSort::Newest);
                    let (index, is_sorted) = match (&column, by_age) {
                        (SearchColumn::All, true) => ("users_by_creation", true),
                        (SearchColumn::All, false) => ("users_by_name", true),
                        (SearchColumn::Name(_), _) => {
                            ("users_by_name (username_key>? AND username_key<?)", !by_age)
                        }
                        (SearchColumn::Nickname(_), _) => {
                            ("users_by_nickname (<expr>>? AND <expr><?", false)
                        }
                        (SearchColumn::Email(_), _) => ("users_by_email (<expr>=?", false),
                        (SearchColumn::Id(_), _) => ("sqlite_autoindex_users_1 (id=?)", false),
                    };
                    assert!(plan.contains(index), "{column:?} {sort:?} {is_first}: {plan}");
                    // The query seeks to the cursor without a scan of the rows before it.
                    assert!(
                        plan.starts_with("SEARCH")
                            || (matches!(column, SearchColumn::All) && is_first),
                        "{column:?} {sort:?}: {plan}"
                    );
                    assert!(
                        !(is_sorted && plan.contains("TEMP B-TREE")),
                        "{column:?} {sort:?}: {plan}"
                    );
                }
            }
        }
    }

    proptest! {
        #[test]
        fn parse_of_written_cursor_returns_it(at: i64, id: u128, key in "\\PC{0,40}") {
            let keys = (Uuid::from_u128(id), at, key);
            for sort in AccountSort::ALL {
                let cursor = cursor(&keys, sort);
                prop_assert_eq!(Cursor::parse(&cursor.write(), sort), Some(cursor.clone()));
                let other = match cursor {
                    Cursor::Age { .. } => AccountSort::Name,
                    Cursor::Name(_) => AccountSort::Newest,
                };
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
