//! `porthole doctor`: looks at every part that a session needs, then goes the whole way with a
//! throw-away one, and names the part that fails.

use crate::{config::Config, tls, user};
use anyhow::Result;
use porthole_client::{
    ClientError,
    api::{Client, Session, Workspace},
    stream::Stream,
    trust::Trust,
};
use porthole_model::session::SessionState;
use std::{
    fmt::Display,
    process::ExitCode,
    time::{Duration, Instant},
};

/// Free disk space under which images and sessions will soon fail, in bytes.
const LEAST_DISK: u64 = 2 * 1024 * 1024 * 1024;
/// Days before its end at which a certificate is spoken of.
const CERTIFICATE_DAYS: i64 = 21;
/// The longest the throw-away session may take to run.
const LAUNCH: Duration = Duration::from_secs(120);

/// What one look found.
enum Finding {
    Well(String),
    Notice(String),
    Failed { what: String, advice: String },
}

use Finding::{Failed, Notice, Well};

fn failed(what: impl Display, advice: impl Into<String>) -> Finding {
    Failed {
        what: format!("{what}"),
        advice: advice.into(),
    }
}

/// Prints findings as they come and counts the bad ones.
#[derive(Default)]
struct Report {
    failures: u32,
}

impl Report {
    /// Prints one finding; tells whether it was good enough to go on.
    fn add(&mut self, part: &str, finding: &Finding) -> bool {
        match finding {
            Well(detail) => println!("  ok      {part:<14} {detail}"),
            Notice(detail) => println!("  notice  {part:<14} {detail}"),
            Failed { what, advice } => {
                self.failures += 1;
                println!("  FAILED  {part:<14} {what}");
                println!("          {:<14} {advice}", "");
            }
        }
        !matches!(finding, Failed { .. })
    }
}

/// Runs all checks.
///
/// # Errors
/// Never for what is being checked: that is printed and becomes the exit code.
pub async fn run(config: &Config) -> Result<ExitCode> {
    println!("Looking at Porthole in {}", config.data_dir.display());
    let mut report = Report::default();
    report.add("storage", &storage(config));
    if config.tls.enabled {
        report.add("certificate", &certificate(config));
    }
    if config.agent.enabled {
        let facts = porthole_agent::probe::look(&config.agent.engine).await;
        let answers = report.add("engine", &engine(config, facts.as_ref()));
        if let (true, Ok(facts)) = (answers, &facts) {
            report.add("display image", &display_image(config, facts));
        }
    }
    if report.add("server", &server(config).await) {
        path(config, &mut report).await;
    }
    if report.failures == 0 {
        println!("All is well.");
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "{} of the parts above failed; the first one is the place to start.",
        report.failures
    );
    Ok(ExitCode::FAILURE)
}

fn storage(config: &Config) -> Finding {
    let folder = &config.data_dir;
    let probe = folder.join(format!(".doctor-{}", std::process::id()));
    if let Err(error) =
        std::fs::write(&probe, b"porthole").and_then(|()| std::fs::remove_file(&probe))
    {
        let advice = "Run as the user that runs the server (root with make run), or name the folder with PORTHOLE_DATA_DIR.";
        return failed(
            format!("{} cannot be written: {error}", folder.display()),
            advice,
        );
    }
    match porthole_agent::probe::free_space(folder) {
        Ok(free) if free.0 < LEAST_DISK => failed(
            format!("only {free} are free under {}", folder.display()),
            "Free some space, or move the data directory with PORTHOLE_DATA_DIR.",
        ),
        Ok(free) => Well(format!("{} can be written, {free} free", folder.display())),
        Err(error) => Notice(format!("the free space cannot be read: {error}")),
    }
}

fn certificate(config: &Config) -> Finding {
    let file = config.certificate();
    if !file.exists() && config.tls.certificate.is_none() {
        return Notice("none yet; a self-signed one is made at the first start".into());
    }
    if let Err(error) = tls::Certificate::open(&file, &config.key()) {
        return failed(
            format!("{error:#}"),
            "Put a PEM certificate (its chain after it) and its key there; it is picked up without a restart.",
        );
    }
    match tls::ends(&file) {
        Err(error) => failed(format!("{error:#}"), "Replace the certificate."),
        Ok(end) => {
            let days = (end - time::OffsetDateTime::now_utc()).whole_days();
            let detail = format!("{} ends {} ({days} days)", file.display(), end.date());
            match days {
                ..0 => failed(detail, "Replace the certificate; browsers refuse it."),
                0..CERTIFICATE_DAYS => Notice(detail),
                _ => Well(detail),
            }
        }
    }
}

fn engine(
    config: &Config,
    facts: Result<&porthole_agent::probe::Facts, &porthole_model::session::Failure>,
) -> Finding {
    match facts {
        Ok(facts) => Well(format!(
            "{} at {}, {} images",
            facts.engine,
            config.agent.engine,
            facts.images.len()
        )),
        Err(failure) => failed(
            format!("{} ({})", failure.what, failure.part),
            failure.advice.clone(),
        ),
    }
}

fn display_image(config: &Config, facts: &porthole_agent::probe::Facts) -> Finding {
    let image = &config.agent.display_image;
    if facts.images.iter().any(|found| found == image) {
        Well(image.clone())
    } else {
        failed(
            format!("{image} is not on this machine"),
            "Build it: make images",
        )
    }
}

async fn server(config: &Config) -> Finding {
    let url = config.local_url();
    let client = match client(config) {
        Ok(client) => client,
        Err(error) => {
            return failed(
                error,
                "This is a fault of Porthole itself; please report it.",
            );
        }
    };
    match client.get::<serde_json::Value>("/api/__healthcheck").await {
        Ok(_) => Well(format!("answers at {url}")),
        Err(error @ ClientError::Unreachable { .. }) => failed(
            error,
            "Start it (make run, or systemctl start porthole), or name its address with PORTHOLE_LISTEN.",
        ),
        Err(error) => failed(error, "Look at the server's log."),
    }
}

fn client(config: &Config) -> Result<Client, ClientError> {
    // Loopback, so who else could answer; the certificate was looked at above.
    Client::new(&config.local_url(), Trust::Anyone)
}

/// The whole way: sign-in, launch, gateway, first picture, clean-up.
async fn path(config: &Config, report: &mut Report) {
    let access = match user::borrow_administrator(config).await {
        Ok(access) => access,
        Err(error) => {
            let advice =
                "Run the doctor on the server's machine, as the user that runs the server.";
            report.add("sign-in", &failed(format!("{error:#}"), advice));
            return;
        }
    };
    match client(config) {
        Ok(client) => walk(&client.with_token(&access.token), report).await,
        Err(error) => {
            report.add(
                "sign-in",
                &failed(
                    error,
                    "This is a fault of Porthole itself; please report it.",
                ),
            );
        }
    }
    if let Err(error) = access.give_back().await {
        report.add(
            "clean-up",
            &Notice(format!(
                "the doctor's sign-in stays until it ends by itself: {error:#}"
            )),
        );
    }
}

async fn walk(client: &Client, report: &mut Report) {
    let workspace = match choose(client).await {
        Ok(workspace) => {
            report.add("sign-in", &Well("works".into()));
            workspace
        }
        Err(finding) => {
            report.add("sign-in", &finding);
            return;
        }
    };
    let started = Instant::now();
    let session = match client.launch(workspace.id, 1280, 720).await {
        Ok(session) => session,
        Err(error) => {
            report.add(
                "placement",
                &failed(error, "Stop a session, or look at Agents in the console."),
            );
            return;
        }
    };
    report.add(
        "placement",
        &Well(format!("a session of {} was accepted", workspace.name)),
    );
    let running = running(client, session).await;
    if report.add("launch", &running.0) {
        report.add(
            "stream",
            &first_picture(client, running.1.id, started).await,
        );
    }
    let deleted = match client.delete(running.1.id).await {
        Ok(()) => Well("the throw-away session was deleted".into()),
        Err(error) => failed(error, "Delete it in the console, under Sessions."),
    };
    report.add("clean-up", &deleted);
}

/// The lightest workspace that can be launched.
async fn choose(client: &Client) -> Result<Workspace, Finding> {
    let workspaces = client
        .workspaces()
        .await
        .map_err(|error| failed(error, "Look at the server's log."))?;
    let light = |workspace: &&Workspace| workspace.image.contains("terminal");
    let mut able = workspaces.iter().filter(|workspace| workspace.available);
    able.clone()
        .find(light)
        .or_else(|| able.next())
        .cloned()
        .ok_or_else(|| {
            failed(
                "no workspace can be launched",
                "Build the images (make images) or enable a workspace.",
            )
        })
}

async fn running(client: &Client, session: Session) -> (Finding, Session) {
    let started = Instant::now();
    let mut latest = session;
    loop {
        match latest.state {
            SessionState::Running => {
                let seconds = started.elapsed().as_secs_f64();
                return (Well(format!("runs after {seconds:.1} s")), latest);
            }
            SessionState::Failed => {
                let finding = match &latest.failure {
                    Some(failure) => failed(
                        format!("{} ({})", failure.what, failure.part),
                        failure.advice.clone(),
                    ),
                    None => failed("it failed without a reason", "Look at the server's log."),
                };
                return (finding, latest);
            }
            state if started.elapsed() > LAUNCH => {
                let what = format!("still {state} after {} s", LAUNCH.as_secs());
                return (
                    failed(
                        what,
                        "Look at the agent in the console, and at the server's log.",
                    ),
                    latest,
                );
            }
            _ => {}
        }
        // The API has events too; for one session a look now and then is simpler.
        tokio::time::sleep(Duration::from_millis(100)).await;
        match client.session(latest.id).await {
            Ok(session) => latest = session,
            Err(error) => return (failed(error, "Look at the server's log."), latest),
        }
    }
}

async fn first_picture(
    client: &Client,
    id: porthole_model::ids::SessionId,
    clicked: Instant,
) -> Finding {
    let picture = async {
        let mut stream = Stream::open(client, id).await?;
        stream.first_picture(Duration::from_secs(15)).await
    };
    match picture.await {
        Ok(picture) => Well(format!(
            "{}×{} through the gateway, {:.1} s after the click",
            picture.width,
            picture.height,
            clicked.elapsed().as_secs_f64()
        )),
        Err(
            error @ ClientError::Closed {
                code: 4502 | 4503, ..
            },
        ) => failed(
            error,
            "The display or its agent does not answer; look at the agent's log.",
        ),
        Err(error) => failed(
            error,
            "If a proxy stands in front, it must pass the Upgrade and Connection headers (docs/guide/reverse-proxy.md).",
        ),
    }
}
