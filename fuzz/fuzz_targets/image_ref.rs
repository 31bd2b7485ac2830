//! Names of images, of anybody who may add a workspace.
#![no_main]

use libfuzzer_sys::fuzz_target;
use porthole_model::image::ImageRef;

fuzz_target!(|text: &str| {
    match text.parse::<ImageRef>() {
        Ok(image) => {
            let shown = image.to_string();
            assert_eq!(shown.parse::<ImageRef>().expect("it names an image"), image);
            // It goes into URLs, labels and command lines of the engine.
            assert!(shown.len() <= 384 && shown.bytes().all(|byte| byte.is_ascii_graphic()));
            let named = shown.split('@').next().unwrap_or(&shown);
            let name = match named.rsplit_once(':') {
                Some((name, tag)) if !tag.contains('/') => name,
                _ => named,
            };
            assert!(!name.starts_with('-') && !name.contains(".."));
        }
        Err(error) => assert!(error.to_string().len() < 4096),
    }
});
