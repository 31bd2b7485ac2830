//! Between columns and the model's types.

use crate::StoreError;
use serde::{Serialize, de::DeserializeOwned};
use std::{fmt::Display, str::FromStr};
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};

/// The time now, UTC, in the precision that both databases keep (microseconds).
pub(crate) fn now() -> PrimitiveDateTime {
    to_column(OffsetDateTime::now_utc())
}

/// A time as its column holds it.
pub(crate) fn to_column(at: OffsetDateTime) -> PrimitiveDateTime {
    let at = at.to_offset(UtcOffset::UTC);
    let micros = at.microsecond();
    let at = PrimitiveDateTime::new(at.date(), at.time());
    at.replace_microsecond(micros).unwrap_or(at)
}

/// A column's time.
pub(crate) fn from_column(at: PrimitiveDateTime) -> OffsetDateTime {
    at.assume_utc()
}

/// A typed value, such as an id or a state, out of its text column.
pub(crate) fn parse<T: FromStr<Err: Display>>(text: &str) -> Result<T, StoreError> {
    text.parse()
        .map_err(|e| StoreError::Corrupt(format!("{e}")))
}

/// A list or a map out of its JSON text column.
pub(crate) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::Corrupt(e.to_string()))
}

/// A list or a map as its JSON text column holds it.
pub(crate) fn to_json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::Corrupt(e.to_string()))
}
