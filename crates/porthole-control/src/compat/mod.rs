//! The Kasm-compatible calls, mapped on `app/`: POST with credentials in the body, or any method
//! with a Bearer token, under `/api/public/`, `/api/admin/` and `/api/`.

mod call;
pub mod groups;
pub mod sessions;
pub mod users;
pub(crate) mod values;
pub mod workspaces;

pub use call::Call;

use crate::{AppError, Control};
use axum::{Router, http::StatusCode, routing::MethodRouter};

/// Whether errors on this path have the compatible body.
pub(crate) fn is_compat(path: &str) -> bool {
    path.starts_with("/api/") && !path.starts_with("/api/v1/") && path != "/api/v1"
}

/// Status and text of an error as those clients know them: they take any status but 200, and any
/// `error_message`, for an error.
pub(crate) fn error(error: &AppError, status: StatusCode) -> (StatusCode, String) {
    match error {
        AppError::Unauthenticated => (StatusCode::FORBIDDEN, "Unauthorized".into()),
        AppError::Forbidden(why) => (StatusCode::FORBIDDEN, format!("Unauthorized: {why}")),
        AppError::BadCredentials | AppError::Locked(_) => {
            (StatusCode::FORBIDDEN, error.to_string())
        }
        AppError::NotFound { .. } | AppError::Conflict(_) | AppError::Invalid(_) => {
            (StatusCode::BAD_REQUEST, error.to_string())
        }
        _ => (status, error.to_string()),
    }
}

/// The paths of a call, under every prefix that clients use for it.
pub(crate) fn everywhere(name: &str) -> [String; 3] {
    ["/api/public/", "/api/admin/", "/api/"].map(|prefix| format!("{prefix}{name}"))
}

/// Calls under every prefix. `POST` with the credentials in the body is what those clients send;
/// `GET` is for lists with a Bearer token.
pub(crate) fn on_every_prefix<const N: usize>(
    calls: [(&str, MethodRouter<Control>); N],
) -> Router<Control> {
    calls
        .into_iter()
        .fold(Router::new(), |router, (name, method)| {
            everywhere(name)
                .into_iter()
                .fold(router, |router, path| router.route(&path, method.clone()))
        })
}

/// The routes of all compatible calls.
pub(crate) fn routes() -> Router<Control> {
    Router::new()
        .merge(users::routes())
        .merge(groups::routes())
        .merge(workspaces::routes())
        .merge(sessions::routes())
}
