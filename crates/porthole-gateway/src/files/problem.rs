//! Why a request for files is not answered: problem details (RFC 9457).

use super::channel::ChannelError;
use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use porthole_files::message::{Fault, FaultKind};
use porthole_model::files::Refusal;
use serde::Serialize;

/// A problem, as the page and other clients read it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Problem {
    /// Names the kind; stable.
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    #[serde(serialize_with = "status")]
    status: StatusCode,
    /// What failed, and what to do.
    detail: String,
    /// The rule that refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<Box<Refusal>>,
    /// How much there is of the upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn status<S: serde::Serializer>(status: &StatusCode, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u16(status.as_u16())
}

impl Problem {
    fn new(
        status: StatusCode,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            title,
            status,
            detail: detail.into(),
            refusal: None,
            offset: None,
        }
    }

    /// What failed, for people.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    pub fn bad_request(detail: impl Into<String>) -> Self {
        let title = "The request can not be read";
        Self::new(
            StatusCode::BAD_REQUEST,
            "urn:porthole:problem:bad-request",
            title,
            detail,
        )
    }

    pub fn elsewhere() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "urn:porthole:problem:forbidden",
            "Not allowed",
            "this page may not use the files of this server's sessions: its origin is another",
        )
    }

    pub fn no_pass() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "urn:porthole:problem:no-pass",
            "Files are not open",
            "the session's files are not open to this request; open them with a new ticket",
        )
    }

    pub fn refused(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        let mut problem = Self::new(
            StatusCode::FORBIDDEN,
            "urn:porthole:problem:refused",
            "Refused by a rule",
            detail,
        );
        problem.refusal = Some(Box::new(refusal));
        problem
    }

    pub fn ended(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::GONE,
            "urn:porthole:problem:ended",
            "The session's files are closed",
            detail,
        )
    }

    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "urn:porthole:problem:unavailable",
            "A part does not answer",
            detail,
        )
    }

    pub fn range(size: u64) -> Self {
        let detail = format!("the file has {size} bytes; the range lies beyond");
        Self::new(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "urn:porthole:problem:range",
            "No such range",
            detail,
        )
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        let (status, kind, title) = match fault.kind {
            FaultKind::NotFound => (
                StatusCode::NOT_FOUND,
                "urn:porthole:problem:not-found",
                "Not found",
            ),
            FaultKind::WrongKind => (
                StatusCode::CONFLICT,
                "urn:porthole:problem:wrong-kind",
                "It is something else",
            ),
            FaultKind::Denied => (
                StatusCode::FORBIDDEN,
                "urn:porthole:problem:denied",
                "The session's user may not",
            ),
            FaultKind::NoSpace => (
                StatusCode::INSUFFICIENT_STORAGE,
                "urn:porthole:problem:no-space",
                "The disk is full",
            ),
            FaultKind::Offset => (
                StatusCode::CONFLICT,
                "urn:porthole:problem:offset",
                "The upload stands elsewhere",
            ),
            FaultKind::Busy => (
                StatusCode::CONFLICT,
                "urn:porthole:problem:busy",
                "The upload is under way elsewhere",
            ),
            FaultKind::Failed => (
                StatusCode::BAD_GATEWAY,
                "urn:porthole:problem:failed",
                "It failed in the session",
            ),
        };
        let detail: String = fault.detail.chars().take(500).collect();
        let mut problem = Self::new(status, kind, title, detail);
        problem.offset = fault.offset;
        problem
    }
}

impl From<ChannelError> for Problem {
    fn from(error: ChannelError) -> Self {
        match error {
            ChannelError::Fault(fault) => fault.into(),
            other => Self::unavailable(format!("{other}; try again")),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let content = [
            (header::CONTENT_TYPE, "application/problem+json"),
            (header::CACHE_CONTROL, "no-store"),
        ];
        (self.status, content, Json(self)).into_response()
    }
}
