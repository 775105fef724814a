//! The reference of all keys, made from their declaration.

use super::keys::TABLES;
use super::table::{Absent, Key, Keys, Table};

const HEAD: &str = "# The keys of `config.toml`\n\n\
    Every key, the values that it takes, and its default. The `config.toml` of the project shows them at work \
    and explains terms and rules. `veille check --keys` prints this page.\n";

/// Returns the reference of all keys in Markdown (`docs/config.md`).
#[must_use]
pub fn reference() -> String {
    let tables = TABLES.iter().filter(|table| !table.written.is_empty());
    HEAD.to_owned() + &tables.map(|table| section(table)).collect::<String>()
}

fn section(table: &Table) -> String {
    format!("\n## `{}`\n", table.written) + &table.groups.iter().map(group).collect::<String>()
}

fn group(group: &Keys) -> String {
    let keys = group.keys.iter().map(key).collect::<String>();
    format!("\n{}\n{}{keys}", group.about.trim(), if keys.is_empty() { "" } else { "\n" })
}

fn key(key: &Key) -> String {
    let absent = match key.absent {
        Absent::Default(toml) => format!("Default: `{toml}`."),
        Absent::Means(text) => format!("Default: {text}."),
        Absent::Refused => "Required.".to_owned(),
    };
    let about = if key.about.is_empty() { String::new() } else { format!("{}  \n  ", key.about.trim()) };
    format!("- **`{}`** {about}Must be {}. {absent}\n", key.name, key.wanted)
}
