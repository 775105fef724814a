//! The address of a PostgreSQL database, as libpq reads it: a URL, or `key=value` pairs ("Connection Strings" in its manual).

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use super::StoreError;
use super::tls::Verification;
use crate::config::Secret;
use crate::store::ailment::Ailment;

/// Folders in which servers put their sockets, if the address names no host.
const SOCKET_FOLDERS: [&str; 2] = ["/run/postgresql", "/tmp"];

/// Longest wait for a connection, unless the address says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest time in which the other side may leave what was sent unanswered, unless the address says otherwise.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// Where a database is, and how to get in. Secrets are read anew for each connection, so that they can be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The whole address, which may hold the password.
    pub url: Secret,
    /// The password, if the address does not hold it.
    pub password: Option<Secret>,
}

/// An address that was read.
#[derive(Debug, Clone)]
pub(super) struct Destination {
    pub(super) config: tokio_postgres::Config,
    pub(super) security: Security,
    /// The file with the roots that are trusted, in place of those of the system.
    pub(super) roots: Option<PathBuf>,
}

/// The values of `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Security {
    Disable,
    Allow,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl Security {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "disable" => Self::Disable,
            "allow" => Self::Allow,
            "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => return None,
        })
    }

    /// The ways to be tried one after the other.
    pub(super) fn ways(self) -> &'static [SslMode] {
        match self {
            Self::Disable => &[SslMode::Disable],
            Self::Allow => &[SslMode::Disable, SslMode::Require],
            Self::Prefer => &[SslMode::Prefer, SslMode::Disable],
            Self::Require | Self::VerifyCa | Self::VerifyFull => &[SslMode::Require],
        }
    }

    /// Roots that are named are for use, also with `require`, as libpq has it.
    pub(super) fn verification(self, has_roots: bool) -> Verification {
        match self {
            Self::VerifyFull => Verification::Full,
            Self::VerifyCa => Verification::Chain,
            Self::Require if has_roots => Verification::Chain,
            Self::Disable | Self::Allow | Self::Prefer | Self::Require => Verification::None,
        }
    }
}

impl Address {
    /// Reads the address and its secrets.
    pub(super) fn read(&self) -> Result<Destination, StoreError> {
        let revealed =
            |key: &str, secret: &Secret| secret.reveal().map_err(|why| unreadable(&format!("`{key}`: {why}")));
        let url = revealed("store.url", &self.url)?;
        let mut target = Destination::parse(&url).map_err(|why| unreadable(&why))?;
        if let Some(password) = &self.password {
            target.config.password(revealed("store.password", password)?);
        }
        Ok(target)
    }

    /// Checks an address that stands in the config; where a secret is kept elsewhere, another user may be the one who can
    /// read it.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let Secret::Text(url) = &self.url else { return Ok(()) };
        Destination::parse(url).map(|_| ()).map_err(|why| unreadable(&why))
    }

    /// The database as messages name it: without a password.
    #[must_use]
    pub fn name(&self) -> String {
        self.read().map_or_else(|_| "postgresql:".to_owned(), |target| target.name())
    }
}

/// An address of no use.
fn unreadable(why: &str) -> StoreError {
    StoreError::Open { store: "postgresql:".into(), ailment: Ailment::Address, source: why.to_owned().into() }
}

impl Destination {
    /// Reads an address.
    ///
    /// # Errors
    /// The mistake in it, without the password.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (rest, pairs) = split(text.trim())?;
        let mut config: tokio_postgres::Config = rest.parse().map_err(|error: tokio_postgres::Error| told(&error))?;
        let (mut security, mut roots) = (Security::Prefer, None);
        for (key, value) in pairs {
            match key.as_str() {
                "sslmode" => {
                    security = Security::named(&value).ok_or(
                        "`sslmode` must be `disable`, `allow`, `prefer`, `require`, `verify-ca` or `verify-full`",
                    )?;
                }
                // As in libpq from version 16 on.
                _ if value == "system" => roots = None,
                _ => roots = Some(PathBuf::from(value)),
            }
        }
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            let folder = SOCKET_FOLDERS.into_iter().find(|folder| has_socket(Path::new(folder)));
            config.host_path(folder.unwrap_or(SOCKET_FOLDERS[0]));
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENCE_MAX);
        }
        if config.get_keepalives_interval().is_none() {
            config.keepalives_idle(SILENCE_MAX).keepalives_interval(CONNECT_TIMEOUT).keepalives_retries(3);
        }
        if config.get_application_name().is_none() {
            config.application_name("veille");
        }
        // Of several hosts, the one that takes writes.
        if config.get_hosts().len() > 1 && config.get_target_session_attrs() == TargetSessionAttrs::Any {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        Ok(Self { config, security, roots })
    }

    /// Longest time for a connection with all that is said until it can be used; the driver's own limit ends with the first
    /// answer of the system.
    pub(super) fn patience(&self) -> Duration {
        let each = self.config.get_connect_timeout().copied().unwrap_or(CONNECT_TIMEOUT);
        let hosts = self.config.get_hosts().len().max(self.config.get_hostaddrs().len());
        each.saturating_mul(u32::try_from(hosts + 1).unwrap_or(u32::MAX))
    }

    pub(super) fn name(&self) -> String {
        let config = &self.config;
        let hosts = config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(folder) => folder.display().to_string(),
        });
        let hosts: Vec<String> = if config.get_hosts().is_empty() {
            config.get_hostaddrs().iter().map(ToString::to_string).collect()
        } else {
            hosts.collect()
        };
        let port = config.get_ports().first().filter(|port| **port != 5432);
        let port = port.map_or_else(String::new, |port| format!(":{port}"));
        let user = config.get_user().map_or_else(String::new, |user| format!("{user}@"));
        let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
        format!("postgresql://{user}{}{port}/{database}", hosts.join(","))
    }
}

fn has_socket(folder: &Path) -> bool {
    let is_socket = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with(".s.PGSQL.");
    folder.read_dir().is_ok_and(|files| files.flatten().any(|file| is_socket(&file.file_name())))
}

/// An error of the parser with its cause. Neither shows a value but that of a misnamed option.
fn told(error: &tokio_postgres::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

/// The pairs that the driver does not know, taken out of an address.
fn split(text: &str) -> Result<(String, Vec<(String, String)>), String> {
    let is_ours = |key: &str| key == "sslmode" || key == "sslrootcert";
    let is_url = text.starts_with("postgresql://") || text.starts_with("postgres://");
    if !is_url {
        let (mut rest, mut ours) = (String::new(), Vec::new());
        for (key, value) in pairs(text)? {
            if is_ours(&key) {
                ours.push((key, value));
            } else {
                let value = value.replace('\\', "\\\\").replace('\'', "\\'");
                rest.push_str(&format!("{key}='{value}' "));
            }
        }
        return Ok((rest, ours));
    }
    let Some((before, query)) = text.split_once('?') else { return Ok((text.to_owned(), Vec::new())) };
    let (mut rest, mut ours) = (Vec::new(), Vec::new());
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some((key, value)) if is_ours(key) => {
                let value = percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned();
                ours.push((key.to_owned(), value));
            }
            _ => rest.push(pair),
        }
    }
    Ok((if rest.is_empty() { before.to_owned() } else { format!("{before}?{}", rest.join("&")) }, ours))
}

/// The pairs of an address that is no URL.
fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut letters = text.chars().peekable();
    let mut pairs = Vec::new();
    loop {
        while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
        if letters.peek().is_none() {
            return Ok(pairs);
        }
        let mut key = String::new();
        while let Some(letter) = letters.next_if(|letter| *letter != '=' && !letter.is_whitespace()) {
            key.push(letter);
        }
        while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
        if letters.next_if_eq(&'=').is_none() {
            return Err(format!("`{key}` has no value: write `{key}=…`, or a URL that begins with `postgresql://`"));
        }
        while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
        let is_quoted = letters.next_if_eq(&'\'').is_some();
        let mut value = String::new();
        loop {
            match letters.next() {
                Some('\'') if is_quoted => break,
                Some('\\') => value.extend(letters.next()),
                Some(letter) if !is_quoted && letter.is_whitespace() => break,
                Some(letter) => value.push(letter),
                None if is_quoted => return Err(format!("the quote of `{key}` has no end")),
                None => break,
            }
        }
        pairs.push((key, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, name: &str, security: Security) {
        let target = Destination::parse(text).unwrap();
        assert_eq!((target.name().as_str(), target.security), (name, security), "{text}");
    }

    #[test]
    fn addresses_are_read_as_libpq_reads_them() {
        use Security::{Disable, Prefer, VerifyFull};
        check("postgresql://a:secret@db.example/veille", "postgresql://a@db.example/veille", Prefer);
        check("postgres://a@db:5433/v?sslmode=verify-full", "postgresql://a@db:5433/v", VerifyFull);
        check("postgresql://a@h1,h2/v?sslmode=disable&connect_timeout=3", "postgresql://a@h1,h2/v", Disable);
        check("host=/run/postgresql dbname=v user=a", "postgresql://a@/run/postgresql/v", Prefer);
        check(r"host = db user='a' password='it\'s \\ =' dbname=v sslmode=disable", "postgresql://a@db/v", Disable);
        check("postgresql:///v?host=/tmp&user=a", "postgresql://a@/tmp/v", Prefer);
        check("host=db user=a", "postgresql://a@db/a", Prefer);
    }

    #[test]
    fn a_password_in_quotes_is_taken_as_it_is_meant() {
        let target = Destination::parse(r"host=db password='it\'s \\ = x' user=a").unwrap();
        assert_eq!(target.config.get_password(), Some(&br"it's \ = x"[..]));
    }

    #[test]
    fn mistakes_are_told() {
        let mistake = |text| Destination::parse(text).unwrap_err();
        assert!(mistake("host=db sslmode=strict").contains("verify-full"), "{}", mistake("host=db sslmode=strict"));
        assert!(mistake("host=db colour=red").contains("colour"), "{}", mistake("host=db colour=red"));
        assert!(mistake("host='db").contains("no end"));
        assert!(mistake("veille host=db").contains("`veille` has no value"));
        assert!(mistake("postgresql://db:port/v").contains("port"));
    }

    #[test]
    fn a_connection_that_falls_silent_ends() {
        let target = Destination::parse("postgresql://db/v").unwrap();
        assert_eq!(target.config.get_connect_timeout(), Some(&CONNECT_TIMEOUT));
        assert_eq!(target.config.get_tcp_user_timeout(), Some(&SILENCE_MAX));
        let own = Destination::parse("postgresql://db/v?connect_timeout=2").unwrap();
        assert_eq!(own.config.get_connect_timeout(), Some(&Duration::from_secs(2)));
    }

    #[test]
    fn roots_that_are_named_are_for_use() {
        use Verification::{Chain, Full};
        let target = Destination::parse("host=db sslmode=require sslrootcert=/etc/ca.pem").unwrap();
        assert_eq!(target.roots.as_deref(), Some(Path::new("/etc/ca.pem")));
        assert_eq!(target.security.verification(true), Chain);
        assert_eq!(Security::Require.verification(false), Verification::None);
        assert_eq!(Security::VerifyFull.verification(false), Full);
        assert_eq!(Destination::parse("host=db sslrootcert=system").unwrap().roots, None);
    }
}
