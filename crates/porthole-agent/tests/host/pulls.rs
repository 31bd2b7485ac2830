//! Images that are not there.

use crate::harness::{TestHost, docker, spec};
use porthole_model::session::LaunchStep;
use porthole_wire::agent::Phase;
use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    process::Command,
    thread,
};

#[test]
fn a_local_image_is_never_asked_of_a_registry() {
    let host = TestHost::start(0);
    let session = spec("porthole/nonesuch:1.0");
    host.tell_run(&session);
    let failure = host.wait_failed(session.session_id);
    assert_eq!(failure.part, "image porthole/nonesuch:1.0");
    assert!(failure.advice.contains("make images"), "{failure:?}");
    host.wait_clean(0);
}

#[test]
fn a_registry_that_is_not_there_is_told() {
    let host = TestHost::start(0);
    let session = spec("127.0.0.1:9/none:1");
    host.tell_run(&session);
    let failure = host.wait_failed(session.session_id);
    assert!(failure.what.contains("cannot be pulled"), "{failure:?}");
    assert!(failure.advice.contains("registry"), "{failure:?}");
    host.wait_clean(0);
}

/// A registry that serves one image slowly: the read half of the distribution specification.
fn registry(files: Vec<(String, &'static str, Vec<u8>)>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let files = files.clone();
            thread::spawn(move || {
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                // The engine tries TLS first.
                let Some(Ok(request)) = lines.next() else {
                    return;
                };
                while lines
                    .next()
                    .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
                {}
                let mut words = request.split(' ');
                let (method, path) = (words.next().unwrap(), words.next().unwrap().to_owned());
                let found = files.iter().find(|(name, ..)| path == *name);
                let (status, kind, body) = match found {
                    Some((_, kind, body)) => ("200 OK", *kind, body.as_slice()),
                    None if path == "/v2/" => ("200 OK", "application/json", b"{}".as_slice()),
                    None => ("404 Not Found", "application/json", b"{}".as_slice()),
                };
                let head = format!(
                    "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all(head.as_bytes());
                if method == "GET" {
                    for chunk in body.chunks(body.len() / 20 + 1) {
                        if stream.write_all(chunk).is_err() {
                            return;
                        }
                        if body.len() > 1_000_000 {
                            crate::harness::pause(300);
                        }
                    }
                }
            });
        }
    });
    port
}

fn sha256(path: &std::path::Path) -> String {
    let output = Command::new("sha256sum").arg(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap()[..64].to_owned()
}

#[test]
fn a_pull_shows_its_progress_and_is_shared() {
    let host = TestHost::start(2);
    host.wait_warm(2);
    let dir = host.dir();
    // One layer: a static program is not at hand, so the start fails; the pull is what counts.
    let layer = dir.join("layer");
    std::fs::create_dir(&layer).unwrap();
    let mut noise = vec![0_u8; 8_000_000];
    let mut state = 1_u32;
    for byte in &mut noise {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = (state >> 24) as u8;
    }
    std::fs::write(layer.join("noise"), noise).unwrap();
    let tar = dir.join("layer.tar");
    let done = Command::new("tar")
        .args([
            "-C",
            layer.to_str().unwrap(),
            "-cf",
            tar.to_str().unwrap(),
            ".",
        ])
        .status();
    assert!(done.unwrap().success());
    let diff = sha256(&tar);
    assert!(Command::new("gzip").arg(&tar).status().unwrap().success());
    let gz = dir.join("layer.tar.gz");
    let blob = std::fs::read(&gz).unwrap();
    let blob_digest = sha256(&gz);
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","config":{{"Entrypoint":["/none"]}},"rootfs":{{"type":"layers","diff_ids":["sha256:{diff}"]}},"history":[{{"created_by":"test"}}]}}"#
    );
    let config_path = dir.join("config.json");
    std::fs::write(&config_path, &config).unwrap();
    let config_digest = sha256(&config_path);
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{{"mediaType":"application/vnd.docker.container.image.v1+json","size":{},"digest":"sha256:{config_digest}"}},"layers":[{{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":{},"digest":"sha256:{blob_digest}"}}]}}"#,
        config.len(),
        blob.len()
    );
    let manifest_path = dir.join("manifest.json");
    std::fs::write(&manifest_path, &manifest).unwrap();
    let manifest_digest = sha256(&manifest_path);
    let kind = "application/vnd.docker.distribution.manifest.v2+json";
    let octets = "application/octet-stream";
    let port = registry(vec![
        ("/v2/test/manifests/1".into(), kind, manifest.clone().into()),
        (
            format!("/v2/test/manifests/sha256:{manifest_digest}"),
            kind,
            manifest.into(),
        ),
        (
            format!("/v2/test/blobs/sha256:{config_digest}"),
            octets,
            config.into(),
        ),
        (format!("/v2/test/blobs/sha256:{blob_digest}"), octets, blob),
    ]);
    let image = format!("127.0.0.1:{port}/test:1");
    let (one, two) = (spec(&image), spec(&image));
    host.tell_run(&one);
    host.tell_run(&two);
    let failure = host.wait_failed(one.session_id);
    assert!(
        failure.what.contains("could not be started"),
        "it was pulled, and has none: {failure:?}"
    );
    host.wait_failed(two.session_id);
    for session in [&one, &two] {
        let details: Vec<(u8, String)> = host
            .world()
            .phases
            .into_iter()
            .filter(|(id, _)| *id == session.session_id)
            .filter_map(|(_, phase)| match phase {
                Phase::Starting { progress } if progress.step == LaunchStep::Pull => {
                    Some((progress.percent?, progress.detail?))
                }
                _ => None,
            })
            .collect();
        assert!(details.len() >= 2, "{details:?}");
        assert!(
            details.is_sorted_by_key(|(percent, _)| *percent),
            "{details:?}"
        );
        assert!(
            details
                .iter()
                .any(|(_, detail)| detail.contains(" of 8 MB")),
            "{details:?}"
        );
    }
    host.wait(10, "the image", |world| {
        let images = world.report.as_ref().map(|report| &report.images);
        images.is_some_and(|images| images.iter().any(|there| there.image.as_str() == image))
    });
    docker(&["rmi", &image]);
}
