"""Three replicas behind nginx with deploy/aws-documentation/nginx-scale.conf: what sticks, what goes anywhere, and what survives
the loss of one. Called by test.sh; every replica is a real siskin, named after its letter.
"""

import os
import re
import sys

import mcp
from mcp import Child, Exchange, Failed, Siskin, expect, in_session, initialize, message_of, ping, post, stateless

LETTERS = "abc"
# As often as a new session is opened before each replica has to have had one.
TRIES = 60


def configuration(root, folder, port, replicas):
    """The shipped file, with this machine's addresses in the place of compose's."""
    with open(os.path.join(root, "deploy/aws-documentation/nginx-scale.conf")) as file:
        text = file.read()
    for letter, replica in replicas.items():
        text, count = re.subn(rf"\bsiskin-{letter}:8000\b", f"127.0.0.1:{replica.port}", text)
        expect(count == 4, f"siskin-{letter} stands {count} times in nginx-scale.conf")
    text, count = re.subn(r"listen 80;", f"listen 127.0.0.1:{port};", text)
    expect(count == 1, text)
    text = text.replace("pid /run/nginx.pid;", f"pid {folder}/nginx.pid;\ndaemon off;")
    places = "".join(f"    {what}_temp_path {folder}/{what};\n" for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    text = text.replace("http {\n", f"http {{\n{places}", 1)
    path = os.path.join(folder, "nginx-scale.conf")
    with open(path, "w") as file:
        file.write(text)
    return path


class Stream:
    """A session of 2024-11-05: its stream, and where its messages go."""

    def __init__(self, origin):
        self.origin = origin
        self.exchange = Exchange(origin, "GET", "/sse/", {"Accept": "text/event-stream"})
        expect(self.exchange.status == 200, self.exchange.status)
        name, self.endpoint, _ = self.exchange.event()
        expect(name == "endpoint", name)
        self.path = "/" + self.endpoint.replace("../", "")
        self.replica = re.search(r"session_id=(\w)\.", self.path)[1]

    def ask(self, id):
        """A message by POST, whose answer has to come on this stream."""
        answer = Exchange(self.origin, "POST", self.path, {}, ping(id))
        status, text = answer.status, answer.body()
        expect(status == 202, (status, text))
        _, data, _ = self.exchange.event() or (None, "the stream ended", None)
        expect(message_of(data)["id"] == id, data)


def one_of_each(open_one, letter_of):
    """Opens sessions until every replica has one; nginx deals them out."""
    found = {}
    for _ in range(TRIES):
        session = open_one()
        found.setdefault(letter_of(session), session)
        if len(found) == len(LETTERS):
            return found
    raise Failed(f"{TRIES} sessions came to {sorted(found)} only")


def whereabouts(origin, count, first_id):
    """Which replicas answer requests that belong to no session."""
    names = []
    for id in range(first_id, first_id + count):
        answer = stateless(origin, id, "server/discover")
        text = answer.body()
        expect(answer.status == 200, (answer.status, text))
        message = message_of(text)
        expect(message["id"] == id, message)
        names.append(re.search(r'"replica-(\w)"', text)[1])
    return set(names)


def run(root, binary, case):
    with mcp.folder() as folder:
        replicas, nginx, streams = {}, None, {}

        def start(letter, port=0):
            environment = {
                "APP_SERVER__SESSION_PREFIX": letter,
                "APP_SERVER__NAME": f"replica-{letter}",
                "APP_STATE__FILE": f"{folder}/state-{letter}",
            }
            replicas[letter] = Siskin(binary, folder, f"siskin-{letter}", port, environment)

        try:
            for letter in LETTERS:
                start(letter)
            port = mcp.free_port()
            path = configuration(root, folder, port, replicas)
            nginx = Child(["nginx", "-c", path, "-p", folder, "-e", "stderr"], folder, "nginx", ready=mcp.accepts(port))
            origin = (None, "127.0.0.1", port)

            sessions = {}

            def opened():
                sessions.update(one_of_each(lambda: initialize(origin), lambda session: session[0][0]))
                for letter, (_, name) in sessions.items():
                    expect(name == f"replica-{letter}", (letter, name))

            def call(letter, id):
                answer = post(origin, "/mcp", ping(id), in_session(sessions[letter][0]))
                text = answer.body()
                return answer.status, text

            def stick():
                for id in range(10, 40):
                    status, text = call(LETTERS[id % 3], id)
                    expect(status == 200 and message_of(text)["id"] == id, (status, text))

            def only_there():
                elsewhere = replicas["a"].origin
                answer = post(elsewhere, "/mcp", ping(1), in_session(sessions["b"][0]))
                expect(answer.status == 404, answer.status)

            def streams_opened():
                streams.update(one_of_each(lambda: Stream(origin), lambda stream: stream.replica))

            def streams_stick():
                for id in range(100, 130):
                    streams[LETTERS[id % 3]].ask(id)

            def anywhere():
                seen = whereabouts(origin, 30, 200)
                expect(seen == set(LETTERS), seen)

            case("sessions of /mcp are dealt out to all three", opened)
            case("a session's requests reach its replica, 30 of 30", stick)
            case("no other replica knows it", only_there)
            case("streams of /sse/ are dealt out to all three", streams_opened)
            case("messages of /messages/ reach their stream, 30 of 30", streams_stick)
            case("2026-07-28 is answered by all three", anywhere)

            replicas["b"].stop(is_kill=True)

            def others_live():
                for id in range(300, 320):
                    status, text = call("ac"[id % 2], id)
                    expect(status == 200 and message_of(text)["id"] == id, (status, text))
                    streams["ac"[id % 2]].ask(id)

            def lost_one_says_404():
                status, text = call("b", 330)
                expect(status == 404, (status, text))
                session, name = initialize(origin)
                expect(name != "replica-b", name)
                answer = post(origin, "/mcp", ping(331), in_session(session))
                expect(answer.status == 200, (answer.status, answer.body()))

            def lost_stream_ends():
                expect(streams["b"].exchange.event() is None, "an event came from a dead replica")
                expect(Stream(origin).replica != "b", "a new stream at a dead replica")

            def nobody_notices():
                seen = whereabouts(origin, 30, 400)
                expect(seen == {"a", "c"}, seen)

            case("b killed: sessions and streams of a and c go on", others_live)
            case("b killed: its session gets 404, and the client a new one", lost_one_says_404)
            case("b killed: its stream ends, and a new one opens", lost_stream_ends)
            case("b killed: 2026-07-28 goes on without an error", nobody_notices)

            def upgrade():
                port = replicas["c"].port
                replicas["c"].stop()
                start("c", port)
                status, text = call("c", 500)
                expect(status == 200 and message_of(text)["id"] == 500, (status, text))

            case("c restarted as for an upgrade: its session is still there", upgrade)
        finally:
            for child in [nginx, *replicas.values()]:
                if child:
                    child.stop()


if __name__ == "__main__":
    sys.exit("called by cases.py")
