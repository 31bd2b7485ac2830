//! sessions

use crate::Control;
use axum::Router;

pub(super) fn routes() -> Router<Control> {
    Router::new()
}
