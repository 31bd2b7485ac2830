//! What holds for a user, and which group decided.

use super::{
    ExpiryAction,
    declarations::{
        Declaration, KEEPALIVE_EXPIRATION_ACTION, Kind, Merge, RUN_CONFIG, SETTINGS, USAGE_LIMIT,
    },
    usage::UsageLimit,
};
use crate::ids::GroupId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A group of the user with what it sets.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupSettings {
    /// The group.
    pub id: GroupId,
    /// Its name.
    pub name: String,
    /// The lower number decides.
    pub priority: i32,
    /// The settings that it has. Names that nobody declares, and values that are none, are left
    /// alone: an older or a newer version wrote them.
    pub values: BTreeMap<String, Value>,
}

/// A group that had a say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = DecidingGroup)]
pub struct Decider {
    /// The group.
    pub id: GroupId,
    /// Its name.
    pub name: String,
    /// Its priority; the lower number decides.
    pub priority: i32,
}

/// What a group says in vain, because a weightier one says something else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = OverruledGroup)]
pub struct Overruled {
    /// The group.
    pub group: Decider,
    /// Its value.
    #[schema(value_type = Object)]
    pub value: Value,
}

/// A setting as it holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EffectiveSetting {
    /// The value.
    pub value: Value,
    /// The groups that it comes from, the weightiest first; none for the default.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decided_by: Vec<Decider>,
    /// The groups that are overruled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overruled: Vec<Overruled>,
}

/// Every setting as it holds for a user. The default has each setting's own default.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EffectivePolicy(BTreeMap<String, EffectiveSetting>);

impl EffectivePolicy {
    /// What holds for a member of these groups. `defaults` are the installation's own, where they
    /// differ from the declared ones.
    pub fn of(groups: &[GroupSettings], defaults: &BTreeMap<&str, Value>) -> Self {
        let mut groups: Vec<&GroupSettings> = groups.iter().collect();
        // The id at last, so that the answer never depends on the order of the rows.
        groups.sort_by(|a, b| (a.priority, &a.name, a.id).cmp(&(b.priority, &b.name, b.id)));
        groups.dedup_by_key(|group| group.id);
        let settings = SETTINGS.into_iter().map(|declared| {
            let default = defaults
                .get(declared.name)
                .and_then(|value| declared.check(value).ok())
                .unwrap_or_else(|| declared.default());
            (declared.name.to_owned(), merge(declared, &groups, default))
        });
        Self(settings.collect())
    }

    /// A setting with the groups behind it.
    pub fn get(&self, setting: &Declaration) -> EffectiveSetting {
        self.0
            .get(setting.name)
            .cloned()
            .unwrap_or_else(|| EffectiveSetting {
                value: setting.default(),
                decided_by: Vec::new(),
                overruled: Vec::new(),
            })
    }

    /// The same, with another value for one setting, as an installation's own default.
    #[must_use]
    pub fn with(mut self, setting: &Declaration, value: Value) -> Self {
        let decided = EffectiveSetting {
            value,
            decided_by: Vec::new(),
            overruled: Vec::new(),
        };
        self.0.insert(setting.name.to_owned(), decided);
        self
    }

    fn value(&self, setting: &Declaration) -> Option<&Value> {
        self.0.get(setting.name).map(|setting| &setting.value)
    }

    /// Whether a switch is on.
    pub fn allows(&self, setting: &Declaration) -> bool {
        let default = matches!(setting.kind, Kind::Switch { default: true });
        self.value(setting)
            .and_then(Value::as_bool)
            .unwrap_or(default)
    }

    /// A number.
    pub fn number(&self, setting: &Declaration) -> u32 {
        let default = match setting.kind {
            Kind::Number { default, .. } => default,
            _ => 0,
        };
        self.value(setting)
            .and_then(Value::as_u64)
            .and_then(|number| number.try_into().ok())
            .unwrap_or(default)
    }

    /// What happens to a session whose clock runs out.
    pub fn expiry_action(&self) -> ExpiryAction {
        match self
            .value(&KEEPALIVE_EXPIRATION_ACTION)
            .and_then(Value::as_str)
        {
            Some("stop") => ExpiryAction::Stop,
            _ => ExpiryAction::Delete,
        }
    }

    /// The limit on hours, where there is one.
    pub fn usage_limit(&self) -> Option<UsageLimit> {
        serde_json::from_value(self.value(&USAGE_LIMIT)?.clone()).ok()?
    }

    /// Variables for the workspace's container.
    pub fn environment(&self) -> BTreeMap<String, String> {
        self.value(&RUN_CONFIG)
            .and_then(|config| config.get("environment"))
            .and_then(|environment| serde_json::from_value(environment.clone()).ok())
            .unwrap_or_default()
    }

    /// The group that decided a setting, or the words for the default; for messages.
    pub fn source(&self, setting: &Declaration) -> String {
        match self
            .0
            .get(setting.name)
            .and_then(|setting| setting.decided_by.first())
        {
            Some(group) => format!("group {}", group.name),
            None => "default".into(),
        }
    }
}

fn merge(declared: &Declaration, groups: &[&GroupSettings], default: Value) -> EffectiveSetting {
    let mut decided: Option<Value> = None;
    let mut decided_by = Vec::new();
    let mut overruled = Vec::new();
    for group in groups {
        let value = group.values.get(declared.name);
        let Some(value) = value.and_then(|value| declared.check(value).ok()) else {
            continue;
        };
        let who = Decider {
            id: group.id,
            name: group.name.clone(),
            priority: group.priority,
        };
        decided = Some(match (decided, declared.merge) {
            (None, _) => {
                decided_by.push(who);
                value
            }
            (Some(weightier), Merge::Priority) => {
                overruled.push(Overruled { group: who, value });
                weightier
            }
            (Some(weightier), Merge::Combine) => {
                decided_by.push(who);
                declared.combine(&weightier, &value)
            }
        });
    }
    EffectiveSetting {
        value: decided.unwrap_or(default),
        decided_by,
        overruled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{MAX_SESSIONS, setting};
    use proptest::prelude::*;
    use serde_json::json;
    use uuid::Uuid;

    fn values() -> impl Strategy<Value = BTreeMap<String, Value>> {
        let number = proptest::option::of(1u32..9).prop_map(|n| n.map(|n| json!(n)));
        let switch = proptest::option::of(any::<bool>()).prop_map(|b| b.map(Value::Bool));
        let environment =
            proptest::option::of(proptest::collection::btree_map("[ABC]", "[xyz]", 0..3))
                .prop_map(|e| e.map(|e| json!({ "environment": e })));
        (number, switch, environment).prop_map(|(number, switch, environment)| {
            [
                ("max_kasms_per_user", number),
                ("allow_kasm_stop", switch),
                ("run_config", environment),
                ("of_another_version", Some(json!(1))),
                ("clipboard_delay", Some(json!("no number"))),
            ]
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect()
        })
    }

    fn groups() -> impl Strategy<Value = Vec<GroupSettings>> {
        let group = (0u128..6, 0i32..4, values());
        proptest::collection::vec(group, 0..6).prop_map(|groups| {
            let mut ids = std::collections::BTreeSet::new();
            groups
                .into_iter()
                .filter(|(id, ..)| ids.insert(*id))
                .map(|(id, priority, values)| GroupSettings {
                    id: GroupId(Uuid::from_u128(id)),
                    name: format!("g{}", id % 3),
                    priority,
                    values,
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn the_order_of_groups_does_not_matter(
            (one, other) in groups().prop_flat_map(|g| (Just(g.clone()), Just(g).prop_shuffle()))
        ) {
            prop_assert_eq!(
                EffectivePolicy::of(&one, &BTreeMap::new()),
                EffectivePolicy::of(&other, &BTreeMap::new())
            );
        }

        #[test]
        fn a_group_named_twice_counts_once(groups in groups()) {
            let twice: Vec<_> = groups.iter().chain(&groups).cloned().collect();
            prop_assert_eq!(
                EffectivePolicy::of(&groups, &BTreeMap::new()),
                EffectivePolicy::of(&twice, &BTreeMap::new())
            );
        }

        /// What was decided, set on one group alone, decides the same.
        #[test]
        fn merging_again_changes_nothing(groups in groups()) {
            let policy = EffectivePolicy::of(&groups, &BTreeMap::new());
            let alone = GroupSettings {
                id: GroupId(Uuid::from_u128(99)),
                name: "alone".into(),
                priority: 1,
                values: policy.0.iter().map(|(n, s)| (n.clone(), s.value.clone())).collect(),
            };
            let again = EffectivePolicy::of(&[alone], &BTreeMap::new());
            for declared in SETTINGS {
                prop_assert_eq!(policy.get(declared).value, again.get(declared).value);
            }
        }

        #[test]
        fn the_lowest_number_that_says_anything_decides(groups in groups()) {
            let policy = EffectivePolicy::of(&groups, &BTreeMap::new());
            for declared in SETTINGS.into_iter().filter(|d| d.merge == Merge::Priority) {
                let effective = policy.get(declared);
                let says = |g: &&GroupSettings| {
                    g.values.get(declared.name).is_some_and(|v| declared.check(v).is_ok())
                };
                let least = groups.iter().filter(says).map(|g| g.priority).min();
                match effective.decided_by.as_slice() {
                    [] => {
                        prop_assert_eq!(least, None);
                        prop_assert_eq!(effective.value, declared.default());
                    }
                    [group] => {
                        prop_assert_eq!(Some(group.priority), least);
                        let set = groups.iter().find(|g| g.id == group.id).unwrap();
                        prop_assert_eq!(&effective.value, &set.values[declared.name]);
                        let others = groups.iter().filter(says).count() - 1;
                        prop_assert_eq!(effective.overruled.len(), others);
                    }
                    several => prop_assert!(false, "{several:?}"),
                }
            }
        }

        /// Every group's variable is there, with the value of the weightiest that has it.
        #[test]
        fn entries_of_all_groups_are_combined(groups in groups()) {
            let policy = EffectivePolicy::of(&groups, &BTreeMap::new());
            let environment = policy.environment();
            let of = |g: &GroupSettings, name: &str| {
                g.values.get("run_config")?["environment"][name].as_str().map(str::to_owned)
            };
            for name in ["A", "B", "C"] {
                let weightiest = groups.iter()
                    .filter(|g| of(g, name).is_some())
                    .min_by_key(|g| (g.priority, g.name.clone(), g.id));
                prop_assert_eq!(
                    environment.get(name).cloned(),
                    weightiest.and_then(|g| of(g, name))
                );
            }
        }
    }

    #[test]
    fn the_installations_default_holds_until_a_group_says_otherwise() {
        let defaults = BTreeMap::from([("max_kasms_per_user", json!(7))]);
        let policy = EffectivePolicy::of(&[], &defaults);
        assert_eq!(policy.number(&MAX_SESSIONS), 7);
        let group = GroupSettings {
            id: GroupId(Uuid::from_u128(1)),
            name: "Contractors".into(),
            priority: 10,
            values: BTreeMap::from([("max_kasms_per_user".to_owned(), json!(1))]),
        };
        let policy = EffectivePolicy::of(&[group], &defaults);
        assert_eq!(policy.number(&MAX_SESSIONS), 1);
        assert_eq!(policy.source(&MAX_SESSIONS), "group Contractors");
    }

    #[test]
    fn what_is_stored_with_a_session_reads_back() {
        let policy = EffectivePolicy::of(&[], &BTreeMap::new());
        let text = serde_json::to_string(&policy).unwrap();
        assert_eq!(
            serde_json::from_str::<EffectivePolicy>(&text).unwrap(),
            policy
        );
        // A session of before there was policy.
        let none: EffectivePolicy = serde_json::from_str("{}").unwrap();
        for declared in SETTINGS {
            assert_eq!(none.get(declared).value, declared.default());
        }
        assert!(setting("nothing").is_none());
    }
}
