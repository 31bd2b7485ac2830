//! Every group setting there is. Validation, storage, the API, the console's form and
//! `docs/reference/group-settings.md` come from this table.

use super::usage::UsageLimit;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, fmt::Write as _};

/// A setting that groups can have.
#[derive(Debug)]
pub struct Declaration {
    /// Its name in the database and the API; those that Kasm has are called as there.
    pub name: &'static str,
    /// Where it stands in forms and on the reference page.
    pub section: Section,
    /// What values it has, and which of them holds where no group sets it.
    pub kind: Kind,
    /// How the groups of a user come to one value.
    pub merge: Merge,
    /// What it does, for an administrator to read.
    pub description: &'static str,
    /// Who sees to it that it holds.
    pub enforced_by: Enforcer,
}

/// A part of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SettingSection)]
pub enum Section {
    /// How many sessions, how long.
    Sessions,
    /// What a user may do with them.
    Actions,
    /// Text between the session and the user's own machine.
    Clipboard,
    /// How containers are started.
    Containers,
}

/// What values a setting has.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// On or off.
    Switch {
        /// Where no group sets it.
        default: bool,
    },
    /// A whole number.
    Number {
        /// The smallest.
        least: u32,
        /// The largest.
        most: u32,
        /// Counted in.
        unit: Unit,
        /// What zero means, where it is allowed beside the range.
        zero: Option<&'static str>,
        /// Where no group sets it.
        default: u32,
    },
    /// One of these words; the first where no group sets it.
    Choice(&'static [&'static str]),
    /// A [`UsageLimit`]; none where no group sets it.
    UsageLimit,
    /// Keywords of docker-py's `containers.run`; none where no group sets it.
    RunConfig,
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SettingUnit)]
pub enum Unit {
    /// Sessions.
    Sessions,
    /// Seconds.
    Seconds,
    /// Minutes.
    Minutes,
    /// Thousandths of a second.
    Milliseconds,
    /// Bytes.
    Bytes,
}

/// How several groups come to one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SettingMerge)]
pub enum Merge {
    /// Of the groups that set it, the one with the lowest priority number decides.
    Priority,
    /// All groups' entries together; where two have the same entry, as with
    /// [`Priority`](Self::Priority).
    Combine,
}

/// The part that a setting is enforced by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SettingEnforcer)]
pub enum Enforcer {
    /// The server, when something is asked of it.
    Server,
    /// The manager's clocks.
    Manager,
    /// The gateway, on the stream.
    Gateway,
}

/// The longest clock: a year.
const YEAR: u32 = 365 * 24 * 3600;
/// The largest text that goes through the clipboard, in bytes.
const CLIPBOARD_MOST: u32 = 4 * 1024 * 1024;

/// Sessions at a time.
pub static MAX_SESSIONS: Declaration = Declaration {
    name: "max_kasms_per_user",
    section: Section::Sessions,
    kind: Kind::Number {
        least: 1,
        most: 1000,
        unit: Unit::Sessions,
        zero: Some("none at all"),
        default: 5,
    },
    merge: Merge::Priority,
    description: "How many sessions a user may have at a time. Stopped ones count, failed ones do not.",
    enforced_by: Enforcer::Server,
};

/// Sessions of one workspace at a time.
pub static MAX_SESSIONS_PER_WORKSPACE: Declaration = Declaration {
    name: "max_kasms_per_workspace",
    section: Section::Sessions,
    kind: Kind::Number {
        least: 1,
        most: 1000,
        unit: Unit::Sessions,
        zero: Some("no limit of its own"),
        default: 0,
    },
    merge: Merge::Priority,
    description: "How many sessions of the same workspace a user may have at a time.",
    enforced_by: Enforcer::Server,
};

/// Life after the last viewer.
pub static KEEPALIVE_EXPIRATION: Declaration = Declaration {
    name: "keepalive_expiration",
    section: Section::Sessions,
    kind: Kind::Number {
        least: 60,
        most: YEAR,
        unit: Unit::Seconds,
        zero: None,
        default: 3600,
    },
    merge: Merge::Priority,
    description: "How long a session lives on after its last viewer left.",
    enforced_by: Enforcer::Manager,
};

/// What then.
pub static KEEPALIVE_EXPIRATION_ACTION: Declaration = Declaration {
    name: "keepalive_expiration_action",
    section: Section::Sessions,
    kind: Kind::Choice(&["delete", "stop"]),
    merge: Merge::Priority,
    description: "What happens then, and when a usage limit is reached: the session is deleted, or stopped with its disk kept.",
    enforced_by: Enforcer::Manager,
};

/// Life in all.
pub static SESSION_TIME_LIMIT: Declaration = Declaration {
    name: "session_time_limit",
    section: Section::Sessions,
    kind: Kind::Number {
        least: 60,
        most: YEAR,
        unit: Unit::Seconds,
        zero: Some("no limit"),
        default: 0,
    },
    merge: Merge::Priority,
    description: "How long after its request a session is deleted, whatever happens in it. Its user sees the time.",
    enforced_by: Enforcer::Manager,
};

/// Streams without input.
pub static IDLE_DISCONNECT: Declaration = Declaration {
    name: "idle_disconnect",
    section: Section::Sessions,
    kind: Kind::Number {
        least: 1,
        most: 7 * 24 * 60,
        unit: Unit::Minutes,
        zero: Some("never"),
        default: 20,
    },
    merge: Merge::Priority,
    description: "After how long without a key, a pointer or a paste a viewer is disconnected. The session goes on until its clock ends it.",
    enforced_by: Enforcer::Gateway,
};

/// Hours of use.
pub static USAGE_LIMIT: Declaration = Declaration {
    name: "usage_limit",
    section: Section::Sessions,
    kind: Kind::UsageLimit,
    merge: Merge::Priority,
    description: "How many hours sessions may run in a day, a week, a month or in all; counted for each user alone, or for the members of the group together. Days, weeks (from Monday) and months begin at midnight UTC.",
    enforced_by: Enforcer::Manager,
};

/// Deleting one's own.
pub static ALLOW_DELETE: Declaration = Declaration {
    name: "allow_kasm_delete",
    section: Section::Actions,
    kind: Kind::Switch { default: true },
    merge: Merge::Priority,
    description: "Whether users may delete their own sessions. Failed ones can always be dismissed.",
    enforced_by: Enforcer::Server,
};

/// Stopping one's own.
pub static ALLOW_STOP: Declaration = Declaration {
    name: "allow_kasm_stop",
    section: Section::Actions,
    kind: Kind::Switch { default: true },
    merge: Merge::Priority,
    description: "Whether users may stop their own sessions, which keeps the disk and frees cores and memory.",
    enforced_by: Enforcer::Server,
};

/// Out of the session.
pub static ALLOW_CLIPBOARD_DOWN: Declaration = Declaration {
    name: "allow_kasm_clipboard_down",
    section: Section::Clipboard,
    kind: Kind::Switch { default: true },
    merge: Merge::Priority,
    description: "Whether what is copied in the session can be pasted on the user's own machine.",
    enforced_by: Enforcer::Gateway,
};

/// Into the session.
pub static ALLOW_CLIPBOARD_UP: Declaration = Declaration {
    name: "allow_kasm_clipboard_up",
    section: Section::Clipboard,
    kind: Kind::Switch { default: true },
    merge: Merge::Priority,
    description: "Whether what is copied on the user's own machine can be pasted in the session.",
    enforced_by: Enforcer::Gateway,
};

/// Out of the session, each time.
pub static CLIPBOARD_DOWN_SIZE: Declaration = Declaration {
    name: "clipboard_down_size",
    section: Section::Clipboard,
    kind: Kind::Number {
        least: 1,
        most: CLIPBOARD_MOST,
        unit: Unit::Bytes,
        zero: None,
        default: CLIPBOARD_MOST,
    },
    merge: Merge::Priority,
    description: "The largest text that can be copied out of the session at a time; a larger one is held back.",
    enforced_by: Enforcer::Gateway,
};

/// Into the session, each time.
pub static CLIPBOARD_UP_SIZE: Declaration = Declaration {
    name: "clipboard_up_size",
    section: Section::Clipboard,
    kind: Kind::Number {
        least: 1,
        most: CLIPBOARD_MOST,
        unit: Unit::Bytes,
        zero: None,
        default: CLIPBOARD_MOST,
    },
    merge: Merge::Priority,
    description: "The largest text that can be pasted into the session at a time; a larger one is held back.",
    enforced_by: Enforcer::Gateway,
};

/// Between two.
pub static CLIPBOARD_DELAY: Declaration = Declaration {
    name: "clipboard_delay",
    section: Section::Clipboard,
    kind: Kind::Number {
        least: 1,
        most: 600_000,
        unit: Unit::Milliseconds,
        zero: Some("none"),
        default: 0,
    },
    merge: Merge::Priority,
    description: "How long must pass between two texts through the clipboard in the same direction; what comes earlier is held back.",
    enforced_by: Enforcer::Gateway,
};

/// How containers run.
pub static RUN_CONFIG: Declaration = Declaration {
    name: "run_config",
    section: Section::Containers,
    kind: Kind::RunConfig,
    merge: Merge::Combine,
    description: "Keywords of docker-py's containers.run for the workspace's container; environment is the one there is: variables besides the workspace's own, which win.",
    enforced_by: Enforcer::Server,
};

/// Every setting, in the order of forms and of the reference page.
pub static SETTINGS: [&Declaration; 15] = [
    &MAX_SESSIONS,
    &MAX_SESSIONS_PER_WORKSPACE,
    &KEEPALIVE_EXPIRATION,
    &KEEPALIVE_EXPIRATION_ACTION,
    &SESSION_TIME_LIMIT,
    &IDLE_DISCONNECT,
    &USAGE_LIMIT,
    &ALLOW_DELETE,
    &ALLOW_STOP,
    &ALLOW_CLIPBOARD_DOWN,
    &ALLOW_CLIPBOARD_UP,
    &CLIPBOARD_DOWN_SIZE,
    &CLIPBOARD_UP_SIZE,
    &CLIPBOARD_DELAY,
    &RUN_CONFIG,
];

/// The setting of this name.
pub fn setting(name: &str) -> Option<&'static Declaration> {
    SETTINGS.into_iter().find(|setting| setting.name == name)
}

/// What of docker-py's keywords is known.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RunConfig {
    #[serde(default)]
    environment: BTreeMap<String, String>,
}

impl Declaration {
    /// The value where no group sets it.
    pub fn default(&self) -> Value {
        match self.kind {
            Kind::Switch { default } => json!(default),
            Kind::Number { default, .. } => json!(default),
            Kind::Choice(words) => json!(words.first()),
            Kind::UsageLimit => Value::Null,
            Kind::RunConfig => json!({}),
        }
    }

    /// The value as it is stored.
    ///
    /// # Errors
    /// What is wrong with it, and what is expected.
    pub fn check(&self, value: &Value) -> Result<Value, String> {
        match self.kind {
            Kind::Switch { .. } => value
                .as_bool()
                .map(Value::Bool)
                .ok_or_else(|| "true or false is expected".into()),
            Kind::Number {
                least,
                most,
                zero,
                unit,
                ..
            } => {
                // Some clients write whole numbers with a point.
                let whole = value.as_u64().or_else(|| {
                    let number = value.as_f64().filter(|n| n.fract() == 0.0)?;
                    (0.0..=f64::from(u32::MAX))
                        .contains(&number)
                        .then_some(number as u64)
                });
                whole
                    .filter(|number| {
                        (u64::from(least)..=u64::from(most)).contains(number)
                            || (*number == 0 && zero.is_some())
                    })
                    .map(|number| json!(number))
                    .ok_or_else(|| {
                        let mut text = format!(
                            "a whole number from {least} to {most} ({}) is expected",
                            unit.as_str()
                        );
                        if let Some(zero) = zero {
                            // Writing to a String can not fail.
                            let _ = write!(text, ", or 0 for: {zero}");
                        }
                        text
                    })
            }
            Kind::Choice(words) => value
                .as_str()
                .filter(|text| words.contains(text))
                .map(|text| json!(text))
                .ok_or_else(|| format!("one of these is expected: {}", words.join(", "))),
            Kind::UsageLimit => {
                if value.is_null() {
                    return Ok(Value::Null);
                }
                let limit: UsageLimit = serde_json::from_value(value.clone()).map_err(|error| {
                    format!("{error}; such a value is expected: {{\"type\": \"per_user\", \"interval\": \"weekly\", \"hours\": 20}}")
                })?;
                limit.check()?;
                Ok(json!(limit))
            }
            Kind::RunConfig => {
                let config: RunConfig = serde_json::from_value(value.clone()).map_err(|error| {
                    format!("{error}; `environment` is the one keyword there is")
                })?;
                Ok(if config.environment.is_empty() {
                    json!({})
                } else {
                    json!({ "environment": config.environment })
                })
            }
        }
    }

    /// The value that a text stands for, as Kasm's clients write them: `True`, `20.0`, JSON.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn read(&self, text: &str) -> Result<Value, String> {
        let text = text.trim();
        let value = match self.kind {
            Kind::Switch { .. } => match text.to_ascii_lowercase().as_str() {
                "true" => json!(true),
                "false" => json!(false),
                _ => json!(text),
            },
            Kind::Choice(_) => json!(text),
            Kind::UsageLimit if text.is_empty() => Value::Null,
            Kind::RunConfig if text.is_empty() => json!({}),
            Kind::Number { .. } | Kind::UsageLimit | Kind::RunConfig => {
                serde_json::from_str(text).unwrap_or_else(|_| json!(text))
            }
        };
        self.check(&value)
    }

    /// The text that [`read`](Self::read) reads.
    pub fn write(&self, value: &Value) -> String {
        match value {
            Value::Bool(true) => "True".into(),
            Value::Bool(false) => "False".into(),
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        }
    }

    /// Puts the weightier value over the lighter one.
    pub(super) fn combine(&self, weightier: &Value, lighter: &Value) -> Value {
        match self.merge {
            Merge::Priority => weightier.clone(),
            Merge::Combine => united(weightier, lighter),
        }
    }
}

/// Objects entry by entry, to any depth; otherwise the weightier.
fn united(weightier: &Value, lighter: &Value) -> Value {
    let (Value::Object(over), Value::Object(under)) = (weightier, lighter) else {
        return weightier.clone();
    };
    let mut all: Map<String, Value> = under.clone();
    for (key, value) in over {
        let value = under
            .get(key)
            .map_or_else(|| value.clone(), |below| united(value, below));
        all.insert(key.clone(), value);
    }
    Value::Object(all)
}

impl Unit {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::Seconds => "seconds",
            Self::Minutes => "minutes",
            Self::Milliseconds => "milliseconds",
            Self::Bytes => "bytes",
        }
    }
}

impl Section {
    /// All, in their order.
    pub const ALL: [Self; 4] = [
        Self::Sessions,
        Self::Actions,
        Self::Clipboard,
        Self::Containers,
    ];

    /// The heading.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sessions => "Sessions",
            Self::Actions => "What users may do with their sessions",
            Self::Clipboard => "Clipboard",
            Self::Containers => "Containers",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_differ_and_defaults_are_values() {
        let names: BTreeSet<_> = SETTINGS.iter().map(|setting| setting.name).collect();
        assert_eq!(names.len(), SETTINGS.len());
        for declared in SETTINGS {
            let value = declared.default();
            assert_eq!(
                declared.check(&value),
                Ok(value.clone()),
                "{}",
                declared.name
            );
            assert_eq!(
                declared.read(&declared.write(&value)),
                Ok(value),
                "{}",
                declared.name
            );
        }
    }

    #[test]
    fn values_out_of_range_are_refused_with_what_is_expected() {
        for (declared, bad, says) in [
            (&ALLOW_STOP, json!("yes"), "true or false"),
            (&MAX_SESSIONS, json!(1001), "from 1 to 1000 (sessions)"),
            (&MAX_SESSIONS, json!(-1), "or 0 for: none at all"),
            (&MAX_SESSIONS, json!(1.5), "whole number"),
            (&KEEPALIVE_EXPIRATION, json!(0), "from 60"),
            (&KEEPALIVE_EXPIRATION_ACTION, json!("pause"), "delete, stop"),
            (&USAGE_LIMIT, json!({ "hours": 1 }), "missing field"),
            (
                &USAGE_LIMIT,
                json!({ "type": "per_user", "interval": "daily", "hours": 0 }),
                "more than 0",
            ),
            (&RUN_CONFIG, json!({ "privileged": true }), "privileged"),
        ] {
            let error = declared.check(&bad).unwrap_err();
            assert!(error.contains(says), "{}: {error}", declared.name);
        }
    }

    #[test]
    fn kasms_spelling_is_read() {
        assert_eq!(ALLOW_STOP.read("True"), Ok(json!(true)));
        assert_eq!(IDLE_DISCONNECT.read("20.0"), Ok(json!(20)));
        assert_eq!(KEEPALIVE_EXPIRATION_ACTION.read("stop"), Ok(json!("stop")));
        assert!(ALLOW_STOP.read("maybe").is_err());
    }
}
