//! What viewers tell of their streams.

use super::running_on;
use crate::{AppError, Control, RequestContext};
use porthole_model::{ids::SessionId, permission::Permission, statistics::StreamStatistics};
use porthole_store::sessions::{Change, ChangeError};
use std::convert::Infallible;
use time::OffsetDateTime;

impl Control {
    /// Keeps how a session's stream is doing, for administrators; the next takes its place.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for who may not open the session's stream; [`AppError::Conflict`]
    /// unless it runs.
    pub async fn note_statistics(
        &self,
        context: &RequestContext,
        id: SessionId,
        statistics: StreamStatistics,
    ) -> Result<(), AppError> {
        let session = self
            .accessible(context, id, Permission::SessionsModify)
            .await?;
        running_on(&session)?;
        let noted = self
            .store
            .sessions()
            .change::<Infallible>(id, OffsetDateTime::now_utc(), |session| {
                session.statistics = Some(statistics);
                Ok(Change::Save(None))
            })
            .await;
        match noted {
            Ok(_) => Ok(()),
            Err(ChangeError::Store(error)) => Err(error.into()),
            Err(ChangeError::Rule(never)) => match never {},
        }
    }
}
