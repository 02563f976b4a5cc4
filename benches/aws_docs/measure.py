"""Reads the same page with siskin and with the reference server, in turns, and compares: time from call to answer, processor time, memory.

Usage: measure.py SISKIN PYTHON PAGE   Called by run.sh. PYTHON has the reference installed.
Both are asked over stdio. The reference has its page from memory; siskin has to get it over HTTP from a server in here.
"""

import json
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

import stand_in  # it is not beside this file

HOST = "docs.aws.amazon.com"
PATH = "/kiln/latest/ref/large.html"
CALLS = 7
# How many times as fast siskin has to be.
RATIO_MIN = 20


class Server:
    """A server over stdio, initialized."""

    def __init__(self, name, command, env):
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR") if key in os.environ}
        self.name = name
        self.process = subprocess.Popen(
            command,
            env={**kept, "AWS_DOCUMENTATION_PARTITION": "aws", **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.last_id = 0
        client = {"name": "bench", "version": "1"}
        self.request("initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client})
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def send(self, message):
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def request(self, method, params):
        self.last_id += 1
        self.send({"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params})
        while True:
            line = self.process.stdout.readline()
            if not line:
                sys.exit(f"{self.name} ended before it answered")
            # Not parsed within the time that is taken, but for what tells an answer from a notification.
            if b'"method"' not in line[:120]:
                return line

    def read(self):
        """Reads the page once: seconds on the clock, seconds of the processor, the text."""
        arguments = {"url": f"https://{HOST}{PATH}", "max_length": 999_999}
        before, begun = self.processor_seconds(), time.perf_counter()
        line = self.request("tools/call", {"name": "read_documentation", "arguments": arguments})
        took = time.perf_counter() - begun
        used = self.processor_seconds() - before
        result = json.loads(line)["result"]
        if result.get("isError"):
            sys.exit(f"{self.name}: {result}")
        return took, used, result["content"][0]["text"]

    def processor_seconds(self):
        """What all its threads have used so far."""
        used = 0
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            with open(f"/proc/{self.process.pid}/task/{task}/schedstat") as file:
                used += int(file.read().split()[0])
        return used / 1e9

    def status(self, key):
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(next(line for line in file if line.startswith(f"{key}:")).split()[1])

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def main():
    siskin, python, page_file = sys.argv[1:]
    with open(page_file, "rb") as file:
        page = file.read()
    servers = [
        Server("reference", [python, os.path.join(HERE, "reference.py"), page_file], {}),
        Server("siskin", [siskin, "stdio"], {"APP_AWS__HOSTS": f"{HOST}={stand_in.serve({PATH: page})}"}),
    ]
    print(f"read_documentation, {len(page):,} bytes of HTML")
    # In turns, so that what else the machine does meets both.
    calls = {server.name: [] for server in servers}
    for _ in range(CALLS + 1):
        for server in servers:
            calls[server.name].append(server.read())
    texts = {text for reads in calls.values() for _, _, text in reads}
    print(f"{'':<12}{'first call':>14}{'later, median':>16}{'least':>12}{'processor':>12}{'most resident':>16}")
    later = {}
    for server in servers:
        first, *rest = calls[server.name]
        later[server.name] = (
            statistics.median(took for took, _, _ in rest),
            statistics.median(used for _, used, _ in rest),
        )
        least = min(took for took, _, _ in rest)
        wall, used = later[server.name]
        print(
            f"{server.name:<12}{first[0] * 1000:>11.1f} ms{wall * 1000:>13.1f} ms{least * 1000:>9.1f} ms{used * 1000:>9.1f} ms"
            f"{server.status('VmHWM'):>12,} KiB"
        )
        server.stop()
    first = [calls[server.name][0][0] for server in servers]
    wall, used = (theirs / ours for theirs, ours in zip(later["reference"], later["siskin"]))
    print(f"the answers are {'equal' if len(texts) == 1 else 'NOT equal'}: {len(min(texts)):,} characters of text")
    print(f"times as fast: later calls {wall:.0f} (at least {RATIO_MIN}), first call {first[0] / first[1]:.0f}, processor {used:.0f}")
    if len(texts) != 1 or wall < RATIO_MIN:
        sys.exit(1)


if __name__ == "__main__":
    main()
