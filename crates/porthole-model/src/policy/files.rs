//! What a session's policy says about its files.

use super::{
    ALLOW_DOWNLOADS, ALLOW_UPLOADS, DOWNLOAD_SIZE, Declaration, EffectivePolicy, UPLOAD_SIZE,
};
use crate::{
    files::{DeniedFiles, DirectionRules, FileRules},
    resources::Bytes,
};

/// What the settings of sizes count.
const MEGABYTE: u64 = 1_000_000;

impl EffectivePolicy {
    /// The rules for files, with what the installation denies to all.
    pub fn file_rules(&self, denied: &DeniedFiles) -> FileRules {
        let rules = |allowed: &Declaration, size: &Declaration| DirectionRules {
            allowed: self.allows(allowed),
            max_size: Bytes(u64::from(self.number(size)) * MEGABYTE),
            names_denied: denied.names.clone(),
            types_denied: denied.types.clone(),
            ..DirectionRules::default()
        };
        FileRules {
            upload: rules(&ALLOW_UPLOADS, &UPLOAD_SIZE),
            download: rules(&ALLOW_DOWNLOADS, &DOWNLOAD_SIZE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::DEFAULT_MAX_SIZE;
    use serde_json::json;

    #[test]
    fn each_direction_has_its_own_settings() {
        let denied = DeniedFiles {
            names: vec!["*.exe".parse().unwrap()],
            types: vec!["video/*".parse().unwrap()],
        };
        let policy = EffectivePolicy::default()
            .with(&ALLOW_DOWNLOADS, json!(false))
            .with(&UPLOAD_SIZE, json!(500));
        let rules = policy.file_rules(&denied);
        assert!(rules.upload.allowed && !rules.download.allowed);
        assert_eq!(rules.upload.max_size, Bytes(500_000_000));
        assert_eq!(rules.download.max_size, DEFAULT_MAX_SIZE);
        for rules in [&rules.upload, &rules.download] {
            assert_eq!(rules.names_denied, denied.names);
            assert_eq!(rules.types_denied, denied.types);
        }
    }
}
