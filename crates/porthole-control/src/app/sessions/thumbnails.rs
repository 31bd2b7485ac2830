//! Small pictures of running sessions.

use super::running_on;
use crate::{AppError, Control, RequestContext};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use porthole_model::{ids::SessionId, permission::Permission};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How long a picture is good. However many look, an agent makes one picture in this time.
const FRESH: Duration = Duration::from_secs(5);
/// Pictures kept, at most.
const MOST: usize = 256;
/// The smallest and the largest picture in pixels.
const SIZES: std::ops::RangeInclusive<u16> = 16..=1920;

type Slot = Arc<tokio::sync::Mutex<Option<(Instant, Bytes)>>>;

/// Session, width and height.
type Key = (SessionId, u16, u16);

/// The last picture of each session in each size.
#[derive(Default)]
pub struct Thumbnails(Mutex<HashMap<Key, (Instant, Slot)>>);

impl Thumbnails {
    fn slot(&self, key: Key) -> Slot {
        let now = Instant::now();
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MOST && !slots.contains_key(&key) {
            slots.retain(|_, (used, _)| now.duration_since(*used) < 2 * FRESH);
            if slots.len() >= MOST {
                // Too many looked at within seconds to keep any of them.
                slots.clear();
            }
        }
        let (used, slot) = slots.entry(key).or_insert_with(|| (now, Slot::default()));
        *used = now;
        Arc::clone(slot)
    }
}

impl Control {
    /// A picture of a running session as JPEG, fitting into `width` × `height` pixels, at most 5 s
    /// old.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Conflict`] unless it runs; [`AppError::Invalid`] for a
    /// size out of range; [`AppError::Unavailable`] when its agent does not answer.
    pub async fn session_thumbnail(
        &self,
        context: &RequestContext,
        id: SessionId,
        width: u16,
        height: u16,
    ) -> Result<Bytes, AppError> {
        for (field, value) in [("width", width), ("height", height)] {
            if !SIZES.contains(&value) {
                let (least, most) = (SIZES.start(), SIZES.end());
                let message = format!("it is not between {least} and {most} pixels");
                return Err(AppError::invalid(field, message));
            }
        }
        let session = self
            .accessible(context, id, Permission::SessionsView)
            .await?;
        let agent_id = running_on(&session)?;
        let slot = self.thumbnails.slot((id, width, height));
        // Whoever comes while a picture is made waits for that one.
        let mut slot = slot.lock().await;
        if let Some((made, picture)) = &*slot
            && made.elapsed() < FRESH
        {
            return Ok(picture.clone());
        }
        let picture = self.links().screenshot(agent_id, id, width, height).await?;
        let picture = BASE64_STANDARD
            .decode(picture)
            .map_err(|e| AppError::internal(format!("an agent's picture is not base64: {e}")))?;
        let picture = Bytes::from(picture);
        *slot = Some((Instant::now(), picture.clone()));
        Ok(picture)
    }
}
