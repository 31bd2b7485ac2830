//! The configuration: one file, then the environment, then flags; later wins.
//!
//! Every setting is declared once, in [`SETTINGS`]; the environment's names, `porthole config
//! reference` and `docs/reference/configuration.md` come from that table.

use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// One setting.
pub struct Setting {
    /// Its place in the file, such as `tls.certificate`.
    pub key: &'static str,
    /// Its default, as TOML; empty where the default depends on another setting.
    pub default: &'static str,
    /// What it does, with unit and range.
    pub description: &'static str,
}

/// Every setting there is.
pub const SETTINGS: &[Setting] = &[
    Setting {
        key: "name",
        default: "\"Porthole\"",
        description: "The installation's name, shown at the login.",
    },
    Setting {
        key: "data_dir",
        default: "\"/var/lib/porthole\"",
        description: "Where everything is kept: database, certificates, keys, sessions' sockets.",
    },
    Setting {
        key: "listen",
        default: "\"0.0.0.0:8443\"",
        description: "Address and port to listen on.",
    },
    Setting {
        key: "database",
        default: "",
        description: "The database's URL: `sqlite:///path/file.db` or `postgres://…`. Default: `porthole.db` in the data directory.",
    },
    Setting {
        key: "tls.enabled",
        default: "true",
        description: "Whether to speak HTTPS. Switch off only behind a proxy that does and sends `X-Forwarded-Proto: https`.",
    },
    Setting {
        key: "tls.certificate",
        default: "",
        description: "PEM file with the certificate and its chain. Default: `certs/kasm_nginx.crt` in the data directory, made self-signed at the first start. A changed file is picked up without a restart.",
    },
    Setting {
        key: "tls.key",
        default: "",
        description: "PEM file with the private key. Default: `certs/kasm_nginx.key` in the data directory.",
    },
    Setting {
        key: "proxy.trusted",
        default: "[]",
        description: "Networks of proxies, besides this machine itself, whose `X-Forwarded-For`, `-Proto` and `-Host` headers are believed.",
    },
    Setting {
        key: "log.level",
        default: "\"info\"",
        description: "What is logged: `error`, `warn`, `info`, `debug`, `trace`, or directives such as `info,porthole_agent=debug`.",
    },
    Setting {
        key: "log.format",
        default: "\"text\"",
        description: "`text` for people, `json` for machines: one object a line.",
    },
    Setting {
        key: "session.keepalive_seconds",
        default: "3600",
        description: "How long a session lives on after its last viewer left, in seconds, 60 to 2,592,000, where no group sets `keepalive_expiration`.",
    },
    Setting {
        key: "session.max_per_user",
        default: "5",
        description: "How many sessions one user may have at a time, 1 to 1,000, where no group sets `max_kasms_per_user`.",
    },
    Setting {
        key: "agent.enabled",
        default: "true",
        description: "Whether this process runs sessions on this machine.",
    },
    Setting {
        key: "agent.name",
        default: "",
        description: "The local agent's name. Default: the host's name.",
    },
    Setting {
        key: "agent.engine",
        default: "\"unix:///var/run/docker.sock\"",
        description: "The container engine's API: a Docker or Podman socket.",
    },
    Setting {
        key: "agent.display_image",
        default: "\"porthole/display:0.1.0\"",
        description: "The image of the display containers.",
    },
    Setting {
        key: "agent.warm_displays",
        default: "2",
        description: "How many displays wait ready, 0 to 64. Each takes about 50 MB.",
    },
    Setting {
        key: "agent.cpu_overcommit",
        default: "4.0",
        description: "How many cores are offered for each real one, 1 to 64. Desktops idle most of the time.",
    },
    Setting {
        key: "agent.memory_reserve_mib",
        default: "1024",
        description: "Memory in MiB that is never offered to sessions.",
    },
    Setting {
        key: "agent.pids_limit",
        default: "2048",
        description: "The largest number of processes and threads in a session, 64 to 65,536.",
    },
];

/// The configuration as the program uses it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// See [`SETTINGS`], as all that follow.
    pub name: String,
    pub data_dir: PathBuf,
    pub listen: SocketAddr,
    pub database: Option<String>,
    pub tls: Tls,
    pub proxy: Proxy,
    pub log: Log,
    pub session: Session,
    pub agent: LocalAgent,
}

/// The `tls` section.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    pub enabled: bool,
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
}

/// The `proxy` section.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proxy {
    pub trusted: Vec<String>,
}

/// The `log` section.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub level: String,
    pub format: LogFormat,
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The `session` section.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    pub keepalive_seconds: u64,
    pub max_per_user: u32,
}

/// The `agent` section.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalAgent {
    pub enabled: bool,
    pub name: Option<String>,
    pub engine: String,
    pub display_image: String,
    pub warm_displays: u16,
    pub cpu_overcommit: f64,
    pub memory_reserve_mib: u64,
    pub pids_limit: u32,
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {path}: {error}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{path} is not valid TOML: {error}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and what.
        error: Box<toml::de::Error>,
    },
    /// No such setting.
    #[error("{origin}: there is no setting {key:?}{hint}")]
    Unknown {
        /// Where it was given.
        origin: String,
        /// What was given.
        key: String,
        /// A setting with a similar name.
        hint: String,
    },
    /// A value that does not fit.
    #[error("{key} = {value} ({origin}): {why}")]
    Value {
        /// The setting.
        key: String,
        /// The value.
        value: String,
        /// Where it was given.
        origin: String,
        /// What would fit.
        why: String,
    },
}

/// Where values come from, in the order in which later ones win.
#[derive(Debug, Default, Clone)]
pub struct Sources {
    /// The file; `None` for the default place, which may be absent.
    pub file: Option<PathBuf>,
    /// The process's environment.
    pub environment: BTreeMap<String, String>,
    /// Flags: key and value.
    pub flags: Vec<(String, String)>,
}

/// Where the file is looked for when none is named.
pub const DEFAULT_FILE: &str = "/etc/porthole/porthole.toml";

/// The environment variable of a setting.
pub fn variable(key: &str) -> String {
    format!("PORTHOLE_{}", key.replace('.', "_").to_uppercase())
}

type Layer = BTreeMap<String, (toml::Value, String)>;

/// Reads and checks the configuration.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn load(sources: &Sources) -> Result<Config, ConfigError> {
    let mut values = Layer::new();
    for setting in SETTINGS
        .iter()
        .filter(|setting| !setting.default.is_empty())
    {
        let value = parse_toml(setting.default)
            .unwrap_or_else(|| toml::Value::String(setting.default.into()));
        values.insert(setting.key.into(), (value, "default".into()));
    }
    read_file(sources, &mut values)?;
    for setting in SETTINGS {
        let name = variable(setting.key);
        if let Some(text) = sources
            .environment
            .get(&name)
            .filter(|text| !text.is_empty())
        {
            set_text(
                &mut values,
                setting.key,
                text,
                &format!("environment variable {name}"),
            );
        }
    }
    for (key, text) in &sources.flags {
        known(key, "flag")?;
        set_text(&mut values, key, text, "flag");
    }
    check_ranges(&values)?;
    assemble(&values)
}

fn read_file(sources: &Sources, values: &mut Layer) -> Result<(), ConfigError> {
    let path = sources
        .file
        .clone()
        .unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && sources.file.is_none() => {
            return Ok(());
        }
        Err(error) => return Err(ConfigError::Read { path, error }),
    };
    let table: toml::Table = text.parse().map_err(|error| ConfigError::Syntax {
        path: path.clone(),
        error: Box::new(error),
    })?;
    let origin = path.display().to_string();
    for (key, value) in flatten("", table) {
        known(&key, &origin)?;
        values.insert(key, (value, origin.clone()));
    }
    Ok(())
}

fn flatten(prefix: &str, table: toml::Table) -> Vec<(String, toml::Value)> {
    table
        .into_iter()
        .flat_map(|(key, value)| {
            let key = if prefix.is_empty() {
                key
            } else {
                format!("{prefix}.{key}")
            };
            match value {
                toml::Value::Table(inner) => flatten(&key, inner),
                value => vec![(key, value)],
            }
        })
        .collect()
}

fn known(key: &str, origin: &str) -> Result<(), ConfigError> {
    if SETTINGS.iter().any(|setting| setting.key == key) {
        return Ok(());
    }
    let last = key.rsplit('.').next().unwrap_or(key);
    let hint = SETTINGS
        .iter()
        .find(|setting| setting.key.rsplit('.').next() == Some(last))
        .map(|setting| format!("; did you mean {}?", setting.key))
        .unwrap_or_default();
    Err(ConfigError::Unknown {
        origin: origin.into(),
        key: key.into(),
        hint,
    })
}

/// Text from outside the file takes the type that the default has; lists are split at commas.
fn set_text(values: &mut Layer, key: &str, text: &str, origin: &str) {
    let default = SETTINGS
        .iter()
        .find(|setting| setting.key == key)
        .map_or("", |s| s.default);
    let value = match parse_toml(default) {
        Some(toml::Value::Array(_)) => toml::Value::Array(
            text.split(',')
                .map(|item| toml::Value::String(item.trim().into()))
                .collect(),
        ),
        Some(toml::Value::Integer(_) | toml::Value::Float(_) | toml::Value::Boolean(_)) => {
            parse_toml(text).unwrap_or_else(|| toml::Value::String(text.into()))
        }
        _ => toml::Value::String(text.into()),
    };
    values.insert(key.into(), (value, origin.into()));
}

fn parse_toml(text: &str) -> Option<toml::Value> {
    format!("x = {text}")
        .parse::<toml::Table>()
        .ok()?
        .remove("x")
}

fn check_ranges(values: &Layer) -> Result<(), ConfigError> {
    let ranges: &[(&str, f64, f64)] = &[
        ("session.keepalive_seconds", 60.0, 2_592_000.0),
        ("session.max_per_user", 1.0, 1000.0),
        ("agent.warm_displays", 0.0, 64.0),
        ("agent.cpu_overcommit", 1.0, 64.0),
        ("agent.memory_reserve_mib", 0.0, 1_048_576.0),
        ("agent.pids_limit", 64.0, 65_536.0),
    ];
    for &(key, least, most) in ranges {
        let Some((value, origin)) = values.get(key) else {
            continue;
        };
        let number = value
            .as_float()
            .or_else(|| value.as_integer().map(|number| number as f64));
        let why = match number {
            None => "a number is expected".to_owned(),
            Some(number) if !(least..=most).contains(&number) => {
                format!("{least} to {most} is allowed")
            }
            Some(_) => continue,
        };
        return Err(ConfigError::Value {
            key: key.into(),
            value: value.to_string(),
            origin: origin.clone(),
            why,
        });
    }
    Ok(())
}

fn assemble(values: &Layer) -> Result<Config, ConfigError> {
    let mut root = toml::Table::new();
    for (key, (value, _)) in values {
        // A whole number is as good as a fraction where one is expected.
        let value = match value {
            toml::Value::Integer(number) if key == "agent.cpu_overcommit" => {
                toml::Value::Float(*number as f64)
            }
            value => value.clone(),
        };
        match key.split_once('.') {
            Some((section, field)) => {
                let section = root
                    .entry(section)
                    .or_insert_with(|| toml::Value::Table(toml::Table::new()));
                if let toml::Value::Table(section) = section {
                    section.insert(field.into(), value);
                }
            }
            None => {
                root.insert(key.clone(), value);
            }
        }
    }
    // One value at a time, so that the message can name the place it came from.
    for (key, (value, origin)) in values {
        if let Err(why) = check_type(key, value) {
            return Err(ConfigError::Value {
                key: key.clone(),
                value: value.to_string(),
                origin: origin.clone(),
                why,
            });
        }
    }
    root.try_into()
        .map_err(|error: toml::de::Error| ConfigError::Value {
            key: "configuration".into(),
            value: String::new(),
            origin: "all sources".into(),
            why: error.message().to_owned(),
        })
}

fn check_type(key: &str, value: &toml::Value) -> Result<(), String> {
    match key {
        "listen" => value
            .as_str()
            .and_then(|text| text.parse::<SocketAddr>().ok())
            .map(|_| ())
            .ok_or_else(|| "an address with a port is expected, such as 0.0.0.0:8443".into()),
        "log.format" => match value.as_str() {
            Some("text" | "json") => Ok(()),
            _ => Err("text or json is expected".into()),
        },
        _ => {
            let default = SETTINGS
                .iter()
                .find(|s| s.key == key)
                .map_or("", |s| s.default);
            let wanted = parse_toml(default).unwrap_or(toml::Value::String(String::new()));
            let number = |v: &toml::Value| v.is_integer() || v.is_float();
            if wanted.type_str() == value.type_str() || (wanted.is_float() && number(value)) {
                Ok(())
            } else {
                Err(format!("a value of type {} is expected", wanted.type_str()))
            }
        }
    }
}

impl Config {
    /// The certificate's file.
    pub fn certificate(&self) -> PathBuf {
        self.tls
            .certificate
            .clone()
            .unwrap_or_else(|| self.data_dir.join("certs/kasm_nginx.crt"))
    }

    /// The private key's file.
    pub fn key(&self) -> PathBuf {
        self.tls
            .key
            .clone()
            .unwrap_or_else(|| self.data_dir.join("certs/kasm_nginx.key"))
    }

    /// The database's URL.
    pub fn database(&self) -> String {
        self.database.clone().unwrap_or_else(|| {
            format!(
                "sqlite://{}?mode=rwc",
                self.data_dir.join("porthole.db").display()
            )
        })
    }

    /// Where a person on this machine finds the console.
    pub fn local_url(&self) -> String {
        let host = match self.listen.ip() {
            ip if ip.is_unspecified() => "localhost".to_owned(),
            std::net::IpAddr::V6(ip) => format!("[{ip}]"),
            std::net::IpAddr::V4(ip) => ip.to_string(),
        };
        let scheme = if self.tls.enabled { "https" } else { "http" };
        match (scheme, self.listen.port()) {
            ("https", 443) | ("http", 80) => format!("{scheme}://{host}"),
            (_, port) => format!("{scheme}://{host}:{port}"),
        }
    }
}

/// The reference page, in Markdown.
pub fn reference() -> String {
    let mut page = String::from(
        "# Configuration\n\nGenerated by `porthole config reference`; do not edit.\n\n\
         One file (`/etc/porthole/porthole.toml`, or `--config FILE`), then the environment, then \
         flags (`--set key=value`); later wins. `porthole config check` reads them and says what \
         is wrong, with its place.\n\n\
         At the first start only, `PORTHOLE_ADMIN_PASSWORD` and `PORTHOLE_USER_PASSWORD` give the \
         passwords of `admin@kasm.local` and `user@kasm.local`; without them they are generated \
         and shown once.\n\n\
         | setting | environment | default | meaning |\n| --- | --- | --- | --- |\n",
    );
    for setting in SETTINGS {
        let default = if setting.default.is_empty() {
            "–"
        } else {
            setting.default
        };
        let _ = writeln!(
            page,
            "| `{}` | `{}` | `{default}` | {} |",
            setting.key,
            variable(setting.key),
            setting.description
        );
    }
    page
}

/// The configuration's sources as this process was given them.
pub fn sources(file: Option<&Path>, flags: Vec<(String, String)>) -> Sources {
    Sources {
        file: file.map(Path::to_path_buf),
        environment: std::env::vars()
            .filter(|(name, _)| name.starts_with("PORTHOLE_"))
            .collect(),
        flags,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_file(text: &str) -> (PathBuf, Sources) {
        let path =
            std::env::temp_dir().join(format!("porthole-config-{}.toml", rand::random::<u64>()));
        std::fs::write(&path, text).unwrap();
        (
            path.clone(),
            Sources {
                file: Some(path),
                ..Sources::default()
            },
        )
    }

    #[test]
    fn defaults_are_complete() {
        let (path, sources) = from_file("");
        let config = load(&sources).unwrap();
        assert_eq!(config.listen.port(), 8443);
        assert_eq!(
            config.certificate(),
            Path::new("/var/lib/porthole/certs/kasm_nginx.crt")
        );
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn flags_win_over_environment_over_file() {
        let (path, mut sources) =
            from_file("listen = \"127.0.0.1:1\"\n[agent]\nwarm_displays = 7\n");
        assert_eq!(load(&sources).unwrap().listen.port(), 1);
        assert_eq!(load(&sources).unwrap().agent.warm_displays, 7);
        sources
            .environment
            .insert("PORTHOLE_LISTEN".into(), "127.0.0.1:2".into());
        sources
            .environment
            .insert("PORTHOLE_AGENT_WARM_DISPLAYS".into(), "3".into());
        assert_eq!(load(&sources).unwrap().listen.port(), 2);
        assert_eq!(load(&sources).unwrap().agent.warm_displays, 3);
        sources.flags.push(("listen".into(), "127.0.0.1:3".into()));
        assert_eq!(load(&sources).unwrap().listen.port(), 3);
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn errors_name_place_and_remedy() {
        for (text, expected) in [
            ("lisen = 1", "there is no setting \"lisen\""),
            ("warm_displays = 1", "did you mean agent.warm_displays?"),
            ("listen = \"8443\"", "an address with a port is expected"),
            ("[agent]\nwarm_displays = 65", "0 to 64 is allowed"),
            ("[agent]\nwarm_displays = \"many\"", "a number is expected"),
            (
                "[tls]\nenabled = \"yes\"",
                "a value of type boolean is expected",
            ),
            ("x = ", "is not valid TOML"),
        ] {
            let (path, sources) = from_file(text);
            let error = load(&sources).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
            std::fs::remove_file(path).unwrap();
        }
    }

    #[test]
    fn reference_page_is_current() {
        // Tests run in their package's folder.
        let page = "../../docs/reference/configuration.md";
        let committed = std::fs::read_to_string(page).unwrap_or_default();
        assert_eq!(
            committed,
            reference(),
            "run: porthole config reference > docs/reference/configuration.md"
        );
    }
}
