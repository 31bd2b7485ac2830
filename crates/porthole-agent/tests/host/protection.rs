//! What is burnt into a session's pixels is there before its first one, or it does not start.

use crate::harness::{TestHost, docker, spec, until};
use porthole_model::protection::{Mark, Placement, Protection, Region, Watermark};
use porthole_wire::agent::Phase;

fn all_black() -> Protection {
    Protection {
        black_out: vec![Region::default()],
        ..Protection::default()
    }
}

/// The brightest byte of a picture.
fn brightest(jpeg: &[u8]) -> u8 {
    let picture = turbojpeg::decompress(jpeg, turbojpeg::PixelFormat::RGB).unwrap();
    picture.pixels.into_iter().max().unwrap()
}

#[test]
fn protected_from_the_first_pixel_and_after_a_displays_end() {
    let mut host = TestHost::start(1);
    let mut session = spec(&host.window_image());
    session.protection = all_black();
    let id = session.session_id;
    host.wait_warm(1);
    let display = host.containers("display").remove(0);
    host.tell_run(&session);
    host.wait_running(id);
    assert!(brightest(&host.screenshot(id)) < 8);

    let seen = host.world().phases.len();
    docker(&["kill", &display]);
    host.wait(60, "running again", |world| {
        let since = &world.phases[seen..];
        let restarted = since
            .iter()
            .any(|(_, phase)| matches!(phase, Phase::Starting { .. }));
        restarted && world.is(id, &Phase::Running)
    });
    assert!(brightest(&host.screenshot(id)) < 8);
    host.remove(id);

    // The same without: something is seen.
    let bare = spec(session.image.as_str());
    host.tell_run(&bare);
    host.wait_running(bare.session_id);
    until(10, "a picture", || {
        (brightest(&host.screenshot(bare.session_id)) > 60).then_some(())
    });
    host.remove(bare.session_id);
}

#[test]
fn what_cannot_be_put_in_place_fails_the_launch() {
    let mut host = TestHost::start(1);
    let mut session = spec(&host.window_image());
    session.protection.watermark = Some(Watermark {
        mark: Mark::Picture { png: "AAAA".into() },
        placement: Placement::default(),
        angle: 0,
        opacity: 25,
        colour: porthole_model::protection::Colour::default(),
    });
    host.tell_run(&session);
    let failure = host.wait_failed(session.session_id);
    assert!(failure.what.contains("watermark"), "{failure}");
    assert_eq!(host.containers("workspace"), Vec::<String>::new());
    host.remove(session.session_id);
}
