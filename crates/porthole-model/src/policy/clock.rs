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

/// The next end of a session that was requested and last kept alive at these times.
pub fn ends(
    policy: &EffectivePolicy,
    created_at: OffsetDateTime,
    keepalive_at: OffsetDateTime,
) -> End {
    let seconds = |number: u32| Duration::from_secs(number.into());
    let kept = End {
        at: keepalive_at + seconds(policy.number(&KEEPALIVE_EXPIRATION)),
        action: policy.expiry_action(),
        reason: EndReason::Expired,
    };
    let limit = policy.number(&SESSION_TIME_LIMIT);
    let whole = created_at + seconds(limit);
    if limit > 0 && whole <= kept.at {
        End {
            at: whole,
            action: ExpiryAction::Delete,
            reason: EndReason::TimeLimit,
        }
    } else {
        kept
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
