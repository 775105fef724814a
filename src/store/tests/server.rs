//! Schemas of a PostgreSQL server for tests, and the promises that only a server can show. `tests/postgres.sh` starts one.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::config::Secret;
use crate::store::ailment::Ailment;
use crate::store::postgres::Address;

/// The server for tests.
fn server() -> String {
    std::env::var("VEILLE_TEST_POSTGRES").expect("run by tests/postgres.sh, which starts a server and names it")
}

/// An address with a setting of the session.
fn with_option(address: &str, option: &str) -> Address {
    let url = if address.contains("://") {
        let sign = if address.contains('?') { '&' } else { '?' };
        format!("{address}{sign}options=-c%20{}", option.replace('=', "%3D"))
    } else {
        format!("{address} options='-c {option}'")
    };
    Address { url: Secret::Text(url), password: None }
}

/// A schema of its own, as long as it is held.
pub(super) struct Schema {
    pub(super) address: Address,
    name: String,
}

impl Schema {
    pub(super) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("veille_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let schema = Self { address: with_option(&server(), &format!("search_path={name}")), name };
        run(&format!("CREATE SCHEMA {}", schema.name));
        schema
    }
}

/// The server's administrator does this.
fn run(sql: &str) {
    Postgres::script(&Address { url: Secret::Text(server()), password: None }, sql).unwrap();
}

impl Drop for Schema {
    fn drop(&mut self) {
        run(&format!("DROP SCHEMA {} CASCADE", self.name));
    }
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres.sh"]
fn a_database_of_another_program_is_refused_and_left_as_it_is() {
    let schema = Schema::new();
    Postgres::script(&schema.address, "CREATE TABLE invoice (id BIGINT); INSERT INTO invoice VALUES (7)").unwrap();
    let error = Postgres::open_within(&schema.address, sqlite::BUSY_TIMEOUT).unwrap_err();
    assert!(matches!(error, StoreError::Foreign { .. }), "{}", error.reason());
    assert_eq!(Postgres::numbers(&schema.address, "SELECT id FROM invoice").unwrap(), [7]);
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()";
    assert_eq!(Postgres::numbers(&schema.address, tables).unwrap(), [1]);
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres.sh"]
fn a_table_that_is_only_called_like_our_mark_is_another_programs() {
    let schema = Schema::new();
    Postgres::script(&schema.address, "CREATE TABLE veille (name TEXT)").unwrap();
    let error = Postgres::open_within(&schema.address, sqlite::BUSY_TIMEOUT).unwrap_err();
    assert!(matches!(error, StoreError::Foreign { .. }), "{}", error.reason());
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres.sh"]
fn a_newer_store_is_refused_and_left_as_it_is() {
    let schema = Schema::new();
    drop(Postgres::open_within(&schema.address, sqlite::BUSY_TIMEOUT).unwrap());
    Postgres::script(&schema.address, "UPDATE veille SET format = 99").unwrap();
    for opened in [
        Postgres::open_within(&schema.address, sqlite::BUSY_TIMEOUT),
        Postgres::open_existing(&schema.address, sqlite::BUSY_TIMEOUT),
        Postgres::read_within(&schema.address, sqlite::BUSY_TIMEOUT),
    ] {
        assert!(matches!(opened, Err(StoreError::Newer { found: 99, .. })), "{opened:?}");
    }
    assert_eq!(Postgres::numbers(&schema.address, "SELECT format FROM veille").unwrap(), [99]);
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres.sh"]
fn only_a_store_that_is_there_is_opened_for_reading() {
    let schema = Schema::new();
    for opened in [
        Postgres::open_existing(&schema.address, sqlite::BUSY_TIMEOUT),
        Postgres::read_within(&schema.address, sqlite::BUSY_TIMEOUT),
    ] {
        assert!(matches!(opened, Err(StoreError::Missing { .. })), "{opened:?}");
    }
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()";
    assert_eq!(Postgres::numbers(&schema.address, tables).unwrap(), [0]);
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres.sh"]
fn processes_that_start_at_once_make_the_tables_once() {
    let schema = Schema::new();
    std::thread::scope(|scope| {
        let opening: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| Postgres::open_within(&schema.address, sqlite::BUSY_TIMEOUT).map(|_| ())))
            .collect();
        for opened in opening {
            opened.join().unwrap().unwrap();
        }
    });
    assert_eq!(Postgres::numbers(&schema.address, "SELECT count(*) FROM veille").unwrap(), [1]);
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres.sh"]
fn a_copy_that_was_broken_off_is_not_opened_as_a_store() {
    let schema = Schema::new();
    drop(Postgres::open_within(&schema.address, sqlite::BUSY_TIMEOUT).unwrap());
    Postgres::script(&schema.address, "INSERT INTO meta VALUES ('copying', 7)").unwrap();
    let error = Postgres::open_within(&schema.address, sqlite::BUSY_TIMEOUT).unwrap_err();
    assert!(matches!(error, StoreError::Unfinished { .. }), "{}", error.reason());
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres.sh"]
fn a_database_in_another_encoding_is_refused() {
    let schema = Schema::new();
    let name = format!("{}_latin", schema.name);
    run(&format!("CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0"));
    let address = Address { url: Secret::Text(format!("{} dbname={name}", server())), password: None };
    let opened = Postgres::open_within(&address, sqlite::BUSY_TIMEOUT);
    run(&format!("DROP DATABASE {name} WITH (FORCE)"));
    assert_eq!(opened.unwrap_err().ailment(), Some(Ailment::Encoding));
}

/// Opens a store under an address that differs, and tells why that failed.
#[track_caller]
fn check_refused(address: &str, expected: Ailment) {
    let address = Address { url: Secret::Text(address.to_owned()), password: None };
    let error = Postgres::open_within(&address, sqlite::BUSY_TIMEOUT).unwrap_err();
    assert_eq!(error.ailment(), Some(expected), "{}", error.reason());
    assert!(matches!(error, StoreError::Open { .. }), "{error:?}");
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres.sh"]
fn users_and_databases_that_are_refused_are_told_apart() {
    let schema = Schema::new();
    let role = format!("{}_role", schema.name);
    check_refused(&format!("{} dbname=nowhere", server()), Ailment::NoDatabase);
    check_refused(&format!("{} user=nobody_{role}", server()), Ailment::Login);
    run(&format!("CREATE ROLE {role} LOGIN"));
    check_refused(&format!("{} user={role}", server()), Ailment::Privileges);
    run(&format!("ALTER ROLE {role} CONNECTION LIMIT 0"));
    check_refused(&format!("{} user={role}", server()), Ailment::Crowded);
    run(&format!("DROP ROLE {role}"));
    check_refused(&format!("{} options='-c search_path=nowhere'", server()), Ailment::Privileges);
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres.sh"]
fn a_wrong_password_is_told_as_such_and_the_right_one_opens_the_store() {
    // The server of `tests/postgres.sh` asks the members of this group for their passwords; another one may trust them.
    let asks = "SELECT count(*) FROM pg_hba_file_rules WHERE user_name = '{+veille_with_password}'";
    if Postgres::numbers(&Address { url: Secret::Text(server()), password: None }, asks).unwrap() == [0] {
        return;
    }
    let schema = Schema::new();
    let role = format!("{}_role", schema.name);
    run("DO $$ BEGIN CREATE ROLE veille_with_password; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
    run(&format!("CREATE ROLE {role} LOGIN PASSWORD 'right' IN ROLE veille_with_password"));
    run(&format!("GRANT ALL ON SCHEMA {} TO {role}", schema.name));
    let Secret::Text(url) = &schema.address.url else { panic!("a test's address is a text") };
    let url = url.split(' ').filter(|pair| !pair.starts_with("user=")).collect::<Vec<_>>().join(" ");
    let open = |password: Option<&str>| {
        let password = password.map(|password| Secret::Text(password.to_owned()));
        Postgres::open_within(
            &Address { url: Secret::Text(format!("{url} user={role}")), password },
            sqlite::BUSY_TIMEOUT,
        )
    };
    for password in [Some("wrong"), Some(""), None] {
        let error = open(password).unwrap_err();
        assert_eq!(error.ailment(), Some(Ailment::Login), "{password:?}: {}", error.reason());
        assert!(!error.reason().contains("wrong"), "{}", error.reason());
    }
    let opened = open(Some("right")).map(|_| ());
    run(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    opened.unwrap();
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres.sh"]
fn a_connection_that_the_server_ended_is_made_again() {
    let schema = Schema::new();
    let mut store = Postgres::open_within(&schema.address, sqlite::BUSY_TIMEOUT).unwrap();
    let a = insert(&mut store, "education", &prepared("a"));
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE application_name = 'veille' AND pid <> pg_backend_pid() AND query LIKE '%veille_ended%'";
    apply(&mut store, &[]);
    Postgres::numbers(&schema.address, "SELECT count(*) FROM entry").unwrap();
    for attempt in 0..3 {
        // The marked statement is the last one of the session that is to be ended.
        store.mark_session("veille_ended").unwrap();
        Postgres::script(&schema.address, end).unwrap();
        assert_eq!(shown(&mut store, "numerique"), [a], "attempt {attempt}");
    }
    store.mark_session("veille_ended").unwrap();
    Postgres::script(&schema.address, end).unwrap();
    insert(&mut store, "education", &prepared("b"));
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres.sh"]
fn a_store_that_others_hold_too_long_is_busy_and_goes_on_later() {
    let schema = Schema::new();
    let mut holder = Postgres::open_within(&schema.address, sqlite::BUSY_TIMEOUT).unwrap();
    let mut store = Postgres::open_within(&schema.address, Duration::from_millis(200)).unwrap();
    holder.hold().unwrap();
    let insertion = [insertion(1, "education", 1, &prepared("a"), noon())];
    let error = store.apply(&insertion, None).unwrap_err();
    assert_eq!(error.ailment(), Some(Ailment::Busy), "{}", error.reason());
    assert_eq!(store.pulse().unwrap().generation, 0, "it can be read meanwhile");
    let state = SourceState { source_id: "education".into(), ..SourceState::default() };
    assert_eq!(store.apply(&[Change::Source(Box::new(state))], None).unwrap(), Applied::Kept, "a poll without news");
    drop(holder);
    assert_eq!(store.apply(&insertion, None).unwrap(), Applied::Kept);
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres.sh"]
fn a_server_that_takes_no_writes_is_told_as_such() {
    let schema = Schema::new();
    drop(Postgres::open_within(&schema.address, sqlite::BUSY_TIMEOUT).unwrap());
    let Secret::Text(url) = &schema.address.url else { panic!() };
    let url = url.replace("-c search_path", "-c default_transaction_read_only=on -c search_path");
    let address = Address { url: Secret::Text(url), password: None };
    let mut store = Postgres::read_within(&address, sqlite::BUSY_TIMEOUT).unwrap();
    assert_eq!(store.attempt().unwrap_err().ailment(), Some(Ailment::Replica));
    assert_eq!(store.pulse().unwrap().generation, 0);
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres.sh"]
fn tables_that_are_gone_are_told_as_such() {
    let schema = Schema::new();
    let mut store = Postgres::open_within(&schema.address, sqlite::BUSY_TIMEOUT).unwrap();
    Postgres::script(&schema.address, "DROP TABLE meta CASCADE").unwrap();
    assert_eq!(store.pulse().unwrap_err().ailment(), Some(Ailment::Stripped));
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres.sh"]
fn writers_at_once_lose_nothing_and_give_no_number_twice() {
    let schema = Schema::new();
    drop(Postgres::open_within(&schema.address, sqlite::BUSY_TIMEOUT).unwrap());
    std::thread::scope(|scope| {
        for writer in 0..4_i64 {
            let address = &schema.address;
            scope.spawn(move || {
                let mut store = Postgres::open_within(address, sqlite::BUSY_TIMEOUT).unwrap();
                for count in 0..25 {
                    let prepared = numbered(writer * 100 + count, prepared("a"));
                    loop {
                        let around = look(&mut store, Inquiry::default());
                        let number = around.next_number;
                        let change = insertion(number, &format!("source {writer}"), number, &prepared, noon());
                        if store.apply(&[change], Some(around.generation)).unwrap() == Applied::Kept {
                            break;
                        }
                    }
                }
            });
        }
    });
    let mut store = Postgres::open_within(&schema.address, sqlite::BUSY_TIMEOUT).unwrap();
    assert_eq!(held(&mut store, Which::Newest).len(), 100);
    assert_eq!(look(&mut store, Inquiry::default()).next_number, 101);
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres.sh"]
fn only_changes_that_another_process_writes_to_this_store_are_told_as_those_of_others() {
    let schema = Schema::new();
    let mut store = Postgres::open_within(&schema.address, sqlite::BUSY_TIMEOUT).unwrap();
    let state = |id: &str| Change::Source(Box::new(SourceState { source_id: id.into(), ..SourceState::default() }));
    let before = store.pulse().unwrap();
    apply(&mut store, &[state("own")]);
    insert(&mut store, "education", &prepared("a"));
    assert_eq!(store.apply(&[insertion(9, "b", 9, &prepared("b"), noon())], Some(0)).unwrap(), Applied::Conflict);
    let elsewhere = Schema::new();
    apply(&mut Postgres::open_within(&elsewhere.address, sqlite::BUSY_TIMEOUT).unwrap(), &[state("elsewhere")]);
    run("CREATE TEMPORARY TABLE busy (id BIGINT)");
    let own = store.pulse().unwrap();
    assert_eq!(own.others, before.others);
    // A node of this very process that signs and takes leases writes nothing that a survey would find.
    Postgres::open_within(&schema.address, sqlite::BUSY_TIMEOUT).unwrap().lease(&LeaseRequest::default()).unwrap();
    assert_eq!(store.pulse().unwrap().others, before.others);
    apply(&mut Postgres::open_within(&schema.address, sqlite::BUSY_TIMEOUT).unwrap(), &[state("x")]);
    let after = store.pulse().unwrap();
    assert_eq!(after.generation, own.generation);
    assert_ne!(after.others, own.others);
}

/// A server that answers each who connects with this error.
fn refusing(code: &'static str) -> u16 {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let _ = client.read(&mut [0; 1024]);
            let mut fields = format!("SFATAL\0VFATAL\0C{code}\0Mrefused\0\0").into_bytes();
            let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
            let mut message = vec![b'E'];
            message.extend(length);
            message.append(&mut fields);
            let _ = client.write_all(&message);
        }
    });
    port
}

#[test]
fn a_server_that_refuses_says_why() {
    for (code, expected) in [
        ("28P01", Ailment::Login),
        ("28000", Ailment::Login),
        ("3D000", Ailment::NoDatabase),
        ("53100", Ailment::ServerFull),
        ("53200", Ailment::ServerFails),
        ("53300", Ailment::Crowded),
        ("57P01", Ailment::Away),
        ("57P03", Ailment::Starting),
        ("58030", Ailment::ServerFails),
        ("XX001", Ailment::ServerDamaged),
        ("XX000", Ailment::Other),
    ] {
        check_refused(&format!("host=127.0.0.1 port={} user=a sslmode=disable", refusing(code)), expected);
    }
}

#[test]
fn a_server_that_is_not_there_is_away() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    check_refused(&format!("host=127.0.0.1 port={unused} user=a"), Ailment::Away);
    check_refused("host=/nowhere user=a", Ailment::Away);
    check_refused("host=name.invalid user=a", Ailment::Away);
}

#[test]
fn a_server_that_says_nothing_is_waited_for_only_so_long() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let began = std::time::Instant::now();
    check_refused(&format!("host=127.0.0.1 port={port} user=a connect_timeout=1 sslmode=disable"), Ailment::Away);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[test]
fn an_address_of_no_use_is_told_without_its_password() {
    let address = Address { url: Secret::Text("host=db password=secret colour=red".into()), password: None };
    let error = Postgres::open_within(&address, sqlite::BUSY_TIMEOUT).unwrap_err();
    assert_eq!(error.ailment(), Some(Ailment::Address));
    assert!(error.reason().contains("colour") && !error.reason().contains("secret"), "{}", error.reason());
}
