//! Schemas of the PostgreSQL server that `tests/postgres.sh` starts.

use std::sync::atomic::{AtomicU32, Ordering};

/// A schema of its own, as long as it is held.
pub(crate) struct Database {
    name: String,
}

impl Database {
    /// A new schema, if the stores of all worlds are to be in PostgreSQL.
    pub(crate) fn if_wanted() -> Option<Self> {
        std::env::var("VEILLE_TEST_STORE").is_ok_and(|backend| backend == "postgres").then(Self::new)
    }

    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("world_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        run(&server(), &format!("CREATE SCHEMA {name}"));
        Self { name }
    }

    /// The address of the schema.
    pub(crate) fn url(&self) -> String {
        format!("{} options='-c search_path={}'", server(), self.name)
    }

    /// Somebody does this in the schema.
    pub(crate) fn run(&self, sql: &str) {
        run(&self.url(), sql);
    }
}

/// A database of its own, which can be shut to all.
pub(crate) struct Shuttable {
    name: String,
}

impl Shuttable {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("shut_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        run(&server(), &format!("CREATE DATABASE {name}"));
        Self { name }
    }

    /// The address of the database.
    pub(crate) fn url(&self) -> String {
        format!("{} dbname={}", server(), self.name)
    }

    /// The address for an owner who may have only so many connections; [`Shuttable::allow`] changes that.
    pub(crate) fn url_of_owner(&self, connections: usize) -> String {
        run(&server(), &format!("CREATE ROLE {} LOGIN CONNECTION LIMIT {connections}", self.name));
        run(&server(), &format!("ALTER DATABASE {0} OWNER TO {0}", self.name));
        let pairs = server();
        let pairs = pairs.split(' ').filter(|pair| !pair.starts_with("user=") && !pair.starts_with("dbname="));
        format!("{} user={1} dbname={1}", pairs.collect::<Vec<_>>().join(" "), self.name)
    }

    /// Lets the owner have so many connections.
    pub(crate) fn allow(&self, connections: usize) {
        run(&server(), &format!("ALTER ROLE {} CONNECTION LIMIT {connections}", self.name));
    }

    /// Ends all connections, and takes no more until [`Shuttable::open`].
    pub(crate) fn shut(&self) {
        run(&server(), &format!("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false", self.name));
        self.cut();
    }

    /// Ends all connections, as a server that restarts does.
    pub(crate) fn cut(&self) {
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname =";
        run(&server(), &format!("{end} '{}'", self.name));
    }

    pub(crate) fn open(&self) {
        run(&server(), &format!("ALTER DATABASE {} WITH ALLOW_CONNECTIONS true", self.name));
    }

    /// Somebody does this in the database.
    pub(crate) fn run(&self, sql: &str) {
        run(&self.url(), sql);
    }
}

impl Drop for Shuttable {
    fn drop(&mut self) {
        run(&server(), &format!("DROP DATABASE {} WITH (FORCE)", self.name));
        run(&server(), &format!("DROP ROLE IF EXISTS {}", self.name));
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        run(&server(), &format!("DROP SCHEMA {} CASCADE", self.name));
    }
}

fn server() -> String {
    std::env::var("VEILLE_TEST_POSTGRES").expect("run by tests/postgres.sh, which starts a server and names it")
}

/// Runs statements on a thread of its own, for a test may have a runtime already.
fn run(address: &str, sql: &str) {
    let job = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(address, tokio_postgres::NoTls).await.unwrap();
            tokio::spawn(connection);
            client.batch_execute(sql).await.unwrap();
        });
    };
    std::thread::scope(|scope| scope.spawn(job).join().unwrap());
}
