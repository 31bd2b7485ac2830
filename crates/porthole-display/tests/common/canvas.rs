//! A screen without an X server, served to viewers as the display serves its own.

use porthole_display::{
    desktop::{Desktop, ResizeResult, ScreenCommand, ViewerId},
    geometry::{Size, TileSet},
    http,
    motion::Scrolls,
    viewer::Services,
    x11::{clipboard::ClipboardHandle, input::Input},
};
use porthole_rfb::{
    Rect,
    decode::{Picture, Surface as _},
};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard},
};
use tempfile::TempDir;
use tokio::{net::UnixListener, sync::mpsc};

/// The largest size it takes.
pub const MAX: Size = Size::new(500, 400);

/// The screen.
pub struct Canvas {
    dir: TempDir,
    desktop: Arc<Desktop>,
    drawing: Arc<Mutex<Drawing>>,
    _input: mpsc::Receiver<Input>,
}

/// What is on it, and what does as the capture thread does.
struct Drawing {
    desktop: Arc<Desktop>,
    picture: Picture,
    scrolls: Scrolls,
}

impl Canvas {
    /// Begins to serve one; in a runtime.
    pub fn serve(size: Size) -> Self {
        let (desktop, commands) = Desktop::new(MAX, 1, "canvas").unwrap();
        let (inputs, input) = mpsc::channel(64);
        let services = Services {
            desktop: desktop.clone(),
            input: inputs,
            clipboard: ClipboardHandle::nowhere().unwrap(),
            clipboard_max: 65536,
        };
        let drawing = Arc::new(Mutex::new(Drawing {
            desktop: desktop.clone(),
            picture: Picture::default(),
            scrolls: Scrolls::default(),
        }));
        let canvas = Self {
            dir: TempDir::new().unwrap(),
            desktop,
            drawing,
            _input: input,
        };
        canvas.drawing().resize(size, None);
        let drawing = canvas.drawing.clone();
        // Ends with the last viewer and the canvas, which send commands.
        std::thread::spawn(move || {
            for command in commands {
                match command {
                    ScreenCommand::Resize { size, by, done } => {
                        drawing.lock().unwrap().resize(size, by);
                        let _ = done.send(ResizeResult::Done);
                    }
                    // There is nothing here to lay over anything; dropping the answer says so.
                    ScreenCommand::Protect { .. } => {}
                    ScreenCommand::Refresh(done) => {
                        let _ = done.send(());
                    }
                }
            }
        });
        let listener = UnixListener::bind(canvas.socket()).unwrap();
        tokio::spawn(axum::serve(listener, http::router(services)).into_future());
        canvas
    }

    /// Where viewers connect.
    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("display.sock")
    }

    fn drawing(&self) -> MutexGuard<'_, Drawing> {
        self.drawing.lock().unwrap()
    }

    /// What is on it.
    pub fn picture(&self) -> Picture {
        self.drawing().picture.clone()
    }

    /// Another size, by the wish of nobody.
    pub async fn resize(&self, size: Size) {
        assert_eq!(self.desktop.resize(size, None).await, ResizeResult::Done);
    }

    /// Draws, and tells the viewers of it.
    pub fn paint(&self, area: Rect, colour: impl Fn(u32, u32) -> u32) {
        let mut drawing = self.drawing();
        let area = area.intersect(&drawing.bounds());
        let pixels: Vec<u8> = (u32::from(area.y)..area.bottom())
            .flat_map(|y| (u32::from(area.x)..area.right()).map(move |x| (x, y)))
            .flat_map(|(x, y)| (colour(x, y) & 0xff_ffff).to_le_bytes())
            .collect();
        drawing.picture.pixels(area, &pixels);
        drawing.capture(area);
    }

    /// Moves what is in an area, and tells the viewers of it.
    pub fn scroll(&self, area: Rect, up: u16) {
        let mut drawing = self.drawing();
        let area = area.intersect(&drawing.bounds());
        if area.height > up {
            let height = area.height - up;
            let to = Rect { height, ..area };
            drawing.picture.copy(to, area.x, area.y + up);
            drawing.capture(area);
        }
    }
}

impl Drawing {
    fn bounds(&self) -> Rect {
        Rect::new(0, 0, self.picture.width(), self.picture.height())
    }

    /// Takes over what changed, as the capture thread does.
    fn capture(&mut self, damaged: Rect) {
        let mut frame = self.desktop.frame_mut();
        let picture = &self.picture;
        let read = |x: u16, y: u16, into: &mut [u8]| {
            let at = (usize::from(y) * usize::from(picture.width()) + usize::from(x)) * 4;
            into.copy_from_slice(&picture.bgrx()[at..at + into.len()]);
        };
        let size = frame.size();
        let mut tiles = TileSet::new(size);
        tiles.insert(damaged);
        let moves = self.scrolls.find(&frame, damaged, read);
        for moved in &moves {
            tiles.insert(moved.to);
        }
        let mut changed = TileSet::new(size);
        frame.update_moved(&tiles.rects(), &moves, &mut Vec::new(), &mut changed, read);
        self.desktop
            .mail_all(|_, mail| mail.changed(&moves, &changed));
    }

    fn resize(&mut self, size: Size, by: Option<ViewerId>) {
        let mut frame = self.desktop.frame_mut();
        if frame.size() == size {
            return;
        }
        self.picture.resize(size.width, size.height);
        frame.resize(size);
        self.desktop.set_size(size);
        let mut all = TileSet::new(size);
        all.insert(size.bounds());
        self.desktop.mail_all(|_, mail| {
            mail.moves.clear();
            mail.dirty = all.clone();
            mail.resized = Some((size, by));
        });
        drop(frame);
        self.capture(size.bounds());
    }
}
