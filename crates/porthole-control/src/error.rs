//! Everything that a call into `app/` can fail with. `http/error.rs` makes HTTP of it.

use porthole_model::{ids::InvalidId, image::ImageRefError, session::Failure};
use porthole_store::StoreError;
use std::time::Duration;

/// What is wrong with one field of the input.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// The field's path in the body, such as `environment.HOME`.
    pub field: String,
    /// What is wrong with it and what is expected.
    pub message: String,
}

/// Why a call failed. Texts are for the person who asked.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Nobody is signed in.
    #[error("sign in first: the request has no valid login, token or API key")]
    Unauthenticated,
    /// User name and password do not belong together; the text never says which is wrong.
    #[error("the user name or the password is wrong")]
    BadCredentials,
    /// Signed in, but not allowed.
    #[error("{0}")]
    Forbidden(String),
    /// No such thing, or none that the actor may see.
    #[error("there is no such {what}")]
    NotFound {
        /// The noun, such as `user`.
        what: &'static str,
    },
    /// The input is well-formed, but its values are not acceptable.
    #[error("{}", .0.iter().map(|e| format!("{}: {}", e.field, e.message)).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<FieldError>),
    /// The request can not be read.
    #[error("{0}")]
    BadRequest(String),
    /// The request is too large.
    #[error("the request's body is larger than {limit} bytes")]
    TooLarge {
        /// The largest body in bytes.
        limit: usize,
    },
    /// The body's type is not JSON.
    #[error("send the body as JSON with the header Content-Type: application/json")]
    NotJson,
    /// No such path.
    #[error("there is nothing at {0}")]
    NoSuchPath(String),
    /// The path exists, but not with this method.
    #[error("{method} can not be used on {path}")]
    BadMethod {
        /// The method.
        method: String,
        /// The path.
        path: String,
    },
    /// It clashes with what is there, such as a name already taken, or a refused placement.
    #[error("{0}")]
    Conflict(String),
    /// The account is locked.
    #[error("{0}")]
    Locked(String),
    /// Too many requests; wait.
    #[error("too many attempts; try again in {} seconds", .retry_after.as_secs().max(1))]
    TooMany {
        /// How long to wait.
        retry_after: Duration,
    },
    /// A part that is needed does not answer; the same call may work later.
    #[error("{0}")]
    Unavailable(String),
    /// A part failed, told as a person should read it.
    #[error("{0}")]
    Failed(Failure),
    /// A defect or a broken part; detail goes to the log, not to the person.
    #[error("something went wrong inside Porthole; the request id finds it in the server's log")]
    Internal(String),
}

impl AppError {
    /// [`AppError::Forbidden`] with this sentence.
    pub fn forbidden(text: impl Into<String>) -> Self {
        Self::Forbidden(text.into())
    }

    /// [`AppError::Conflict`] with this sentence.
    pub fn conflict(text: impl Into<String>) -> Self {
        Self::Conflict(text.into())
    }

    /// [`AppError::NotFound`] of this noun.
    pub const fn not_found(what: &'static str) -> Self {
        Self::NotFound { what }
    }

    /// [`AppError::Invalid`] with one field.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError {
            field: field.into(),
            message: message.into(),
        }])
    }

    /// [`AppError::Internal`] with what the log should say.
    pub fn internal(detail: impl std::fmt::Display) -> Self {
        Self::Internal(detail.to_string())
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { what } => Self::NotFound { what },
            StoreError::Conflict { what } => Self::Conflict(what),
            StoreError::Unavailable(detail) => {
                tracing::error!(detail, "the database is not available");
                Self::Unavailable("the database does not answer at the moment; try again".into())
            }
            other => Self::internal(other),
        }
    }
}

impl From<InvalidId> for AppError {
    fn from(error: InvalidId) -> Self {
        Self::BadRequest(error.to_string())
    }
}

impl From<ImageRefError> for AppError {
    fn from(error: ImageRefError) -> Self {
        Self::invalid("image", error.to_string())
    }
}
