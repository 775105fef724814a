#!/usr/bin/env python3
"""Faults of the store and of the published folder that only root can make, against the real program.

`.ci/run` calls it where it is root. Each case runs a daemon on feeds whose publishers (on 127.0.0.1 to 127.0.0.40) count
what they are asked, makes a fault, looks at what is served and told meanwhile, mends it, and checks that all goes on by
itself: nothing is lost, and nobody was asked more often than the schedule and one repetition of polls under way allow.

Usage: tests/faults.py [VEILLE] [CASE...]; `VEILLE_LONG=1` holds the lock for 90 seconds.
"""

import http.server
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VEILLE = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "target/debug/veille"))
HOSTS = 40
USER = 61234  # Of nobody on this machine.
LONG = bool(os.environ.get("VEILLE_LONG"))


class Origin:
    """Publishers, one a host, each with one feed; `round` gives all feeds one more entry."""

    def __init__(self):
        origin = self
        self.asked, self.unconditional, self.entries, self.lock = {}, {}, 1, threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                host = self.headers["Host"]
                etag = f'"{origin.entries}"'
                known = self.headers.get("If-None-Match")
                with origin.lock:
                    origin.asked[host] = origin.asked.get(host, 0) + 1
                    if not known:
                        origin.unconditional[host] = origin.unconditional.get(host, 0) + 1
                body = b"" if known == etag else origin.document(host)
                self.send_response(200 if body else 304)
                self.send_header("ETag", etag)
                if body:
                    self.send_header("Content-Length", str(len(body)))
                    self.send_header("Content-Type", "application/rss+xml")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 256
            daemon_threads = True

            def handle_error(self, *_):
                pass  # A client that was killed.

        self.server = Server(("0.0.0.0", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def document(self, host):
        items = "".join(
            f"<item><title>L’école numérique, nouvelle {n} de {host}</title><guid isPermaLink='false'>{host}-{n}</guid>"
            f"<description>{' '.join(random.Random(f'{host}{n}').choices(WORDS, k=60))}</description></item>"
            for n in range(self.entries)
        )
        return f"<rss version='2.0'><channel><title>{host}</title>{items}</channel></rss>".encode()

    def requests(self):
        with self.lock:
            return dict(self.asked)


WORDS = "lycée collège élève professeur tablette budget région académie rentrée projet service rapport loi plan".split()


class World:
    """A folder (a file system of its own if `size` says so), a config, and a daemon."""

    def __init__(self, origin, schedule="* * * * *", size=None, feeds=HOSTS, user=None):
        self.origin, self.user, self.mounts = origin, user, []
        self.folder = tempfile.mkdtemp(prefix="veille-faults-")
        os.chmod(self.folder, 0o755)
        self.store_folder, self.public = f"{self.folder}/store", f"{self.folder}/public"
        for folder in (self.store_folder, self.public):
            os.mkdir(folder)
            if size:
                subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
                self.mounts.append(folder)
            if user:
                os.chown(folder, user, user)
        self.store = f"{self.store_folder}/veille.db"
        self.config = f"{self.folder}/config.toml"
        with open(self.config, "w") as to:
            to.write(
                f'[site]\nurl = "http://127.0.0.1:8080/"\n[store]\npath = "{self.store}"\n[publish]\ndirectory = "{self.public}"\n'
                f'[poll]\nallow_networks = ["127.0.0.0/8"]\nhost_delay = "0s"\nschedule = "{schedule}"\n'
                f'[serve]\nlisten = "127.0.0.1:{8200 + random.randrange(400)}"\n'
                '[[topic]]\nid = "ecole"\nany = ["école numérique"]\n'
            )
            for n in range(1, feeds + 1):
                to.write(f'[[feed]]\nid = "f{n}"\nurl = "http://127.0.0.{n}:{origin.port}/feed"\n')
        self.address = [line for line in open(self.config) if line.startswith("listen")][0].split('"')[1]
        self.daemon = None

    def command(self, *arguments):
        before = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"] if self.user else []
        return [*before, VEILLE, "--config", self.config, *arguments]

    def start(self):
        self.log = f"{self.folder}/log-{time.monotonic_ns()}"
        self.daemon = subprocess.Popen(self.command("run"), stderr=open(self.log, "w"), cwd="/")

    def stop(self, how=signal.SIGTERM):
        self.daemon.send_signal(how)
        code = self.daemon.wait(20)
        self.daemon = None
        return code

    def logged(self):
        return open(self.log).read()

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://{self.address}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def health(self, *texts):
        """Waits until /healthz is degraded and tells all texts; or without any, until it is well."""

        def is_so():
            status, body = self.get("/healthz?strict")
            return status == 503 and all(text in body for text in texts) if texts else status == 200

        wait(is_so, f"healthz with {texts}", lambda: f"{self.get('/healthz')}\n{self.logged()}")

    def settled(self):
        """Waits until each feed was polled well."""
        wait(lambda: self.well() == HOSTS, "all feeds well", lambda: self.logged())

    def well(self):
        return self.feeds_json().count('"status":"ok"')

    def feeds_json(self):
        return subprocess.run([VEILLE, "--config", self.config, "feeds", "--json"], capture_output=True, text=True).stdout

    def run(self, *arguments, check=None):
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, cwd="/")
        if check is not None and done.returncode != check:
            fail(f"{arguments} ended with {done.returncode}: {done.stderr}")
        return done

    def serves(self, text="nouvelle 0"):
        status, body = self.get("/ecole.atom")
        if status != 200 or text not in body:
            fail(f"the topic is not served: {status}\n{self.logged()}")

    def sound(self, entries):
        """Checks that the store is whole and has so many entries, and that no validator was kept without its entries."""
        with sqlite3.connect(f"file:{self.store}?mode=ro", uri=True) as store:
            check = store.execute("PRAGMA integrity_check").fetchone()[0]
            count = store.execute("SELECT count(*) FROM entry").fetchone()[0]
            bare = store.execute(
                "SELECT count(*) FROM source WHERE etag IS NOT NULL AND id NOT IN (SELECT source_id FROM entry)"
                if "etag" in [row[1] for row in store.execute("PRAGMA table_info(source)")]
                else "SELECT 0"
            ).fetchone()[0]
        if (check, bare) != ("ok", 0) or count < entries:
            fail(f"integrity {check}, {count} entries of {entries}, {bare} validators without entries")

    def fill(self, folder, leave=0):
        to = os.open(f"{folder}/fill", os.O_CREAT | os.O_WRONLY)
        try:
            while os.write(to, bytes(4096)):
                pass
        except OSError:
            pass
        os.close(to)
        os.truncate(f"{folder}/fill", max(0, os.path.getsize(f"{folder}/fill") - leave))

    def close(self):
        if self.daemon:
            self.daemon.kill()
            self.daemon.wait()
        for folder in self.mounts:
            subprocess.run(["umount", "-l", folder])
        shutil.rmtree(self.folder, ignore_errors=True)


def fail(text):
    raise AssertionError(text)


def wait(is_so, name, tell=lambda: "", seconds=90):
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            fail(f"{name} did not come: {tell()}")
        time.sleep(0.2)


def told_once(world, text):
    count = world.logged().count(text)
    if count != 1:
        fail(f"the log tells {text!r} {count} times\n{world.logged()}")


def meanwhile(world, before, at_most, name):
    """Checks how often each publisher was asked since `before`."""
    now = world.origin.requests()
    worst = max((now[host] - before.get(host, 0) for host in now), default=0)
    total = sum(now.values()) - sum(before.values())
    if worst > at_most:
        fail(f"a publisher was asked {worst} times in {name}\n{world.logged()}")
    return f"{total} requests, at most {worst} a host"


CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def outage(world, begin, end, texts, seconds=20, schedule_polls=2):
    """A fault of a running daemon, from its first sign to the recovery."""
    world.start()
    world.settled()
    wait(lambda: world.get("/ecole.atom")[1].count("<entry>") == HOSTS, "the first news", world.logged)
    before = world.origin.requests()
    world.origin.entries += 1
    began = time.monotonic()
    begin()
    world.health(*texts)
    found = time.monotonic() - began
    at_fault = world.origin.requests()
    world.serves()
    time.sleep(seconds)
    world.serves()
    if world.daemon.poll() is not None:
        fail(f"the daemon ended\n{world.logged()}")
    quiet = meanwhile(world, at_fault, 1, "the outage")
    told_once(world, texts[0])
    end()
    began = time.monotonic()
    world.health()
    mended = time.monotonic() - began
    wait(lambda: f"nouvelle {world.origin.entries - 1}" in world.get("/ecole.atom")[1], "the news", world.logged, 150)
    wait(lambda: "again" in world.logged(), "the end in the log")
    polls = 2 + int((time.monotonic() - began + seconds) // 60) + schedule_polls
    meanwhile(world, before, polls, "all")
    code = world.stop()
    if code != 0:
        fail(f"the daemon ended with {code}\n{world.logged()}")
    world.sound(HOSTS)
    return f"told after {found:.1f} s; meanwhile {quiet}; well {mended:.1f} s after the end"


@case
def full_disk(origin):
    world = World(origin, size="8m")
    try:
        return outage(world, lambda: world.fill(world.store_folder), lambda: os.remove(f"{world.store_folder}/fill"), ["is full", "free some space"])
    finally:
        world.close()


@case
def full_disk_at_start(origin):
    world = World(origin, size="8m")
    try:
        world.run("poll", check=0)
        world.fill(world.store_folder)
        before = origin.requests()
        world.start()
        world.health("is full", "free some space")
        world.serves()
        time.sleep(15)
        asked = meanwhile(world, before, 0, "a start on a full disk")
        poll = world.run("poll", "--force", check=1)
        if "is full" not in poll.stderr:
            fail(f"`poll` says: {poll.stderr}")
        meanwhile(world, before, 0, "a poll with a full disk")
        feeds = world.run("feeds")
        if "is full" not in feeds.stderr:
            fail(f"`feeds` says nothing: {feeds.stderr}")
        os.remove(f"{world.store_folder}/fill")
        world.health()
        world.stop()
        world.sound(HOSTS)
        return asked
    finally:
        world.close()


@case
def read_only(origin):
    world = World(origin, size="16m")
    try:
        world.run("poll", check=0)
        before = origin.requests()
        subprocess.run(["mount", "-o", "remount,ro", world.store_folder], check=True)
        world.start()
        world.health("mounted read-only", "mount it for writing again")
        world.serves()
        time.sleep(10)
        asked = meanwhile(world, before, 0, "a start on a read-only file system")
        subprocess.run(["mount", "-o", "remount,rw", world.store_folder], check=True)
        world.health()
        world.stop()
        world.sound(HOSTS)
        return asked
    finally:
        world.close()


@case
def rights_at_start(origin):
    world = World(origin, user=USER)
    try:
        world.run("poll", check=0)
        os.chown(world.store, 0, 0)
        os.chmod(world.store, 0o644)
        before = origin.requests()
        world.start()
        world.health("may not write the store", "chown")
        world.serves()
        time.sleep(10)
        asked = meanwhile(world, before, 0, "a start without rights")
        os.chown(world.store, USER, USER)
        world.health()
        world.stop()
        return asked
    finally:
        world.close()


@case
def deleted(origin):
    world = World(origin)
    away = f"{world.folder}/backup.db"

    def begin():
        world.run("backup", away, check=0)
        os.remove(world.store)

    try:
        return outage(world, begin, lambda: world.run("restore", away) and os.path.exists(world.store) or shutil.copy(away, world.store), ["was deleted or replaced", "veille restore"], 5)
    finally:
        world.close()


@case
def missing_at_start(origin):
    world = World(origin)
    try:
        world.run("poll", check=0)
        world.run("backup", f"{world.folder}/backup.db", check=0)
        for end in ("", "-wal", "-shm"):
            if os.path.exists(world.store + end):
                os.remove(world.store + end)
        before = origin.requests()
        for command in ("poll", "publish", "feeds"):
            done = world.run(command, check=1)
            if "is gone" not in done.stderr or "veille restore" not in done.stderr:
                fail(done.stderr)
        world.start()
        world.health("is gone", "veille restore")
        world.serves()
        if os.path.exists(world.store):
            fail("a new store was made in silence")
        asked = meanwhile(world, before, 0, "a start without the store")
        done = world.run("restore", f"{world.folder}/backup.db", check=1)
        if "is held by process" not in done.stderr:
            fail(done.stderr)
        world.stop()
        world.run("restore", f"{world.folder}/backup.db", check=0)
        world.start()
        world.health()
        world.stop()
        world.sound(HOSTS)
        return asked
    finally:
        world.close()


@case
def locked(origin):
    world = World(origin)
    held = {}

    def begin():
        held["store"] = sqlite3.connect(world.store, isolation_level=None, check_same_thread=False)
        held["store"].execute("BEGIN IMMEDIATE")

    try:
        return outage(world, begin, lambda: held["store"].close(), ["another process holds", "fuser"], 80 if LONG else 2)
    finally:
        world.close()


@case
def damaged(origin):
    world = World(origin)
    away = f"{world.folder}/backup.db"
    try:
        world.start()
        world.settled()
        world.run("backup", away, check=0)
        world.stop()
        world.start()
        world.health()
        before = origin.requests()
        with open(world.store, "r+b") as store:
            size = os.path.getsize(world.store)
            for page in range(1, size // 4096):
                store.seek(page * 4096)
                store.write(os.urandom(4096))
        origin.entries += 1
        world.health("damaged", "veille restore")
        world.serves()
        time.sleep(10)
        asked = meanwhile(world, before, 2, "a damaged store")
        copy = f"{world.folder}/copy.db"
        done = world.run("backup", copy)
        if done.returncode == 0 or os.path.exists(copy):
            fail("a damaged store was copied")
        done = world.run("restore", copy)
        world.stop()
        done = world.run("restore", world.store)
        if done.returncode == 0:
            fail("the store was put in its own place")
        world.run("restore", away, check=0)
        world.start()
        world.health()
        wait(lambda: f"nouvelle {origin.entries - 1}" in world.get("/ecole.atom")[1], "the news", world.logged, 150)
        world.stop()
        world.sound(HOSTS)
        return asked
    finally:
        world.close()


@case
def folder_full_at_start(origin):
    world = World(origin, size="8m")
    try:
        world.fill(world.public)
        world.start()
        world.health("free some space")
        world.settled()
        wait(lambda: "nouvelle 0" in world.get("/ecole.atom")[1], "the topic")
        os.remove(f"{world.public}/fill")
        world.health()
        if not os.path.exists(f"{world.public}/ecole.atom"):
            fail("the files did not come")
        world.stop()
        return "served from memory"
    finally:
        world.close()


@case
def folder_of_root_at_start(origin):
    world = World(origin, user=USER)
    try:
        os.chown(world.public, 0, 0)
        world.start()
        world.health("let the user that veille runs as write there")
        world.settled()
        wait(lambda: "nouvelle 0" in world.get("/ecole.atom")[1], "the topic")
        os.chown(world.public, USER, USER)
        world.health()
        world.stop()
        return "served from memory"
    finally:
        world.close()


@case
def owners(origin):
    """Commands of root beside a service user leave nothing that the service cannot write."""
    world = World(origin, user=USER)
    try:
        world.user = None
        world.run("poll", check=0)
        world.run("publish", check=0)
        world.run("backup", f"{world.store_folder}/backup.db", check=0)
        os.rename(world.store, f"{world.folder}/old.db")
        world.run("restore", f"{world.store_folder}/backup.db", check=0)
        world.run("poll", "--force", check=0)
        world.run("restore", f"{world.store_folder}/backup.db", check=0)
        for top in (world.store_folder, world.public):
            for folder, folders, files in os.walk(top):
                for name in folders + files:
                    if os.lstat(f"{folder}/{name}").st_uid != USER:
                        fail(f"{folder}/{name} is root's")
        world.user = USER
        world.start()
        world.health()
        world.settled()
        world.stop()
        return "all is the service's"
    finally:
        world.close()


@case
def unreadable_config(origin):
    world = World(origin, user=USER)
    try:
        os.chmod(world.config, 0o644)
        world.start()
        world.settled()
        os.chmod(world.config, 0o600)
        world.health("the config file cannot be read")
        world.serves()
        told_once(world, "the last good config stays in force")
        world.daemon.send_signal(signal.SIGHUP)
        time.sleep(3)
        os.chmod(world.config, 0o644)
        world.health()
        world.stop()
        return "told, and well again"
    finally:
        world.close()


@case
def killed(origin):
    """Kills while everything is polled, again and again."""
    world = World(origin)
    try:
        for _ in range(200 if LONG else 15):
            origin.entries += 1
            poll = subprocess.Popen(world.command("poll", "--force"), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            time.sleep(random.uniform(0.05, 1.5))
            poll.kill()
            poll.wait()
        world.run("poll", "--force", check=0)
        world.sound(HOSTS * origin.entries)
        return f"{HOSTS * origin.entries} entries"
    finally:
        world.close()


def main():
    if os.geteuid() != 0 or not os.path.exists(VEILLE):
        print(f"faults: left out, it needs root and {VEILLE}")
        return
    for tool in ("mount", "setpriv"):
        if not shutil.which(tool):
            print(f"faults: left out, there is no {tool}")
            return
    probe = tempfile.mkdtemp()
    can_mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", probe], capture_output=True).returncode == 0
    if can_mount:
        subprocess.run(["umount", probe])
    os.rmdir(probe)
    if not can_mount:
        print("faults: left out, nothing can be mounted here")
        return
    faults, chosen, lock = [], [CASES[name] for name in sys.argv[2:]] or list(CASES.values()), threading.Semaphore(4)

    def run(function):
        with lock:
            began = time.monotonic()
            try:
                said = function(Origin())
                print(f"faults: {function.__name__}: {said} ({time.monotonic() - began:.0f} s)", flush=True)
            except Exception as error:  # noqa: BLE001
                faults.append(function.__name__)
                print(f"faults: FAULT {function.__name__}: {error!r}".replace("\\n", "\n"), flush=True)

    threads = [threading.Thread(target=run, args=[function]) for function in chosen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
