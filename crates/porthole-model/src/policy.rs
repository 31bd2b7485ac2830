//! Policy: what users may do and how long their sessions last, said by their groups.
//!
//! Each setting is declared once ([`SETTINGS`]). Groups set some of them; [`EffectivePolicy::of`]
//! makes of a user's groups what holds for the user, and tells which group decided.

mod clock;
mod declarations;
mod effective;
mod limits;
mod usage;

pub use clock::{End, ends, time_limit_end};
pub use declarations::{
    ALLOW_CLIPBOARD_DOWN, ALLOW_CLIPBOARD_UP, ALLOW_DELETE, ALLOW_STOP, CLIPBOARD_DELAY,
    CLIPBOARD_DOWN_SIZE, CLIPBOARD_UP_SIZE, Declaration, Enforcer, IDLE_DISCONNECT,
    KEEPALIVE_EXPIRATION, KEEPALIVE_EXPIRATION_ACTION, Kind, MAX_SESSIONS,
    MAX_SESSIONS_PER_WORKSPACE, Merge, RUN_CONFIG, SESSION_TIME_LIMIT, SETTINGS, Section,
    USAGE_LIMIT, Unit, setting,
};
pub use effective::{Decider, EffectivePolicy, EffectiveSetting, GroupSettings, Overruled};
pub use limits::{LimitReached, check_session_limits};
pub use usage::{Interval, UsageLimit, UsageScope, used, window_start};

/// What happens to a session whose clock runs out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpiryAction {
    /// It is deleted.
    Delete,
    /// It is stopped; its disk is kept.
    Stop,
}
