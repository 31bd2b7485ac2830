//! Ids, dates and lists as those clients spell them.

use crate::AppError;
use serde::{Deserialize, Deserializer};
use std::str::FromStr;
use time::{
    OffsetDateTime, UtcOffset, format_description::BorrowedFormatItem, macros::format_description,
};

const DATE: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:6]");

/// A date in UTC.
pub(crate) fn date(at: OffsetDateTime) -> String {
    at.to_offset(UtcOffset::UTC)
        .format(DATE)
        .unwrap_or_default()
}

/// A date that may be absent; absence is a word.
pub(crate) fn maybe_date(at: Option<OffsetDateTime>) -> String {
    at.map_or_else(|| "None".to_owned(), date)
}

/// A text that is null when it is empty.
pub(crate) fn text(value: &str) -> Option<&str> {
    (!value.is_empty()).then_some(value)
}

/// An id of a call, with or without hyphens.
///
/// # Errors
/// [`AppError::BadRequest`] when it is missing or none.
pub(crate) fn id<T: FromStr>(name: &str, value: Option<&str>) -> Result<T, AppError> {
    let value = value.ok_or_else(|| AppError::BadRequest(format!("{name} is missing")))?;
    value
        .parse()
        .map_err(|_| AppError::BadRequest(format!("Invalid {name}")))
}

/// For [`serde`]: `null` counts as left out.
pub(crate) fn null_as_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    value: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(value)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn dates() {
        let at = datetime!(2026-01-02 03:04:05.6 +1);
        assert_eq!(date(at), "2026-01-02 02:04:05.600000");
        assert_eq!(maybe_date(None), "None");
    }
}
