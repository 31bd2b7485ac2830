//! What viewers tell of their streams.

use super::running_on;
use crate::{AppError, Control, RequestContext};
use porthole_model::{ids::SessionId, permission::Permission, statistics::StreamStatistics};
use porthole_store::sessions::{Change, ChangeError};
use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use time::OffsetDateTime;
use tokio::time::Instant;

/// How often a viewer tells (`web/console/src/session/use-statistics-report.ts`).
const EVERY: Duration = Duration::from_secs(30);
/// Viewers of one session that may tell so often; as many may tell at once.
const VIEWERS: u64 = 8;
/// What one telling uses up of a session's time.
const EACH: Duration = Duration::from_millis(EVERY.as_secs() * 1000 / VIEWERS);

/// How often each session is told of. A session that nobody told of for [`EVERY`] is forgotten, so
/// there are no more entries than sessions that run.
#[derive(Default)]
pub struct Tellings(Mutex<HashMap<SessionId, Instant>>);

impl Tellings {
    /// Counts a telling; how long to wait where there were too many.
    fn admit(&self, id: SessionId, now: Instant) -> Result<(), Duration> {
        let mut used_until = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        used_until.retain(|_, until| *until > now);
        let until = used_until.get(&id).copied().unwrap_or(now) + EACH;
        match until.checked_duration_since(now + EVERY) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => {
                used_until.insert(id, until);
                Ok(())
            }
        }
    }
}

impl Control {
    /// Keeps how a session's stream is doing, for administrators; the next takes its place.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for who may not open the session's stream; [`AppError::Conflict`]
    /// unless it runs; [`AppError::TooMany`] where it is told more often than eight viewers do.
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
        self.tellings
            .admit(id, Instant::now())
            .map_err(|retry_after| AppError::TooMany { retry_after })?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_viewers_may_tell_and_no_more() {
        let tellings = Tellings::default();
        let (id, other) = (SessionId::new(), SessionId::new());
        let start = Instant::now();
        for round in 0..4 {
            let now = start + round * EVERY;
            for _ in 0..VIEWERS {
                assert_eq!(tellings.admit(id, now), Ok(()), "round {round}");
            }
        }
        let now = start + 3 * EVERY;
        assert_eq!(tellings.admit(id, now), Err(EACH));
        assert_eq!(tellings.admit(id, now + EACH / 2), Err(EACH / 2));
        assert_eq!(tellings.admit(other, now), Ok(()));
        // A refusal uses up nothing.
        assert_eq!(tellings.admit(id, now + EACH), Ok(()));
        assert_eq!(tellings.admit(id, now + EACH), Err(EACH));
    }

    #[test]
    fn sessions_that_are_told_of_no_more_are_forgotten() {
        let tellings = Tellings::default();
        let start = Instant::now();
        for _ in 0..1000 {
            assert_eq!(tellings.admit(SessionId::new(), start), Ok(()));
        }
        assert_eq!(tellings.admit(SessionId::new(), start + EVERY), Ok(()));
        assert_eq!(tellings.0.lock().unwrap().len(), 1);
    }
}
