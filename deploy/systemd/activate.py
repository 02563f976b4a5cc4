"""Starts siskin by systemd-socket-activate with a notification socket of our own, and follows what a service manager would see.

Usage: activate.py SISKIN FOLDER   FOLDER holds base.toml. Ends with status 1 and the reason where something is missing.
"""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time

DEADLINE = 20
binary, folder = sys.argv[1:]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
told.bind(os.path.join(folder, "notify"))
told.settimeout(DEADLINE)


def hear(wanted):
    """The next message with that line; others are passed over."""
    while True:
        try:
            lines = told.recv(4096).decode().split("\n")
        except TimeoutError:
            sys.exit(f"no `{wanted}` within {DEADLINE} s")
        if wanted in lines:
            return lines


port = free_port()
environment = {
    "NOTIFY_SOCKET": told.getsockname(),
    # As `WatchdogSec=` makes it, but short.
    "WATCHDOG_USEC": "400000",
    "APP_STATE__FILE": os.path.join(folder, "state"),
    # siskin takes a socket for an address it is configured for, and could not open this one a second time.
    "APP_SERVER__PORT": str(port),
}
LOG = os.path.join(folder, "log")
CONFIGURATION = os.path.join(folder, "base.toml")
with open(CONFIGURATION) as file:
    SHIPPED = file.read()


def tools():
    """The names of what is offered now."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
    client.request("GET", "/api/mcp/v1/tools")
    names = {tool["name"] for tool in json.load(client.getresponse())["tools"]}
    client.close()
    return names


def reload(line, wanted):
    """Sends SIGHUP with that line more in the configuration, and waits for those words in the log."""
    with open(CONFIGURATION, "w") as file:
        file.write(f"{SHIPPED}\n{line}\n")
    child.send_signal(signal.SIGHUP)
    until = time.monotonic() + DEADLINE
    while wanted not in open(LOG).read():
        if time.monotonic() > until:
            sys.exit(f"SIGHUP with `{line}` was not answered by `{wanted}` within {DEADLINE} s")
        time.sleep(0.05)


command = ["systemd-socket-activate", f"--listen=127.0.0.1:{port}"]
for name, value in environment.items():
    command.append(f"--setenv={name}={value}")
command += [binary, "serve", "--config-dir", folder]
with open(LOG, "w") as log:
    child = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
try:
    # The first client is what starts it; it waits in the socket's queue until siskin takes it.
    until = time.monotonic() + DEADLINE
    while True:
        try:
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
            client.request("GET", "/health")
            break
        except ConnectionRefusedError:
            if time.monotonic() > until:
                sys.exit("systemd-socket-activate does not listen")
            time.sleep(0.05)
    status = client.getresponse().status
    if status != 200:
        sys.exit(f"/health says {status}")
    hear("READY=1")
    for _ in range(3):
        hear("WATCHDOG=1")
    # `systemctl reload` sends SIGHUP. What cannot be is refused whole and named; what can be is in force at once.
    before = tools()
    for line, wanted, after in (
        ("[no_such]", "no_such", before),
        ("[tools]\nnet_check = false", "reloaded: tools.net_check", before - {"net_check"}),
    ):
        reload(line, wanted)
        if tools() != after:
            sys.exit(f"after a reload with `{line}` the tools are {tools()}")
    # systemd-socket-activate has become siskin: `exec`, so that the process is the same.
    child.send_signal(signal.SIGTERM)
    hear("STOPPING=1")
    status = child.wait(DEADLINE)
    if status != 0:
        sys.exit(f"it ended with status {status}")
finally:
    if child.poll() is None:
        child.kill()
        child.wait()
    if sys.exc_info()[0]:
        with open(LOG) as log:
            print(log.read()[-1500:])
