#!/usr/bin/env python3
"""Faults of the store and of the published folder that only root can make, against the real program.

`.ci/run` calls it where it is root. Each case runs a daemon on feeds whose publishers (on 127.0.0.1 to 127.0.0.40) count
what they are asked, makes a fault, looks at what is served and told meanwhile, mends it, and checks that all goes on by
itself: nothing is lost, and nobody was asked more often than the schedule and one repetition of polls under way allow.

Usage: tests/faults.py [VEILLE] [CASE...]

`VEILLE_LONG=1` holds the lock and the process for minutes, and kills 200 times. `VEILLE_TABLE=1` prints the rows of
`docs/faults.md` at the end.
"""

import asyncio
import hashlib
import http.server
import itertools
import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

from targets import IDEMPOTENT, KINDS, Targets

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VEILLE = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "target/debug/veille"))
HOSTS = 40
USER = 61234  # Of nobody on this machine.
PORTS = itertools.count(8200 + random.randrange(400))  # One a world.
LONG = bool(os.environ.get("VEILLE_LONG"))
TABLE = bool(os.environ.get("VEILLE_TABLE"))


class Row:
    """A row of the table: what happened, how often publishers were asked meanwhile, when all was well again."""

    def __init__(self, happened, asked="0", well="", lost="nothing"):
        self.happened, self.asked, self.lost, self.well = happened, asked, lost, well

    def __str__(self):
        return "; ".join(part for part in (self.happened, f"asked meanwhile: {self.asked}", f"lost: {self.lost}", self.well and f"well: {self.well}") if part)


class Origin:
    """Publishers, one a host, each with one feed; `round` gives all feeds one more entry."""

    def __init__(self):
        origin = self
        self.asked, self.unconditional, self.entries, self.lock = {}, {}, 1, threading.Lock()
        self.times, self.latency = [], 0

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                host = self.headers["Host"]
                etag = f'"{origin.entries}"'
                known = self.headers.get("If-None-Match")
                with origin.lock:
                    origin.asked[host] = origin.asked.get(host, 0) + 1
                    origin.times.append(time.monotonic())
                    if not known:
                        origin.unconditional[host] = origin.unconditional.get(host, 0) + 1
                time.sleep(origin.latency)
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
            request_queue_size = 4096
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

    def __init__(self, origin, schedule="* * * * *", size=None, feeds=HOSTS, user=None, disk=None):
        self.origin, self.user, self.mounts, self.feeds, self.environment, self.limit = origin, user, [], feeds, {}, None
        self.folder = tempfile.mkdtemp(prefix="veille-faults-")
        os.chmod(self.folder, 0o755)
        self.store_folder, self.public = f"{self.folder}/store", f"{self.folder}/public"
        for folder in (self.store_folder, self.public):
            os.mkdir(folder)
            if disk and folder == self.store_folder:
                subprocess.run(["mount", "-o", f"loop,{disk[1]}", disk[0], folder], check=True)
                self.mounts.append(folder)
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
                f'[serve]\nlisten = "127.0.0.1:{next(PORTS)}"\n'
                '[[topic]]\nid = "ecole"\nany = ["école numérique"]\n'
            )
            for n in range(1, feeds + 1):
                # Each host a subnet of its own beyond the first 250.
                to.write(f'[[feed]]\nid = "f{n}"\nurl = "http://127.0.{(n - 1) // 250}.{(n - 1) % 250 + 1}:{origin.port}/feed"\n')
        self.address = [line for line in open(self.config) if line.startswith("listen")][0].split('"')[1]
        self.daemon = None

    def command(self, *arguments):
        before = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"] if self.user else []
        return [*before, VEILLE, "--config", self.config, *arguments]

    def start(self):
        self.log = f"{self.folder}/log-{time.monotonic_ns()}"
        limit = self.limit and (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, self.limit))
        environment = {**os.environ, **self.environment}
        self.daemon = subprocess.Popen(self.command("run"), stderr=open(self.log, "w"), cwd="/", env=environment, preexec_fn=limit)

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
        wait(lambda: self.well() == self.feeds, "all feeds well", lambda: self.logged())

    def well(self):
        return self.feeds_json().count('"status":"ok"')

    def peak(self, seconds):
        """Returns the most descriptors that the daemon holds within a time, and the longest answer of /healthz."""
        most, longest, end = 0, 0.0, time.monotonic() + seconds
        while time.monotonic() < end:
            most = max(most, len(os.listdir(f"/proc/{self.daemon.pid}/fd")))
            began = time.monotonic()
            status, _ = self.get("/healthz")
            if self.logged().count("Veille on") and status != 200:
                fail(f"no answer: {status}")
            longest = max(longest, time.monotonic() - began)
            time.sleep(0.05)
        return most, longest

    def memory(self):
        """The most memory that the daemon has held, in MiB."""
        status = open(f"/proc/{self.daemon.pid}/status").read()
        return int([line for line in status.split("\n") if line.startswith("VmHWM")][0].split()[1]) >> 10

    def waiting(self):
        """Returns how many messages wait for the target that has most of them."""
        with sqlite3.connect(self.store) as store:
            sql = "SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM outbox WHERE state = 'waiting' GROUP BY post)"
            return store.execute(sql).fetchone()[0]

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

    def count(self):
        with sqlite3.connect(f"file:{self.store}?mode=ro", uri=True) as store:
            return store.execute("SELECT count(*) FROM entry").fetchone()[0]

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
    return f"{total}, at most {worst} a host" if total else "0"


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
    return Row(f"told after {found:.1f} s, served on", quiet, f"{mended:.1f} s after the end")


@case
def full_disk(origin):
    """A full disk | a file of zeros fills the store’s disk (8 MB) under the daemon"""
    world = World(origin, size="8m")
    try:
        return outage(world, lambda: world.fill(world.store_folder), lambda: os.remove(f"{world.store_folder}/fill"), ["is full", "free some space"])
    finally:
        world.close()


@case
def full_disk_at_start(origin):
    """A full disk at the start | the same before the start; `poll` and `feeds` by hand"""
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
        return Row("told, served on", asked, "by itself within a minute")
    finally:
        world.close()


@case
def read_only(origin):
    """A read-only file system at the start | `mount -o remount,ro` before the start"""
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
        return Row("told, served on", asked, "by itself within a minute")
    finally:
        world.close()


@case
def rights_at_start(origin):
    """Lost rights | the store belongs to root, the daemon is another user"""
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
        return Row("told, served on", asked, "by itself within a minute")
    finally:
        world.close()


@case
def deleted(origin):
    """A deleted store | `rm` under the daemon, then a backup put in its place"""
    world = World(origin)
    away = f"{world.folder}/backup.db"

    def begin():
        world.run("backup", away, check=0)
        os.remove(world.store)

    try:
        return outage(world, begin, lambda: world.run("restore", away) and os.path.exists(world.store) or shutil.copy(away, world.store), ["was deleted or moved away", "stop veille"], 5)
    finally:
        world.close()


@case
def missing_at_start(origin):
    """A store that is gone at the start | `rm` before the start; then stop, `veille restore`, start"""
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
        if "is held by process" not in done.stderr and "runs already" not in done.stderr:
            fail(done.stderr)
        world.stop()
        world.run("restore", f"{world.folder}/backup.db", check=0)
        world.start()
        world.health()
        world.stop()
        world.sound(HOSTS)
        return Row("told, served on; none is made anew", asked, "after the restore")
    finally:
        world.close()


@case
def locked(origin):
    """A store that another process holds | `BEGIN IMMEDIATE` by another process"""
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
    """A damaged store | all pages but the first are overwritten; then stop, `veille restore`, start"""
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
        return Row("told, served on; no backup is made of it", asked, "after the restore")
    finally:
        world.close()


@case
def folder_full_at_start(origin):
    """A full disk of the published folder | filled before the start"""
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
        return Row("told, served from memory", "as usual", "by itself within a minute")
    finally:
        world.close()


@case
def folder_of_root_at_start(origin):
    """A published folder of root | `chown root` before the start"""
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
        return Row("told, served from memory", "as usual", "by itself within a minute")
    finally:
        world.close()


@case
def owners(origin):
    """Commands of root beside a service user | `poll`, `publish`, `backup`, `restore`"""
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
        return Row("all files are the service’s", "as told to")
    finally:
        world.close()


@case
def unreadable_config(origin):
    """A config that cannot be read | `chmod 600` of root’s file under the daemon"""
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
        return Row("told, the last good one stays", "as usual", "within 4 s")
    finally:
        world.close()


@case
def killed(origin):
    """kill -9 | `veille poll` is killed while everything is polled, again and again"""
    world = World(origin)
    try:
        kills = 200 if LONG else 15
        for _ in range(kills):
            origin.entries += 1
            poll = subprocess.Popen(world.command("poll", "--force"), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            time.sleep(random.uniform(0.05, 1.5))
            poll.kill()
            poll.wait()
        world.run("poll", "--force", check=0)
        count = HOSTS * origin.entries
        world.sound(count)
        if world.count() != count:
            fail(f"{world.count()} entries in place of {count}")
        return Row(f"{kills} kills; {count} entries, each once; integrity ok", f"{sum(origin.requests().values())} in all", "at the next poll")
    finally:
        world.close()


class Readers:
    """Subscribers of a hub, one a path: each confirms what it is asked, and keeps a hash of the last document that it got."""

    def __init__(self, delay=0.0):
        self.delay, self.last, self.deliveries, self.connections, self.most = delay, {}, 0, 0, 0
        self.loop = asyncio.new_event_loop()
        started = threading.Event()

        async def serve():
            server = await asyncio.start_server(self.converse, "127.0.0.1", 0, backlog=4096)
            self.port = server.sockets[0].getsockname()[1]
            started.set()

        self.loop.create_task(serve())
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        started.wait()

    async def converse(self, reader, writer):
        self.connections += 1
        self.most = max(self.most, self.connections)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                method, target, _ = head.split(" ", 2)
                length = [line.split(": ")[1] for line in head.split("\r\n") if line.lower().startswith("content-length: ")]
                body = await reader.readexactly(int(length[0])) if length else b""
                url = urllib.parse.urlparse(target)
                challenge = urllib.parse.parse_qs(url.query).get("hub.challenge", [""])[0]
                if method == "POST":
                    await asyncio.sleep(self.delay)
                    self.last[url.path] = hashlib.sha256(body).digest()
                    self.deliveries += 1
                writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(challenge)}\r\n\r\n{challenge}".encode())
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # The hub has gone, or was killed.
        finally:
            self.connections -= 1
            writer.close()

    def subscribe(self, world, number):
        """Asks the hub for the topic, as from an address of its own."""
        form = {"hub.mode": "subscribe", "hub.callback": f"http://127.0.0.1:{self.port}/{number}", "hub.topic": TOPIC, "hub.secret": "s"}
        forwarded = f"9.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        request = urllib.request.Request(f"http://{world.address}/hub", urllib.parse.urlencode(form).encode(), {"X-Forwarded-For": forwarded})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status

    def have(self, document, count):
        wanted = hashlib.sha256(document.encode()).digest()
        return len(self.last) >= count and all(last == wanted for last in list(self.last.values()))


TOPIC = "http://127.0.0.1:8080/ecole.atom"


def hub(origin, readers, count, keys=""):
    """Returns a world with a hub, a daemon and so many subscribers."""
    world = World(origin, schedule="0 0 1 1 *", feeds=1)
    with open(world.config, "a") as to:
        to.write(f"[websub]\nhub = true\n{keys}")
    world.start()
    world.settled()
    wait(lambda: "école" in world.get("/ecole.atom")[1], "the topic")
    for number in range(count):
        readers.subscribe(world, number)
        if number % 100 == 99:
            wait(lambda: intents(world) == 0, "verified")
    wait(lambda: intents(world) == 0, "verified")
    return world


def intents(world):
    with sqlite3.connect(f"file:{world.store}?mode=ro", uri=True) as store:
        return store.execute("SELECT count(*) FROM subscriber WHERE lease_end IS NULL").fetchone()[0]


@case
def hub_killed(origin):
    """kill -9 while our hub delivers | a daemon with 100 subscribers is killed in the middle of deliveries, again and again"""
    readers, count, kills = Readers(delay=0.05), 100, 50 if LONG else 6
    world = hub(origin, readers, count)
    try:
        for _ in range(kills):
            origin.entries += 1
            before = readers.deliveries
            world.run("poll", "--force", check=0)
            wait(lambda: readers.deliveries > before, "a delivery")
            time.sleep(random.uniform(0, 0.6))
            world.stop(signal.SIGKILL)
            world.start()
            wait(lambda: world.get("/ecole.atom")[0] == 200, "serving", world.logged)
        origin.entries += 1
        world.run("poll", "--force", check=0)
        wait(lambda: f"nouvelle {origin.entries - 1} de" in world.get("/ecole.atom")[1], "the last document")
        wait(lambda: readers.have(world.get("/ecole.atom")[1], count), "each subscriber has the last document", world.logged)
        return Row(f"{kills} kills, {readers.deliveries} deliveries; each of {count} subscribers has the last document", "0", "at the next start")
    finally:
        world.close()


def hub_many(origin):
    """10,000 subscribers of one topic | by hand: time, memory and connections of one document"""
    readers, count = Readers(), 10_000
    began = time.monotonic()
    world = hub(origin, readers, count, "subscribers_per_host = 20000\nsubscribers_max = 20000\n")
    try:
        subscribed = time.monotonic() - began
        before = world.memory()
        for _ in range(2):
            origin.entries += 1
            readers.last.clear()
            world.run("poll", "--force", check=0)
            wait(lambda: readers.last, "the first delivery")
            first = time.monotonic()
            wait(lambda: readers.have(world.get("/ecole.atom")[1], count), "all deliveries", world.logged, 300)
            took = time.monotonic() - first
        size = len(world.get("/ecole.atom")[1]) >> 10
        return Row(
            f"{count} verified in {subscribed:.0f} s; {size} KiB to each in {took:.1f} s; memory {before} MiB before, {world.memory()} MiB at most; "
            f"{readers.most} connections at once"
        )
    finally:
        world.close()


BY_HAND = {"hub_many": hub_many}


@case
def read_only_running(origin):
    """A file system that turns read-only | ext4 with `errors=remount-ro` meets an error under the daemon; then stop, `fsck`, mount, start"""
    image = tempfile.mktemp(prefix="veille-faults-")
    with open(image, "wb") as to:
        to.truncate(24 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
    try:
        world = World(origin, disk=(image, "errors=remount-ro"))
    except subprocess.CalledProcessError:
        os.remove(image)
        return Row("left out: no loop device")
    try:
        world.start()
        world.settled()
        wait(lambda: world.get("/ecole.atom")[1].count("<entry>") == HOSTS, "the first news", world.logged)
        device = subprocess.run(["findmnt", "-n", "-o", "SOURCE", world.store_folder], capture_output=True, text=True).stdout.strip()
        with open(f"/sys/fs/ext4/{os.path.basename(device)}/trigger_fs_error", "w") as to:
            to.write("1")
        began = time.monotonic()
        origin.entries += 1
        world.health("is mounted read-only", "mount it for writing again")
        found, before = time.monotonic() - began, origin.requests()
        world.serves()
        time.sleep(10)
        asked = meanwhile(world, before, 1, "a read-only file system")
        told_once(world, "is mounted read-only")
        world.stop()
        subprocess.run(["umount", world.store_folder], check=True)
        subprocess.run(["fsck.ext4", "-y", image], capture_output=True)
        subprocess.run(["mount", "-o", "loop", image, world.store_folder], check=True)
        world.start()
        world.health()
        wait(lambda: f"nouvelle {origin.entries - 1}" in world.get("/ecole.atom")[1], "the news", world.logged, 150)
        world.stop()
        world.sound(HOSTS * origin.entries)
        return Row(f"told after {found:.1f} s, served on", asked, "at the start after the repair")
    finally:
        world.close()
        os.remove(image)


@case
def bound_read_only(origin):
    """A store’s folder that is mounted read-only over itself | `mount --bind`, `mount -o remount,ro,bind` under the daemon, then `remount,rw`"""
    world = World(origin, size="16m")

    def begin():
        subprocess.run(["mount", "--bind", world.store_folder, world.store_folder], check=True)
        world.mounts.insert(0, world.store_folder)
        subprocess.run(["mount", "-o", "remount,ro,bind", world.store_folder], check=True)

    def end():
        subprocess.run(["mount", "-o", "remount,rw,bind", world.store_folder], check=True)

    try:
        return outage(world, begin, end, ["is mounted read-only", "mount it for writing again"], 5)
    finally:
        world.close()


# What the system calls of files answer while the file `$VEILLE_EIO` exists, if the file's path holds `$VEILLE_EIO_OF`.
EIO = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/types.h>
static int broken(int fd) {
  char link[64], path[4096];
  const char *on = getenv("VEILLE_EIO"), *of = getenv("VEILLE_EIO_OF");
  if (!on || !of || access(on, F_OK)) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return strstr(path, of) != NULL;
}
#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name); if (broken(fd)) { errno = EIO; return -1; }
ssize_t pread64(int fd, void *to, size_t n, off64_t at) { REAL(pread64) return real(fd, to, n, at); }
ssize_t pwrite64(int fd, const void *of, size_t n, off64_t at) { REAL(pwrite64) return real(fd, of, n, at); }
ssize_t pread(int fd, void *to, size_t n, off_t at) { REAL(pread) return real(fd, to, n, at); }
ssize_t pwrite(int fd, const void *of, size_t n, off_t at) { REAL(pwrite) return real(fd, of, n, at); }
int fsync(int fd) { REAL(fsync) return real(fd); }
int fdatasync(int fd) { REAL(fdatasync) return real(fd); }
"""


@case
def input_output_errors(origin):
    """I/O errors | every read, write and sync of the store’s files answers EIO (a preloaded library)"""
    if not shutil.which("cc"):
        return Row("left out: no C compiler")
    world = World(origin)
    try:
        switch, library = f"{world.folder}/broken", f"{world.folder}/eio.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, "-x", "c", "-", "-ldl"], input=EIO.encode(), check=True)
        world.environment = {"LD_PRELOAD": library, "VEILLE_EIO": switch, "VEILLE_EIO_OF": "/store/veille.db"}
        return outage(world, lambda: open(switch, "w").close(), lambda: os.remove(switch), ["look at the system's log", "fails"], 5)
    finally:
        world.close()


@case
def stopped(origin):
    """A daemon that is stopped | SIGSTOP, minutes later SIGCONT"""
    world = World(origin)
    try:
        world.start()
        world.settled()
        origin.entries += 1
        # Not in the middle of a round.
        time.sleep(3)
        seconds = 190 if LONG else 75
        world.daemon.send_signal(signal.SIGSTOP)
        time.sleep(0.5)
        before = origin.requests()
        time.sleep(seconds)
        asked = meanwhile(world, before, 0, "a stop")
        world.daemon.send_signal(signal.SIGCONT)
        began = time.monotonic()
        wait(lambda: f"nouvelle {origin.entries - 1}" in world.get("/ecole.atom")[1], "the news", world.logged)
        wait(lambda: min(origin.requests().get(host, 0) - asked_before for host, asked_before in before.items()) > 0, "all polls")
        well = time.monotonic() - began
        times = sorted(at for at in origin.times if at >= began)
        storm = max(sum(1 for at in times if first <= at < first + 1) for first in times)
        meanwhile(world, before, 2 + int(well // 60), "all")
        if storm > HOSTS // 2:
            fail(f"{storm} requests in one second")
        world.stop()
        world.sound(HOSTS * origin.entries)
        return Row(f"stopped for {seconds} s; then at most {storm} requests a second, each feed once", asked, f"all polled {well:.0f} s after it went on")
    finally:
        world.close()


@case
def folder_deleted(origin):
    """A deleted published folder | `rm -r` under the daemon"""
    world = World(origin, schedule="0 * * * *")
    try:
        world.start()
        world.settled()
        wait(lambda: world.get("/ecole.atom")[1].count("<entry>") == HOSTS, "the first news", world.logged)
        time.sleep(3)
        before = origin.requests()
        shutil.rmtree(world.public)
        began = time.monotonic()
        wait(lambda: os.path.exists(f"{world.public}/ecole.atom"), "the files", world.logged, 20)
        well = time.monotonic() - began
        world.serves()
        told_once(world, "all is written there again")
        asked = meanwhile(world, before, 0, "a deleted folder")
        world.stop()
        return Row("served on from memory, told", asked, f"all written again after {well:.1f} s")
    finally:
        world.close()


MANY = 2000


def many(origin, limit):
    """A round of 2,000 feeds on as many hosts under a limit of descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    world = World(origin, schedule="0 0 * * *", feeds=MANY)
    try:
        origin.latency, world.limit = 0.05, (limit[0], min(limit[1], hard))
        world.start()
        wait(lambda: "Veille on" in world.logged(), "a daemon that serves", world.logged)
        most, longest = world.peak(15)
        world.settled()
        health = json.loads(world.get("/healthz")[1])
        if health["sources"]["failing"] or "failing" in world.logged() or "Too many" in world.logged():
            fail(f"feeds are blamed: {health}\n{world.logged()}")
        asked = meanwhile(world, {}, 1, "a round")
        world.stop()
        world.sound(MANY)
        return Row(f"{most} descriptors at most, no failure; /healthz within {longest:.2f} s", asked)
    finally:
        world.close()


@case
def killed_while_posting(origin):
    """kill -9 | `veille post` is killed while it sends to four targets, again and again"""
    world, targets = World(origin, feeds=8), Targets()
    try:
        with open(world.config, "a") as to:
            to.write(targets.posts(world.folder, {"all": "ecole"}))
        world.run("poll", "--force", check=0)
        world.run("post", check=0)
        before, kills, done = origin.entries, 100 if LONG else 10, 0
        while done < kills:
            if world.waiting() < 8:
                origin.entries += 2
                world.run("poll", "--force", check=0)
            post = subprocess.Popen(world.command("post"), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            time.sleep(random.uniform(0.1, 1.4))
            done += post.poll() is None
            post.kill()
            post.wait()
        world.run("post", check=0)
        stories, told = 8 * (origin.entries - before), []
        for kind in KINDS:
            twice, again = targets.again(kind)
            if targets.count(kind) != stories:
                fail(f"{kind} shows {targets.count(kind)} of {stories} stories")
            if kind in IDEMPOTENT and twice:
                fail(f"{kind} shows {twice} stories twice")
            told.append(f"{kind} {twice} twice ({again} sent again)")
        return Row(f"{kills} kills; {stories} stories each; " + ", ".join(told), f"{sum(origin.requests().values())} in all", "at the next `post`")
    finally:
        world.close()


@case
def many_hosts(origin):
    """2,000 feeds on 2,000 hosts, `ulimit -Sn 1024` | one round; the hard limit is higher"""
    return many(origin, (1024, 65536))


@case
def few_descriptors(origin):
    """The same with `ulimit -n 1024` | one round; the hard limit too"""
    return many(origin, (1024, 1024))


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
    faults, rows, chosen, lock = [], {}, [{**CASES, **BY_HAND}[name] for name in sys.argv[2:]] or list(CASES.values()), threading.Semaphore(5)

    # Those that wait for longest begin first.
    chosen.sort(key=lambda function: function.__name__ not in ("stopped", "locked", "full_disk", "deleted", "input_output_errors"))

    def run(function):
        with lock:
            began = time.monotonic()
            try:
                said = rows[function.__name__] = function(Origin())
                print(f"faults: {function.__name__}: {said} ({time.monotonic() - began:.0f} s)", flush=True)
            except Exception as error:  # noqa: BLE001
                faults.append(function.__name__)
                print(f"faults: FAULT {function.__name__}: {error!r}".replace("\\n", "\n"), flush=True)

    threads = [threading.Thread(target=run, args=[function]) for function in chosen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if TABLE:
        for function in chosen:
            if function.__name__ in rows:
                row = rows[function.__name__]
                print(f"| {function.__doc__} | {row.happened} | {row.asked} | {row.lost} | {row.well} | `{function.__name__}` |")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
