//! How long a source file may be.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Lines. Beyond this a reader no longer finds the room they look for.
const LIMIT: usize = 800;

/// Files that are allowed to be longer, each with the reason.
const ALLOWED: &[(&str, &str)] = &[];

/// One message per file that is too long, and per entry of the list that is no longer needed.
///
/// # Errors
/// When git cannot list the files, or one cannot be read.
pub fn check(root: &Path) -> Result<Vec<String>> {
    let output = Command::new("git")
        .args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "-z",
        ])
        .args(["*.rs", "*.ts", "*.tsx", "*.sh", "*.py"])
        .current_dir(root)
        .output()
        .context("git ls-files")?;
    ensure!(
        output.status.success(),
        "git ls-files: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let list = String::from_utf8(output.stdout).context("a file name is not UTF-8")?;
    let mut files = Vec::new();
    for name in list.split('\0').filter(|name| !name.is_empty()) {
        let path = root.join(name);
        // Listed by git, but deleted in the working tree.
        if !path.is_file() {
            continue;
        }
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {name}"))?;
        files.push((
            name.to_owned(),
            text.lines().count(),
            is_generated(name, &text),
        ));
    }
    Ok(judge(&files, ALLOWED))
}

fn is_generated(name: &str, text: &str) -> bool {
    name.ends_with(".d.ts")
        || name
            .split('/')
            .any(|part| part == "generated" || part == "gen")
        || text
            .lines()
            .take(5)
            .any(|line| line.contains("@generated") || line.contains("auto-generated"))
}

fn judge(files: &[(String, usize, bool)], allowed: &[(&str, &str)]) -> Vec<String> {
    let mut broken = Vec::new();
    for (name, lines, generated) in files {
        let listed = allowed.iter().any(|(path, _)| path == name);
        if *lines > LIMIT && !generated && !listed {
            broken.push(format!(
                "{name} has {lines} lines, more than {LIMIT}: split it by what a reader looks for, \
                 or list it with a reason in xtask/src/sizes.rs"
            ));
        }
    }
    for (path, _) in allowed {
        let long = files
            .iter()
            .any(|(name, lines, _)| name == path && *lines > LIMIT);
        if !long {
            broken.push(format!(
                "{path} is listed in xtask/src/sizes.rs but is not longer than {LIMIT} lines: take \
                 the entry out"
            ));
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_need_an_entry_and_entries_a_long_file() {
        let files = vec![
            ("a.rs".to_owned(), LIMIT, false),
            ("b.rs".to_owned(), LIMIT + 1, false),
            ("generated/c.ts".to_owned(), 5000, true),
        ];
        let broken = judge(&files, &[]);
        assert_eq!(broken.len(), 1, "{broken:?}");
        assert!(broken[0].starts_with("b.rs"), "{}", broken[0]);
        assert_eq!(judge(&files, &[("b.rs", "a table")]), Vec::<String>::new());
        assert_eq!(
            judge(&files, &[("a.rs", "once"), ("b.rs", "a table")]).len(),
            1
        );
    }
}
