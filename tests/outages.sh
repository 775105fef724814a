#!/usr/bin/env bash
# Faults of a machine that only root can make, against the real program. `.ci/run` calls it where it is root.
#
#   no route    a network namespace without any route, which later gets one: nobody is blamed, one line is logged, and all
#               that is due is polled once the route is there
#   one feed    the same with a single feed: the system itself says that there is no way out
#   clocks      polls under a clock that is days ahead or behind, then right; a clock that is set while the daemon runs
#               (needs Debian's `faketime`; left out without it)
#
# Usage: tests/outages.sh [VEILLE]
set -euo pipefail
cd "$(dirname "$0")/.."
veille=$(realpath "${1:-target/debug/veille}")
[ -x "$veille" ] || { echo "outages: left out, there is no $veille"; exit 0; }
for program in ip python3; do
  command -v "$program" >/dev/null || { echo "outages: left out, there is no $program"; exit 0; }
done

folder=$(mktemp -d)
name="veille-$$"
processes=()
finish() {
  for process in "${processes[@]}"; do kill "$process" 2>/dev/null || true; done
  wait
  ip netns delete "$name" 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT
if ! ip netns add "$name" 2>/dev/null; then
  echo "outages: left out, no network namespace can be made here"
  exit 0
fi

fail() { echo "outages: FAULT $1" >&2; [ -z "${2:-}" ] || cat "$2" >&2; exit 1; }
# Not for what runs in the background: the process to end would be the shell's.
inside() { ip netns exec "$name" "$@"; }

# Writes a config with so many feeds, each on a host of its own.
config() {
  mkdir -p "$folder/$1"
  {
    echo '[poll]'
    echo 'allow_networks = ["198.51.100.0/24", "127.0.0.0/8"]'
    echo 'host_delay = "0s"'
    echo '[serve]'
    echo 'listen = "127.0.0.1:8089"'
    echo '[[topic]]'
    echo 'id = "ecole"'
    echo 'any = ["école"]'
    for number in $(seq 1 "$2"); do
      printf '[[feed]]\nid = "f%s"\nurl = "http://198.51.100.%s:8000/feed"\n' "$number" "$number"
    done
  } >"$folder/$1/config.toml"
}

# Says how many feeds of a world have this status.
count() {
  inside "$veille" --config "$folder/$1/config.toml" feeds --json 2>/dev/null | grep -c "\"status\":\"$2\"" || true
}

mkdir "$folder/www"
day=$(date --utc --date=yesterday +%Y-%m-%d)
cat >"$folder/www/feed" <<XML
<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Essai</title>
<item><title>À l’école</title><guid isPermaLink="false">1</guid><pubDate>$(date --utc --date=yesterday --rfc-email)</pubDate></item></channel></rss>
XML

echo "outages: no route"
for feeds in 1 20; do
  config "poll-$feeds" "$feeds"
  status=0
  inside "$veille" --config "$folder/poll-$feeds/config.toml" poll >"$folder/out" 2>&1 || status=$?
  [ "$status" = 1 ] || fail "a poll without network ended with $status" "$folder/out"
  grep -q 'no host answers: is this machine connected?' "$folder/out" || fail "a poll did not say so" "$folder/out"
  [ "$(count "poll-$feeds" never_polled)" = "$feeds" ] || fail "a poll without network blamed somebody" "$folder/out"
done

config run 40
inside ip link set lo up
ip netns exec "$name" "$veille" --config "$folder/run/config.toml" run 2>"$folder/log" &
processes+=($!)
for _ in $(seq 100); do grep -q 'no host answers' "$folder/log" && break; sleep 0.1; done
sleep 2
[ "$(grep -c 'no host answers' "$folder/log")" = 1 ] || fail "the log did not tell it once" "$folder/log"
[ "$(count run never_polled)" = 40 ] || fail "the daemon blamed somebody" "$folder/log"
inside python3 -c 'import urllib.request as r; r.urlopen("http://127.0.0.1:8089/healthz?strict")' 2>"$folder/health" \
  && fail "healthz was well" "$folder/log"

ip netns exec "$name" python3 -m http.server --directory "$folder/www" --bind 0.0.0.0 8000 >/dev/null 2>"$folder/requests" &
processes+=($!)
for number in $(seq 1 40); do inside ip address add "198.51.100.$number/24" dev lo; done
for _ in $(seq 60); do [ "$(count run ok)" = 40 ] && break; sleep 1; done
[ "$(count run ok)" = 40 ] || fail "not all feeds were polled once the route was there" "$folder/log"
requests=$(grep -c 'GET /feed' "$folder/requests")
[ "$requests" = 40 ] || fail "publishers were asked $requests times for 40 feeds" "$folder/requests"
grep -q failing "$folder/log" && fail "somebody was blamed" "$folder/log"

faked=$(find /usr/lib -name libfaketime.so.1 2>/dev/null | head -1)
# An allocator that takes the place of malloc everywhere waits for libfaketime, which waits for it.
if [ -n "$faked" ] && ! LD_PRELOAD="$faked" FAKETIME=+1d timeout 10 "$veille" --version >/dev/null; then
  echo "outages: clocks are left out, the program does not start under faketime" >&2
  faked=
fi
if [ -n "$faked" ]; then
  echo "outages: clocks"
  for clock in +3d +800d +2h; do
    config "clock$clock" 3
    at() { inside env LD_PRELOAD="$faked" FAKETIME="$1" FAKETIME_NO_CACHE=1 "$veille" --config "$folder/clock$clock/config.toml" poll --json; }
    at "$clock" >"$folder/out" || fail "a poll under a clock of $clock" "$folder/out"
    inside "$veille" --config "$folder/clock$clock/config.toml" poll --json >"$folder/out"
    [ "$(grep -c '"not_due"' "$folder/out" || true)" = 0 ] || fail "a clock of $clock silenced feeds" "$folder/out"
    inside "$veille" --config "$folder/clock$clock/config.toml" poll --json >"$folder/out"
    [ "$(grep -c '"not_due"' "$folder/out")" = 3 ] || fail "after a clock of $clock feeds are always due" "$folder/out"
  done

  for clock in -3d -800d; do
    config "clock$clock" 3
    at "$clock" >"$folder/out" || fail "a poll under a clock of $clock" "$folder/out"
    inside "$veille" --config "$folder/clock$clock/config.toml" poll >"$folder/out"
    published=$folder/clock$clock/data/public/ecole.atom
    [ "$(grep -o "<published>$day" "$published" | wc -l)" = 3 ] || fail "entries keep dates of a clock of $clock" "$published"
  done

  kill "${processes[0]}"
  wait "${processes[0]}" || true
  echo "outages: a clock that is set while the daemon runs"
  config clocks 3
  echo +0d >"$folder/now"
  ip netns exec "$name" env LD_PRELOAD="$faked" FAKETIME_TIMESTAMP_FILE="$folder/now" FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 \
    "$veille" --config "$folder/clocks/config.toml" run 2>"$folder/log" &
  processes+=($!)
  # Waits until so many feeds were asked in all since a number of requests before.
  asked() {
    for _ in $(seq 60); do
      [ "$(grep -c 'GET /feed' "$folder/requests")" -ge $(($1 + $2)) ] && break
      sleep 0.5
    done
    sleep 3
    local requests=$(($(grep -c 'GET /feed' "$folder/requests") - $1))
    [ "$requests" = "$2" ] || fail "$3: $requests requests in place of $2" "$folder/log"
  }
  before=$(grep -c 'GET /feed' "$folder/requests")
  asked "$before" 3 "at the start"
  echo +366d >"$folder/now"
  asked "$before" 6 "a year ahead"
  echo +0d >"$folder/now"
  asked "$before" 9 "set right again"
fi
echo "outages: all is well"
