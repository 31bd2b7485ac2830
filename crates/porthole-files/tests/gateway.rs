//! Gateway and helper together; only the container between them is left out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by them"
)]

mod support;

use axum::{
    body::Body,
    http::{Method, StatusCode, header},
};
use bytes::Bytes;
use porthole_gateway::Revocation;
use porthole_model::files::{Direction, FileRules, FileTransfer, TransferOutcome};
use porthole_wire::close::CloseReason;
use std::{
    fs,
    os::unix::fs::symlink,
    process::Command,
    time::{Duration, SystemTime},
};
use support::{ID, Place, content};

#[tokio::test]
async fn odd_names_arrive_in_pieces_as_they_were() {
    let place = Place::new(FileRules::default());
    let pass = place.pass().await;
    let bytes = content(700_000);
    for (name, path) in [
        ("ä ö\n€.bin", "%C3%A4%20%C3%B6%0A%E2%82%AC.bin"),
        ("-rf", "-rf"),
        ("deep/er/.hidden", "deep/er/.hidden"),
    ] {
        let first = pass.put(path, bytes.len(), 0, &bytes[..300_000]).await;
        assert_eq!(first, (StatusCode::OK, r#"{"offset":300000}"#.into()));
        assert_eq!(pass.offset().await, 300_000);
        let (status, rest) = pass
            .put(path, bytes.len(), 300_000, &bytes[300_000..])
            .await;
        assert_eq!(status, StatusCode::OK, "{rest}");
        assert!(fs::read(place.home().join("Uploads").join(name)).unwrap() == bytes);
    }
    // One that is taken gets a number.
    let (_, stored) = pass.put("-rf", 0, 0, b"").await;
    assert_eq!(stored, r#"{"offset":0,"path":"Uploads/-rf%20(1)"}"#);
    assert_eq!(place.hidden(), 0, "nothing unfinished is left");
    let audited = place.audited();
    assert_eq!(audited.len(), 4);
    assert!(audited.iter().all(|transfer| {
        transfer.outcome == TransferOutcome::Completed && transfer.direction == Direction::Upload
    }));
    assert_eq!(audited[0].bytes, 700_000);
    assert_eq!(audited[0].path, "Uploads/ä ö\n€.bin");
}

#[tokio::test]
async fn paths_that_lead_elsewhere_are_refused() {
    let place = Place::new(FileRules::default());
    let pass = place.pass().await;
    for path in [
        "/etc/x",
        "..%2fx",
        "a/../../x",
        "%2e%2e/x",
        "a%00b",
        "",
        "a//b",
    ] {
        let (status, body) = pass.put(path, 1, 0, b"x").await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}: {body}");
    }
    let outside = tempfile::tempdir().unwrap();
    fs::create_dir(place.home().join("Uploads")).unwrap();
    symlink(outside.path(), place.home().join("Uploads/out")).unwrap();
    let (status, _) = pass.put("out/x", 1, 0, b"x").await;
    assert_eq!(status, StatusCode::CONFLICT);
    // Nor is a link written through that has the file's name.
    symlink(outside.path().join("y"), place.home().join("Uploads/y")).unwrap();
    let (status, stored) = pass.put("y", 1, 0, b"x").await;
    assert_eq!((status, stored.contains("y%20(1)")), (StatusCode::OK, true));
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    assert_eq!(place.hidden(), 0);
}

#[tokio::test]
async fn a_wrong_place_is_told_and_a_cancelled_upload_leaves_nothing() {
    let place = Place::new(FileRules::default());
    let pass = place.pass().await;
    let bytes = content(200_000);
    pass.put("a", bytes.len(), 0, &bytes[..100_000]).await;
    let (status, body) = pass.put("a", bytes.len(), 5, &bytes[5..]).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(body.contains(r#""offset":100000"#), "{body}");
    assert_eq!(place.hidden(), 1);
    let (status, _) = pass
        .send(Method::DELETE, &format!("/uploads/{ID}"), Body::empty())
        .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(place.hidden(), 0);
    assert_eq!(
        fs::read_dir(place.home().join("Uploads")).unwrap().count(),
        0
    );
    assert_eq!(place.audited()[0].outcome, TransferOutcome::Cancelled);
}

#[tokio::test]
async fn rules_refuse_before_anything_arrives() {
    let mut rules = FileRules::default();
    rules.upload.max_size.0 = 100_000;
    rules.upload.names_denied = vec!["*.exe".parse().unwrap()];
    rules.upload.types_denied = vec!["application/x-executable".parse().unwrap()];
    let place = Place::new(rules);
    let pass = place.pass().await;
    let elf: &[u8] = &[b"\x7fELF\x02\x01\x01".as_slice(), &[0; 57]].concat();
    for (path, size, bytes, rule) in [
        ("large", 100_001, b"x".as_slice(), "size"),
        ("Setup.EXE", 1, b"x", "name_denied"),
        ("harmless.txt", elf.len(), elf, "type_denied"),
    ] {
        let (status, body) = pass.put(path, size, 0, bytes).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert!(body.contains(&format!(r#""rule":"{rule}""#)), "{body}");
    }
    // A first piece too short to tell the type goes nowhere.
    let (status, body) = pass.put("short", elf.len(), 0, &elf[..2]).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, r#"{"offset":0}"#));
    assert!(!place.home().join("Uploads").exists());
    let audited = place.audited();
    assert_eq!(audited.len(), 3);
    assert!(
        audited
            .iter()
            .all(|one| one.outcome == TransferOutcome::Refused)
    );
    assert_eq!(
        audited[2].detail.as_deref(),
        Some("its contents are application/x-executable, and application/x-executable may not go")
    );
}

#[tokio::test]
async fn a_full_disk_is_told_and_left_as_it_was() {
    let place = Place::on_small_disk(FileRules::default());
    let pass = place.pass().await;
    let (status, body) = pass.put("large", 8_000_000, 0, &content(1_000_000)).await;
    assert_eq!(status, StatusCode::INSUFFICIENT_STORAGE, "{body}");
    assert!(body.contains("disk is full"), "{body}");
    // What fits goes, so the disk is as empty as before.
    let (status, body) = pass.put("small", 1_000_000, 0, &content(1_000_000)).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(place.audited()[0].outcome, TransferOutcome::Failed);
}

#[tokio::test]
async fn downloads_are_whole_or_ranges_of_it() {
    let place = Place::new(FileRules::default());
    let pass = place.pass().await;
    let bytes = content(9_000_000);
    fs::write(place.home().join("ä b.bin"), &bytes).unwrap();
    let path = "/content?path=%C3%A4%20b.bin";
    let response = pass.get(path, None).await;
    assert_eq!(response.status(), StatusCode::OK);
    let disposition = response.headers()[header::CONTENT_DISPOSITION]
        .to_str()
        .unwrap();
    assert!(
        disposition.contains("filename*=UTF-8''%C3%A4%20b%2Ebin"),
        "{disposition}"
    );
    let tag = response.headers()[header::ETAG].clone();
    assert!(support::body(response).await == bytes);
    for (range, from, to) in [
        ("bytes=5000000-", 5_000_000, 9_000_000),
        ("bytes=10-99999", 10, 100_000),
        ("bytes=-7", 8_999_993, 9_000_000),
    ] {
        let response = pass.get(path, Some((range, &tag))).await;
        assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT);
        assert!(support::body(response).await == bytes[from..to], "{range}");
    }
    let beyond = pass.get(path, Some(("bytes=9000000-", &tag))).await;
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);

    let missing = pass.get("/content?path=none", None).await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    assert!(
        Command::new("mkfifo")
            .arg(place.home().join("pipe"))
            .status()
            .unwrap()
            .success()
    );
    let pipe = pass.get("/content?path=pipe", None).await;
    assert_eq!(pipe.status(), StatusCode::CONFLICT);
    place.until_audited(4).await;
    assert!(
        place
            .audited()
            .iter()
            .all(|one| one.outcome == TransferOutcome::Completed)
    );
}

#[tokio::test]
async fn a_download_given_up_is_recorded_as_that() {
    let place = Place::new(FileRules::default());
    let pass = place.pass().await;
    fs::write(place.home().join("a"), content(20_000_000)).unwrap();
    drop(pass.get("/content?path=a", None).await);
    place.until_audited(1).await;
    let transfer = &place.audited()[0];
    assert_eq!(transfer.outcome, TransferOutcome::Interrupted);
    assert!(transfer.bytes < 20_000_000, "it did not go on to nobody");
}

#[tokio::test]
async fn downloads_are_judged_by_their_contents() {
    let mut rules = FileRules::default();
    rules.download.types_denied = vec!["image/*".parse().unwrap()];
    let place = Place::new(rules);
    let pass = place.pass().await;
    fs::write(place.home().join("notes.txt"), b"\x89PNG\r\n\x1a\n....").unwrap();
    let refused = pass.get("/content?path=notes.txt", None).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let body = support::body(refused).await;
    assert!(String::from_utf8_lossy(&body).contains(r#""media_type":"image/png""#));
    assert_eq!(place.audited()[0].media_type.as_deref(), Some("image/png"));
}

#[tokio::test]
async fn a_folder_comes_as_zip_without_what_may_not_go() {
    let mut rules = FileRules::default();
    rules.download.names_denied = vec!["*.key".parse().unwrap()];
    let place = Place::new(rules);
    let pass = place.pass().await;
    let folder = place.home().join("Down\nloads");
    fs::create_dir_all(folder.join("ä/empty")).unwrap();
    let large = content(3_000_000);
    fs::write(folder.join("ä/large.bin"), &large).unwrap();
    fs::write(folder.join("none"), b"").unwrap();
    fs::write(folder.join("secret.key"), b"secret").unwrap();
    symlink("/etc", folder.join("etc")).unwrap();
    symlink(".", folder.join("loop")).unwrap();
    let response = pass.get("/archive?path=Down%0Aloads", None).await;
    assert_eq!(response.status(), StatusCode::OK);
    let archive = place.home().join("out.zip");
    fs::write(&archive, support::body(response).await).unwrap();
    let script = "import sys,zipfile\n\
        z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None\n\
        print(sorted(z.namelist())); print(z.read('NOT DOWNLOADED.txt').decode())\n\
        open(sys.argv[1]+'.large','wb').write(z.read('Down\\nloads/ä/large.bin'))";
    let output = Command::new("python3")
        .args(["-c", script])
        .arg(&archive)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let names = "['Down\\nloads/none', 'Down\\nloads/ä/empty/', 'Down\\nloads/ä/large.bin', 'NOT DOWNLOADED.txt']";
    assert_eq!(text.lines().next(), Some(names));
    assert!(
        text.contains("secret.key: names like *.key may not go"),
        "{text}"
    );
    assert!(
        text.contains("etc: a link") && text.contains("loop: a link"),
        "{text}"
    );
    assert!(fs::read(place.home().join("out.zip.large")).unwrap() == large);
}

#[tokio::test]
async fn what_is_listed_can_be_asked_for() {
    let place = Place::new(FileRules::default());
    let pass = place.pass().await;
    for number in 0..450 {
        fs::write(place.home().join(format!("% {number}")), b"x").unwrap();
    }
    let response = pass.get("/list?path=", None).await;
    let text = String::from_utf8(support::body(response).await).unwrap();
    assert_eq!(text.matches(r#""kind":"file""#).count(), 450);
    assert!(text.contains(r#""name":"% 7","path":"%25%207""#), "{text}");
    let file = pass.get("/content?path=%25%207", None).await;
    assert_eq!(support::body(file).await, b"x");
}

#[tokio::test]
async fn nobody_without_a_pass_gets_anything() {
    let place = Place::new(FileRules::default());
    let pass = place.pass().await;
    fs::write(place.home().join("a"), b"x").unwrap();
    let stranger = place.with_pass("0".repeat(43));
    assert_eq!(
        stranger.get("/content?path=a", None).await.status(),
        StatusCode::UNAUTHORIZED
    );
    let (status, _) = stranger.put("b", 1, 0, b"x").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    // A ticket for the display opens no files; one for files is good once.
    assert_eq!(
        place.open(&place.ticket(None)).await.0,
        StatusCode::UNAUTHORIZED
    );
    let ticket = place.ticket(Some(FileRules::default()));
    assert_eq!(place.open(&ticket).await.0, StatusCode::CREATED);
    assert_eq!(place.open(&ticket).await.0, StatusCode::UNAUTHORIZED);
    let foreign = pass
        .asked_from("https://evil.example", "/content?path=a")
        .await;
    assert_eq!(foreign, StatusCode::FORBIDDEN);

    let mut off = FileRules::default();
    off.upload.allowed = false;
    off.download.allowed = false;
    let place = Place::new(off);
    let pass = place.pass().await;
    for path in ["/list?path=", "/content?path=a", "/archive?path="] {
        assert_eq!(
            pass.get(path, None).await.status(),
            StatusCode::FORBIDDEN,
            "{path}"
        );
    }
    let (status, body) = pass.put("b", 1, 0, b"x").await;
    assert_eq!(
        (status, body.contains("direction")),
        (StatusCode::FORBIDDEN, true)
    );
    assert_eq!(fs::read_dir(place.home()).unwrap().count(), 0);
    let refused = |one: &FileTransfer| one.outcome == TransferOutcome::Refused;
    let audited = place.audited();
    assert_eq!(audited.len(), 3, "a file, a folder and an upload");
    assert!(audited.iter().all(refused), "{audited:?}");
}

/// The first half of a file, and then silence.
fn half_of(bytes: &[u8]) -> Body {
    let half = Bytes::copy_from_slice(&bytes[..bytes.len() / 2]);
    let half = futures_util::stream::once(async move { Ok::<_, std::io::Error>(half) });
    Body::from_stream(futures_util::StreamExt::chain(
        half,
        futures_util::stream::pending(),
    ))
}

#[tokio::test]
async fn a_write_that_fails_in_the_middle_is_told_and_leaves_nothing() {
    let place = Place::on_short_disk(FileRules::default());
    let pass = place.pass().await;
    let (status, body) = pass.put("long", 3_000_000, 0, &content(3_000_000)).await;
    assert!(status.is_server_error(), "{status} {body}");
    assert!(body.contains("The file cannot be written"), "{body}");
    let (status, body) = pass.put("short", 1_000_000, 0, &content(1_000_000)).await;
    assert_eq!(status, StatusCode::OK, "the channel goes on: {body}");
    assert_eq!(place.hidden(), 0);
    let uploads = place.home().join("Uploads");
    assert_eq!(fs::read_dir(uploads).unwrap().count(), 1);
    let outcomes: Vec<_> = place.audited().iter().map(|one| one.outcome).collect();
    assert_eq!(
        outcomes,
        [TransferOutcome::Failed, TransferOutcome::Completed]
    );
}

#[tokio::test]
async fn a_session_that_dies_in_the_middle_leaves_what_has_arrived() {
    let place = Place::new(FileRules::default());
    let pass = place.pass().await;
    let bytes = content(1_000_000);
    let path = format!("/uploads/{ID}?path=a&size=1000000&offset=0");
    let upload = pass.send(Method::PUT, &path, half_of(&bytes));
    let death = async {
        while place.part() < 500_000 {
            tokio::task::yield_now().await;
        }
        place.kill_helpers();
    };
    // The page gives the piece up.
    tokio::select! {
        answer = upload => panic!("half a body was answered: {answer:?}"),
        () = death => {}
    }
    // The next one meets a new helper.
    assert_eq!(pass.offset().await, 500_000);
    let (status, stored) = pass.put("a", 1_000_000, 500_000, &bytes[500_000..]).await;
    assert_eq!(status, StatusCode::OK, "{stored}");

    let path = "/content?path=Uploads/a";
    fs::write(place.home().join("Uploads/a"), content(20_000_000)).unwrap();
    let response = pass.get(path, None).await;
    assert_eq!(response.status(), StatusCode::OK);
    place.kill_helpers();
    let read = http_body_util::BodyExt::collect(response.into_body()).await;
    assert!(read.is_err(), "a part is not taken for the whole");
    place.until_audited(2).await;
    let cut = &place.audited()[1];
    assert_eq!(cut.outcome, TransferOutcome::Interrupted);
    assert!(cut.bytes < 20_000_000);
}

#[tokio::test]
async fn a_download_is_broken_off_when_its_session_ends() {
    let place = Place::new(FileRules::default());
    let pass = place.pass().await;
    fs::write(place.home().join("a"), content(20_000_000)).unwrap();
    let response = pass.get("/content?path=a", None).await;
    assert_eq!(response.status(), StatusCode::OK);
    place
        .gateway
        .revoke(Revocation::Session(place.session, CloseReason::Ended));
    let read = http_body_util::BodyExt::collect(response.into_body());
    let read = tokio::time::timeout(Duration::from_secs(20), read).await;
    assert!(read.unwrap().is_err(), "a part is not taken for the whole");
    place.until_audited(1).await;
    let cut = &place.audited()[0];
    assert_eq!(cut.outcome, TransferOutcome::Interrupted);
    assert_eq!(cut.detail.as_deref(), Some("the session has ended"));
}

#[tokio::test]
async fn what_is_answered_is_recorded_and_what_is_given_up_too() {
    let mut rules = FileRules::default();
    rules.upload.names_denied = vec!["*.exe".parse().unwrap()];
    let place = Place::new(rules);
    let pass = place.pass().await;
    let held = place.recording.clone().acquire_owned().await.unwrap();
    let answered = {
        let upload = pass.put("a.exe", 1, 0, b"x");
        tokio::time::timeout(Duration::from_millis(200), upload).await
    };
    assert!(answered.is_err(), "not before it is recorded: {answered:?}");
    assert!(place.audited().is_empty());
    drop(held);
    place.until_audited(1).await;
    assert_eq!(place.audited()[0].outcome, TransferOutcome::Refused);
    place.gateway.shut_down(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn an_end_in_the_middle_is_gone_on_from() {
    let place = Place::new(FileRules::default());
    let pass = place.pass().await;
    let bytes = content(1_000_000);
    let path = format!("/uploads/{ID}?path=a&size=1000000&offset=0");
    let upload = pass.send(Method::PUT, &path, half_of(&bytes));
    let revoke = async {
        while place.part() < 500_000 {
            tokio::task::yield_now().await;
        }
        place
            .gateway
            .revoke(Revocation::Session(place.session, CloseReason::Stopped));
    };
    let ((status, body), ()) = tokio::time::timeout(Duration::from_secs(20), async {
        tokio::join!(upload, revoke)
    })
    .await
    .unwrap();
    assert_eq!(status, StatusCode::GONE, "{body}");
    assert!(body.contains("the session was stopped"), "{body}");
    place.until_audited(1).await;
    let cut = &place.audited()[0];
    assert_eq!(
        (cut.outcome, cut.bytes),
        (TransferOutcome::Interrupted, 500_000)
    );

    // Withdrawn is withdrawn, but what has arrived is not lost.
    assert_eq!(
        pass.get("/list?path=", None).await.status(),
        StatusCode::UNAUTHORIZED
    );
    let place = place.again();
    let pass = place.pass().await;
    assert_eq!(pass.offset().await, 500_000);
    let (status, stored) = pass.put("a", 1_000_000, 500_000, &bytes[500_000..]).await;
    assert_eq!(status, StatusCode::OK, "{stored}");
    assert!(fs::read(place.home().join("Uploads/a")).unwrap() == bytes);
    assert_eq!(place.hidden(), 0);
}

#[tokio::test]
async fn uploads_that_nobody_goes_on_with_go_after_a_day() {
    let place = Place::new(FileRules::default());
    let parts = place.home().join("Uploads/.porthole-uploads");
    fs::create_dir_all(&parts).unwrap();
    for (name, hours) in [("old", 25), ("new", 23)] {
        let file = fs::File::create(parts.join(name)).unwrap();
        let at = SystemTime::now() - Duration::from_hours(hours);
        file.set_modified(at).unwrap();
    }
    let pass = place.pass().await;
    pass.get("/list?path=", None).await;
    assert!(!parts.join("old").exists() && parts.join("new").exists());
}
