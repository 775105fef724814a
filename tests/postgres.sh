#!/usr/bin/env bash
# Runs a command beside a PostgreSQL server of its own, which lives as long as the command: a new cluster on a socket in a
# temporary folder, that nobody else reaches. Without a command, runs all tests that need PostgreSQL.
#
# Usage: tests/postgres.sh [--durable] [COMMAND...]
#
# With `--durable` the server has its usual settings, as measurements want it; else it writes nothing for good, which is faster.
#
# The command finds the server in $VEILLE_TEST_POSTGRES. If that is set already, the server that it names is used, and none is
# started. Exit code 3: there is no PostgreSQL on this machine.
set -euo pipefail
cd "$(dirname "$0")/.."

fast=(-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=64MB)
if [ "${1:-}" = --durable ]; then
  fast=()
  shift
fi

if [ $# = 0 ]; then
  # The contract of the store on PostgreSQL in place of SQLite, decisions of several nodes at once, then the specification of all
  # that works on the store; with what only a server can show. Left out: a test that makes a file of an older version; one of an
  # outage that pages tell, which pages that several machines share do not.
  set -- sh -c 'cargo test --locked --lib -- --include-ignored store:: deciding::tests::nodes:: &&
    cargo test --locked --test spec -- --include-ignored --skip a_store_of_an_older_version_of_words \
      --skip the_daemon_waits_for_the_network_and_then_polls \
      poll:: post:: stories:: relabelling:: publish:: related:: withdrawn:: moving:: second:: outage:: away:: nodes:: run::'
  export VEILLE_TEST_STORE=postgres
fi

if [ -n "${VEILLE_TEST_POSTGRES:-}" ]; then exec "$@"; fi

bin=$(ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin 2>/dev/null | sort -V | tail -1 || true)
if [ -z "$bin" ]; then bin=$(pg_config --bindir 2>/dev/null || true); fi
if [ ! -x "$bin/initdb" ]; then
  echo "there is no PostgreSQL here: install it (Debian: \`apt-get install postgresql\`), or name a server in" \
    "\$VEILLE_TEST_POSTGRES" >&2
  exit 3
fi

folder=$(mktemp -d /tmp/veille-postgres.XXXXXX)
as=()
if [ "$(id -u)" = 0 ]; then
  # It refuses to run as root.
  user=$(id -un postgres 2>/dev/null || echo nobody)
  chown "$user" "$folder"
  as=(setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups --)
fi
stop() {
  "${as[@]}" "$bin/pg_ctl" --pgdata="$folder/data" --mode=immediate stop >/dev/null 2>&1 || true
  rm -rf "$folder"
}
trap stop EXIT
# A locale that orders texts unlike their bytes: an order that depends on it would be seen.
"${as[@]}" "$bin/initdb" --pgdata="$folder/data" --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 \
  --locale-provider=icu --icu-locale=fr-FR --no-sync >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
# All are trusted but the members of a group that a test makes.
"${as[@]}" sed -i '1i local all +veille_with_password scram-sha-256' "$folder/data/pg_hba.conf"
"${as[@]}" "$bin/pg_ctl" --pgdata="$folder/data" --log="$folder/data/server.log" --wait --options="-k $folder -c listen_addresses='' \
  -c max_connections=200 ${fast[*]}" start \
  >/dev/null || { cat "$folder/data/server.log" >&2; exit 1; }

export VEILLE_TEST_POSTGRES="host=$folder user=postgres dbname=postgres"
export VEILLE_TEST_POSTGRES_BIN="$bin"
"$@"
