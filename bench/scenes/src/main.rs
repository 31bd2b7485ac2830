//! The X clients that `bench/stream` measures with. Each is one full-screen or windowed scene; it
//! takes commands as lines on its standard input, tells what it drew and when as JSON lines on its
//! standard output (`t`: microseconds since 1970), and ends with its input.

mod clip;
mod display;
mod flip;
mod picture;
mod scroll;
mod segment;
mod still;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// A scene on an X display.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    scene: Scene,
}

/// What is shown.
#[derive(Subcommand)]
enum Scene {
    /// A full-screen window that changes colour, or a small box in it, on each key press or button.
    Flip,
    /// Coloured source text in a window of 200×75 cells; scrolls while it is told to.
    Scroll,
    /// A photo-like clip with the frame's number on top; plays while it is told to.
    Video {
        /// Width of the clip and its window in pixels.
        #[arg(long, default_value_t = 1280)]
        width: u16,
        /// Height of the clip and its window in pixels.
        #[arg(long, default_value_t = 720)]
        height: u16,
        /// Left edge of the window.
        #[arg(long, default_value_t = 320)]
        x: i16,
        /// Top edge of the window.
        #[arg(long, default_value_t = 180)]
        y: i16,
        /// Where finished clips are kept from run to run.
        #[arg(long)]
        cache: Option<std::path::PathBuf>,
    },
    /// A full-screen picture of text, coloured text, a gradient and a photo, shown when told to.
    Still,
}

fn main() -> Result<()> {
    match Arguments::parse().scene {
        Scene::Flip => flip::run(),
        Scene::Scroll => scroll::run(),
        Scene::Video {
            width,
            height,
            x,
            y,
            cache,
        } => clip::run(
            &clip::Place {
                width,
                height,
                x,
                y,
            },
            cache.as_deref(),
        ),
        Scene::Still => still::run(),
    }
}
