//! What H.264 costs and gives for a clip: raw frames of four bytes a pixel (blue, green, red, any).
//!
//! ```sh
//! cargo run --release -p porthole-encode --example h264 -- FILE WIDTH HEIGHT [QUANTISER]
//! ```
#![allow(clippy::unwrap_used)]

use openh264::{decoder::Decoder, formats::YUVSource};
use porthole_encode::{FrameView, H264Stream};
use std::{env, fs, time::Duration};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let number = |index: usize, default: u32| {
        arguments
            .get(index)
            .map_or(default, |text| text.parse().unwrap())
    };
    let file = arguments.first().map_or("clip.raw", String::as_str);
    let (width, height) = (number(1, 1280) as u16, number(2, 720) as u16);
    let clip = fs::read(file).unwrap();
    let stride = usize::from(width) * 4;
    let frames: Vec<&[u8]> = clip.chunks_exact(stride * usize::from(height)).collect();
    let mut stream = H264Stream::new(number(3, 26) as u8).unwrap();
    let mut decoder = Decoder::new().unwrap();
    let (mut data, mut took) = (Vec::new(), Duration::ZERO);
    let (mut bytes, mut first, mut noise, mut worst) = (0, 0, 0.0, f64::INFINITY);
    let count = 120;
    for (index, pixels) in frames.iter().cycle().take(count).enumerate() {
        let view = FrameView::new(pixels, stride, width, height).unwrap();
        let at = Duration::from_secs_f64(index as f64 / 30.0);
        let start = cpu();
        stream.encode(&view, view.bounds(), at, &mut data).unwrap();
        took += cpu().saturating_sub(start);
        if index == 0 {
            first = data.len();
        }
        bytes += data.len();
        let decoded = decoder.decode(&data).unwrap().unwrap();
        let (wide, _) = decoded.dimensions();
        let mut rgb = vec![0; wide * usize::from(height) * 3];
        paint(&decoded, &mut rgb);
        let squares: f64 = pixels
            .as_chunks::<4>()
            .0
            .iter()
            .zip(rgb.as_chunks::<3>().0)
            .map(|(source, shown)| {
                (0..3)
                    .map(|channel| (f64::from(source[channel]) - f64::from(shown[channel])).powi(2))
                    .sum::<f64>()
            })
            .sum();
        let decibels = 10.0 * (255.0_f64.powi(2) / (squares / rgb.len() as f64)).log10();
        noise += decibels;
        worst = worst.min(decibels);
    }
    println!(
        "{:.2} ms and {:.1} kB a picture, the first {:.1} kB, {:.1} dB (worst {worst:.1})",
        took.as_secs_f64() * 1e3 / count as f64,
        bytes as f64 / 1e3 / count as f64,
        first as f64 / 1e3,
        noise / count as f64,
    );
}

/// What this thread has computed: others on the machine do not count.
fn cpu() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let first = text.split(' ').next().unwrap();
    Duration::from_nanos(first.parse().unwrap())
}

/// Blue, green, red of a decoded picture.
fn paint(picture: &impl YUVSource, out: &mut [u8]) {
    let (width, _) = picture.dimensions();
    let (luma, chroma, _) = picture.strides();
    for (index, pixel) in out.as_chunks_mut::<3>().0.iter_mut().enumerate() {
        let (x, y) = (index % width, index / width);
        let bright = (f64::from(picture.y()[y * luma + x]) - 16.0) * 255.0 / 219.0;
        let at = y / 2 * chroma + x / 2;
        let blue = (f64::from(picture.u()[at]) - 128.0) * 255.0 / 224.0;
        let red = (f64::from(picture.v()[at]) - 128.0) * 255.0 / 224.0;
        *pixel = [
            (bright + 1.772 * blue) as u8,
            (bright - 0.344_136 * blue - 0.714_136 * red) as u8,
            (bright + 1.402 * red) as u8,
        ];
    }
}
