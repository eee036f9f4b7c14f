//! Search in the events of the caller's own account.

use super::{
    Failure, FieldErrors,
    users::{filled, page_size},
};
use crate::protocol::{activity::ActivityQuery, error::Code};

/// Search in the caller's events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivitySearch {
    /// Cursor: `next` of newer events.
    pub after: Option<String>,
    /// Page size.
    pub limit: u64,
}

impl ActivitySearch {
    /// Parses a query. An empty parameter counts as absent.
    ///
    /// # Errors
    ///
    /// [`Failure::Validation`] if the page size is out of bounds.
    pub fn parse(query: ActivityQuery) -> Result<Self, Failure> {
        let mut fields = FieldErrors::default();
        let limit = fields.check("limit", page_size(query.limit));
        fields.into_result()?;
        let limit = limit.ok_or(Failure::Plain(Code::InternalError))?;
        Ok(Self { after: filled(query.after), limit })
    }
}
