//! How many sessions a user may have.

use super::{
    EffectivePolicy,
    declarations::{Declaration, MAX_SESSIONS, MAX_SESSIONS_PER_WORKSPACE},
};
use crate::ids::WorkspaceId;
use std::fmt;

/// A limit that a new session would pass: with the numbers, who set it, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitReached {
    /// How many sessions there are.
    pub have: u32,
    /// How many there may be.
    pub limit: u32,
    /// The setting behind it.
    pub setting: &'static str,
    /// The group that decided, as in `group Contractors`, or `default`.
    pub source: String,
    /// Whether it is about one workspace.
    pub of_workspace: bool,
}

impl fmt::Display for LimitReached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            have,
            limit,
            setting,
            source,
            of_workspace,
        } = self;
        let noun = if *have == 1 { "session" } else { "sessions" };
        let of = if *of_workspace {
            " of this workspace"
        } else {
            ""
        };
        let first = if *have > 0 { "delete one, or " } else { "" };
        write!(
            f,
            "you have {have} {noun}{of} and may have {limit} ({source}); {first}ask an administrator to raise {setting}"
        )
    }
}

impl std::error::Error for LimitReached {}

/// Whether the policy's user may have one more session of this workspace. `workspaces` has, for
/// each session that counts, what it is an instance of.
///
/// # Errors
/// The limit that stands in the way.
pub fn check_session_limits(
    policy: &EffectivePolicy,
    wanted: WorkspaceId,
    workspaces: impl IntoIterator<Item = WorkspaceId>,
) -> Result<(), LimitReached> {
    let (mut have, mut same) = (0, 0);
    for workspace in workspaces {
        have += 1;
        same += u32::from(workspace == wanted);
    }
    let reached = |have, limit, setting: &Declaration| LimitReached {
        have,
        limit,
        setting: setting.name,
        source: policy.source(setting),
        of_workspace: setting.name == MAX_SESSIONS_PER_WORKSPACE.name,
    };
    let limit = policy.number(&MAX_SESSIONS);
    if have >= limit {
        return Err(reached(have, limit, &MAX_SESSIONS));
    }
    let limit = policy.number(&MAX_SESSIONS_PER_WORKSPACE);
    if limit > 0 && same >= limit {
        return Err(reached(same, limit, &MAX_SESSIONS_PER_WORKSPACE));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_limit_is_told_with_its_numbers() {
        let (this, that) = (WorkspaceId::new(), WorkspaceId::new());
        let policy = EffectivePolicy::default()
            .with(&MAX_SESSIONS, json!(3))
            .with(&MAX_SESSIONS_PER_WORKSPACE, json!(2));
        assert_eq!(check_session_limits(&policy, this, [this, that]), Ok(()));
        let error = check_session_limits(&policy, this, [this, this]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "you have 2 sessions of this workspace and may have 2 (default); delete one, or ask an administrator to raise max_kasms_per_workspace"
        );
        let error = check_session_limits(&policy, this, [that, that, that]).unwrap_err();
        assert_eq!((error.have, error.limit, error.of_workspace), (3, 3, false));
        let none = EffectivePolicy::default().with(&MAX_SESSIONS, json!(0));
        let error = check_session_limits(&none, this, []).unwrap_err();
        assert_eq!(
            error.to_string(),
            "you have 0 sessions and may have 0 (default); ask an administrator to raise max_kasms_per_user"
        );
    }
}
