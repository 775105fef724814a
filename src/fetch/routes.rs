//! The ways out: one HTTP client for each pair of proxy and authorities, made when it is first asked for.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use reqwest::dns::{Name, Resolve, Resolving};
use reqwest::{Certificate, ClientBuilder, NoProxy};
use url::Url;

use super::error::{innermost, is_tunnel_error};
use super::guard::Guard;
use super::request::{self, secret};
use super::{FetchError, KEEP_CONNECTION, Settings, headers};
use crate::config::{Access, Proxy, proxy_server};

/// A way to a source's server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Route {
    /// Through which proxy. It resolves the names, so only literal addresses can be refused then.
    pub proxy: Proxy,
    /// Certificates of authorities to trust besides the system's, in PEM.
    pub ca_file: Option<PathBuf>,
}

impl From<&Access> for Route {
    fn from(access: &Access) -> Self {
        Self { proxy: access.proxy.clone(), ca_file: access.ca_file.clone() }
    }
}

/// Why no client could be made: nearly always, the machine has no certificates of authorities.
#[derive(Debug, thiserror::Error)]
#[error(
    "HTTP client cannot start: {why}; https needs the system's certificates of authorities (Debian: `apt install ca-certificates`)"
)]
pub struct ClientError {
    /// The library's message.
    pub why: String,
}

/// The clients that were made.
#[derive(Debug)]
pub(super) struct Routes {
    settings: Settings,
    guard: Guard,
    straight: Outlet,
    others: Mutex<HashMap<Way, Outlet>>,
}

/// A route as its secrets and the environment say at the moment.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Way {
    servers: Vec<(Scope, Url)>,
    ca_file: Option<PathBuf>,
}

impl fmt::Debug for Way {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<_> = self.servers.iter().map(|(scope, server)| (scope, server.host_str())).collect();
        to.debug_struct("Way").field("servers", &hosts).field("ca_file", &self.ca_file).finish()
    }
}

/// A client, and the proxies that it may go through.
#[derive(Debug, Clone)]
pub(super) struct Outlet {
    http: reqwest::Client,
    passing: Arc<Passing>,
    proxies: Arc<[String]>,
    carries_all: bool,
}

/// A client whose connections end with their answers; made when it is first needed.
struct Passing {
    made: OnceLock<Option<reqwest::Client>>,
    make: Box<dyn Fn() -> Option<reqwest::Client> + Send + Sync>,
}

impl Passing {
    fn new(make: impl Fn() -> Option<reqwest::Client> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { made: OnceLock::new(), make: Box::new(make) })
    }
}

impl fmt::Debug for Passing {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Passing").finish_non_exhaustive()
    }
}

impl Outlet {
    /// Returns the client whose connections are kept for the next request to their host, or not.
    pub(super) fn http(&self, is_kept: bool) -> &reqwest::Client {
        let passing = (!is_kept).then(|| self.passing.made.get_or_init(|| (self.passing.make)()).as_ref());
        // Nothing that the first could be made of fails with the second.
        passing.flatten().unwrap_or(&self.http)
    }

    /// Whether all its requests go straight to their host.
    pub(super) fn is_straight(&self) -> bool {
        self.proxies.is_empty()
    }

    /// Refuses what is on a proxy itself: its name alone may lead to an address that is not public.
    pub(super) fn check(&self, url: &Url) -> Result<(), FetchError> {
        match url.domain().filter(|domain| self.proxies.iter().any(|proxy| proxy == domain)) {
            Some(domain) => Err(unusable("proxy", format!("{domain} is the proxy itself"))),
            None => Ok(()),
        }
    }

    /// Names the proxy over which a connection for `url` failed.
    ///
    /// Each http connection was to lead to this proxy. `NO_PROXY` may have sent it straight to its host, which only the
    /// library knows: then nobody is blamed.
    pub(super) fn proxy_at_fault(&self, url: &Url, error: &reqwest::Error) -> Option<String> {
        let is_fault = is_tunnel_error(error) || (error.is_connect() && self.carries_all && url.scheme() == "http");
        (is_fault && !self.is_straight()).then(|| self.proxies.join(", "))
    }
}

impl Routes {
    /// Makes the client of the plain route.
    pub(super) fn new(settings: &Settings, guard: &Guard) -> Result<Self, ClientError> {
        let (made_of, resolver) = (settings.clone(), guard.clone());
        let straight = move || builder(&made_of).no_proxy().dns_resolver(resolver.clone());
        let http = straight().build().map_err(|error| ClientError { why: innermost(&error) })?;
        let passing = Passing::new(move || straight().pool_max_idle_per_host(0).build().ok());
        let straight = Outlet { http, passing, proxies: Arc::default(), carries_all: false };
        Ok(Self { settings: settings.clone(), guard: guard.clone(), straight, others: Mutex::default() })
    }

    /// Returns the client of a route. One that could not be made is tried again the next time.
    pub(super) async fn client(&self, route: &Route) -> Result<Outlet, FetchError> {
        let way = Way { servers: servers(&route.proxy).await?, ca_file: route.ca_file.clone() };
        if way.servers.is_empty() && way.ca_file.is_none() {
            return Ok(self.straight.clone());
        }
        if let Some(outlet) = self.others().get(&way) {
            return Ok(outlet.clone());
        }
        let authorities = match &way.ca_file {
            Some(path) => certificates(path).await?,
            None => Vec::new(),
        };
        // Looked for again, and made with the door closed: polls that begin together share one, and its connections.
        let mut others = self.others();
        if let Some(outlet) = others.get(&way) {
            return Ok(outlet.clone());
        }
        let outlet = self.outlet(&way, authorities)?;
        others.insert(way, outlet.clone());
        Ok(outlet)
    }

    fn outlet(&self, way: &Way, authorities: Vec<Certificate>) -> Result<Outlet, FetchError> {
        let servers = way.servers.iter().map(|(scope, server)| proxy(*scope, server));
        let servers: Vec<reqwest::Proxy> = servers.collect::<Result<_, _>>()?;
        let names = way.servers.iter().filter_map(|(_, server)| server.host_str().map(str::to_owned));
        let proxies: Arc<[String]> = names.collect::<BTreeSet<_>>().into_iter().collect();
        let names = Names { guard: self.guard.clone(), proxies: Arc::clone(&proxies) };
        let settings = self.settings.clone();
        let made = move || {
            let builder = builder(&settings).no_proxy().tls_certs_merge(authorities.clone());
            servers.iter().cloned().fold(builder, ClientBuilder::proxy).dns_resolver(names.clone())
        };
        let http = made().build().map_err(|error| unusable("route", innermost(&error)))?;
        let passing = Passing::new(move || made().pool_max_idle_per_host(0).build().ok());
        let carries_all = way.servers.iter().any(|(scope, _)| *scope == Scope::All);
        Ok(Outlet { http, passing, proxies, carries_all })
    }

    fn others(&self) -> MutexGuard<'_, HashMap<Way, Outlet>> {
        // No code panics while it holds the lock.
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn builder(settings: &Settings) -> ClientBuilder {
    // There is one for the whole process: it is no matter who was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .user_agent(&settings.user_agent)
        .default_headers(headers::always())
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(settings.connect_timeout)
        .read_timeout(settings.idle_timeout)
        .pool_max_idle_per_host(settings.per_host)
        .pool_idle_timeout(settings.host_delay.saturating_add(KEEP_CONNECTION))
        // Servers of all ages: what can be read all the same is read.
        .http1_ignore_invalid_headers_in_responses(true)
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
}

/// The requests that a proxy carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Scope {
    All,
    /// Those to `http`, unless `NO_PROXY` names the host.
    Http,
    /// Those to `https`, likewise.
    Https,
}

/// Returns the servers that a proxy setting means; what the environment says is read by us, so that it counts only
/// where the config asks for it.
async fn servers(proxy: &Proxy) -> Result<Vec<(Scope, Url)>, FetchError> {
    Ok(match proxy {
        Proxy::None => Vec::new(),
        Proxy::Server(address) => {
            let text = secret("proxy", address).await?;
            let url = proxy_server(text.trim());
            let url = url.ok_or_else(|| unusable("proxy", format!("{address:?} holds no address with its scheme")))?;
            vec![(Scope::All, url)]
        }
        Proxy::Environment => {
            let http = variable(["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]).map(|url| (Scope::Http, url));
            let https =
                variable(["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]).map(|url| (Scope::Https, url));
            http.into_iter().chain(https).collect()
        }
    })
}

/// Reads the address of a proxy from the first of these variables that is set. Most people leave the scheme out.
fn variable(names: [&str; 4]) -> Option<Url> {
    let value = names.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))?;
    proxy_server(&value).or_else(|| proxy_server(&format!("http://{value}")))
}

fn proxy(scope: Scope, server: &Url) -> Result<reqwest::Proxy, FetchError> {
    let made = match scope {
        Scope::All => reqwest::Proxy::all(server.as_str()),
        Scope::Http => reqwest::Proxy::http(server.as_str()).map(|proxy| proxy.no_proxy(NoProxy::from_env())),
        Scope::Https => reqwest::Proxy::https(server.as_str()).map(|proxy| proxy.no_proxy(NoProxy::from_env())),
    };
    // The library's words may hold the address, and that a password.
    made.map_err(|_| unusable("proxy", format!("{} is no server's address", server.host_str().unwrap_or_default())))
}

/// Resolves names as the guard permits, and the operator's own proxies wherever they are.
#[derive(Debug, Clone)]
struct Names {
    guard: Guard,
    proxies: Arc<[String]>,
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        if self.proxies.iter().any(|proxy| proxy == name.as_str()) {
            return Guard::everywhere().resolve(name);
        }
        self.guard.resolve(name)
    }
}

/// Largest file of authorities. The system's own has 220 kB.
const CA_BYTES_MAX: u64 = 4 << 20;

async fn certificates(path: &Path) -> Result<Vec<Certificate>, FetchError> {
    let at_fault = |why: String| unusable("ca_file", format!("`{}`: {why}", path.display()));
    let pem = request::read_file(path, CA_BYTES_MAX).await;
    let pem = pem.map_err(|error| request::unreadable("ca_file", path, &error))?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| at_fault(innermost(&error)))?;
    // The library takes a file without any certificate for an empty list.
    if certificates.is_empty() {
        return Err(at_fault("it holds no certificate in PEM form".to_owned()));
    }
    Ok(certificates)
}

fn unusable(key: &'static str, why: String) -> FetchError {
    FetchError::Access { key, why }
}
