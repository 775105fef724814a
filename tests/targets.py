"""Targets of posts on loopback, which count: a Mastodon account and a Matrix room, which know a message that comes twice by its
key, a Mattermost channel, which does not, and a webhook, whose deliveries have ids.

Each message is kept before its answer goes, which takes a while: a program that is killed meanwhile does not hear of it.
"""

import collections
import http.server
import json
import os
import threading
import time


class Targets:
    def __init__(self, pace=0.05):
        targets = self
        self.lock, self.pace = threading.Lock(), pace
        # For each target: what stands there, by key where it knows one; how often each key was asked for; requests at once.
        self.shown = {kind: [] for kind in KINDS}
        self.keys = {kind: collections.Counter() for kind in KINDS}
        self.running = collections.Counter()
        self.overlaps = collections.Counter()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                kind = next((kind for kind, path in KINDS.items() if self.path.startswith(path)), None)
                if kind is None:
                    return self.say(404, {})
                with targets.lock:
                    targets.running[kind] += 1
                    targets.overlaps[kind] += targets.running[kind] > 1
                    targets.take(kind, self, json.loads(body))
                time.sleep(targets.pace)
                with targets.lock:
                    targets.running[kind] -= 1
                self.say(200, {"id": "1", "event_id": "$e"})

            def say(self, status, answer):
                answer = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = do_PUT = answer

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # A client that was killed.

        self.server = Server(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, kind, request, message):
        if kind == "mastodon":
            key, text = request.headers["Idempotency-Key"], message["status"]
        elif kind == "matrix":
            key, text = request.path.rsplit("/", 1)[1], message["body"]
        elif kind == "webhook":
            key, text = message["delivery"], message["item"]["title"]
        else:
            key, text = message["text"], message["text"]
        self.keys[kind][key] += 1
        if self.keys[kind][key] == 1 or kind not in IDEMPOTENT:
            self.shown[kind].append(text.splitlines()[0])

    def posts(self, folder, topics, kinds=None):
        """The sections of a config; secrets are kept in a folder."""
        sections = []
        with open(os.path.join(folder, "token"), "w") as to:
            to.write("token")
        for kind in kinds or KINDS:
            keys = {
                "mastodon": f'server = "{self.address}"\ntoken = {{ file = "{folder}/token" }}',
                "matrix": f'server = "{self.address}"\ntoken = {{ file = "{folder}/token" }}\nroom = "!r:x"',
                "mattermost": f'url = "{self.address}{KINDS["mattermost"]}"',
                "webhook": f'url = "{self.address}{KINDS["webhook"]}"',
            }[kind]
            topic = topics.get(kind) or topics["all"]
            sections.append(f'[[post]]\nid = "{kind}"\ntopics = ["{topic}"]\nto = "{kind}"\nwait = "0s"\n{keys}\n')
        return "\n".join(sections)

    def count(self, kind):
        with self.lock:
            return len(set(self.shown[kind]))

    def again(self, kind):
        """How many messages are there twice, and how many were sent again and known by their keys."""
        with self.lock:
            shown, keys = self.shown[kind], self.keys[kind]
            return len(shown) - len(set(shown)), sum(keys.values()) - len(keys)


# Each target and the beginning of its path.
KINDS = {
    "mastodon": "/api/v1/statuses",
    "matrix": "/_matrix/client/v3/rooms/",
    "mattermost": "/hooks/secret",
    "webhook": "/veille",
}
IDEMPOTENT = {"mastodon", "matrix"}
