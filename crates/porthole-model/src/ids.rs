//! Typed ids. Every one is a UUID; version 7 where we make it, so that ids sort by age.
//!
//! Read with or without hyphens (both spellings are in use by API clients), written with hyphens;
//! [`simple`](UserId::simple) gives the 32 hexadecimal digits that the Kasm-compatible API uses.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// An id that is not a UUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a valid {kind} id: 32 hexadecimal digits, with or without hyphens, are expected"
)]
pub struct InvalidId {
    /// What the id was meant to name, such as `session`.
    pub kind: &'static str,
    /// What was given, cut to 64 characters.
    pub text: String,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $kind:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = Uuid)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id; later ones sort after earlier ones.
            #[expect(clippy::new_without_default, reason = "a default id would be a fresh one each time")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The 32 hexadecimal digits without hyphens.
            pub fn simple(self) -> String {
                self.0.simple().to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::parse_str(text).map(Self).map_err(|_| InvalidId {
                    kind: $kind,
                    text: text.chars().take(64).collect(),
                })
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )*};
}

ids! {
    /// A person who signs in.
    UserId = "user";
    /// Users with the same rights.
    GroupId = "group";
    /// Something a user can launch; the Kasm-compatible API calls it `image_id`.
    WorkspaceId = "workspace";
    /// One running instance of a workspace; the Kasm-compatible API calls it `kasm_id`.
    SessionId = "session";
    /// A container host.
    AgentId = "agent";
    /// A display container, warm or taken by a session.
    DisplayId = "display";
    /// One sign-in of a user: what a cookie or a Bearer token stands for.
    LoginId = "login";
    /// A pair of API key and secret.
    ApiKeyId = "API key";
    /// One stream between a browser and a display.
    StreamId = "stream";
    /// A request to an agent that awaits its reply.
    RequestId = "request";
    /// A line of the audit log.
    AuditEventId = "audit event";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_read() {
        let id = SessionId::new();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.simple().parse(), Ok(id));
    }

    #[test]
    fn error_names_the_kind() {
        let error = "nonsense".parse::<WorkspaceId>().unwrap_err();
        assert!(error.to_string().contains("workspace"), "{error}");
    }
}
