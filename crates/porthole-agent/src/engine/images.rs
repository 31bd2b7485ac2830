//! Images on the engine's host, and pulls.

use super::{Engine, EngineError, LOOK, Result};
use bollard::query_parameters::{CreateImageOptionsBuilder, ListImagesOptionsBuilder};
use futures_util::{Stream, StreamExt};
use porthole_model::{image::ImageRef, resources::Bytes};
use porthole_wire::agent::ImageReport;
use std::pin::Pin;

/// News of a pull.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PullEvent {
    /// Which layer it is about; empty where none.
    pub layer: String,
    /// What happens to it, in the engine's words.
    pub status: String,
    /// Bytes there.
    pub current: u64,
    /// Bytes in all; 0 where not known.
    pub total: u64,
}

/// News until the pull is done.
pub(crate) type PullStream = Pin<Box<dyn Stream<Item = Result<PullEvent>> + Send>>;

impl Engine {
    /// Every image with a tag.
    pub async fn images(&self) -> Result<Vec<ImageReport>> {
        let options = ListImagesOptionsBuilder::new().build();
        let images = self
            .call("listing images", LOOK, |c| async move {
                c.list_images(Some(options)).await
            })
            .await?;
        let mut reports: Vec<ImageReport> = images
            .into_iter()
            .flat_map(|image| {
                let size = Bytes(u64::try_from(image.size).unwrap_or(0));
                // Podman writes the registry of images made on the host into their names.
                let tags = image.repo_tags.into_iter();
                tags.filter_map(move |tag| {
                    let tag = tag.strip_prefix("localhost/").unwrap_or(&tag).to_owned();
                    Some(ImageReport {
                        image: tag.parse::<ImageRef>().ok()?,
                        size,
                    })
                })
            })
            .collect();
        reports.sort_by(|a, b| a.image.as_str().cmp(b.image.as_str()));
        Ok(reports)
    }

    /// Whether an image is there.
    pub async fn has_image(&self, image: &ImageRef) -> Result<bool> {
        let image = image.to_string();
        let found = self
            .call("looking at an image", LOOK, |c| async move {
                c.inspect_image(&image).await
            })
            .await;
        match found {
            Ok(_) => Ok(true),
            Err(EngineError::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Pulls an image. The stream ends when it is there; dropping it ends the pull.
    pub async fn pull(&self, image: &ImageRef) -> Result<PullStream> {
        let client = self.client().await?;
        let options = CreateImageOptionsBuilder::new()
            .from_image(image.as_str())
            .build();
        let news = client.create_image(Some(options), None, None).map(|news| {
            let news = news.map_err(EngineError::from)?;
            let detail = news.progress_detail;
            let number = |n: Option<i64>| n.and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
            Ok(PullEvent {
                layer: news.id.unwrap_or_default(),
                status: news.status.unwrap_or_default(),
                current: number(detail.as_ref().and_then(|d| d.current)),
                total: number(detail.as_ref().and_then(|d| d.total)),
            })
        });
        Ok(news.boxed())
    }
}
