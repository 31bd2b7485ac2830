//! Which images are there, and pulls with their progress.

use crate::{
    engine::{Engine, EngineError, PullEvent},
    failures,
    state::{Change, Shared},
};
use futures_util::StreamExt;
use porthole_model::{
    image::ImageRef,
    resources::Bytes,
    session::{Failure, LaunchStep, Progress},
};
use porthole_wire::agent::{ImageReport, PullReport};
use std::{
    collections::HashMap,
    fmt::Write,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    sync::{Notify, watch},
    time::{sleep, timeout},
};

/// How long a pull may bring nothing.
const STALL: Duration = Duration::from_mins(2);
/// How often progress is told.
const TELL: Duration = Duration::from_millis(500);
/// How long an image that could not be pulled is left alone, unless a launch asks.
const RETRY: Duration = Duration::from_mins(5);
/// How many pulls are remembered after their end.
const REMEMBERED: usize = 64;

/// A pull under way, or its end.
#[derive(Debug, Clone)]
pub(crate) struct Pull {
    pub progress: Progress,
    done: u64,
    total: u64,
    outcome: Option<Result<(), Failure>>,
    at: Instant,
}

#[derive(Default)]
pub(crate) struct Images {
    there: Mutex<Vec<ImageReport>>,
    pulls: Mutex<HashMap<ImageRef, watch::Receiver<Pull>>>,
    wanted: Mutex<Vec<ImageRef>>,
    wanted_changed: Notify,
    look_again: Notify,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Images {
    /// Asks the engine what is there.
    pub async fn refresh(&self, engine: &Engine) -> Result<(), EngineError> {
        *lock(&self.there) = engine.images().await?;
        Ok(())
    }

    /// Images came or went.
    pub fn look_again(&self) {
        self.look_again.notify_one();
    }

    /// Resolves when somebody said that images came or went.
    pub async fn asked(&self) {
        self.look_again.notified().await;
    }

    pub fn list(&self) -> Vec<ImageReport> {
        lock(&self.there).clone()
    }

    /// An image that was thought to be there is not.
    pub fn missing(&self, image: &ImageRef) {
        lock(&self.there).retain(|there| there.image != *image);
    }

    pub fn pulls(&self) -> Vec<PullReport> {
        let pulls = lock(&self.pulls);
        let reports = pulls.iter().filter_map(|(image, pull)| {
            let pull = pull.borrow();
            let failure = match &pull.outcome {
                Some(Ok(())) => return None,
                Some(Err(failure)) => Some(failure.clone()),
                None => None,
            };
            let (done, total) = (Bytes(pull.done), Bytes(pull.total));
            Some(PullReport {
                image: image.clone(),
                done,
                total,
                failure,
            })
        });
        reports.collect()
    }

    /// The images to have ready, in order of importance.
    pub fn want(&self, images: Vec<ImageRef>) {
        *lock(&self.wanted) = images;
        self.wanted_changed.notify_one();
    }

    /// Whether an image is there. One that is known to be is not asked for again: a launch must
    /// not wait for it.
    async fn has(&self, shared: &Shared, image: &ImageRef) -> Result<bool, EngineError> {
        if lock(&self.there).iter().any(|there| there.image == *image) {
            return Ok(true);
        }
        // Ones with a digest are not listed; others may have come this moment.
        shared.engine.has_image(image).await
    }

    /// Makes sure of an image: `None` when it is there, otherwise the pull to watch, an existing
    /// one where there is.
    pub async fn start(
        &self,
        shared: &Shared,
        image: &ImageRef,
    ) -> Result<Option<watch::Receiver<Pull>>, Failure> {
        match self.has(shared, image).await {
            Ok(true) => return Ok(None),
            Ok(false) => {}
            Err(error) => {
                let what = "The image cannot be looked for";
                return Err(failures::engine(what, &format!("image {image}"), &error));
            }
        }
        if shared.config.is_local(image) {
            return Err(failures::not_made(image));
        }
        let (sender, receiver) = {
            let mut pulls = lock(&self.pulls);
            if let Some(pull) = pulls
                .get(image)
                .filter(|pull| pull.borrow().outcome.is_none())
            {
                return Ok(Some(pull.clone()));
            }
            forget_ended(&mut pulls);
            let (sender, receiver) = watch::channel(Pull {
                progress: progress(None, None),
                done: 0,
                total: 0,
                outcome: None,
                at: Instant::now(),
            });
            pulls.insert(image.clone(), receiver.clone());
            (sender, receiver)
        };
        let (engine, image) = (shared.engine.pull(image).await, image.clone());
        let (stop, changes) = (shared.stop.clone(), shared.changes.clone());
        shared.tasks.spawn(async move {
            tracing::info!(%image, "pull");
            let outcome = tokio::select! {
                () = stop.cancelled() => return,
                outcome = pull(engine, &image, &sender) => outcome,
            };
            match &outcome {
                Ok(()) => tracing::info!(%image, "pulled"),
                Err(failure) => tracing::warn!(%image, %failure, "not pulled"),
            }
            sender.send_modify(|pull| {
                pull.outcome = Some(outcome);
                pull.at = Instant::now();
            });
            let _ = changes.send(Change::Report);
        });
        Ok(Some(receiver))
    }

    /// Makes sure of an image, without progress.
    pub async fn ensure(&self, shared: &Shared, image: &ImageRef) -> Result<(), Failure> {
        match self.start(shared, image).await? {
            None => Ok(()),
            Some(mut pull) => finished(&mut pull, image, |_| {}).await,
        }
    }
}

/// Waits for a pull's end and hears its progress.
pub(crate) async fn finished(
    pull: &mut watch::Receiver<Pull>,
    image: &ImageRef,
    mut hear: impl FnMut(Progress),
) -> Result<(), Failure> {
    loop {
        {
            let now = pull.borrow_and_update();
            if let Some(outcome) = &now.outcome {
                return outcome.clone();
            }
            hear(now.progress.clone());
        }
        if pull.changed().await.is_err() {
            return Err(failures::pull(image, "the agent stopped"));
        }
    }
}

fn forget_ended(pulls: &mut HashMap<ImageRef, watch::Receiver<Pull>>) {
    pulls.retain(|_, pull| !matches!(pull.borrow().outcome, Some(Ok(()))));
    while pulls.len() >= REMEMBERED {
        let ended = pulls
            .iter()
            .filter(|(_, pull)| pull.borrow().outcome.is_some());
        let Some(oldest) = ended
            .min_by_key(|(_, p)| p.borrow().at)
            .map(|(i, _)| i.clone())
        else {
            return;
        };
        pulls.remove(&oldest);
    }
}

async fn pull(
    news: Result<crate::engine::PullStream, EngineError>,
    image: &ImageRef,
    sender: &watch::Sender<Pull>,
) -> Result<(), Failure> {
    let failed = |error: &EngineError| match error {
        EngineError::Unreachable(_) | EngineError::TimedOut(_) => failures::engine(
            "The image cannot be pulled",
            &format!("image {image}"),
            error,
        ),
        EngineError::NotFound(m) | EngineError::Conflict(m) | EngineError::Refused(m) => {
            failures::pull(image, m)
        }
    };
    let mut news = news.map_err(|error| failed(&error))?;
    let mut layers = Layers::new(Instant::now());
    let mut told: Option<Instant> = None;
    loop {
        let Ok(event) = timeout(STALL, news.next()).await else {
            let text = format!("nothing came for {} s: timeout", STALL.as_secs());
            return Err(failures::pull(image, &text));
        };
        let Some(event) = event else { return Ok(()) };
        layers.hear(event.map_err(|error| failed(&error))?);
        if told.is_none_or(|told| told.elapsed() > TELL) {
            told = Some(Instant::now());
            let (done, total) = layers.downloaded();
            let progress = layers.progress(Instant::now());
            sender.send_modify(|pull| {
                (pull.done, pull.total, pull.progress) = (done, total, progress);
            });
        }
    }
}

fn progress(percent: Option<u8>, detail: Option<String>) -> Progress {
    Progress {
        step: LaunchStep::Pull,
        percent,
        detail,
    }
}

#[derive(Debug, Default, Clone, Copy)]
struct Layer {
    downloaded: u64,
    unpacked: u64,
    total: u64,
    ready: bool,
}

/// Layers of an image under way.
struct Layers {
    map: HashMap<String, Layer>,
    since: Instant,
    percent: u8,
}

/// How much of a pull's time is the download; the rest is unpacking.
const DOWNLOAD_SHARE: u64 = 80;

impl Layers {
    fn new(now: Instant) -> Self {
        Self {
            map: HashMap::new(),
            since: now,
            percent: 0,
        }
    }

    fn hear(&mut self, event: PullEvent) {
        // The tag itself is named in a line without progress, too.
        if event.layer.is_empty() || event.status.starts_with("Pulling from") {
            return;
        }
        match event.status.as_str() {
            "Already exists" => {
                self.map.remove(&event.layer);
                return;
            }
            "Downloading" | "Extracting" | "Pulling fs layer" | "Waiting"
            | "Verifying Checksum" | "Download complete" | "Pull complete" => {}
            _ => return,
        }
        let layer = self.map.entry(event.layer).or_default();
        layer.total = layer.total.max(event.total).max(event.current);
        match event.status.as_str() {
            "Downloading" => layer.downloaded = layer.downloaded.max(event.current),
            "Extracting" => {
                layer.downloaded = layer.total;
                layer.unpacked = layer.unpacked.max(event.current);
            }
            "Download complete" | "Verifying Checksum" => layer.downloaded = layer.total,
            "Pull complete" => {
                (layer.downloaded, layer.unpacked, layer.ready) = (layer.total, layer.total, true);
            }
            _ => {}
        }
    }

    /// Bytes there and in all, as far as known.
    fn downloaded(&self) -> (u64, u64) {
        self.map.values().fold((0, 0), |(done, total), l| {
            (done + l.downloaded, total + l.total)
        })
    }

    fn progress(&mut self, now: Instant) -> Progress {
        let (done, total) = self.downloaded();
        if total == 0 {
            return progress(None, None);
        }
        let unpacked: u64 = self.map.values().map(|layer| layer.unpacked).sum();
        // Layers whose size is not known yet count as much as the others.
        let unknown = self
            .map
            .values()
            .filter(|l| l.total == 0 && !l.ready)
            .count() as u64;
        let known = self.map.len() as u64 - unknown;
        let all = total + total / known.max(1) * unknown;
        let percent = (done * DOWNLOAD_SHARE + unpacked * (100 - DOWNLOAD_SHARE)) / all;
        // New layers make the whole larger; a bar that runs backwards helps nobody.
        self.percent = self.percent.max(percent.min(99) as u8);
        let mut detail = if done == total && unknown == 0 {
            format!("unpacking {}", gigabytes(total))
        } else {
            format!(
                "{} of {}",
                gigabytes_without_unit(done, all),
                gigabytes(all)
            )
        };
        let elapsed = now.duration_since(self.since).as_secs_f64();
        if elapsed > 3.0 && done > 0 && done < all {
            let left = (all - done) as f64 / (done as f64 / elapsed);
            let _ = write!(detail, ", about {}", duration(left));
        }
        progress(Some(self.percent), Some(detail))
    }
}

const GB: f64 = 1e9;
const MB: f64 = 1e6;

/// In decimal units, as registries and people count downloads.
fn gigabytes(bytes: u64) -> String {
    let bytes = bytes as f64;
    if bytes >= GB {
        format!("{:.1} GB", bytes / GB)
    } else {
        format!("{:.0} MB", bytes / MB)
    }
}

/// In the unit of `whole`.
fn gigabytes_without_unit(bytes: u64, whole: u64) -> String {
    let bytes = bytes as f64;
    if whole as f64 >= GB {
        format!("{:.1}", bytes / GB)
    } else {
        format!("{:.0}", bytes / MB)
    }
}

fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 10.0 => "10 s".to_owned(),
        s if s < 90.0 => format!("{:.0} s", (s / 10.0).ceil() * 10.0),
        s if s < 5400.0 => format!("{:.0} min", (s / 60.0).ceil()),
        s => format!("{:.0} h", (s / 3600.0).ceil()),
    }
}

/// Pulls wanted images that are not there, one after the other.
pub(crate) async fn prepare(shared: Arc<Shared>) {
    loop {
        shared.engine_up().await;
        let wanted = lock(&shared.images.wanted).clone();
        for image in wanted {
            let failed = lock(&shared.images.pulls).get(&image).is_some_and(|pull| {
                let pull = pull.borrow();
                matches!(pull.outcome, Some(Err(_))) && pull.at.elapsed() < RETRY
            });
            // Ones that must be made on the host are no pulls; a launch tells what to do.
            if !failed && !shared.config.is_local(&image) {
                let _ = shared.images.ensure(&shared, &image).await;
            }
        }
        tokio::select! {
            () = shared.images.wanted_changed.notified() => {}
            () = sleep(RETRY) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(layer: &str, status: &str, current: u64, total: u64) -> PullEvent {
        PullEvent {
            layer: layer.into(),
            status: status.into(),
            current,
            total,
        }
    }

    #[test]
    fn progress_is_over_all_layers() {
        let start = Instant::now();
        let mut layers = Layers::new(start);
        layers.hear(event("1.0", "Pulling from library/x", 0, 0));
        for layer in ["a", "b", "c"] {
            layers.hear(event(layer, "Pulling fs layer", 0, 0));
        }
        layers.hear(event("c", "Already exists", 0, 0));
        assert_eq!(layers.progress(start), progress(None, None));
        layers.hear(event("a", "Downloading", 600_000_000, 1_400_000_000));
        layers.hear(event("b", "Downloading", 600_000_000, 1_400_000_000));
        let now = start + Duration::from_secs(30);
        let expected = "1.2 of 2.8 GB, about 40 s".to_owned();
        assert_eq!(layers.progress(now), progress(Some(34), Some(expected)));
        layers.hear(event("a", "Download complete", 0, 0));
        layers.hear(event("b", "Download complete", 0, 0));
        let unpacking = Some("unpacking 2.8 GB".to_owned());
        assert_eq!(layers.progress(now), progress(Some(80), unpacking.clone()));
        layers.hear(event("a", "Extracting", 700_000_000, 1_400_000_000));
        assert_eq!(layers.progress(now).percent, Some(85));
        layers.hear(event("a", "Pull complete", 0, 0));
        layers.hear(event("b", "Pull complete", 0, 0));
        assert_eq!(layers.progress(now), progress(Some(99), unpacking));
    }

    #[test]
    fn progress_never_runs_backwards() {
        let start = Instant::now();
        let mut layers = Layers::new(start);
        layers.hear(event("a", "Downloading", 50_000_000, 100_000_000));
        assert_eq!(layers.progress(start).percent, Some(40));
        layers.hear(event("b", "Downloading", 0, 900_000_000));
        assert_eq!(layers.progress(start).percent, Some(40));
        let detail = layers.progress(start).detail.unwrap();
        assert_eq!(detail, "0.1 of 1.0 GB");
    }

    #[test]
    fn times_are_rounded_as_people_do() {
        assert_eq!(duration(3.0), "10 s");
        assert_eq!(duration(41.0), "50 s");
        assert_eq!(duration(100.0), "2 min");
        assert_eq!(duration(7000.0), "2 h");
    }
}
