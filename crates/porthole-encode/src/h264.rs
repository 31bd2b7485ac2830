//! H.264 of one area of the screen.

use crate::yuv::I420;
use openh264::{
    OpenH264API, Timestamp,
    encoder::{
        ColorPrimaries, Complexity, Encoder, EncoderConfig, FrameType, IntraFramePeriod,
        MatrixCoefficients, Profile, QpRange, RateControlMode, SpsPpsStrategy,
        TransferCharacteristics, UsageType, VuiConfig,
    },
};
use porthole_rfb::{FrameView, Rect};
use std::time::Duration;

/// The longest sides that the encoder takes.
const MAX_SIDES: (u16, u16) = (3840, 2160);
/// The shortest.
const MIN_SIDE: u16 = 16;

/// A picture that could not be encoded.
#[derive(Debug, thiserror::Error)]
pub enum H264Error {
    /// Sides that are odd, too long or too short.
    #[error("H.264 is not made of {0}×{1} pixels")]
    Size(u16, u16),
    /// So many bytes: none, or more than viewers take.
    #[error("a picture of {0} bytes came of H.264")]
    Length(usize),
    /// The encoder's reason.
    #[error("H.264 could not be made: {0}")]
    Encoder(#[from] openh264::Error),
}

/// The video of one area: its first picture stands for itself, each further one needs those before.
pub struct H264Stream {
    encoder: Encoder,
    picture: I420,
}

impl H264Stream {
    /// A stream that begins with the next picture. The quantiser, 12 (fine) to 51 (coarse), is the
    /// same for all: the content decides on the bytes. Another one takes another stream.
    ///
    /// # Errors
    /// When the library has no memory.
    pub fn new(quantiser: u8) -> Result<Self, H264Error> {
        // What viewers decode without delay: no reordering, one slice, one reference. Colours are
        // those of the screen (sRGB) in the way of yuv.rs; without saying so, browsers would guess
        // by the picture's size.
        let colours = VuiConfig::bt601()
            .color_primaries(ColorPrimaries::Bt709)
            .transfer_characteristics(TransferCharacteristics::Srgb)
            .matrix_coefficients(MatrixCoefficients::Smpte170M);
        let config = EncoderConfig::new()
            .profile(Profile::Baseline)
            .usage_type(UsageType::CameraVideoRealTime)
            .complexity(Complexity::Low)
            // Stays between the two quantisers; it warns of nothing, unlike other modes.
            .rate_control_mode(RateControlMode::Bufferbased)
            .qp(QpRange::new(quantiser, quantiser))
            .skip_frames(false)
            // A change of scene needs no picture that stands for itself; it only costs more.
            .scene_change_detect(false)
            .background_detection(false)
            .adaptive_quantization(false)
            .long_term_reference(false)
            .intra_frame_period(IntraFramePeriod::from_num_frames(0))
            .sps_pps_strategy(SpsPpsStrategy::ConstantId)
            .num_threads(1)
            .vui(colours);
        Ok(Self {
            encoder: Encoder::with_api_config(OpenH264API::from_source(), config)?,
            picture: I420::default(),
        })
    }

    /// Whether a stream can be made of an area.
    pub const fn takes(area: Rect) -> bool {
        let (long, short) = if area.width > area.height {
            (area.width, area.height)
        } else {
            (area.height, area.width)
        };
        long <= MAX_SIDES.0
            && short <= MAX_SIDES.1
            && short >= MIN_SIDE
            && long.is_multiple_of(2)
            && short.is_multiple_of(2)
    }

    /// The next picture stands for itself again.
    pub fn begin_anew(&mut self) {
        self.encoder.force_intra_frame();
    }

    /// Replaces `out` with the next picture in Annex B form: a part of a frame, of the same size
    /// each time. `at` tells when, from any start. Whether the picture stands for itself.
    ///
    /// # Errors
    /// When it cannot; what is in `out` then means nothing, and the stream has to begin anew.
    pub fn encode(
        &mut self,
        frame: &FrameView,
        area: Rect,
        at: Duration,
        out: &mut Vec<u8>,
    ) -> Result<bool, H264Error> {
        if !Self::takes(area) || !area.fits(frame.width(), frame.height()) {
            return Err(H264Error::Size(area.width, area.height));
        }
        self.picture.fill(frame, area);
        out.clear();
        let at = Timestamp::from_millis(at.as_millis() as u64);
        let stream = self.encoder.encode_at(&self.picture, at)?;
        stream.write_vec(out);
        Ok(matches!(stream.frame_type(), FrameType::IDR))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use openh264::{decoder::Decoder, formats::YUVSource};

    fn frame(width: usize, height: usize, shift: usize) -> Vec<u8> {
        (0..width * height)
            .flat_map(|at| {
                let (x, y) = (at % width + shift, at / width);
                [(x * 2) as u8, (y * 3) as u8, (x + y) as u8, 0]
            })
            .collect()
    }

    /// The types of the units in Annex B form.
    fn units(data: &[u8]) -> Vec<u8> {
        data.windows(4)
            .filter(|bytes| bytes[..3] == [0, 0, 1])
            .map(|bytes| bytes[3] & 31)
            .collect()
    }

    #[test]
    fn one_picture_begins_and_the_others_follow() {
        let (width, height) = (162, 122);
        let area = Rect::new(2, 4, 158, 118);
        let mut stream = H264Stream::new(26).unwrap();
        let mut decoder = Decoder::new().unwrap();
        let mut out = Vec::new();
        for number in 0..8 {
            let bytes = frame(width, height, number * 40);
            let view = FrameView::new(&bytes, width * 4, 162, 122).unwrap();
            let at = Duration::from_millis(number as u64 * 33);
            let whole = stream.encode(&view, area, at, &mut out).unwrap();
            assert_eq!(whole, number == 0);
            // One slice: noVNC takes each for a picture of its own.
            let expected: &[u8] = if number == 0 { &[7, 8, 5] } else { &[1] };
            assert_eq!(units(&out), expected);
            if number == 0 {
                // Constrained baseline.
                let profile = out.windows(3).position(|bytes| bytes == [0, 0, 1]).unwrap() + 4;
                assert_eq!((out[profile], out[profile + 1] & 0x40), (66, 0x40));
            }
            // Each comes out at once.
            let decoded = decoder.decode(&out).unwrap().unwrap();
            assert_eq!(decoded.dimensions(), (158, 118));
        }
    }

    #[test]
    fn odd_and_huge_areas_are_refused() {
        assert!(H264Stream::takes(Rect::new(1, 1, 3840, 2160)));
        assert!(H264Stream::takes(Rect::new(0, 0, 1080, 1920)));
        for (width, height) in [(161, 120), (160, 121), (3842, 100), (3000, 2162), (14, 100)] {
            let area = Rect::new(0, 0, width, height);
            assert!(!H264Stream::takes(area));
            let bytes = vec![0; area.area() * 4];
            let view = FrameView::new(&bytes, usize::from(width) * 4, width, height).unwrap();
            let mut stream = H264Stream::new(26).unwrap();
            let error = stream.encode(&view, area, Duration::ZERO, &mut Vec::new());
            assert!(matches!(error, Err(H264Error::Size(..))));
        }
    }
}
