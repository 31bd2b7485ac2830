//! How long sessions ran, and how long they may.

use serde::{Deserialize, Serialize};
use std::time::Duration;
use time::{OffsetDateTime, UtcOffset};

/// The most hours that a limit may have.
const MOST_HOURS: f64 = 1_000_000.0;

/// A limit on the hours that sessions run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UsageLimit {
    /// Whose hours count.
    #[serde(rename = "type")]
    pub scope: UsageScope,
    /// Counted anew each.
    pub interval: Interval,
    /// Hours, more than 0 and at most 1,000,000. Sessions at the same time count each.
    pub hours: f64,
}

/// Whose hours count together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UsageScope {
    /// Each user's own.
    PerUser,
    /// Those of all members of the group that sets the limit.
    PerGroup,
}

/// How often the count begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = UsageInterval)]
pub enum Interval {
    /// At midnight UTC.
    #[serde(alias = "Daily")]
    Daily,
    /// On Monday at midnight UTC (ISO 8601).
    #[serde(alias = "Weekly")]
    Weekly,
    /// On the first at midnight UTC.
    #[serde(alias = "Monthly")]
    Monthly,
    /// Never.
    #[serde(alias = "Total")]
    Total,
}

impl UsageLimit {
    /// # Errors
    /// Why the hours are none.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.hours > 0.0 && self.hours <= MOST_HOURS {
            Ok(())
        } else {
            Err(format!(
                "hours: more than 0 and at most {MOST_HOURS} is expected"
            ))
        }
    }

    /// The limit.
    pub fn allowed(&self) -> Duration {
        Duration::try_from_secs_f64(self.hours * 3600.0).unwrap_or(Duration::MAX)
    }
}

/// When the count that holds `now` began; `None` for ever.
pub fn window_start(interval: Interval, now: OffsetDateTime) -> Option<OffsetDateTime> {
    let now = now.to_offset(UtcOffset::UTC);
    let day = now.date();
    let first = match interval {
        Interval::Daily => day,
        Interval::Weekly => {
            day - time::Duration::days(day.weekday().number_days_from_monday().into())
        }
        Interval::Monthly => day.replace_day(1).unwrap_or(day),
        Interval::Total => return None,
    };
    Some(first.midnight().assume_utc())
}

/// How long sessions ran from `start` to `now`, where `runs` have their beginnings and, unless they
/// go on, their ends. Runs at the same time count each.
pub fn used(
    runs: impl IntoIterator<Item = (OffsetDateTime, Option<OffsetDateTime>)>,
    start: Option<OffsetDateTime>,
    now: OffsetDateTime,
) -> Duration {
    runs.into_iter()
        .filter_map(|(from, to)| {
            let from = start.map_or(from, |start| start.max(from));
            let to = to.unwrap_or(now).min(now);
            Duration::try_from(to - from).ok()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn windows_begin_at_midnight() {
        let now = datetime!(2026-03-05 13:14:15 UTC);
        assert_eq!(
            window_start(Interval::Daily, now),
            Some(datetime!(2026-03-05 00:00 UTC))
        );
        assert_eq!(
            window_start(Interval::Weekly, now),
            Some(datetime!(2026-03-02 00:00 UTC))
        );
        assert_eq!(
            window_start(Interval::Monthly, now),
            Some(datetime!(2026-03-01 00:00 UTC))
        );
        assert_eq!(window_start(Interval::Total, now), None);
        // Midnight UTC, wherever the clock is.
        let elsewhere = datetime!(2026-03-05 00:30 +2);
        assert_eq!(
            window_start(Interval::Daily, elsewhere),
            Some(datetime!(2026-03-04 00:00 UTC))
        );
    }

    #[test]
    fn runs_count_within_the_window_only() {
        let start = datetime!(2026-03-05 00:00 UTC);
        let now = datetime!(2026-03-05 10:00 UTC);
        let hours = |h| start + time::Duration::hours(h);
        let runs = [
            (hours(-2), Some(hours(1))),
            (hours(-5), Some(hours(-3))),
            (hours(2), Some(hours(3))),
            (hours(9), None),
        ];
        assert_eq!(used(runs, Some(start), now), Duration::from_hours(3));
        assert_eq!(used(runs, None, now), Duration::from_hours(3 + 2 + 1 + 1));
    }
}
