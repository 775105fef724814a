#!/usr/bin/env python3
"""Several nodes on one PostgreSQL database, against the real program.

Feeds on hosts of loopback write down each request; nodes are killed, stopped, cut off from the server, and given other rules
and wrong clocks meanwhile; the server is restarted, or another one takes its place without its last seconds. Looked at afterwards: one node a host at a time, the gap of a host, no feed asked more often than its schedule
says, nothing lost and nothing kept twice, the same bytes from each node.

Usage: tests/postgres.sh tests/nodes.py [--feeds 1000] [--hosts 40] [--nodes 2] [--kills 20] [--patient] [VEILLE] [CASE...]

`posting` ends the leases of a killed node by hand; `--patient` lets it wait for their end, which takes a minute a kill.
"""

import asyncio
import datetime
import email.utils
import glob
import http.client
import itertools
import json
import os
import pwd
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from xml.etree import ElementTree

from targets import IDEMPOTENT, Targets

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WORDS = (
    "lycée collège élève professeur tablette budget région académie rentrée projet service rapport loi plan maire "
    "cantine train bus gare pont forêt rivière usine atelier musée théâtre concert festival match stade équipe "
    "hôpital médecin vaccin pharmacie tribunal juge avocat prison police pompier orage neige canicule sécheresse "
    "vigne blé maïs abeille vache brebis fromage marché banque impôt loyer chantier grue tunnel canal écluse port"
).split()
# The first entry of each feed: young enough for posts.
BASE = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)
GAP = 1.0
LATENCY = 0.02


def document(feed, entries):
    """A feed with so many entries; every tenth feed is of the topic."""
    subject = "L’école numérique" if feed % 10 == 0 else "Actualité"
    items = []
    for n in range(max(0, entries - 40), entries):
        chosen = random.Random(f"{feed}/{n}").choices(WORDS, k=50)
        date = email.utils.format_datetime(BASE + datetime.timedelta(minutes=n))
        items.append(
            f"<item><title>{subject}{' : chronique' if n % 30 == 7 and feed % 10 == 0 else ''} {' '.join(chosen[:7])} {feed}-{n}</title><guid isPermaLink='false'>{feed}/{n}</guid>"
            f"<pubDate>{date}</pubDate>"
            f"<description>{' '.join(chosen)}</description></item>"
        )
    items.reverse()
    return f"<rss version='2.0'><channel><title>Flux {feed}</title>{''.join(items)}</channel></rss>".encode()


async def serve(log_path, entries_path):
    """The publishers: one process for all hosts. Each request is a line: host, feed, begin, end, status."""
    log = open(log_path, "w", buffering=1)

    async def answer(reader, writer):
        host = writer.get_extra_info("sockname")[0]
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                begin = time.monotonic()
                feed = int(head.split(b" ", 2)[1].split(b"/f")[1])
                entries = int(open(entries_path).read())
                etag = f'"{entries}"'.encode()
                known = re.search(rb"if-none-match: (.*?)\r", head, re.I)
                same = known and known[1] == etag
                body = b"" if same else document(feed, entries)
                await asyncio.sleep(LATENCY)
                status = 304 if same else 200
                writer.write(b"HTTP/1.1 %d X\r\nETag: %s\r\n" % (status, etag))
                if not same:
                    writer.write(b"Content-Type: application/rss+xml\r\nContent-Length: %d\r\n" % len(body))
                log.write(f"{host} {feed} {begin:.4f} {time.monotonic():.4f} {status}\n")
                writer.write(b"\r\n" + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "0.0.0.0", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Request:
    def __init__(self, line):
        host, feed, begin, end, status = line.split()
        self.host, self.feed, self.begin, self.end, self.status = host, int(feed), float(begin), float(end), int(status)


class World:
    """Publishers, a database of its own, and nodes."""

    def __init__(self, schedule):
        self.folder = tempfile.mkdtemp(prefix="veille-nodes-")
        self.schedule, self.nodes, self.more = schedule, {}, ""
        self.environment, self.servers = {}, None
        self.database = f"nodes_{os.getpid()}_{random.randrange(10**6)}"
        self.server = os.environ["VEILLE_TEST_POSTGRES"]
        self.sql(f'CREATE DATABASE {self.database}', database=None)
        self.write_entries(5)
        self.log = f"{self.folder}/requests"
        self.origin = subprocess.Popen(
            [sys.executable, __file__, "--origin", self.log, f"{self.folder}/entries"], stdout=subprocess.PIPE, text=True
        )
        self.port = int(self.origin.stdout.readline())

    def write_entries(self, entries):
        self.entries = entries
        with open(f"{self.folder}/entries.new", "w") as to:
            to.write(str(entries))
        os.rename(f"{self.folder}/entries.new", f"{self.folder}/entries")

    def sql(self, text, database=True):
        server = self.server if database is None else re.sub(r"dbname=\S+", f"dbname={self.database}", self.server)
        bin = os.environ.get("VEILLE_TEST_POSTGRES_BIN", "/usr/bin")
        done = subprocess.run([f"{bin}/psql", server, "-qAtc", text], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def host(self, feed):
        number = feed % HOSTS
        return f"127.7.{number // 200}.{number % 200 + 1}"

    def write_config(self, name, words="école numérique"):
        folder = f"{self.folder}/{name}"
        os.makedirs(folder, exist_ok=True)
        server = re.sub(r"dbname=\S+", f"dbname={self.database}", self.server)
        number = sorted([*self.nodes, name]).index(name) if name not in PORTS else PORTS[name]
        PORTS.setdefault(name, 8600 + random.randrange(1000) + number)
        with open(f"{folder}/new.toml", "w") as to:
            to.write(
                f'[site]\nurl = "http://127.0.0.1:8080/"\n[store]\nurl = "{server}"\nnode = "{name}"\n'
                f'[publish]\ndirectory = "{folder}/public"\n[serve]\nlisten = "127.0.0.1:{PORTS[name]}"\n'
                f'[poll]\nallow_networks = ["127.0.0.0/8"]\nhost_delay = "{GAP:.0f}s"\nschedule = "{self.schedule}"\n'
                f'concurrency = 64\n[[topic]]\nid = "ecole"\nany = ["{words}"]\n'
            )
            to.write(self.more)
            for feed in range(FEEDS):
                to.write(f'[[feed]]\nid = "f{feed}"\nurl = "http://{self.host(feed)}:{self.port}/f{feed}"\n')
        os.rename(f"{folder}/new.toml", f"{folder}/config.toml")

    def start(self, name):
        if name not in PORTS or not os.path.exists(f"{self.folder}/{name}/config.toml"):
            self.write_config(name)
        log = open(f"{self.folder}/{name}/log", "a")
        command = [VEILLE, "--config", f"{self.folder}/{name}/config.toml", "run"]
        environment = {**os.environ, **self.environment.get(name, {})}
        self.nodes[name] = subprocess.Popen(command, stdout=log, stderr=log, env=environment)

    def stop(self, name, how=signal.SIGTERM):
        node = self.nodes.pop(name)
        node.send_signal(how)
        node.wait()

    def logged(self, name):
        return open(f"{self.folder}/{name}/log").read()

    def get(self, name, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{PORTS[name]}{path}", timeout=5) as answer:
            return answer.read(), answer.headers.get("ETag")

    def health(self, name):
        return json.loads(self.get(name, "/healthz")[0])

    def requests(self):
        return [Request(line) for line in open(self.log).read().splitlines()]

    def count(self):
        # Before the first node has made the tables there is none.
        return int(self.sql("SELECT count(*) FROM entry") if self.sql("SELECT to_regclass('entry')") else 0)

    def wait(self, what, done, seconds):
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, f"after {seconds} s: {what}"
            for name, node in self.nodes.items():
                assert node.poll() is None, f"node {name} ended:\n{self.logged(name)[-2000:]}"
            time.sleep(0.5)

    def wait_for_all(self, seconds):
        wanted = FEEDS * self.entries
        self.wait(f"not all of {wanted} entries are kept", lambda: self.count() >= wanted, seconds)

    def settle(self):
        """Waits until all nodes serve the latest."""
        def is_settled():
            nodes = [node for node in self.health(next(iter(self.nodes)))["nodes"] if node["is_alive"]]
            return all(node["is_current"] for node in nodes) and len(nodes) == len(self.nodes)
        self.wait("not all nodes serve the latest", is_settled, 60)

    def check_manners(self, repeated=0):
        """One request at a time, and its gap, on each host; no feed more often than one node would ask it: at the start, and
        once in each slot of its schedule. A node that is killed leaves polls under way, which are made again (`repeated`)."""
        requests = self.requests()
        last, overlaps, tight = {}, 0, []
        for request in sorted(requests, key=lambda request: request.begin):
            before = last.get(request.host)
            if before and request.begin < before.end:
                overlaps += 1
            elif before and request.begin - before.end < GAP - 0.03:
                tight.append(round(request.begin - before.end, 3))
            last[request.host] = request
        assert not overlaps and not tight, f"{overlaps} requests at once, {len(tight)} within the gap: {sorted(tight)[:9]}"
        by_feed = {}
        for request in requests:
            by_feed.setdefault(request.feed, []).append(request)
        most = max(len(asked) for asked in by_feed.values())
        slots = 2 + int((requests[-1].begin - requests[0].begin) / 120)
        over = sum(max(0, len(asked) - slots) for asked in by_feed.values())
        assert over <= repeated, f"{over} requests beyond {slots} a feed"
        return f"{len(requests)} requests on {len(last)} hosts, a feed {most} times at most in {slots} slots"

    def check_kept(self):
        """Nothing is lost, nothing is there twice."""
        twice = self.sql("SELECT count(*) FROM (SELECT 1 FROM entry GROUP BY source_id, id HAVING count(*) > 1) x")
        heads = self.sql("SELECT count(*) FROM entry WHERE story NOT IN (SELECT number FROM entry)")
        found = (self.count(), twice, heads)
        assert found == (FEEDS * self.entries, "0", "0"), f"(entries, twice, without head): {found}"
        return f"{found[0]} entries, 0 lost, 0 twice"

    def check_same(self):
        self.settle()
        first, *others = self.nodes
        for path in ["/ecole.atom", "/ecole.rss", "/ecole.json", "/ecole.html", "/", "/sources.html", "/feeds.opml"]:
            try:
                expected = self.get(first, path)
            except urllib.error.HTTPError:
                continue
            for other in others:
                assert self.get(other, path) == expected, f"{path} differs at {other}"
        # Volumes of the archive come a while after main documents.
        end = time.monotonic() + 120
        while True:
            trees = [self.tree(name) for name in self.nodes]
            if all(tree == trees[0] for tree in trees):
                return f"{len(trees[0])} files are the same at all nodes"
            paths = sorted({path for tree in trees for path in tree})
            differing = [path for path in paths if any(tree.get(path) != trees[0].get(path) for tree in trees)]
            assert time.monotonic() < end, f"published files differ: {' '.join(differing[:9])}"
            time.sleep(1)

    def tree(self, name):
        files = {}
        for folder, _, names in os.walk(f"{self.folder}/{name}/public"):
            for file in names:
                # A codec that only one node had time for is no difference.
                if not file.endswith((".gz", ".br", ".zst", ".lock")) and not file.startswith("."):
                    path = os.path.join(folder, file)
                    files[os.path.relpath(path, f"{self.folder}/{name}/public")] = open(path, "rb").read()
        return files

    def end(self):
        for node in self.nodes.values():
            node.send_signal(signal.SIGCONT)
            node.kill()
            node.wait()
        self.origin.kill()
        if self.servers:
            self.servers.end()
        else:
            self.sql(f"DROP DATABASE {self.database} WITH (FORCE)", database=None)
        if not os.environ.get("VEILLE_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)


class Servers:
    """A primary server and its standby, on sockets in a folder of their own."""

    def __init__(self):
        self.bin = os.environ.get("VEILLE_TEST_POSTGRES_BIN", "/usr/lib/postgresql/15/bin")
        self.folder = tempfile.mkdtemp(prefix="veille-servers-")
        self.become = []
        if os.getuid() == 0:
            # They refuse to run as root.
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.become = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        self.ports = {"primary": 5801, "standby": 5802}
        self.run("initdb", "--pgdata", self.data("primary"), "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8",
                 "--username=postgres", "--no-sync")
        self.start("primary")
        self.run("pg_basebackup", "--pgdata", self.data("standby"), "--write-recovery-conf", "--checkpoint=fast",
                 "--host", self.folder, "--port", self.ports["primary"], "--username=postgres", "--no-sync")
        self.start("standby")
        # Whoever connects gets the one that takes writes.
        ports = ",".join(str(port) for port in self.ports.values())
        self.address = (f"host={self.folder},{self.folder} port={ports} user=postgres dbname=postgres"
                        " target_session_attrs=read-write")

    def run(self, program, *arguments):
        command = [*self.become, f"{self.bin}/{program}", *map(str, arguments)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/")
        assert done.returncode == 0, done.stdout
        return done.stdout

    def data(self, name):
        return f"{self.folder}/{name}"

    def start(self, name):
        options = f"-k {self.folder} -p {self.ports[name]} -c listen_addresses='' -c fsync=off -c max_connections=100"
        # Without a pipe, which the server would keep open.
        command = ["pg_ctl", "--pgdata", self.data(name), "--wait", "--log", f"{self.data(name)}.log", "--options", options]
        subprocess.run([*self.become, f"{self.bin}/{command[0]}", *command[1:], "start"], check=True, stdout=subprocess.DEVNULL, cwd="/")

    def stop(self, name):
        self.run("pg_ctl", "--pgdata", self.data(name), "--mode=immediate", "stop")

    def sql(self, name, text):
        server = f"host={self.folder} port={self.ports[name]} user=postgres dbname=postgres"
        return self.run("psql", server, "-qAtc", text).strip()

    def cut(self):
        """The standby hears nothing more of the primary."""
        self.sql("standby", "ALTER SYSTEM SET primary_conninfo = ''")
        self.sql("standby", "SELECT pg_reload_conf()")
        while self.sql("standby", "SELECT count(*) FROM pg_stat_wal_receiver WHERE pid IS NOT NULL") != "0":
            time.sleep(0.05)

    def fail_over(self):
        """The primary is gone; the standby takes its place without what was written since the cut."""
        self.stop("primary")
        self.run("pg_ctl", "--pgdata", self.data("standby"), "--wait", "promote")

    def end(self):
        for name in self.ports:
            try:
                self.stop(name)
            except AssertionError:
                pass
        shutil.rmtree(self.folder, ignore_errors=True)


class Reader(threading.Thread):
    """Reads documents of all nodes all the time. One ETag never stands for two texts, whichever node says it."""

    def __init__(self, world, paths):
        super().__init__(daemon=True)
        self.world, self.paths, self.is_ended = world, paths, False
        self.texts, self.faults, self.reads = {}, [], 0
        self.start()

    def run(self):
        while not self.is_ended:
            for name, path in itertools.product(list(self.world.nodes), self.paths):
                try:
                    text, etag = self.world.get(name, path)
                except (OSError, http.client.HTTPException):
                    # It does not serve yet.
                    continue
                self.reads += 1
                known = self.texts.setdefault((path, etag), text)
                if known != text:
                    self.faults.append(f"{path} of {name}: {etag} stands for {len(known)} and {len(text)} bytes")
            time.sleep(0.1)

    def end(self):
        self.is_ended = True
        self.join()
        assert self.reads > 10 and not self.faults, (self.reads, self.faults[:3])
        return f"{self.reads} reads of {len(self.texts)} states"


PORTS = {}


def names():
    return [chr(ord("a") + number) for number in range(NODES)]


def shared(world):
    """Nodes share what is due."""
    for name in names():
        world.start(name)
    world.wait_for_all(180 + FEEDS / HOSTS * GAP * 3)
    world.write_entries(7)
    world.wait_for_all(300 + FEEDS / HOSTS * GAP * 3)
    manners, kept, same = world.check_manners(), world.check_kept(), world.check_same()
    for name in names():
        metrics = world.get(name, "/metrics")[0].decode()
        polls = sum(float(line.split()[1]) for line in metrics.splitlines() if line.startswith("veille_polls_total") and "not_due" not in line)
        # On a busy machine a node may sleep through most of a round that takes seconds.
        assert polls > FEEDS / NODES / 20, f"node {name} polled {polls} times only"
    health = world.health("a")
    assert health["status"] == "ok", health
    assert len(health["nodes"]) == NODES and sum(node["has_jobs"] for node in health["nodes"]) == 1, health["nodes"]
    return f"{manners}; {kept}; {same}"


def taken_over(world):
    """After kill -9 of a node, the others ask its hosts within 90 s."""
    for name in names():
        world.start(name)
    world.wait("no polls", lambda: len(world.requests()) > FEEDS / 4, 120)
    def held_by(name):
        return world.sql(f"SELECT string_agg(name, ' ') FROM lease WHERE node LIKE '{name}-%' AND name NOT LIKE ':%'").split()
    # One that holds hosts, and can give none back.
    end = time.monotonic() + 60
    for victim in itertools.cycle(names()):
        world.nodes[victim].send_signal(signal.SIGSTOP)
        if held_by(victim):
            break
        world.nodes[victim].send_signal(signal.SIGCONT)
        assert time.monotonic() < end, "no node holds a host"
        time.sleep(0.05)
    at = time.monotonic()
    world.stop(victim, signal.SIGKILL)
    held = held_by(victim)
    def waits():
        asked = {request.host for request in world.requests() if request.begin > at + 0.5}
        return [host for host in held if host not in asked]
    world.wait(f"of {len(held)} hosts not asked: {waits()}", lambda: not waits(), 90)
    after = {}
    for request in world.requests():
        if request.begin > at + 0.5:
            after.setdefault(request.host, request.begin - at)
    slowest = max(after[host] for host in held)
    world.wait_for_all(180 + FEEDS / HOSTS * GAP * 3)
    return f"{len(held)} hosts taken over after {slowest:.0f} s at most; {world.check_manners()}; {world.check_kept()}"


def killed(world):
    """Nodes are killed at random while they poll."""
    for name in names():
        world.start(name)
    dice = random.Random(16)
    for kill in range(KILLS):
        time.sleep(dice.uniform(0.5, 3.5))
        name = dice.choice(list(world.nodes))
        world.stop(name, signal.SIGKILL)
        time.sleep(dice.uniform(0, 0.3))
        world.start(name)
        if kill % 10 == 9:
            world.write_entries(world.entries + 1)
    world.wait_for_all(400 + FEEDS / HOSTS * GAP * 3)
    # No more are under way at a node than twice its requests at once.
    return f"{KILLS} kills; {world.check_manners(repeated=128 * KILLS)}; {world.check_kept()}; {world.check_same()}"


def paused(world):
    """A node that is stopped, and goes on after its leases were taken over, changes nothing."""
    for name in names():
        world.start(name)
    world.wait("no polls", lambda: len(world.requests()) > FEEDS / 4, 120)
    sleeper = world.nodes["a"]
    sleeper.send_signal(signal.SIGSTOP)
    time.sleep(100)
    world.wait_for_all(180 + FEEDS / HOSTS * GAP * 3)
    before = world.sql("SELECT md5(string_agg(number || ' ' || story || ' ' || md5(title), ',' ORDER BY number)) FROM entry")
    sleeper.send_signal(signal.SIGCONT)
    time.sleep(20)
    after = world.sql("SELECT md5(string_agg(number || ' ' || story || ' ' || md5(title), ',' ORDER BY number)) FROM entry")
    assert before == after, "entries differ after it woke"
    assert sleeper.poll() is None, "it ended"
    world.write_entries(6)
    world.wait_for_all(300 + FEEDS / HOSTS * GAP * 3)
    return f"{world.check_manners()}; {world.check_kept()}; {world.check_same()}"


def other_rules(world):
    """A node with other rules is told of, labels are made once, and nothing turns back."""
    for name in names():
        world.start(name)
    world.wait_for_all(180 + FEEDS / HOSTS * GAP * 3)
    world.settle()
    world.write_config("b", words="train")
    world.wait("not told", lambda: any("node a" in reason and "other rules" in reason for reason in world.health("b")["reasons"]), 30)
    rules = lambda: world.sql("SELECT rules FROM ruleset WHERE id = (SELECT value FROM meta WHERE name = 'rules')")
    old = rules()
    world.wait("b's rules are not in force", lambda: rules() != old, 60)
    new, seen = rules(), set()
    world.write_entries(6)
    end = time.monotonic() + 150
    while time.monotonic() < end:
        seen.add(rules())
        time.sleep(0.2)
    assert seen == {new}, "rules turned back"
    assert any("other rules" in reason for reason in world.health("a")["reasons"])
    for name in names():
        world.write_config(name, words="train")
    world.wait("still told", lambda: not any("other rules" in reason for name in names() for reason in world.health(name)["reasons"]), 60)
    world.wait_for_all(180 + FEEDS / HOSTS * GAP * 3)
    return f"rules moved once; {world.check_kept()}; {world.check_same()}"


def away(world):
    """The server is restarted hard while nodes poll: they serve on, and go on by themselves."""
    folder = world.sql("SHOW data_directory")
    owner = os.stat(folder).st_uid
    bin = os.environ.get("VEILLE_TEST_POSTGRES_BIN", "/usr/lib/postgresql/15/bin")
    become = ["setpriv", f"--reuid={owner}", f"--regid={os.stat(folder).st_gid}", "--clear-groups"] if os.getuid() == 0 else []
    control = [*become, f"{bin}/pg_ctl", "--pgdata", folder, "--mode=immediate", "--wait", "--log", f"{folder}/server.log"]
    # Its socket and settings are those of now: `start` knows only those of the config.
    options = shlex.join(shlex.split(open(f"{folder}/postmaster.opts").read())[3:])
    for name in names():
        world.start(name)
    world.wait("no polls", lambda: world.tree("a") and len(world.requests()) > FEEDS / 4, 120)
    subprocess.run([*control, "stop"], check=True, stdout=subprocess.DEVNULL)
    try:
        time.sleep(10)
        before = len(world.requests())
        time.sleep(10)
        asked = len(world.requests()) - before
        assert not asked, f"{asked} requests without a store"
        for name in names():
            assert world.get(name, "/ecole.atom")[0]
        lacks = lambda name: [outage["lack"] for outage in world.health(name)["outages"]]
        world.wait("a node does not tell", lambda: all("store" in lacks(name) for name in names()), 60)
        assert all(world.health(name)["status"] == "degraded" for name in names())
    finally:
        subprocess.run([*control, "--options", options, "start"], check=True, stdout=subprocess.DEVNULL)
    world.write_entries(7)
    world.wait_for_all(300 + FEEDS / HOSTS * GAP * 3)
    world.wait("not well again", lambda: all(world.health(name)["status"] == "ok" for name in names()), 60)
    return f"{world.check_manners()}; {world.check_kept()}; {world.check_same()}"


def posting(world):
    """Of several nodes one sends; others go on where a killed one was."""
    global FEEDS, HOSTS, GAP
    # All targets are one host: with a gap they would get one message a second between them.
    before, (FEEDS, HOSTS, GAP) = (FEEDS, HOSTS, GAP), (80, 40, 0)
    targets = Targets()
    world.more = (
        '[[topic]]\nid = "peu"\nany = ["chronique"]\n'
        + targets.posts(world.folder, {"all": "ecole", "mastodon": "peu", "matrix": "peu"}, ["mastodon", "matrix", "webhook"])
    )
    try:
        for name in names():
            world.start(name)
        world.wait_for_all(120)
        world.settle()
        assert not any(targets.count(kind) for kind in targets.shown), "something old was sent"
        world.write_entries(35)
        poll = [VEILLE, "--config", f"{world.folder}/a/config.toml", "poll", "--force"]
        subprocess.run(poll, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wanted = {"webhook": 8 * 30, "mastodon": 8, "matrix": 8}
        done, kills = -1, 0
        for part in (4, 2):
            world.wait("too little is sent", lambda: targets.count("webhook") > max(done, wanted["webhook"] // part - 20), 150)
            health = world.health(next(iter(world.nodes)))
            sender = next(node["name"] for node in health["nodes"] if node["has_jobs"])
            world.stop(sender, signal.SIGKILL)
            kills += 1
            if not PATIENT:
                # A minute passes for what it held.
                world.sql(f"UPDATE lease SET until = 0, free_from = 0 WHERE node LIKE '{sender}-%'")
            done = targets.count("webhook")
            world.start(sender)
        world.wait(
            f"not all is sent: {({kind: targets.count(kind) for kind in wanted})} of {wanted}",
            lambda: all(targets.count(kind) >= count for kind, count in wanted.items()),
            300,
        )
        time.sleep(2)
        told = []
        for kind, count in wanted.items():
            twice, again = targets.again(kind)
            assert targets.count(kind) == count, f"{kind}: {targets.count(kind)} of {count}"
            assert not targets.overlaps[kind], f"{kind}: {targets.overlaps[kind]} requests at once"
            assert not twice if kind in IDEMPOTENT else again <= kills, f"{kind}: {twice} twice, {again} sent again"
            told.append(f"{kind} {count} stories, {twice} twice, {again} sent again")
        return f"{kills} kills of the node that sends; {'; '.join(told)}"
    finally:
        FEEDS, HOSTS, GAP = before


def clocks(world):
    """Nodes whose clocks are hours and days wrong: the database's decides."""
    faked = next(iter(glob.glob("/usr/lib/*/faketime/libfaketime.so.1")), None)
    if not faked:
        return "left out, there is no faketime"
    offsets = dict(zip(names(), itertools.cycle(["+5h", "-30h", "+0"])))
    for name, offset in offsets.items():
        world.environment[name] = {"LD_PRELOAD": faked, "FAKETIME": offset, "FAKETIME_NO_CACHE": "1"}
        world.start(name)
    world.wait_for_all(180 + FEEDS / HOSTS * GAP * 3)
    world.write_entries(7)
    world.wait_for_all(300 + FEEDS / HOSTS * GAP * 3)
    for name, offset in offsets.items():
        if offset.startswith("-"):
            assert "behind the store's" in world.logged(name), f"node {name} does not tell of its clock"
    now = "extract(epoch FROM clock_timestamp())"
    for column, table, span in [("next_poll", "source", 300), ("last_poll", "source", 600), ("first_seen", "entry", 900)]:
        wrong = world.sql(f"SELECT count(*) FROM {table} WHERE abs({column} - {now}) > {span}")
        assert wrong == "0", f"{wrong} times `{column}` is hours away"
    return f"{' '.join(offsets.values())}: {world.check_manners()}; {world.check_kept()}; {world.check_same()}"


def failover(world):
    """A standby takes over without what was written last: those polls are made again, and nothing else."""
    world.sql(f"DROP DATABASE {world.database}", database=None)
    world.servers = Servers()
    world.server = world.servers.address
    world.sql(f"CREATE DATABASE {world.database}", database=None)
    for name in names():
        world.start(name)
    reader = Reader(world, ["/ecole.atom", "/ecole.json", "/"])
    world.wait("no polls", lambda: world.count() > FEEDS * world.entries / 4, 120)
    atom = "{http://www.w3.org/2005/Atom}"
    ids = lambda name: {
        entry.text for entry in ElementTree.fromstring(world.get(name, "/ecole.atom")[0]).findall(f"{atom}entry/{atom}id")
    }
    world.servers.cut()
    before, kept = len(world.requests()), world.count()
    world.wait("nothing new", lambda: world.count() > kept + FEEDS * world.entries / 4, 120)
    # What readers have seen of the time that will be lost.
    time.sleep(2)
    seen = set.union(*(ids(name) for name in names()))
    lost = world.count() - kept
    world.servers.fail_over()
    asked = len(world.requests()) - before
    assert world.count() < kept + lost, "nothing was lost"
    healthy = lambda: all(world.health(name)["status"] == "ok" for name in names())
    world.wait("not well again", healthy, 90)
    atom_ids = lambda: set(world.sql("SELECT atom_id FROM entry").splitlines())
    known = atom_ids()
    world.wait_for_all(240 + FEEDS / HOSTS * GAP * 3)
    world.write_entries(7)
    world.wait_for_all(300 + FEEDS / HOSTS * GAP * 3)
    assert known <= atom_ids(), "entries that were kept after the failover are gone"
    assert seen and seen <= atom_ids(), f"{len(seen - atom_ids())} stories that readers had seen did not come back under their ids"
    # Polls that the new server knows nothing of, and those that were under way when the old one went.
    manners = world.check_manners(repeated=asked + 128)
    return f"{lost} entries of {asked} polls lost and found again; {reader.end()}; {manners}; {world.check_kept()}; {world.check_same()}"


CASES = {"posting": posting, "shared": shared, "taken_over": taken_over, "killed": killed, "paused": paused, "other_rules": other_rules, "away": away,
         "clocks": clocks, "failover": failover}


def option(name, default):
    if name in sys.argv:
        at = sys.argv.index(name)
        value = int(sys.argv[at + 1])
        del sys.argv[at : at + 2]
        return value
    return default


if "--origin" in sys.argv:
    asyncio.run(serve(*sys.argv[-2:]))
    sys.exit()

PATIENT = "--patient" in sys.argv
sys.argv = [word for word in sys.argv if word != "--patient"]
FEEDS, HOSTS = option("--feeds", 1000), option("--hosts", 40)
NODES, KILLS = option("--nodes", 2), option("--kills", 20)
arguments = sys.argv[1:]
VEILLE = os.path.join(ROOT, "target/debug/veille")
if arguments and arguments[0] not in CASES:
    VEILLE = os.path.abspath(arguments.pop(0))
failed = []
for case in arguments or CASES:
    world, began = World("*/2 * * * *"), time.monotonic()
    try:
        print(f"ok   {case}: {CASES[case](world)} ({time.monotonic() - began:.0f} s)", flush=True)
    except Exception as error:
        failed.append(case)
        print(f"FAIL {case}: {type(error).__name__}: {error} ({time.monotonic() - began:.0f} s; {world.folder})", flush=True)
        os.environ["VEILLE_KEEP"] = "1"
    finally:
        world.end()
        os.environ.pop("VEILLE_KEEP", None)
sys.exit(bool(failed))
