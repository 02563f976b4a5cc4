"""Writes cross/order.txt: the functions that siskin runs when it serves and when it starts, for the linker to lay side by side.

Usage: order.py BINARY   Called by order.sh; BINARY has its names. Needs valgrind, its callgrind_control, and binutils' nm.
One name a line, as in the object files, with `*` for what changes from one build to the next: the hash of a crate, and a place
within the name, which follows from the hash's length. First come those of serving, behind an empty line those that only a start runs.
"""

import glob
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
SECONDS = 120
# `Cs`, a number of base 62 and `_` in front of a crate's name; `B`, such a number and `_`.
CHANGING = re.compile(r"(?<=C)s[0-9A-Za-z]+_(?=[0-9])|(?<=B)[0-9A-Za-z]*_")

# Functions of ours that the C library would have as well; see the end of src/rt/sys.rs.
EXPORTED = {"bcmp"}


def services():
    """What configures every shipped pack. Nothing is asked before a tool is called."""
    env = {}
    for path in glob.glob(os.path.join(ROOT, "config", "packs", "*.toml")):
        name = os.path.basename(path)[: -len(".toml")].upper()
        env[f"APP_SERVICES__{name}__URL"] = "http://127.0.0.1:9"
        env[f"APP_SERVICES__{name}__TOKEN"] = "user:password"
    return env


def ask(port, method, path, body=None, **headers):
    """What the server answers, read to its end but for event streams, of which the first line of data."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is not None:
        headers |= {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        body = json.dumps({"jsonrpc": "2.0"} | body)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    is_stream = method == "GET" and answer.getheader("Content-Type", "").startswith("text/event-stream")
    if is_stream:
        return connection, answer, next(line for line in iter(answer.readline, b"") if line.startswith(b"data:"))
    return connection, answer, answer.read()


def serve(port):
    """What clients of all kinds ask of it in the first minute."""
    info = {"clientInfo": {"name": "order", "version": "1"}, "capabilities": {}}
    call = {"name": "device_memory", "arguments": {}}
    begin = {"id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25"} | info}
    _, answer, _ = ask(port, "POST", "/mcp", begin)
    session = {"Mcp_Session_Id": answer.getheader("Mcp-Session-Id"), "MCP_Protocol_Version": "2025-11-25"}
    ask(port, "POST", "/mcp", {"method": "notifications/initialized"}, **session)
    stream, _, _ = ask(port, "GET", "/mcp", Accept="text/event-stream", **session)
    for method, params in ("tools/list", {}), ("tools/call", call), ("resources/list", {}), ("ping", {}):
        ask(port, "POST", "/mcp", {"id": 2, "method": method, "params": params}, **session)
    stream.close()
    ask(port, "DELETE", "/mcp", **session)
    meta = {"protocolVersion": "2026-07-28", "clientInfo": info["clientInfo"], "clientCapabilities": {}}
    meta = {"_meta": {f"io.modelcontextprotocol/{name}": value for name, value in meta.items()}}
    for method, params in ("server/discover", {}), ("tools/list", {}), ("tools/call", call):
        named = {"Mcp_Name": params["name"]} if params else {}
        body = {"id": 3, "method": method, "params": params | meta}
        ask(port, "POST", "/mcp", body, MCP_Protocol_Version="2026-07-28", Mcp_Method=method, **named)
    stream, _, event = ask(port, "GET", "/sse/", Accept="text/event-stream")
    endpoint = re.search(rb"data: \.\.(\S+)", event)[1].decode()
    ask(port, "POST", endpoint, begin | {"params": {"protocolVersion": "2024-11-05"} | info})
    ask(port, "POST", endpoint, {"id": 4, "method": "tools/call", "params": call})
    stream.close()
    for path in "/health", "/metrics", "/nothing":
        ask(port, "GET", path)
    # As a health check does that comes by itself.
    ask(port, "GET", "/health", Connection="close")


def executed(binary, more):
    """The names of the functions that run until the server listens, and from there until it has served."""
    with tempfile.TemporaryDirectory(prefix="siskin-order-") as folder:
        out = os.path.join(folder, "out")
        env = {"PATH": os.environ["PATH"], "APP_SERVER__PORT": "0", **more}
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--demangle=no", binary]
        server = subprocess.Popen(command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        until = time.monotonic() + SECONDS
        said, port = b"", None
        for line in server.stderr:
            said += line
            found = re.search(rb"listening http \S+:(\d+)", line)
            port = int(found[1]) if found else None
            if port or time.monotonic() > until:
                break
        if not port:
            sys.exit(f"valgrind did not run `{binary}`:\n{said.decode(errors='replace')}")
        # Each dump counts from the one before it, and goes into a file of its own: the start, serving, and what the end runs.
        dump = ["callgrind_control", "--dump", str(server.pid)]
        subprocess.run(dump, check=True, capture_output=True)
        serve(port)
        subprocess.run(dump, check=True, capture_output=True)
        server.send_signal(signal.SIGTERM)
        server.stderr.read()
        server.wait(SECONDS)
        return names_in(f"{out}.1"), names_in(f"{out}.2")


def names_in(path):
    """Those of a callgrind file, without the suffix that tells of recursion."""
    with open(path) as file:
        names = re.findall(r"^c?fn=\(\d+\) (\S+)", file.read(), re.MULTILINE)
    return {re.sub(r"'\d+$", "", name) for name in names}


def main():
    binary = os.path.abspath(sys.argv[1])
    (bare, serving), (with_packs, _) = executed(binary, {}), executed(binary, services())
    # One address may have several names, since equal functions are folded; which of them stays is the linker's choice.
    by_address, address_of = {}, {}
    for line in subprocess.run(["nm", binary], capture_output=True, text=True, check=True).stdout.splitlines():
        address, kind, name = line.rjust(20).rsplit(" ", 2)
        if kind in "tT":
            by_address.setdefault(address, []).append(name)
            address_of[name] = address

    def patterns(names):
        same = {same for name in names if name in address_of for same in by_address[address_of[name]]}
        # What is not Rust has no section of its own, but what Rust exports has.
        return {CHANGING.sub("*_", name) for name in same if name.startswith("_R") or name in EXPORTED}

    serving = patterns(serving)
    starting = patterns(bare | with_packs) - serving
    if len(serving) + len(starting) < 500:
        sys.exit(f"`{binary}` gave {len(serving) + len(starting)} names only: was it built with names, by cross/order.sh?")
    with open(os.path.join(HERE, "order.txt"), "w") as file:
        file.write("\n".join([*sorted(serving), "", *sorted(starting)]) + "\n")
    print(f"{len(serving)} functions of serving and {len(starting)} of starting in cross/order.txt")


if __name__ == "__main__":
    main()
