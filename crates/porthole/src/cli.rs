//! The command line.

use crate::{agent, config, doctor, group_settings, logging, serve, user};
use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode};

/// Desktops, browsers and applications in containers, in a browser tab.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server, by default with an agent on this machine.
    Serve(Common),
    /// Run an agent on another machine; it dials out and needs no open port.
    Agent(Agent),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Check engine, storage, port, images, certificate, and the whole path from browser to
    /// display with a throw-away session; name the part that fails.
    Doctor(Common),
    /// Help users who cannot sign in.
    #[command(subcommand)]
    User(UserCommand),
}

/// Where the configuration comes from.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// The configuration file.
    #[arg(long, env = "PORTHOLE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where everything is kept.
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// Address and port to listen on, such as 127.0.0.1:8443.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Any setting, such as `agent.warm_displays=4`; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    set: Vec<(String, String)>,
}

#[derive(Debug, Args)]
struct Agent {
    /// The server's address, such as https://porthole.example.com.
    #[arg(long, env = "PORTHOLE_SERVER", value_name = "URL")]
    server: String,
    /// The token that the console showed when the agent was added.
    #[arg(
        long,
        env = "PORTHOLE_AGENT_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    token: String,
    /// A PEM file with the authority that signed the server's certificate.
    #[arg(long, env = "PORTHOLE_AGENT_CA", value_name = "FILE")]
    ca: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Read everything and say what is wrong, with its place.
    Check(Common),
    /// Print every setting with its default and meaning, in Markdown.
    Reference,
    /// Print every setting that groups can have, in Markdown.
    GroupSettings,
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Give a user a new password (generated, or the first line of standard input), and unlock.
    Password {
        /// The user's name, such as admin@kasm.local.
        username: String,
        /// Read the password from standard input.
        #[arg(long)]
        stdin: bool,
        #[command(flatten)]
        common: Common,
    },
}

fn key_value(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
        .ok_or_else(|| format!("{text:?} is not KEY=VALUE"))
}

impl Common {
    fn load(&self) -> Result<config::Config, config::ConfigError> {
        let mut flags = self.set.clone();
        if let Some(folder) = &self.data_dir {
            flags.push(("data_dir".into(), folder.display().to_string()));
        }
        if let Some(address) = &self.listen {
            flags.push(("listen".into(), address.clone()));
        }
        config::load(&config::sources(self.config.as_deref(), flags))
    }
}

/// Runs the command.
///
/// # Errors
/// What failed, to be printed.
pub async fn run(arguments: Arguments) -> Result<ExitCode> {
    match arguments.command {
        Command::Serve(common) => {
            let config = common.load()?;
            logging::start(&config.log)?;
            serve::run(config).await?;
        }
        Command::Agent(arguments) => {
            let config = arguments.common.load()?;
            logging::start(&config.log)?;
            agent::run(
                &config,
                &arguments.server,
                &arguments.token,
                arguments.ca.as_deref(),
            )
            .await?;
        }
        Command::Config(ConfigCommand::Check(common)) => {
            let config = common.load()?;
            println!(
                "The configuration is valid. Porthole would listen on {}.",
                config.listen
            );
        }
        Command::Config(ConfigCommand::Reference) => print!("{}", config::reference()),
        Command::Config(ConfigCommand::GroupSettings) => print!("{}", group_settings::reference()),
        Command::Doctor(common) => return doctor::run(&common.load()?).await,
        Command::User(UserCommand::Password {
            username,
            stdin,
            common,
        }) => {
            user::password(&common.load()?, &username, stdin).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
