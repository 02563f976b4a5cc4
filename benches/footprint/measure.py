"""Starts siskin, looks at it through /proc, opens idle sessions, and compares with the budgets.

Usage: measure.py BINARY SESSIONS...   Called by run.sh; needs nothing but Python's standard library.
       measure.py --file BINARY...     The size alone, as for a machine that is not this one.
       measure.py --pages BINARY       What reading pages of the AWS documentation takes alone.
"""

import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "benches"))

import stand_in  # it is not beside this file

# What each figure may be at most; ARCHITECTURE.md, "Budgets", says why.
SIZE_BYTES = {"x86_64": 2_359_296, "aarch64": 2_097_152, "arm": 1_677_722}
RESIDENT_KIB = 1536
# With every shipped pack configured.
PACKS_RESIDENT_KIB = 2048
# Configured but switched off, what the sixteen cost is the reading of their settings.
PACKS_OFF_KIB = 64
SESSION_BYTES = 1024
# With fewer, whole pages and the room that tables keep for growth weigh on each.
SESSION_BYTES_FROM = 10_000
START_MS = 5.0
WAKE_UPS = 0
# The protocol thread and async-io's reactor helper.
THREADS = 2

# What reading a page of a megabyte may take beside it, and what may be left of it: the allocator's own pieces.
PAGE_KIB = 8 * 1024
PAGE_LEFT_KIB = 256
# What further reads may add.
READS_LEFT_KIB = 256
# A page of five megabytes, the same way.
LARGE_PAGE_KIB = 40 * 1024

STARTS = 30
QUIET_SECONDS = 5
READ_SECONDS = 30
KEEPALIVE_SECONDS = 3
WARM_UP_SESSIONS = 50
READS = 1000

PACKS = os.path.join(ROOT, "config", "packs")
MACHINES = {3: "x86", 40: "arm", 62: "x86_64", 183: "aarch64", 243: "riscv64"}
over = []


def figure(name, value, unit, budget=None):
    verdict = ""
    if budget is not None:
        is_over = value > budget
        verdict = f"  budget {budget:>9,} {unit}  {'OVER' if is_over else 'ok'}"
        if is_over:
            over.append(name)
    print(f"{name:<44} {value:>11,} {unit:<8}{verdict}", flush=True)


class Server:
    """One siskin on a free port, without any configuration but the limits it is to hold and what `more` says."""

    def __init__(self, binary, folder, sessions=0, more=None):
        names = ("PATH", "HOME", "TMPDIR")
        env = {name: os.environ[name] for name in names if name in os.environ}
        env["APP_SERVER__PORT"] = "0"
        if sessions:
            for limit in ("CONNECTIONS", "CONNECTIONS_PER_ADDRESS", "STREAMS", "SESSIONS"):
                env[f"APP_LIMITS__{limit}"] = str(sessions + 64)
            env["APP_TIMEOUT__SSE_KEEPALIVE"] = f"{KEEPALIVE_SECONDS}s"
        env.update(more or {})
        begun = time.perf_counter()
        self.process = subprocess.Popen(
            [binary], cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        self.port = None
        said = []
        for line in self.process.stderr:
            said.append(line.decode(errors="replace"))
            if found := re.search(r"listening http 127\.0\.0\.1:(\d+)", said[-1]):
                self.port = int(found[1])
                break
        if self.port is None:
            sys.exit(f"`{binary}` did not start:\n{''.join(said)}")
        self.connect().close()
        self.start_ms = (time.perf_counter() - begun) * 1000

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=READ_SECONDS)

    def settle(self):
        """Until it has answered once: what comes after the line that says it listens is then done as well."""
        with self.connect() as stream:
            stream.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            while stream.recv(4096):
                pass

    def status(self, key):
        """A number of /proc/PID/status, e.g. VmRSS in KiB."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(next(line for line in status if line.startswith(f"{key}:")).split()[1])

    def wake_ups(self):
        """How often any of its threads has waited so far."""
        count = 0
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            with open(f"/proc/{self.process.pid}/task/{task}/status") as status:
                count += sum(int(line.split()[1]) for line in status if line.startswith("voluntary_"))
        return count

    def stop(self):
        self.process.terminate()
        self.process.stderr.close()
        self.process.wait(READ_SECONDS)


def read_until(stream, marker):
    got = b""
    while marker not in got:
        more = stream.recv(4096)
        if not more:
            sys.exit(f"the server closed the connection after {got!r}")
        got += more
    return got


def exchange(stream, method, headers, body=b""):
    head = f"{method} /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    stream.sendall(head.encode() + b"\r\n" + body)
    return read_until(stream, b"\r\n\r\n")


INITIALIZE = (
    b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25",'
    b'"capabilities":{"elicitation":{},"roots":{"listChanged":true},"sampling":{}},'
    b'"clientInfo":{"name":"footprint","version":"1"}}}'
)
INITIALIZED = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'


def open_session(server):
    """As clients do it: POSTs on one connection, which then closes, and the stream on another."""
    accept = "Accept: application/json, text/event-stream\r\n"
    with server.connect() as posts:
        head = exchange(posts, "POST", accept, INITIALIZE)
        found = re.search(rb"mcp-session-id: (\S+)", head, re.IGNORECASE)
        if not found:
            sys.exit(f"no session was opened: {head!r}")
        session = f"Mcp-Session-Id: {found[1].decode()}\r\nMCP-Protocol-Version: 2025-11-25\r\n"
        # The answer's body may still be on its way; a second answer can only follow it.
        posts.sendall(
            f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\n{accept}{session}Connection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(INITIALIZED)}\r\n\r\n".encode() + INITIALIZED
        )
        while posts.recv(4096):
            pass
    stream = server.connect()
    head = exchange(stream, "GET", f"Accept: text/event-stream\r\n{session}")
    if not head.startswith(b"HTTP/1.1 200 "):
        sys.exit(f"no stream was opened: {head!r}")
    return stream


def drain(streams):
    for stream in streams:
        try:
            if not stream.recv(65536):
                sys.exit("the server closed an idle stream")
        except BlockingIOError:
            pass


def measure_file(binary):
    with open(binary, "rb") as file:
        header = file.read(20)
    machine = MACHINES.get(int.from_bytes(header[18:20], "little"), "?")
    figure(f"binary, {machine}", os.path.getsize(binary), "bytes", SIZE_BYTES.get(machine))


def measure_start(binary, folder):
    times, resident = [], []
    for _ in range(STARTS):
        server = Server(binary, folder)
        times.append(server.start_ms)
        server.settle()
        resident.append(server.status("VmRSS"))
        server.stop()
    # Includes what Python needs to start a process, and whatever else the machine does: beside a build the median was twice the
    # usual one. The least is nearest to the server's own share.
    figure(f"exec to accepting, median of {STARTS}", round(statistics.median(times), 2), "ms")
    figure("exec to accepting, least", round(min(times), 2), "ms", START_MS)
    # Where the binary is mapped moves its pages against the kernel's windows: no two starts are alike.
    figure(f"resident after start, median of {STARTS}", round(statistics.median(resident)), "KiB", RESIDENT_KIB)
    print(f"  from {min(resident):,} to {max(resident):,} KiB")


def services(ids, enabled=True):
    """The environment that configures these packs. Nothing listens on port 9, and nobody asks before a tool is called."""
    env = {}
    for name in ids:
        env[f"APP_SERVICES__{name.upper()}__URL"] = "http://127.0.0.1:9"
        env[f"APP_SERVICES__{name.upper()}__TOKEN"] = "user:password"
        env[f"APP_SERVICES__{name.upper()}__ENABLED"] = str(enabled).lower()
    return env


def tools(server):
    """How many tools it offers."""
    body = b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}'
    count, cursor = 0, None
    while True:
        if cursor:
            body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"cursor": cursor}}).encode()
        head = (
            "POST /api/mcp/v1/call HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        with server.connect() as stream:
            stream.sendall(head.encode() + body)
            answer = b""
            while more := stream.recv(65536):
                answer += more
        result = json.loads(answer.split(b"\r\n\r\n", 1)[1])["result"]
        count += len(result["tools"])
        cursor = result.get("nextCursor")
        if cursor is None:
            return count


def measure_packs(binary, folder):
    """What packs weigh: none of them configured, all of them but switched off, one, all."""
    ids = sorted(name[:-5] for name in os.listdir(PACKS) if name.endswith(".toml"))
    known = {}
    cases = {"no": services([]), "off": services(ids, enabled=False), "one": services(ids[:1]), "all": services(ids)}
    for what, env in cases.items():
        times, resident, anonymous = [], [], []
        for _ in range(STARTS):
            server = Server(binary, folder, more=env)
            times.append(server.start_ms)
            server.settle()
            resident.append(server.status("VmRSS"))
            anonymous.append(server.status("RssAnon"))
            offered = known.get(what, {}).get("tools") or tools(server)
            known[what] = {"tools": offered}
            server.stop()
        known[what].update(
            resident=statistics.median(resident), anonymous=statistics.median(anonymous), ms=min(times)
        )
    none, off, one, every = (known[what] for what in cases)
    figure(f"tools with all {len(ids)} packs configured", every["tools"], "")
    figure("tools with no pack configured", none["tools"], "")
    figure(f"resident with all packs, median of {STARTS}", round(every["resident"]), "KiB", PACKS_RESIDENT_KIB)
    figure("of it because of the packs", round(every["resident"] - none["resident"]), "KiB")
    figure("of that not of a file", round(every["anonymous"] - none["anonymous"]), "KiB")
    figure(f"resident because of {ids[0]} alone", round(one["resident"] - none["resident"]), "KiB")
    # The least, as above: the rest is whatever else the machine does.
    figure("exec to accepting with all packs, least", round(every["ms"], 2), "ms")
    figure("of it because of the packs", round(every["ms"] - none["ms"], 2), "ms")
    # A pack that is not put to work is its text in the binary, which is not even read.
    figure("text of the packs in the binary", sum(map(size_of_pack, ids)), "bytes")
    figure("tools of packs that are switched off", off["tools"] - none["tools"], "", 0)
    figure("resident because of packs switched off", round(off["resident"] - none["resident"]), "KiB", PACKS_OFF_KIB)


def size_of_pack(name):
    return os.path.getsize(os.path.join(PACKS, f"{name}.toml"))


def measure_idle(binary, folder):
    server = Server(binary, folder)
    figure("of it not of a file", server.status("RssAnon"), "KiB")
    # A start gives back the pages of the program; what a session, a list of tools and a stream need of them comes in again.
    open_session(server).close()
    tools(server)
    figure("resident after a first session", server.status("VmRSS"), "KiB")
    figure("threads", server.status("Threads"), "", THREADS)
    # async-io's helper looks around a few times before it goes to sleep.
    time.sleep(1)
    before = server.wake_ups()
    time.sleep(QUIET_SECONDS)
    figure(f"wake-ups in {QUIET_SECONDS} idle seconds", server.wake_ups() - before, "", WAKE_UPS)
    server.stop()


def measure_sessions(binary, folder, count):
    server = Server(binary, folder, count)
    # What every server pages in sooner or later is no session's.
    for _ in range(WARM_UP_SESSIONS):
        open_session(server).close()
    time.sleep(0.2)
    before = server.status("VmRSS")
    begun = time.perf_counter()
    streams = [open_session(server) for _ in range(count)]
    seconds = time.perf_counter() - begun
    # Idle as they are after hours: each has had comments, and what those took is free again.
    for stream in streams:
        stream.setblocking(False)
    for _ in range(2):
        drain(streams)
        time.sleep(KEEPALIVE_SECONDS)
    drain(streams)
    after = server.status("VmRSS")
    figure(f"resident with {count:,} idle sessions", after, "KiB")
    budget = SESSION_BYTES if count >= SESSION_BYTES_FROM else None
    figure(f"per idle session at {count:,}", round((after - before) * 1024 / count), "bytes", budget)
    figure(f"threads with {count:,} idle sessions", server.status("Threads"), "", THREADS)
    print(f"  opened in {seconds:.1f} s; most resident meanwhile {server.status('VmHWM'):,} KiB")
    for stream in streams:
        stream.close()
    server.stop()


def page_of(size):
    """A documentation page of about this size: the head and foot of a recorded one, and its article as often as it takes."""
    with open(os.path.join(ROOT, "tests/fixtures/aws-docs/093-large-page-200kb/page.html"), "rb") as file:
        page = file.read()
    first, last = page.index(b"<h2"), page.rindex(b"<h2")
    part = page[first:last]
    rest = len(page) - len(part)
    return page[:first] + part * -(-(size - rest) // len(part)) + page[last:]


def measure_pages(binary, folder):
    """What reading pages of the AWS documentation takes, and what is left of it afterwards."""
    pages = {"/small.html": b"<main>a</main>", "/page.html": page_of(1 << 20), "/large.html": page_of(5 << 20)}
    env = {
        "AWS_DOCUMENTATION_PARTITION": "aws",
        "APP_AWS__HOSTS": f"docs.aws.amazon.com={stand_in.serve(pages)}",
        "APP_LIMITS__UPSTREAM_BYTES": "6MiB",
    }
    server = Server(binary, folder, more=env)
    with server.connect() as stream:
        # What the first call pages in is no page's.
        read_page(stream, "/small.html")
        before = server.status("VmRSS")
        figure("resident before reading a page", before, "KiB")
        reset_peak(server)
        read_page(stream, "/page.html")
        figure(f"while reading one of {len(pages['/page.html']):,} bytes, on top", server.status("VmHWM") - before, "KiB", PAGE_KIB)
        after = server.status("VmRSS")
        figure("after it, on top", after - before, "KiB", PAGE_LEFT_KIB)
        begun = time.perf_counter()
        for _ in range(READS):
            read_page(stream, "/page.html")
        seconds = time.perf_counter() - begun
        figure(f"after {READS:,} reads more, on top of that", server.status("VmRSS") - after, "KiB", READS_LEFT_KIB)
        print(f"  {seconds / READS * 1000:.1f} ms each; most resident meanwhile {server.status('VmHWM'):,} KiB")
        reset_peak(server)
        read_page(stream, "/large.html")
        figure(f"while reading one of {len(pages['/large.html']):,} bytes, on top", server.status("VmHWM") - before, "KiB", LARGE_PAGE_KIB)
        figure("after it, on top", server.status("VmRSS") - before, "KiB", PAGE_LEFT_KIB)
    server.stop()


def reset_peak(server):
    """From here on VmHWM is the most since now."""
    with open(f"/proc/{server.process.pid}/clear_refs", "w") as file:
        file.write("5")


def read_page(stream, path):
    """One call on a connection that stays open; its answer is the beginning of the page."""
    params = {"name": "read_documentation", "arguments": {"url": f"https://docs.aws.amazon.com{path}"}}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
    head = f"POST /api/mcp/v1/call HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    stream.sendall(head.encode() + body)
    head, answer = read_until(stream, b"\r\n\r\n").split(b"\r\n\r\n", 1)
    length = int(re.search(rb"content-length: (\d+)", head, re.IGNORECASE)[1])
    while len(answer) < length:
        answer += stream.recv(65536)
    if not json.loads(answer)["result"]["content"][0]["text"].startswith(f"AWS Documentation from https://docs.aws.amazon.com{path}:\n\n"):
        sys.exit(f"the page was not read: {answer[:300]!r}")


def main():
    if sys.argv[1] == "--pages":
        with tempfile.TemporaryDirectory(prefix="siskin-footprint-") as folder:
            measure_pages(os.path.abspath(sys.argv[2]), folder)
    elif sys.argv[1] == "--file":
        for binary in sys.argv[2:]:
            measure_file(binary)
    else:
        measure_all(os.path.abspath(sys.argv[1]), [int(count) for count in sys.argv[2:]])
    if over:
        sys.exit(f"over budget: {', '.join(over)}")


def measure_all(binary, sessions):
    with tempfile.TemporaryDirectory(prefix="siskin-footprint-") as folder:
        measure_file(binary)
        measure_start(binary, folder)
        measure_idle(binary, folder)
        measure_packs(binary, folder)
        measure_pages(binary, folder)
        for count in sessions:
            measure_sessions(binary, folder, count)


if __name__ == "__main__":
    main()
