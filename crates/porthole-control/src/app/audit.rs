//! The audit log: written by the parts that see what happens, read by administrators.

use crate::{AppError, Control, RequestContext};
use porthole_model::{audit::AuditRecord, permission::Permission};
use porthole_store::{Page, PageRequest, audit_events::AuditEvent};

impl Control {
    /// Adds a line to the audit log, on behalf of the gateway that saw what happened, in whatever
    /// process that runs. What cannot be stored is in the server's log.
    pub async fn audit(&self, record: AuditRecord) {
        if let Err(error) = self.store.audit_events().record(&record).await {
            tracing::error!(%error, ?record, "a line of the audit log could not be stored");
        }
    }

    /// A part of the audit log, newest first.
    ///
    /// # Errors
    /// Without the permission.
    pub async fn audit_events(
        &self,
        context: &RequestContext,
        request: &PageRequest,
    ) -> Result<Page<AuditEvent>, AppError> {
        context.require(Permission::ReportsView)?;
        Ok(self.store.audit_events().list(request).await?)
    }
}
