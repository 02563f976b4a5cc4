"""Counts the instructions that a server spends on each of six fixed transcripts, and compares with the recorded counts.

Usage: count.py [--record] [--tool NAME --arguments JSON] BINARY   Called by run.sh; Python's standard library and valgrind.

A server runs under callgrind for so many repetitions, and again for twice as many: the difference, divided, is what one
repetition costs, and starting, warming up and stopping are not in it. Instructions in the kernel are not counted.
"""

import argparse
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
RECORD = os.path.join(HERE, "counts.json")
# By how much a count may grow before it has to be recorded with the change that made it grow.
GROWTH_MAX = 0.03
# Enough for what happens once in a while to be seen, and for the whole to take half a minute.
REPETITIONS = 400
# Threads that wake each other spend some more when they meet badly, as with stdio: the least of so many runs counts.
TRIES = 3
WAIT_SECONDS = 60


class Server:
    """The binary under callgrind, and how many instructions it had spent when it was over."""

    def __init__(self, binary, transport, folder):
        self.log = os.path.join(folder, "valgrind.log")
        command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--fair-sched=yes", f"--log-file={self.log}", "--", binary]
        command.append("--stdio" if transport == "stdio" else "0")
        env = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        stdin = subprocess.PIPE if transport == "stdio" else subprocess.DEVNULL
        self.process = subprocess.Popen(
            command, cwd=folder, env=env, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.port = None
        # Whatever happens, it does not outlive its time.
        self.alarm = threading.Timer(WAIT_SECONDS, self.process.kill)
        self.alarm.start()
        if transport != "stdio":
            for line in self.process.stderr:
                if found := re.search(rb"listening http 127\.0\.0\.1:(\d+)", line):
                    self.port = int(found[1])
                    break
            else:
                sys.exit(f"`{binary}` did not start under valgrind")

    def stop(self):
        if self.process.stdin:
            self.process.stdin.close()
        else:
            self.process.terminate()
        self.process.wait(WAIT_SECONDS)
        self.alarm.cancel()
        self.process.stdout.close()
        self.process.stderr.close()
        with open(self.log) as log:
            found = re.search(r"Collected : (\d+)", log.read())
        if not found:
            sys.exit("valgrind says no count; is callgrind installed?")
        return int(found[1])


class Http:
    """A client that says one thing after the other on one connection."""

    revision = "2025-11-25"

    def __init__(self, server):
        self.server = server
        self.stream = socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_SECONDS)
        self.session = None
        self.path = "/mcp"
        self.input = b""

    def say(self, name, message):
        headers = "Accept: application/json, text/event-stream\r\nContent-Type: application/json\r\n"
        if name == "stateless call":
            headers += f"MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: {message['params']['name']}\r\n"
        elif self.session:
            headers += f"Mcp-Session-Id: {self.session}\r\nMCP-Protocol-Version: {self.revision}\r\n"
        if name == "delete":
            head, _ = self.exchange("DELETE", headers, b"")
            self.session = None
            return self.check(head, 2, name)
        if name == "initialize":
            headers = headers.split("Mcp-Session-Id")[0]
        head, body = self.exchange("POST", headers, compact(message))
        self.check(head, 2, name)
        if name == "initialize":
            self.session = re.search(rb"mcp-session-id: (\S+)", head, re.IGNORECASE)[1].decode()
        self.check_answer(message, body)

    def check(self, head, group, name):
        if not head.startswith(b"HTTP/1.1 %d" % group):
            sys.exit(f"`{name}` was answered with {head[:60]!r}")

    def check_answer(self, message, body):
        if "id" in message and "result" not in json.loads(body):
            sys.exit(f"`{message['method']}` was answered with {body!r}")

    def exchange(self, method, headers, body):
        head = f"{method} {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.server.port}\r\n{headers}"
        if body:
            head += f"Content-Length: {len(body)}\r\n"
        self.stream.sendall(head.encode() + b"\r\n" + body)
        while b"\r\n\r\n" not in self.input:
            self.read()
        head, _, rest = self.input.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        length = int(length[1]) if length else 0
        while len(rest) < length:
            self.read()
            rest = self.input[len(head) + 4 :]
        self.input = rest[length:]
        return head, rest[:length]

    def read(self):
        more = self.stream.recv(65536)
        if not more:
            sys.exit("the server closed the connection")
        self.input += more

    def close(self):
        self.stream.close()


class HttpSse(Http):
    """The same by the transport of 2024-11-05: answers come on a stream of their own."""

    revision = "2024-11-05"

    def __init__(self, server):
        super().__init__(server)
        self.events = socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_SECONDS)
        self.events.sendall(f"GET /sse HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAccept: text/event-stream\r\n\r\n".encode())
        self.text = b""
        self.path = "/" + self.event().lstrip("./")

    def event(self):
        """The data of the next event that has some."""
        while True:
            while not (found := re.search(rb"data: ?([^\r\n]+)\r?\n\r?\n", self.text)):
                more = self.events.recv(65536)
                if not more:
                    sys.exit("the server closed the stream")
                self.text += more
            self.text = self.text[found.end() :]
            return found[1].decode()

    def say(self, name, message):
        headers = "Content-Type: application/json\r\n"
        head, _ = self.exchange("POST", headers, compact(message))
        self.check(head, 2, name)
        if "id" in message:
            self.check_answer(message, self.event())

    def close(self):
        self.events.close()
        super().close()


class Stdio:
    """The same by the server's standard input and output."""

    revision = "2025-11-25"

    def __init__(self, server):
        self.process = server.process

    def say(self, name, message):
        self.process.stdin.write(compact(message) + b"\n")
        self.process.stdin.flush()
        if "id" in message and "result" not in json.loads(self.process.stdout.readline()):
            sys.exit(f"`{name}` was answered with an error")

    def close(self):
        pass


CLIENTS = {"http": Http, "http+sse": HttpSse, "stdio": Stdio}


def compact(message):
    return json.dumps(message, separators=(",", ":")).encode()


def spend(binary, transcript, messages, repetitions):
    """Instructions of a whole run."""
    with tempfile.TemporaryDirectory(prefix="siskin-instructions-") as folder:
        server = Server(binary, transcript["transport"], folder)
        client = CLIENTS[transcript["transport"]](server)
        text = json.dumps(messages).replace("REVISION", client.revision)
        messages = json.loads(text)
        # Deleting takes no message.
        messages["delete"] = {}
        for name in transcript["before"]:
            client.say(name, messages[name])
        for _ in range(repetitions):
            for name in transcript["each"]:
                client.say(name, messages[name])
        client.close()
        return server.stop()


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--record", action="store_true", help="write the counts down instead of comparing with them")
    options.add_argument("--tool", default="test_simple_text", help="what is called")
    options.add_argument("--arguments", default="{}", help="with what, as JSON")
    options.add_argument("binary")
    options = options.parse_args()
    with open(os.path.join(HERE, "transcripts.json")) as file:
        recorded = json.load(file)
    messages = json.loads(json.dumps(recorded["messages"]).replace("TOOL", options.tool))
    for message in messages.values():
        if "arguments" in message.get("params", {}):
            message["params"]["arguments"] = json.loads(options.arguments)
    known = {}
    if os.path.exists(RECORD) and not options.record:
        with open(RECORD) as file:
            known = json.load(file)
    counts, grown = {}, []
    begun = time.monotonic()
    print(f"{'instructions for each':<40} {'counted':>10} {'recorded':>10}")
    for transcript in recorded["transcripts"]:
        name = transcript["name"]
        once, twice = (
            min(spend(os.path.abspath(options.binary), transcript, messages, REPETITIONS * n) for _ in range(TRIES))
            for n in (1, 2)
        )
        counts[name] = round((twice - once) / REPETITIONS)
        before = known.get(name)
        growth = counts[name] / before - 1 if before else 0
        print(f"{name:<40} {counts[name]:>10,} {before or '':>10} {f'{growth:+.1%}' if before else ''}", flush=True)
        if growth > GROWTH_MAX:
            grown.append(name)
    print(f"{time.monotonic() - begun:.0f} s")
    if options.record:
        with open(RECORD, "w") as file:
            json.dump(counts, file, indent=1)
            file.write("\n")
        return
    if missing := [name for name in counts if name not in known]:
        sys.exit(f"not recorded yet: {', '.join(missing)}; run.sh --record writes them down")
    if grown:
        sys.exit(
            f"more than {GROWTH_MAX:.0%} above what is recorded: {', '.join(grown)}. Where that is meant, "
            "run.sh --record writes the new counts down, to be committed with the change."
        )


if __name__ == "__main__":
    main()
