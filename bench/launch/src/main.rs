//! Click to first picture, and click to the workspace's container running, against `docker run`
//! of the same image with the same limits: the floor, taken in turns with it in one run. Once on
//! the engine's default network, and once on the sessions' own, whose name service costs the engine
//! more time and which a session needs, since nothing may pass between sessions.
//!
//! `PORTHOLE_URL`, `PORTHOLE_USER_PASSWORD` name a running server; `bench/launch/run.sh` starts one.

use anyhow::{Context, Result, bail};
use clap::Parser;
use porthole_client::{api::Client, events::Event, stream::Stream, trust::Trust};
use porthole_model::{
    ids::WorkspaceId,
    session::{LaunchStep, SessionState},
};
use std::{
    process::Command,
    time::{Duration, Instant},
};

#[derive(Parser)]
struct Arguments {
    /// The server's address.
    #[arg(long, env = "PORTHOLE_URL")]
    url: String,
    /// Who launches.
    #[arg(long, env = "PORTHOLE_USER", default_value = "user@kasm.local")]
    user: String,
    /// The password.
    #[arg(long, env = "PORTHOLE_USER_PASSWORD", hide_env_values = true)]
    password: String,
    /// The workspace's name.
    #[arg(long, default_value = "Terminal")]
    workspace: String,
    /// The network of the sessions' containers.
    #[arg(long, default_value = "porthole-sessions")]
    network: String,
    /// Counted rounds; one more goes before to warm up.
    #[arg(long, default_value_t = 10)]
    rounds: usize,
    /// What the figures are called, such as `warm` or `cold`.
    #[arg(long, default_value = "warm")]
    label: String,
}

/// One launch, in milliseconds from the click.
#[derive(Clone, Copy)]
struct Launch {
    accepted: f64,
    picture: f64,
    started: f64,
    running: f64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let arguments = Arguments::parse();
    let client = Client::new(&arguments.url, Trust::Anyone)?
        .login(&arguments.user, &arguments.password)
        .await?;
    let workspaces = client.workspaces().await?;
    let workspace = workspaces
        .iter()
        .find(|workspace| workspace.name == arguments.workspace)
        .with_context(|| format!("no workspace is called {}", arguments.workspace))?;
    let (mut launches, mut floors, mut likes) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=arguments.rounds {
        let floor = docker_run(&workspace.image, "bridge")?;
        let launch = launch(&client, workspace.id).await?;
        let like = docker_run(&workspace.image, &arguments.network)?;
        if round > 0 {
            floors.push(floor);
            launches.push(launch);
            likes.push(like);
        }
    }
    let of = |pick: fn(&Launch) -> f64| launches.iter().map(pick).collect::<Vec<_>>();
    let floor = median(&floors);
    println!(
        "{} launches of {}, {} rounds, in turns with the floor",
        arguments.label, workspace.image, arguments.rounds
    );
    println!(
        "{:<44} {:>8} {:>8} {:>8} {:>8}",
        "", "min ms", "p50 ms", "max ms", "× floor"
    );
    row("docker run -d of the same image (floor)", &floors, floor);
    row("the same on the sessions' network", &likes, floor);
    row(
        "click → accepted by the API",
        &of(|launch| launch.accepted),
        floor,
    );
    row(
        "click → first picture in the viewer",
        &of(|launch| launch.picture),
        floor,
    );
    row(
        "click → the workspace's container started",
        &of(|launch| launch.started),
        floor,
    );
    row(
        "click → running (its first window is mapped)",
        &of(|launch| launch.running),
        floor,
    );
    Ok(())
}

fn row(name: &str, values: &[f64], floor: f64) {
    let (least, most) = values
        .iter()
        .fold((f64::MAX, 0_f64), |(l, m), v| (l.min(*v), m.max(*v)));
    let middle = median(values);
    println!(
        "{name:<44} {least:>8.0} {middle:>8.0} {most:>8.0} {:>8.2}",
        middle / floor
    );
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

/// What the engine itself needs: create and start, with limits like ours.
fn docker_run(image: &str, network: &str) -> Result<f64> {
    let started = Instant::now();
    let output = Command::new("docker")
        .args([
            "run",
            "-d",
            "--network",
            network,
            "--init",
            "--cap-drop",
            "ALL",
            "--security-opt",
            "no-new-privileges",
        ])
        .args([
            "--memory",
            "512m",
            "--cpus",
            "0.5",
            "--pids-limit",
            "2048",
            "--entrypoint",
            "sleep",
        ])
        .args([image, "60"])
        .output()
        .context("docker run")?;
    let elapsed = milliseconds(started);
    if !output.status.success() {
        bail!("docker run: {}", String::from_utf8_lossy(&output.stderr));
    }
    let id = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Command::new("docker")
        .args(["rm", "-f", &id])
        .output()
        .context("docker rm")?;
    Ok(elapsed)
}

async fn launch(client: &Client, workspace: WorkspaceId) -> Result<Launch> {
    // As the dashboard does: the server tells what changes, nobody asks again and again.
    let mut events = client.events().await?;
    let clicked = Instant::now();
    let session = client.launch(workspace, 1920, 1080).await?;
    let accepted = milliseconds(clicked);
    let picture = async {
        loop {
            if let Ok(mut stream) = Stream::open(client, session.id).await {
                stream.first_picture(Duration::from_secs(30)).await?;
                return anyhow::Ok((milliseconds(clicked), stream));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let life = async {
        let mut started = None;
        loop {
            let Some(event) = events.next().await? else {
                bail!("the server told no more of what changes");
            };
            let latest = match event {
                Event::Session(latest) if latest.id == session.id => latest,
                Event::SessionGone(id) if id == session.id => bail!("the session went away"),
                _ => continue,
            };
            let step = latest.progress.as_ref().map(|progress| progress.step);
            let up = step >= Some(LaunchStep::Window) || latest.state == SessionState::Running;
            if up && started.is_none() {
                started = Some(milliseconds(clicked));
            }
            match latest.state {
                SessionState::Running => {
                    let running = milliseconds(clicked);
                    return anyhow::Ok((started.unwrap_or(running), running));
                }
                SessionState::Failed => bail!("the session failed: {:?}", latest.failure),
                _ => {}
            }
        }
    };
    let both = async { tokio::try_join!(picture, life) };
    let ((picture, _stream), (started, running)) =
        tokio::time::timeout(Duration::from_secs(120), both)
            .await
            .context("a launch took over two minutes")??;
    client.delete(session.id).await?;
    gone(client, session.id).await?;
    // The pool fills up again in the background; a person does not click twice within a second.
    tokio::time::sleep(Duration::from_secs(2)).await;
    Ok(Launch {
        accepted,
        picture,
        started,
        running,
    })
}

async fn gone(client: &Client, id: porthole_model::ids::SessionId) -> Result<()> {
    let waiting = async {
        while client.session(id).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting)
        .await
        .context("the session was not deleted within a minute")
}
