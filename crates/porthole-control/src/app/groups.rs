//! Groups.

use crate::{AppError, Control, RequestContext};
use porthole_store::groups::Group;

impl Control {
    /// All groups, the weightiest first.
    ///
    /// # Errors
    /// For administrators only.
    pub async fn groups(&self, context: &RequestContext) -> Result<Vec<Group>, AppError> {
        context.require_admin()?;
        Ok(self.store.groups().list().await?)
    }
}
