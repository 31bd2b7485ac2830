//! When a session's time is over.

use super::{EffectivePolicy, ExpiryAction, KEEPALIVE_EXPIRATION, SESSION_TIME_LIMIT};
use crate::session::EndReason;
use std::time::Duration;
use time::OffsetDateTime;

/// The end that a session's clock runs towards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// When.
    pub at: OffsetDateTime,
    /// What happens then.
    pub action: ExpiryAction,
    /// Why.
    pub reason: EndReason,
}

/// When a session that was requested at this time is deleted whatever happens in it; `None` without
/// a time limit.
pub fn time_limit_end(
    policy: &EffectivePolicy,
    created_at: OffsetDateTime,
) -> Option<OffsetDateTime> {
    let limit = policy.number(&SESSION_TIME_LIMIT);
    (limit > 0).then(|| created_at + Duration::from_secs(limit.into()))
}

/// The next end of a session that was requested and last kept alive at these times.
pub fn ends(
    policy: &EffectivePolicy,
    created_at: OffsetDateTime,
    keepalive_at: OffsetDateTime,
) -> End {
    let kept = End {
        at: keepalive_at + Duration::from_secs(policy.number(&KEEPALIVE_EXPIRATION).into()),
        action: policy.expiry_action(),
        reason: EndReason::Expired,
    };
    match time_limit_end(policy, created_at) {
        Some(at) if at <= kept.at => End {
            at,
            action: ExpiryAction::Delete,
            reason: EndReason::TimeLimit,
        },
        _ => kept,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::KEEPALIVE_EXPIRATION_ACTION;
    use serde_json::json;
    use time::macros::datetime;

    #[test]
    fn keeping_alive_moves_the_end_up_to_the_time_limit() {
        let created = datetime!(2026-03-05 10:00 UTC);
        let policy = EffectivePolicy::default()
            .with(&KEEPALIVE_EXPIRATION, json!(600))
            .with(&KEEPALIVE_EXPIRATION_ACTION, json!("stop"));
        let end = ends(&policy, created, created);
        assert_eq!(end.at, datetime!(2026-03-05 10:10 UTC));
        assert_eq!(
            (end.action, end.reason),
            (ExpiryAction::Stop, EndReason::Expired)
        );
        let policy = policy.with(&SESSION_TIME_LIMIT, json!(3600));
        let end = ends(&policy, created, datetime!(2026-03-05 10:55 UTC));
        assert_eq!(end.at, datetime!(2026-03-05 11:00 UTC));
        assert_eq!(
            (end.action, end.reason),
            (ExpiryAction::Delete, EndReason::TimeLimit)
        );
    }
}
