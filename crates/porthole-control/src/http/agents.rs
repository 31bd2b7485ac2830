//! agents

use crate::Control;
use utoipa_axum::router::OpenApiRouter;

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new()
}
