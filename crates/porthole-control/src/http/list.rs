//! Lists and the parts of them that are asked for.

use crate::AppError;
use porthole_store::{Page, PageRequest};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

const DEFAULT_LIMIT: u64 = 100;
const MAX_LIMIT: u64 = 500;

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct List<T> {
    /// The entries.
    pub items: Vec<T>,
    /// How many entries there are in all.
    pub total: u64,
    /// Give this as `cursor` for the next part; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Which part of a list is wanted.
#[derive(Debug, Default, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Entries at most, 1 to 500; 100 when left out.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u64>,
    /// The `next_cursor` of the part before.
    pub cursor: Option<String>,
    /// Only entries whose names or descriptions hold this text, in any case.
    #[param(max_length = 128)]
    pub search: Option<String>,
}

impl ListQuery {
    /// As the store takes it.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a limit out of range or a made-up cursor.
    pub fn page(&self) -> Result<PageRequest, AppError> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(AppError::invalid(
                "limit",
                format!("it is not between 1 and {MAX_LIMIT}"),
            ));
        }
        let offset = match self.cursor.as_deref() {
            None | Some("") => 0,
            Some(cursor) => cursor
                .parse::<u32>()
                .map_err(|_| AppError::invalid("cursor", "it is not the next_cursor of a list"))?,
        };
        let search = self
            .search
            .as_deref()
            .map(str::trim)
            .filter(|text| !text.is_empty());
        if search.is_some_and(|text| text.chars().count() > 128) {
            return Err(AppError::invalid(
                "search",
                "it has more than 128 characters",
            ));
        }
        Ok(PageRequest {
            limit,
            offset: offset.into(),
            search: search.map(str::to_owned),
        })
    }
}

impl<T> List<T> {
    /// A part as the store gave it.
    pub fn of<R>(page: Page<R>, request: &PageRequest, show: impl FnMut(R) -> T) -> Self {
        let end = request.offset + page.items.len() as u64;
        Self {
            next_cursor: (end < page.total && !page.items.is_empty()).then(|| end.to_string()),
            total: page.total,
            items: page.items.into_iter().map(show).collect(),
        }
    }

    /// A whole list.
    pub fn whole(items: Vec<T>) -> Self {
        Self {
            total: items.len() as u64,
            items,
            next_cursor: None,
        }
    }
}
