"""Mixed traffic with faults against one siskin, and what it did to it. Usage: soak.py BINARY SECONDS SEED   Called by run.sh.

Workers choose scenarios at random until the time is over: every transport and revision, and between them clients that cut connections,
read slowly or not at all, and send what is no request. Meanwhile the service behind a tool dies and comes back, and the configuration
is reloaded, every fourth time with a file that is broken. Whatever was asked properly must be answered. Figures are read from /proc and
/metrics; the first part of the time is warm-up, for allocators keep what they had at their highest.
"""

import asyncio
import collections
import json
import os
import random
import re
import signal
import ssl
import statistics
import subprocess
import sys
import tempfile
import time

from wire import BOTH, DEADLINE, INITIALIZED, STATELESS, Http, Lost, check, initialize, request, soon, stateless

HERE = os.path.dirname(os.path.abspath(__file__))
WORKERS = 24
REVISIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
# Share of the time that is warm-up.
WARM_UP = 0.3
# What the median of the last quarter may be above that of the first quarter after the warm-up, KiB; and with it the part of the resident
# memory that comes and goes with what is in flight. In a short run the allocator has not yet seen the most there will be at once.
GROWTH_KIB = 1024
SHORT_S = 300
SHORT_GROWTH_KIB = 2048
# How long what was opened may take to be gone after the traffic; sessions expire after 3 s.
QUIET_S = 40
RELOAD_S = 1.3
UPSTREAM_LIFE_S = 5

PACK = r"""
[service]
id = "soak"
title = "Soak"
auth = { kind = "none" }

[[tool]]
name = "soak_fetch"
title = "Fetch"
description = "Asks the service."
access = "read"
[tool.args]
how = { required = true, description = "How it behaves." }
[tool.request]
path = "/fetch"
query = { how = "{how}" }

[[tool]]
name = "soak_run"
title = "Run"
description = "Runs a program."
access = "read"
kind = "command"
[tool.args]
how = { required = true, enum = ["echo", "crash", "hang", "flood", "fork"], description = "How it behaves." }
[tool.command]
program = "/bin/sh"
args = ["-c", 'case "$1" in echo) echo hello;; crash) kill -SEGV $$;; hang) sleep 100;; flood) while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done;; fork) (sleep 100 & sleep 100 &) ; sleep 100;; esac', "sh", "{how}"]
patterns = { how = "[a-z]+" }
timeout = "300ms"
max_output = 65536
progress = true
"""

GOOD_FETCHES = ("ok", "ok", "ok", "slow", "big", "error", "close", "garbage", "cut", "endless")
RUNS = ("echo", "echo", "echo", "crash", "hang", "flood", "fork")
# Heads and bodies that are refused, some after a while.
BAD = (
    b"GET / HTTP/1.1\r\n\r\n",
    b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n{",
    b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
    b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n" + b"[" * 40,
    b"GET /mcp HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"A: b\r\n" * 2000,
)


class Soak:
    def __init__(self, binary, seconds, seed, folder):
        self.binary, self.seconds, self.folder = binary, seconds, folder
        self.random = random.Random(seed)
        self.calls, self.faults, self.refused = collections.Counter(), collections.Counter(), collections.Counter()
        self.lost, self.samples = [], []
        self.ids, self.reloads = 0, [0, 0]
        self.ends = 0

    # --- the server and its surroundings ------------------------------------------------------

    def base(self, is_broken=False):
        deny = self.random.choice(('"net_check"', '"device_cpu"', '"device_disks", "device_network"'))
        tls = f'[tls]\ncert_file = "{self.folder}/cert.pem"\nkey_file = "{self.folder}/key.pem"\n' if self.has_tls else ""
        listeners = '"127.0.0.1:0"'
        if self.has_tls:
            listeners = '{ address = "127.0.0.1:0", tls = false }, { address = "127.0.0.1:0", tls = true }'
        text = f"""
[server]
listeners = [{listeners}]
[limits]
connections = 512
connections_per_address = 400
streams = 256
sessions = 512
requests_in_flight = 256
auth_failures = 1000
[timeout]
session_idle = "3s"
head = "2s"
body = "2s"
idle = "60s"
write_stall = "2s"
sse_keepalive = "1s"
[metrics]
public = true
[tools]
deny = [{deny}]
[services.soak]
url = "http://127.0.0.1:{self.upstream_port}"
[state]
file = "{self.folder}/state"
{tls}"""
        return text + "\n[limits\nconnections = many\n" if is_broken else text

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        return path

    def start(self):
        self.upstream_port = 0
        self.start_upstream()
        made = subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
             "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-out", f"{self.folder}/cert.pem", "-keyout", f"{self.folder}/key.pem"],
            capture_output=True,
        )  # fmt: skip
        self.has_tls = made.returncode == 0 and self.has_tls_built_in()
        self.write("config/packs/soak.toml", PACK)
        self.write("config/base.toml", self.base())
        # Its clients come and go; where it would listen and keep sessions is none of their business.
        self.write("stdio/packs/soak.toml", PACK)
        self.write("stdio/base.toml", f'[services.soak]\nurl = "http://127.0.0.1:{self.upstream_port}"\n')
        self.log = os.path.join(self.folder, "log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [self.binary, "serve", "--config-dir", f"{self.folder}/config"],
                env=self.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
            )  # fmt: skip
        ports = []
        until = time.monotonic() + 30
        while len(ports) < 1 + self.has_tls and time.monotonic() < until and self.process.poll() is None:
            time.sleep(0.05)
            ports = re.findall(r"listening https? 127\.0\.0\.1:(\d+)", self.said())
        if len(ports) < 1 + self.has_tls:
            sys.exit(f"it does not start:\n{self.said()}")
        self.port = int(ports[0])
        self.ways = [(self.port, None)] * 3
        if self.has_tls:
            context = ssl.create_default_context(cafile=f"{self.folder}/cert.pem")
            self.ways.append((int(ports[1]), context))

    def has_tls_built_in(self):
        """Whether a configuration with a certificate is sound."""
        self.has_tls = True
        # No service: `check` would ask it.
        self.write("tls/base.toml", re.sub(r"\[services.soak\]\n.*", "", self.base()))
        return subprocess.run([self.binary, "check", "--config-dir", f"{self.folder}/tls"], env=self.environment(), capture_output=True).returncode == 0

    def environment(self):
        return {"PATH": os.environ["PATH"], "HOME": self.folder, "RUST_BACKTRACE": "1"}

    def said(self):
        with open(self.log, errors="replace") as log:
            return log.read()

    def start_upstream(self):
        self.upstream = subprocess.Popen(
            [sys.executable, f"{HERE}/upstream.py", str(self.upstream_port)], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
        )
        self.upstream_port = int(self.upstream.stdout.readline())

    # --- what goes on meanwhile ---------------------------------------------------------------

    def is_on(self):
        return time.monotonic() < self.ends

    async def reload(self):
        """Another list of tools; every fourth time a file that does not read, which must change nothing."""
        for n in range(1 << 30):
            await asyncio.sleep(RELOAD_S)
            if not self.is_on():
                break
            is_broken = n % 4 == 3
            self.write("config/base.toml", self.base(is_broken))
            self.process.send_signal(signal.SIGHUP)
            self.reloads[is_broken] += 1
        self.write("config/base.toml", self.base())

    async def kill_upstream(self):
        while self.is_on():
            await asyncio.sleep(UPSTREAM_LIFE_S * self.random.uniform(0.5, 1.5))
            self.upstream.kill()
            self.upstream.wait()
            await asyncio.sleep(self.random.uniform(0, 1))
            await asyncio.to_thread(self.start_upstream)
            self.faults["upstream killed"] += 1

    def footprint(self):
        pid = self.process.pid
        with open(f"/proc/{pid}/status") as status:
            text = status.read()
        of = lambda name: int(re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE)[1])
        children = 0
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    with open(f"/proc/{entry}/stat") as stat:
                        children += int(stat.read().rsplit(") ", 1)[1].split(" ")[1]) == pid
                except (OSError, IndexError):
                    pass
        # Without the pages of the program, which come and go as it is used.
        return {"resident": of("RssAnon"), "files": len(os.listdir(f"/proc/{pid}/fd")), "threads": of("Threads"), "children": children}

    async def sample(self):
        began = time.monotonic()
        while self.is_on() and self.process.poll() is None:
            self.samples.append((time.monotonic() - began, self.footprint()["resident"]))
            await asyncio.sleep(min(1.0, self.seconds / 100))

    async def gauges(self):
        http = await Http.open(self.port)
        text = (await http.ask("GET", "/metrics")).body.decode()
        await http.close()
        found = collections.Counter()
        for line in text.splitlines():
            name, _, value = line.rpartition(" ")
            if name.startswith(("mcp_sessions_active", "mcp_sse_connections_active")):
                found["sessions"] += int(float(value))
            elif name.startswith("mcp_http_active_connections"):
                found["connections"] += int(float(value))
        return found

    # --- scenarios ----------------------------------------------------------------------------

    def id(self):
        self.ids += 1
        return self.ids

    def tool(self):
        """A tool and its arguments; programs are dear, so they are rare."""
        kind = self.random.random()
        if kind < 0.4:
            return {"name": self.random.choice(("device_memory", "device_system", "device_cpu", "device_disks")), "arguments": {}}
        if kind < 0.9:
            how = self.random.choice(GOOD_FETCHES)
            return {"name": "soak_fetch", "arguments": {"how": how}}
        return {"name": "soak_run", "arguments": {"how": self.random.choice(RUNS)}}

    def ask_for(self):
        """A method and its params, as clients mix them."""
        kind = self.random.random()
        if kind < 0.7:
            return "tools/call", self.tool()
        return self.random.choice((("tools/list", {}), ("resources/list", {}), ("ping", {}), ("prompts/list", {})))

    async def call(self, http, path, message, headers, way):
        answer = await http.ask("POST", path, headers, message)
        if answer.status in (429, 503):
            self.refused[answer.status] += 1
            return None
        if answer.is_stream():
            found = await http.message(message["id"])
            await http.rest()
        elif answer.status in (200, 400, 404):
            found = json.loads(answer.body)
        else:
            raise Lost(f"{way}: {answer.status} {answer.body[:200]}")
        self.calls[way] += 1
        return check(found, message["id"])

    async def streamable(self):
        revision = self.random.choice(REVISIONS[1:])
        port, tls = self.random.choice(self.ways)
        way = f"streamable {revision}" + (" over TLS" if tls else "")
        http, stream, last = await Http.open(port, tls), None, None
        try:
            id = self.id()
            answer = await http.ask("POST", "/mcp", {}, initialize(id, revision))
            if answer.status in (429, 503):
                self.refused[answer.status] += 1
                return
            if answer.is_stream():
                await http.message(id)
                await http.rest()
            session = answer.headers.get("mcp-session-id")
            if answer.status != 200 or not session:
                raise Lost(f"{way}: initialize is answered {answer.status} {answer.body[:200]}")
            headers = {"Mcp-Session-Id": session, "MCP-Protocol-Version": revision}
            if (done := await http.ask("POST", "/mcp", headers, INITIALIZED)).status != 202:
                raise Lost(f"{way}: initialized is answered {done.status}")
            self.calls[way] += 2
            for _ in range(self.random.randrange(8)):
                if stream is None and self.random.random() < 0.3:
                    stream = await Http.open(port, tls)
                    resumed = {"Last-Event-ID": last} if last else {}
                    opened = await stream.ask("GET", "/mcp", headers | {"Accept": "text/event-stream"} | resumed)
                    if opened.status == 200:
                        self.calls["GET stream"] += 1
                        # Only this revision begins a stream with an id, and one that goes on has none to begin with.
                        if revision == "2025-11-25" and not last:
                            last = (await stream.event() or (None, None, None))[2]
                    elif opened.status in (409, 429, 503):
                        self.refused[opened.status] += 1
                        stream = await self.closed(stream)
                    else:
                        raise Lost(f"{way}: a stream is answered {opened.status} {opened.body[:200]}")
                elif stream is not None and self.random.random() < 0.3:
                    stream = await self.closed(stream)
                await self.call(http, "/mcp", request(self.id(), *self.ask_for()), headers, way)
            if self.random.random() < 0.7 and (ended := await http.ask("DELETE", "/mcp", headers)).status not in (200, 204):
                raise Lost(f"{way}: DELETE is answered {ended.status}")
        finally:
            await http.close()
            if stream is not None:
                await self.closed(stream)

    async def closed(self, http):
        http.reset() if self.random.random() < 0.5 else await http.close()

    async def stateless(self):
        port, tls = self.random.choice(self.ways)
        way = f"stateless {STATELESS}" + (" over TLS" if tls else "")
        http = await Http.open(port, tls)
        try:
            for _ in range(self.random.randrange(1, 8)):
                method, params = self.ask_for()
                if method == "ping":
                    method = "server/discover"
                message, headers = stateless(self.id(), method, params)
                await self.call(http, "/mcp", message, headers, way)
            if self.random.random() < 0.3:
                message, headers = stateless(self.id(), "subscriptions/listen", {"notifications": {"toolsListChanged": True}})
                answer = await http.ask("POST", "/mcp", headers, message)
                if answer.status == 200 and answer.is_stream():
                    await http.event()
                    self.calls["listen stream"] += 1
                    # A reload says something to those who listen.
                    if self.random.random() < 0.3 and self.ends - time.monotonic() > DEADLINE:
                        await http.event()
                elif answer.status in (429, 503):
                    self.refused[answer.status] += 1
                else:
                    raise Lost(f"listen is answered {answer.status} {answer.body[:200]}")
        finally:
            await http.close()

    async def http_sse(self):
        port, tls = self.random.choice(self.ways)
        stream, http = await Http.open(port, tls), await Http.open(port, tls)
        try:
            opened = await stream.ask("GET", "/sse/", {"Accept": "text/event-stream"})
            if opened.status in (429, 503):
                self.refused[opened.status] += 1
                return
            name, endpoint, _ = await stream.event()
            if name != "endpoint":
                raise Lost(f"HTTP+SSE: begins with {name}")
            path = "/messages/" + endpoint[endpoint.index("?") :]
            messages = [initialize(self.id(), "2024-11-05"), INITIALIZED]
            messages += [request(self.id(), *self.ask_for()) for _ in range(self.random.randrange(6))]
            for message in messages:
                answer = await http.ask("POST", path, {}, message)
                if answer.status != 202:
                    raise Lost(f"HTTP+SSE: a message is answered {answer.status} {answer.body[:200]}")
                if "id" in message:
                    check(await stream.message(message["id"]), message["id"])
                    self.calls["HTTP+SSE 2024-11-05"] += 1
        finally:
            await http.close()
            await self.closed(stream)

    async def plain(self):
        http = await Http.open(*self.random.choice(self.ways))
        try:
            for _ in range(self.random.randrange(1, 10)):
                if self.random.random() < 0.2:
                    if (answer := await http.ask("GET", "/api/mcp/v1/tools")).status not in (200, 503):
                        raise Lost(f"tools: {answer.status}")
                    self.calls["plain"] += 1
                else:
                    await self.call(http, "/api/mcp/v1/call", request(self.id(), *self.ask_for()), {}, "plain")
        finally:
            await http.close()

    async def event_stream(self):
        stream, http = await Http.open(self.port), await Http.open(self.port)
        try:
            opened = await stream.ask("GET", "/api/mcp/v1/sse")
            if opened.status in (429, 503):
                self.refused[opened.status] += 1
                return
            if (await stream.event())[0] != "connected":
                raise Lost("an event stream does not begin with `connected`")
            mine = f"e{self.id()}"
            answer = await http.ask("POST", "/api/mcp/v1/events", {}, {"event": mine, "data": "x" * self.random.randrange(2000)})
            if answer.status != 200:
                raise Lost(f"an event is answered {answer.status} {answer.body[:200]}")
            while event := await stream.event():
                if event[0] == mine:
                    self.calls["event stream"] += 1
                    return
            raise Lost("the event stream ended before its event came")
        finally:
            await http.close()
            await self.closed(stream)

    async def stdio(self):
        with open(os.path.join(self.folder, "stdio.log"), "ab") as log:
            child = await asyncio.create_subprocess_exec(
                self.binary, "stdio", "--config-dir", f"{self.folder}/stdio", env=self.environment(),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, limit=1 << 24,
            )  # fmt: skip
        messages = [initialize(self.id(), self.random.choice(REVISIONS)), INITIALIZED]
        messages += [request(self.id(), *self.ask_for()) for _ in range(self.random.randrange(6))]
        try:
            child.stdin.write(b"".join(json.dumps(message).encode() + b"\n" for message in messages))
            await soon(child.stdin.drain(), "stdio: writing")
            # The end of its input is no reason to leave anything unanswered.
            child.stdin.close()
            wanted = {message["id"] for message in messages if "id" in message}
            while line := await soon(child.stdout.readline(), "stdio: an answer"):
                wanted.discard(json.loads(line).get("id"))
            if wanted:
                raise Lost(f"stdio: {len(wanted)} of {len(messages)} are not answered")
            if status := await soon(child.wait(), "stdio: its end"):
                raise Lost(f"stdio: status {status}")
            self.calls["stdio"] += len(messages) - 1
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()

    # --- faults: nothing is expected of these but that others do not notice -----------------------

    async def cut(self):
        """A request that is cut anywhere, also while its tool runs."""
        http = await Http.open(*self.random.choice(self.ways))
        message, headers = stateless(self.id(), "tools/call", self.tool())
        body = json.dumps(message).encode()
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        bytes = f"POST /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: {BOTH}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body
        at = self.random.choice((len(bytes), self.random.randrange(len(bytes))))
        http.writer.write(bytes[:at])
        await asyncio.sleep(self.random.choice((0, 0.01, 0.1)))
        self.faults["cut"] += 1
        await self.closed(http)

    async def slow_reader(self):
        """Asks for much and reads none of it, or reads it in drops."""
        http = await Http.open(self.port)
        message, headers = stateless(self.id(), "tools/call", {"name": "soak_fetch", "arguments": {"how": "big"}})
        for _ in range(self.random.randrange(1, 20)):
            await http.send("POST", "/mcp", headers, message)
        self.faults["slow reader"] += 1
        until = time.monotonic() + self.random.uniform(0.5, 4)
        while time.monotonic() < until:
            if self.random.random() < 0.5:
                await asyncio.sleep(0.2)
            elif not await asyncio.wait_for(http.reader.read(10), 1):
                break
        await self.closed(http)

    async def slow_writer(self):
        http = await Http.open(self.port)
        self.faults["slow writer"] += 1
        for byte in b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n":
            http.writer.write(bytes([byte]))
            await http.writer.drain()
            await asyncio.sleep(0.05)
            if http.reader.at_eof():
                break
        await self.closed(http)

    async def bad_input(self):
        http = await Http.open(*self.random.choice(self.ways))
        bytes = bytearray(self.random.choice(BAD))
        for _ in range(self.random.randrange(4)):
            bytes[self.random.randrange(len(bytes))] = self.random.randrange(256)
        self.faults["bad input"] += 1
        http.writer.write(bytes)
        if self.random.random() < 0.5:
            await asyncio.wait_for(http.reader.read(200), 8)
        await self.closed(http)

    async def crowd(self):
        """Connections that say nothing."""
        crowd = [await Http.open(self.port) for _ in range(20)]
        self.faults["silent connections"] += len(crowd)
        await asyncio.sleep(self.random.uniform(0, 1))
        for http in crowd:
            await self.closed(http)

    async def worker(self):
        asked = (self.streamable, self.stateless, self.http_sse, self.plain, self.event_stream, self.stdio)
        faults = (self.cut, self.slow_reader, self.slow_writer, self.bad_input, self.crowd)
        while self.is_on() and self.process.poll() is None:
            if self.random.random() < 0.7:
                scenario = self.random.choices(asked, (6, 6, 4, 4, 2, 1))[0]
                try:
                    await soon(scenario(), "all of it", 3 * DEADLINE)
                except (Lost, OSError, ValueError, asyncio.IncompleteReadError) as error:
                    self.lost.append(f"{scenario.__name__}: {type(error).__name__}: {error}")
            else:
                scenario = self.random.choices(faults, (6, 2, 2, 6, 1))[0]
                try:
                    await soon(scenario(), "all of it")
                except (Lost, OSError, asyncio.TimeoutError, ValueError):
                    # It was cut first.
                    pass

    # --- one run ------------------------------------------------------------------------------

    async def run(self):
        before = self.footprint() | await self.gauges()
        self.ends = time.monotonic() + self.seconds
        await asyncio.gather(self.reload(), self.kill_upstream(), self.sample(), *(self.worker() for _ in range(WORKERS)))
        after, until = {}, time.monotonic() + QUIET_S
        keys = ("files", "threads", "children", "sessions", "connections")
        while time.monotonic() < until and self.process.poll() is None:
            await asyncio.sleep(1)
            after = self.footprint() | await self.gauges()
            if all(after[key] <= before[key] for key in keys):
                break
        return before, after, [key for key in keys if after.get(key, 0) > before[key]]

    def stop(self):
        for child in (self.process, self.upstream):
            if child.poll() is None:
                child.terminate()
                try:
                    child.wait(20)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()


def main():
    binary, seconds, seed = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    with tempfile.TemporaryDirectory(prefix="siskin-soak-") as folder:
        soak = Soak(binary, seconds, seed, folder)
        soak.start()
        problems = []
        try:
            before, after, leaked = asyncio.run(soak.run())
            died = soak.process.poll()
        finally:
            soak.stop()
        said = soak.said()
        with open(os.path.join(folder, "stdio.log"), "a+", errors="replace") as log:
            log.seek(0)
            panics = len(re.findall(r"panicked at|ends by a bug of its own", said + log.read()))
        figures(soak, before, after, said, panics, problems)
        if died is not None:
            problems.append(f"the server ended by itself with status {died}")
        if soak.process.returncode != 0:
            problems.append(f"the server stopped with status {soak.process.returncode}")
        problems += [f"{key}: {before[key]} before, {after[key]} after" for key in leaked]
        if panics:
            problems.append(f"{panics} panics in the log")
        problems += [f"lost: {text}" for text in soak.lost[:20]]
        if not soak.calls.total():
            problems.append("nothing was answered")
        if soak.refused.total() > soak.calls.total() / 50:
            problems.append(f"{soak.refused.total()} were refused for want of room")
        if problems and died is not None:
            print(said[-3000:])
    for problem in problems:
        print(f"FAIL {problem}")
    print(f"soak: {'failed' if problems else 'passed'}")
    sys.exit(1 if problems else 0)


def figures(soak, before, after, said, panics, problems):
    seconds = soak.seconds
    show = lambda name, value: print(f"{name:<28} {value}")
    show("time", f"{seconds:g} s, {WORKERS} clients at once{', TLS among them' if soak.has_tls else ', no TLS in this build'}")
    show("answers", f"{soak.calls.total():,}, {soak.calls.total() / seconds:,.0f}/s")
    for way, count in sorted(soak.calls.items()):
        show(f"  {way}", f"{count:,}")
    show("refused for want of room", ", ".join(f"{count} with {status}" for status, count in sorted(soak.refused.items())) or 0)
    show("answers lost or wrong", len(soak.lost))
    for fault, count in sorted(soak.faults.items()):
        show(f"  fault: {fault}", f"{count:,}")
    done, kept = len(re.findall(r"reloaded: ", said)), len(re.findall(r"base\.toml:\d+", said))
    show("reloads", f"{soak.reloads[0]} sound ({done} logged), {soak.reloads[1]} broken ({kept} refused)")
    if soak.reloads[1] and not kept:
        problems.append("no broken configuration was refused")
    show("panics", panics)
    warm = [sample for sample in soak.samples if sample[0] >= WARM_UP * seconds]
    quarter = max(1, len(warm) // 4)
    first, last = (statistics.median(kib for _, kib in part) for part in (warm[:quarter], warm[-quarter:]))
    slope = statistics.linear_regression(*zip(*warm)).slope * 60 if len(warm) > 2 else 0.0
    show("resident at start", f"{before['resident']:,} KiB")
    show("resident after warm-up", f"{first:,.0f} KiB (median of a quarter of the rest)")
    show("resident at the end", f"{last:,.0f} KiB, with nobody there {after.get('resident', 0):,} KiB; at most {max(kib for _, kib in soak.samples):,} KiB")
    show("slope", f"{slope:+,.0f} KiB/min")
    for key in ("files", "threads", "children", "sessions", "connections"):
        show(key, f"{before[key]} before, {after.get(key)} after")
    most = SHORT_GROWTH_KIB if seconds < SHORT_S else GROWTH_KIB
    if last - first > most:
        problems.append(f"memory grew by {last - first:,.0f} KiB after the warm-up, more than {most:,}")


main()
