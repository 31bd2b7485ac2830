//! What goes wrong, in words for people.

use crate::engine::EngineError;
use porthole_model::{image::ImageRef, resources::Bytes, session::Failure};

/// The most characters of a text from elsewhere that a message repeats.
const MAX_QUOTE: usize = 600;

pub(crate) fn failure(
    what: impl Into<String>,
    part: impl Into<String>,
    advice: impl Into<String>,
) -> Failure {
    Failure {
        what: what.into(),
        part: part.into(),
        advice: advice.into(),
    }
}

/// A text from elsewhere, cut to what a message can bear.
pub(crate) fn quote(text: &str) -> String {
    let text = text.trim();
    let mut chars = text
        .chars()
        .map(|c| if c.is_control() && c != '\n' { ' ' } else { c });
    let mut cut: String = chars.by_ref().take(MAX_QUOTE).collect();
    if chars.next().is_some() {
        cut.push('…');
    }
    cut
}

/// A call to the engine that failed.
pub(crate) fn engine(what: &str, part: &str, error: &EngineError) -> Failure {
    let (what, advice) = match error {
        EngineError::Unreachable(message) => (
            format!("{what}: the container engine does not answer"),
            format!(
                "Check that it runs on the host, with `systemctl status docker` ({})",
                quote(message)
            ),
        ),
        EngineError::TimedOut(call) => (
            format!("{what}: the container engine did not finish {call} in time"),
            "The host may be overloaded or its disk slow; try again".to_owned(),
        ),
        EngineError::NotFound(message) | EngineError::Conflict(message) => (
            format!("{what}: {}", quote(message)),
            "Try again".to_owned(),
        ),
        EngineError::Refused(message) => (format!("{what}: {}", quote(message)), refused(message)),
    };
    failure(what, part, advice)
}

/// What to do about something the engine refused.
fn refused(message: &str) -> String {
    let has = |text: &str| message.contains(text);
    if has("no space left on device") {
        "The host's disk is full: remove unused images with `docker image prune`, or give it more space"
    } else if has("cannot allocate memory") {
        "The host has no memory left: stop sessions, or give the host more"
    } else if has("container-init binary not found") {
        "Podman needs one more package on the host: `apt-get install catatonit`"
    } else if has("executable file not found") || has("no such file or directory") {
        "The program does not exist in the image: check the command, or the workspace's image"
    } else if has("permission denied") {
        "The engine may not do this: check the permissions of the agent's user and the host's security modules"
    } else if has("exec format error") {
        "The image is made for another processor architecture: use one for this host's"
    } else if has("subnets") || has("address pools") || has("no available network") {
        "The engine has no addresses left for networks: remove unused ones with `docker network prune`"
    } else {
        "Look at the engine's log on the host; then try again"
    }
    .to_owned()
}

/// An image that is not there and cannot be had.
pub(crate) fn pull(image: &ImageRef, message: &str) -> Failure {
    let has = |text: &str| message.contains(text);
    let advice = if has("pull access denied")
        || has("repository does not exist")
        || has("unauthorized")
    {
        "Check the image's name; if its registry wants a login, give the host one with `docker login`"
    } else if has("manifest unknown") || has("not found: manifest") || has("manifest for") {
        "There is no such version: check the tag"
    } else if has("no such host")
        || has("connection refused")
        || has("timeout")
        || has("unreachable")
        || has("Temporary failure")
    {
        "The host does not reach the registry: check its network, or load the image there with `docker load`"
    } else if has("no space left") {
        "The host's disk is full: remove unused images with `docker image prune`"
    } else if has("toomanyrequests") {
        "The registry limits pulls: log in with `docker login`, or try again later"
    } else {
        "Check the image's name and the host's network, then try again"
    };
    failure(
        format!(
            "The image is not on the host and cannot be pulled: {}",
            quote(message)
        ),
        format!("image {image}"),
        advice,
    )
}

/// An image that must be made on the host.
pub(crate) fn not_made(image: &ImageRef) -> Failure {
    failure(
        "The image is not on the host, and it comes from no registry",
        format!("image {image}"),
        "Build it on the host with `make images`, or load it there with `docker load`",
    )
}

/// A workspace's container that ended by itself.
pub(crate) fn exited(image: &ImageRef, code: i64, oom: bool, memory: Bytes, log: &str) -> Failure {
    let log = last_lines(log);
    let part = format!("image {image}");
    if oom {
        return failure(
            format!("The session ran out of memory and was ended; its limit is {memory}"),
            part,
            "Give the workspace more memory, or open less in it",
        );
    }
    let what = match code {
        0 => "The session's program ended".to_owned(),
        137 | 143 => format!("The session's program was killed (exit code {code})"),
        126 | 127 => format!("The session's program could not be started (exit code {code})"),
        code => format!("The session's program ended with exit code {code}"),
    };
    let advice = if log.is_empty() {
        "It wrote nothing to its log; check the workspace's image and settings".to_owned()
    } else {
        format!("The last lines of its log:\n{log}")
    };
    failure(what, part, advice)
}

/// The last 20 lines, each cut to a readable length.
fn last_lines(log: &str) -> String {
    let lines: Vec<String> = log
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .map(|line| line.chars().filter(|c| !c.is_control()).take(200).collect())
        .collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> ImageRef {
        "porthole/terminal:1.0".parse().unwrap()
    }

    #[test]
    fn pull_errors_tell_what_to_do() {
        for (message, advice) in [
            (
                "pull access denied for x, repository does not exist or may require 'docker login'",
                "docker login",
            ),
            (
                "manifest for debian:nope not found: manifest unknown",
                "tag",
            ),
            (
                "dial tcp: lookup registry-1.docker.io: no such host",
                "network",
            ),
            (
                "write /var/lib/docker/tmp/x: no space left on device",
                "full",
            ),
        ] {
            let failure = pull(&image(), message);
            assert!(
                failure.advice.contains(advice),
                "{message}: {}",
                failure.advice
            );
            assert_eq!(failure.part, "image porthole/terminal:1.0");
        }
    }

    #[test]
    fn an_exit_shows_the_end_of_the_log() {
        let lines: Vec<String> = (0..50).map(|n| format!("line {n}\u{1b}[0m\r\n")).collect();
        let log = lines.concat();
        let failure = exited(&image(), 1, false, Bytes::mib(512), &log);
        assert!(failure.advice.contains("line 49[0m") && !failure.advice.contains("line 29"));
        let failure = exited(&image(), 137, true, Bytes::mib(512), "");
        assert!(failure.what.contains("512 MiB"), "{}", failure.what);
    }

    #[test]
    fn quotes_are_short_and_clean() {
        assert_eq!(quote(" a\u{7}b "), "a b");
        assert_eq!(quote(&"x".repeat(5000)).chars().count(), MAX_QUOTE + 1);
    }
}
