"""Measures siskin and its peers in one run and writes what it found. Called by run.sh; Python's standard library alone.

Every row is a function below. Servers run on the last core, the load and this script on the first. Rounds are
interleaved: each round asks every peer once, so that whatever else the machine does is spread over all.
"""

import argparse
import datetime
import json
import os
import platform
import re
import signal
import socket
import statistics
import subprocess
import sys
import time

import report
from peers import PEERS, Missing, Places

HERE = os.path.dirname(os.path.abspath(__file__))
# How long the machine is watched for others' work before a row.
BUSY_SECONDS = 2
START_SECONDS = 60
STOP_SECONDS = 10
TOOLS = 50
CONNECTIONS = (1, 32, 256)
STREAMS = (1, 100, 1000, 10_000)


class Run:
    """What all rows share: where things are, how long and how often to measure."""

    def __init__(self, options):
        self.places = Places(HERE, options.target)
        self.quick = options.quick
        self.rounds = options.rounds or (1 if options.quick else 5)
        self.seconds = 0.4 if options.quick else 0.8
        self.scratch = options.scratch
        self.missing = dict(read_missing(options.missing))
        self.load = os.path.join(HERE, "load", "target", "release", "siskin-load")
        cores = sorted(os.sched_getaffinity(0))
        self.load_core, self.server_core = cores[0], cores[-1]
        os.sched_setaffinity(0, {self.load_core})

    def peers(self, wanted):
        """The peers that `wanted` accepts and that could be installed."""
        return [peer for peer in PEERS if peer.name not in self.missing and wanted(peer)]

    def pinned(self, command):
        return ["taskset", "-c", str(self.server_core), *command]

    def ask(self, *arguments, timeout=180):
        """One run of the load: what it printed, or why it did not."""
        done = subprocess.run([self.load, *map(str, arguments)], capture_output=True, text=True, timeout=timeout)
        if done.returncode != 0:
            return {"error": done.stderr.strip()[-300:]}
        return json.loads(done.stdout)


class Server:
    """A peer that serves HTTP on a free port of this machine, in a process group of its own."""

    def __init__(self, run, peer, how="http", more=()):
        self.run, self.peer = run, peer
        self.port = free_port()
        command = [*peer.command(run.places, self.port, how, run.scratch), *more]
        env = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
        env.update(peer.env(self.port))
        self.log = os.path.join(run.scratch, f"{peer.name}.log")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                run.pinned(command),
                env=env,
                cwd=run.scratch,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait_until_it_accepts()

    @property
    def pid(self):
        return self.process.pid

    def wait_until_it_accepts(self):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        self.stop()
        with open(self.log, errors="replace") as log:
            raise Missing(f"did not start: {log.read()[-300:]}")

    def stop(self):
        """Ends it and what it started; its own group, so that nothing else is met."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Fleet:
    """Several peers at once, each started when it is first asked and kept until the row is over."""

    def __init__(self, run, how="http"):
        self.run, self.how, self.servers, self.failed = run, how, {}, {}

    def server(self, peer):
        if peer.name in self.failed:
            return None
        if peer.name in self.servers and self.servers[peer.name].process.poll() is not None:
            # Some end by themselves when clients go. Such a round has no figure, and the next one a new server.
            print(f"  {peer.name} has ended by itself, and is started anew", file=sys.stderr, flush=True)
            self.servers.pop(peer.name).stop()
        if peer.name not in self.servers:
            try:
                self.servers[peer.name] = Server(self.run, peer, self.how)
            except (Missing, OSError) as error:
                self.failed[peer.name] = str(error)
                print(f"  {peer.name}: {error}", file=sys.stderr, flush=True)
                return None
        return self.servers[peer.name]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self.servers.values():
            server.stop()


# --- rows -------------------------------------------------------------------------------------------------------------


def calls(run, era, ask="call", connections=CONNECTIONS, how="http"):
    """Calls over HTTP at several numbers of connections."""
    found = {}
    with Fleet(run, how) as fleet:
        for _ in range(run.rounds):
            for count in connections:
                for peer in run.peers(lambda peer: era in peer.eras and (ask == "call" or peer.lists)):
                    server = fleet.server(peer)
                    if server is None:
                        continue
                    got = run.ask(
                        "calls",
                        "--port", server.port, "--path", peer.path(how), "--pid", server.pid,
                        "--era", "raw" if peer.is_limit else era, "--ask", ask, "--tools", TOOLS,
                        "--connections", count, "--seconds", run.seconds, "--warm-up", 0.2,
                    )  # fmt: skip
                    found.setdefault(peer.name, {}).setdefault(str(count), []).append(got)
        for name, why in fleet.failed.items():
            found[name] = {"error": why}
    return found


def calls_session(run):
    return calls(run, "session")


def calls_session_per_call(run):
    return calls(run, "session-per-call")


def calls_stateless(run):
    return calls(run, "stateless")


def http_sse(run):
    return calls(run, "http-sse", connections=(1, 32), how="http-sse")


def tools_list(run):
    return calls(run, "session", ask="list", connections=(32,))


def stdio(run):
    """Round trips over a pipe, one at a time."""
    found = {}
    for _ in range(run.rounds):
        for peer in run.peers(lambda peer: peer.has_stdio):
            command = run.pinned(peer.command(run.places, 0, "stdio", run.scratch))
            got = run.ask("stdio", "--seconds", run.seconds, "--warm-up", 0.2, "--", *command)
            found.setdefault(peer.name, {}).setdefault("1", []).append(got)
    return found


PACK = """[service]
id = "compare"
title = "Compare"
description = "The benchmark's upstream."

[[tool]]
name = "compare_add"
title = "Add"
description = "Asks the upstream."
access = "read"
[tool.args]
a = { type = "integer", required = true, description = "the first number" }
b = { type = "integer", required = true, description = "the second number" }
[tool.request]
path = "/value"
query = { a = "{a}", b = "{b}" }
[tool.response]
at = "/value"
"""


def declarative(run):
    """A declarative HTTP tool of siskin's binary, whose upstream is the bare responder on the same core."""
    found = {}
    upstream_port = free_port()
    upstream = subprocess.Popen(
        run.pinned([run.load, "bare", "--port", str(upstream_port), "--body", '{"value":42}']),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    config = os.path.join(run.scratch, "config")
    os.makedirs(os.path.join(config, "packs"), exist_ok=True)
    with open(os.path.join(config, "packs", "compare.toml"), "w") as file:
        file.write(PACK)
    with open(os.path.join(config, "base.toml"), "w") as file:
        file.write(f'[services.compare]\nurl = "http://127.0.0.1:{upstream_port}"\n')
    peer = next(peer for peer in PEERS if peer.name == "siskin-full")
    try:
        with Server(run, peer, more=("--config-dir", config)) as server:
            for _ in range(run.rounds):
                for count in (1, 32):
                    got = run.ask(
                        "calls",
                        "--port", server.port, "--pid", server.pid, "--tool", "compare_add",
                        "--connections", count, "--seconds", run.seconds, "--warm-up", 0.2,
                    )  # fmt: skip
                    found.setdefault(peer.name, {}).setdefault(str(count), []).append(got)
    except Missing as error:
        found[peer.name] = {"error": str(error)}
    finally:
        upstream.terminate()
        upstream.wait()
    return found


def start(run):
    """From exec to the answer of the first `initialize`."""
    found = {}
    for _ in range(run.rounds):
        for peer in run.peers(lambda peer: not peer.is_limit):
            port = free_port()
            command = run.pinned(peer.command(run.places, port, "http", run.scratch))
            runs = 3 if peer.is_slow else 10
            saved = dict(os.environ)
            os.environ.update(peer.env(port))
            got = run.ask("start", "--port", port, "--path", peer.path("http"), "--runs", 1 if run.quick else runs, "--", *command)
            os.environ.clear()
            os.environ.update(saved)
            if "error" in got:
                found[peer.name] = got
                continue
            found.setdefault(peer.name, {}).setdefault("ms", []).extend(got["ms"])
    return found


def memory(run):
    """Resident memory: idle, after load, and with idle streams."""
    found = {}
    for _ in range(1 if run.quick else 3):
        for peer in run.peers(lambda peer: not peer.is_bridge):
            try:
                with Server(run, peer) as server:
                    mine = found.setdefault(peer.name, {})
                    time.sleep(0.3)
                    mine.setdefault("idle", []).append(resident(server.pid))
                    if not peer.eras:
                        continue
                    era = "raw" if peer.is_limit else "session"
                    run.ask("calls", "--port", server.port, "--path", peer.path("http"), "--era", era, "--connections", 32, "--seconds", 1)
                    time.sleep(0.2)
                    mine.setdefault("after load", []).append(resident(server.pid))
            except Missing as error:
                found[peer.name] = {"error": str(error)}
    for peer in run.peers(lambda peer: peer.streams and not peer.is_bridge):
        for count in STREAMS[:-1] if run.quick else STREAMS:
            if count > peer.streams_max:
                found[peer.name][f"{count} streams"] = {"why": "takes minutes to open"}
                continue
            found[peer.name][f"{count} streams"] = with_streams(run, peer, count)
    return found


def with_streams(run, peer, count):
    """Memory of a peer that was warmed up, without and with so many idle streams."""
    try:
        with Server(run, peer) as server:
            warm = Streams(run, peer, server, min(count, 50))
            warm.close()
            time.sleep(0.2)
            before = resident(server.pid)
            streams = Streams(run, peer, server, count)
            opened = streams.opened
            time.sleep(0.5)
            after = resident(server.pid)
            streams.close()
            return {"opened": opened["opened"], "why": opened.get("why_no_more"), "before": before, "after": after}
    except Missing as error:
        return {"why": str(error)}


class Streams:
    """Idle streams, held by the load until it is told."""

    def __init__(self, run, peer, server, count, kind=None, publish=None):
        kind, path = kind or (peer.streams, peer.path("http"))
        command = [run.load, "streams", "--port", server.port, "--path", path, "--kind", kind, "--count", count]
        command += ["--pid", server.pid, "--time-max", 45]
        if publish:
            command += ["--publish", publish[0], "--event", publish[1]]
        self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.opened = json.loads(self.process.stdout.readline() or '{"opened":0,"why_no_more":"the load ended"}')

    def event(self):
        self.process.stdin.write("event\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline() or "{}")

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(60)


def fan_out(run):
    """One event to many streams: siskin's plain event stream beside the plainest write loop."""
    found = {}
    count = 1000 if run.quick else 10_000
    ways = {
        "siskin": (("plain", "/api/mcp/v1/sse"), ("/api/mcp/v1/events", '{"event":"compare","data":"fan-out-mark"}')),
        "bare": (("plain", "/stream"), ("/publish", '"fan-out-mark"')),
    }
    open_now = {}
    try:
        for peer in run.peers(lambda peer: peer.name in ways):
            server = Server(run, peer)
            kind, publish = ways[peer.name]
            open_now[peer.name] = (server, Streams(run, peer, server, count, kind, publish))
        for _ in range(run.rounds * 2):
            for name, (_, streams) in open_now.items():
                got = streams.event()
                got["wanted"] = count
                found.setdefault(name, {}).setdefault(str(count), []).append(got)
    finally:
        for server, streams in open_now.values():
            streams.close()
            server.stop()
    return found


def growth(run):
    """Throughput while other streams are open and idle."""
    found = {}
    counts = (0, 10, 1000) if run.quick else (0, 10, 1000, 10_000)
    for peer in run.peers(lambda peer: peer.name in ("siskin", "rmcp-sse")):
        held = []
        try:
            for count in counts:
                server = Server(run, peer)
                held.append((count, server, Streams(run, peer, server, count) if count else None))
            for _ in range(run.rounds):
                for count, server, streams in held:
                    got = run.ask(
                        "calls",
                        "--port", server.port, "--pid", server.pid, "--path", peer.path("http"),
                        "--connections", 32, "--seconds", run.seconds, "--warm-up", 0.2,
                    )  # fmt: skip
                    got["streams"] = streams.opened["opened"] if streams else 0
                    found.setdefault(peer.name, {}).setdefault(str(count), []).append(got)
        except Missing as error:
            found[peer.name] = {"error": str(error)}
        finally:
            for _, server, streams in held:
                if streams:
                    streams.close()
                server.stop()
    return found


def wake_ups(run):
    """How often idle servers wake up, all of them watched over the same time."""
    seconds = 10 if run.quick else 60
    found = {}
    with Fleet(run) as fleet:
        servers = {}
        for peer in run.peers(lambda peer: True):
            server = fleet.server(peer)
            if server is not None:
                servers[peer.name] = server
        # Each has answered once, so that none is waiting to be used for the first time.
        for peer in run.peers(lambda peer: peer.name in servers and peer.eras):
            era = "raw" if peer.is_limit else "session"
            run.ask("calls", "--port", servers[peer.name].port, "--path", peer.path("http"), "--era", era, "--seconds", 0.2, "--warm-up", 0)
        # Longer than siskin lets a connection wait for its next request, 30 s: its table of deadlines is looked at once more then.
        time.sleep(3 if run.quick else 35)
        before = {name: switches(server.pid) for name, server in servers.items()}
        time.sleep(seconds)
        for name, server in servers.items():
            count = switches(server.pid) - before[name]
            found[name] = {"per minute": [count * 60 / seconds]}
        for name, why in fleet.failed.items():
            found[name] = {"error": why}
    return found


def restart(run):
    """Calls that fail while the server is told to stop and started again."""
    found = {}
    for _ in range(1 if run.quick else 3):
        for peer in run.peers(lambda peer: "session" in peer.eras and not peer.is_limit):
            try:
                server = Server(run, peer)
            except Missing as error:
                found[peer.name] = {"error": str(error)}
                continue
            command = [run.load, "calls", "--port", server.port, "--path", peer.path("http"), "--connections", 8]
            command += ["--seconds", 8 if peer.is_slow else 3, "--go-on", "yes"]
            load = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
            time.sleep(1.5)
            port = server.port
            server.stop()
            again = subprocess.Popen(
                run.pinned(peer.command(run.places, port, "http", run.scratch)),
                env={**{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}, **peer.env(port)},
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                cwd=run.scratch, start_new_session=True,
            )  # fmt: skip
            said, _ = load.communicate(timeout=60)
            server.process = again
            server.stop()
            found.setdefault(peer.name, {}).setdefault("8", []).append(json.loads(said or "{}"))
    return found


def tree(run):
    """Processes and memory of everything a server needs for 1, 10 and 50 clients, each with a session and a stream."""
    found = {}
    for peer in run.peers(lambda peer: peer.streams):
        for count in (1, 10, 50):
            try:
                with Server(run, peer) as server:
                    streams = Streams(run, peer, server, count)
                    time.sleep(1)
                    pids = tree_of(server.pid)
                    mine = found.setdefault(peer.name, {})
                    mine[str(count)] = {
                        "opened": streams.opened["opened"],
                        "why": streams.opened.get("why_no_more"),
                        "processes": len(pids),
                        "proportional_kib": sum(map(proportional, pids)),
                    }
                    streams.close()
            except Missing as error:
                found[peer.name] = {"error": str(error)}
                break
    # By stdio every client has a server of its own.
    for peer in run.peers(lambda peer: peer.has_stdio and not peer.is_bridge):
        for count in (1, 10, 50):
            if peer.is_slow and count > 10:
                found.setdefault(f"{peer.name}, stdio", {})[str(count)] = {"why": "as many more of the same"}
                continue
            children = [Child(run, peer) for _ in range(count)]
            answered = [child.initialize() for child in children]
            pids = [pid for child in children for pid in tree_of(child.process.pid)]
            found.setdefault(f"{peer.name}, stdio", {})[str(count)] = {
                "opened": sum(answered),
                "processes": len(pids),
                "proportional_kib": sum(map(proportional, pids)),
            }
            for child in children:
                child.close()
    return found


class Child:
    """A server over stdio."""

    def __init__(self, run, peer):
        command = run.pinned(peer.command(run.places, 0, "stdio", run.scratch))
        self.process = subprocess.Popen(
            command, cwd=run.scratch, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def initialize(self):
        params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "compare", "version": "1"}}
        request = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
            return "result" in json.loads(self.process.stdout.readline())
        except (OSError, ValueError):
            return False

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def disk(run):
    """Bytes on disk of what has to be installed."""
    found = {}
    for peer in run.peers(lambda peer: not peer.is_limit):
        total, notes = 0, []
        for what, path in peer.files(run.places):
            size = size_of(path)
            total += size
            notes.append({"what": what, "bytes": size})
        if total:
            found[peer.name] = {"bytes": [total], "parts": notes}
    return found


ROWS = {
    "calls-session": calls_session,
    "calls-stateless": calls_stateless,
    "calls-session-per-call": calls_session_per_call,
    "memory": memory,
    "start": start,
    "disk": disk,
    "wake-ups": wake_ups,
    "fan-out": fan_out,
    "growth": growth,
    "tools-list": tools_list,
    "http-sse": http_sse,
    "stdio": stdio,
    "declarative": declarative,
    "tree": tree,
    "restart": restart,
}

# --- the machine ------------------------------------------------------------------------------------------------------


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def resident(pid):
    """KiB of the process and its descendants."""
    return sum(field(each, "status", "VmRSS") for each in tree_of(pid))


def proportional(pid):
    """KiB, with what processes share divided among them."""
    return field(pid, "smaps_rollup", "Pss")


def field(pid, file, name):
    try:
        with open(f"/proc/{pid}/{file}") as lines:
            return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)
    except OSError:
        return 0


def switches(pid):
    """How often any thread of the process and its descendants has waited."""
    count = 0
    for each in tree_of(pid):
        try:
            tasks = os.listdir(f"/proc/{each}/task")
        except OSError:
            continue
        for task in tasks:
            count += field(f"{each}/task/{task}", "status", "voluntary_ctxt_switches")
    return count


def tree_of(pid):
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as stat:
                parents.setdefault(int(stat.read().rsplit(") ", 1)[1].split()[1]), []).append(int(name))
        except OSError:
            pass
    pids = [pid]
    for each in pids:
        pids.extend(parents.get(each, []))
    return pids


def size_of(path):
    if os.path.isfile(path):
        return os.path.getsize(path)
    total = 0
    for folder, _, files in os.walk(path):
        for name in files:
            file = os.path.join(folder, name)
            # Compiled files appear with use, and links are not counted twice.
            if not os.path.islink(file) and not name.endswith(".pyc"):
                total += os.path.getsize(file)
    return total


def machine():
    with open("/proc/cpuinfo") as lines:
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    with open("/proc/meminfo") as lines:
        memory_kib = int(next(lines).split()[1])
    version = re.match(r"\d+\.\d+", platform.release())
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "memory_gib": round(memory_kib / 1024 / 1024),
        "kernel": f"Linux {version[0] if version else '?'}",
        "busy_before": busy(),
    }


def busy():
    """The share of processor time that others take. Between rows, nothing of ours runs."""

    def spent():
        with open("/proc/stat") as lines:
            times = [int(each) for each in next(lines).split()[1:9]]
        # idle and iowait
        return sum(times), times[3] + times[4]

    (all_before, idle_before), _, (all_after, idle_after) = spent(), time.sleep(BUSY_SECONDS), spent()
    return round(1 - (idle_after - idle_before) / max(1, all_after - all_before), 3)


def read_missing(path):
    if not path:
        return
    with open(path) as lines:
        for line in lines:
            names, why = line.rstrip("\n").split("\t", 1)
            for name in names.split():
                yield name, why


# --- the whole --------------------------------------------------------------------------------------------------------


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("rows", nargs="*", metavar="ROW")
    options.add_argument("--rows", dest="list_rows", action="store_true", help="list the rows and end")
    options.add_argument("--quick", action="store_true", help="one short round, and fewer streams")
    options.add_argument("--rounds", type=int, help="rounds of each row (default: 5)")
    options.add_argument("--target", default=f"{platform.machine()}-unknown-linux-musl")
    options.add_argument("--missing", help="a file of peers that could not be installed")
    options.add_argument("--scratch", default=".")
    options.add_argument("--out", default=os.path.join(HERE, "results"))
    options = options.parse_args()
    if options.list_rows:
        print("\n".join(ROWS))
        return
    for row in options.rows:
        if row not in ROWS:
            sys.exit(f"there is no row `{row}`; there are: {', '.join(ROWS)}")
    os.makedirs(options.out, exist_ok=True)
    run = Run(options)
    path = os.path.join(options.out, "compare.json")
    found = {"rows": {}}
    if options.rows and os.path.exists(path):
        with open(path) as file:
            found = json.load(file)
    found["missing"] = run.missing
    failures = 0
    for row in options.rows or ROWS:
        begun = time.monotonic()
        facts = machine()
        values = ROWS[row](run)
        seconds = time.monotonic() - begun
        found["rows"][row] = {
            "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "rounds": run.rounds,
            "quick": run.quick,
            "seconds": round(seconds, 1),
            "machine": facts,
            "versions": run.places.versions(),
            "peers": values,
        }
        wrong = report.wrong_answers(values) if row != "restart" else []
        failures += len(wrong)
        print(f"{row}: {seconds:.0f} s{'; WRONG: ' if wrong else ''}{'; '.join(wrong)}", flush=True)
        with open(path, "w") as file:
            json.dump(found, file, indent=1)
        report.write(found, options.out)
    print(f"{len(options.rows or ROWS)} rows, {failures} with wrong answers; see {os.path.basename(options.out)}/README.md")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
