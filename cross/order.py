"""Writes cross/order.txt: the functions that a start of siskin runs, for the linker to lay side by side.

Usage: order.py BINARY   Called by order.sh; BINARY has its names. Needs valgrind and binutils' nm.
One name a line, as in the object files, with `*` for what changes from one build to the next: the hash of a crate, and a place
within the name, which follows from the hash's length.
"""

import glob
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


def services():
    """What configures every shipped pack. Nothing is asked before a tool is called."""
    env = {}
    for path in glob.glob(os.path.join(ROOT, "config", "packs", "*.toml")):
        name = os.path.basename(path)[: -len(".toml")].upper()
        env[f"APP_SERVICES__{name}__URL"] = "http://127.0.0.1:9"
        env[f"APP_SERVICES__{name}__TOKEN"] = "user:password"
    return env


def executed(binary, more):
    """The names of the functions that run until the server listens and is stopped."""
    with tempfile.TemporaryDirectory(prefix="siskin-order-") as folder:
        out = os.path.join(folder, "out")
        env = {"PATH": os.environ["PATH"], "APP_SERVER__PORT": "0", **more}
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--demangle=no", binary]
        server = subprocess.Popen(command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        until = time.monotonic() + SECONDS
        said = b""
        for line in server.stderr:
            said += line
            if b"listening http" in line or time.monotonic() > until:
                break
        server.send_signal(signal.SIGTERM)
        server.stderr.read()
        server.wait(SECONDS)
        if not os.path.exists(out):
            sys.exit(f"valgrind did not run `{binary}`:\n{said.decode(errors='replace')}")
        with open(out) as file:
            return {name for name in re.findall(r"^c?fn=\(\d+\) (\S+)", file.read(), re.MULTILINE)}


def main():
    binary = os.path.abspath(sys.argv[1])
    names = executed(binary, {}) | executed(binary, services())
    # Callgrind tells of recursion by a suffix.
    names = {re.sub(r"'\d+$", "", name) for name in names}
    # One address may have several names, since equal functions are folded; which of them stays is the linker's choice.
    by_address, address_of = {}, {}
    for line in subprocess.run(["nm", binary], capture_output=True, text=True, check=True).stdout.splitlines():
        address, kind, name = line.rjust(20).rsplit(" ", 2)
        if kind in "tT":
            by_address.setdefault(address, []).append(name)
            address_of[name] = address
    all_names = {same for name in names if name in address_of for same in by_address[address_of[name]]}
    # What is not Rust has no section of its own.
    patterns = sorted({CHANGING.sub("*_", name) for name in all_names if name.startswith("_R")})
    if len(patterns) < 500:
        sys.exit(f"`{binary}` gave {len(patterns)} names only: was it built with names, by cross/order.sh?")
    with open(os.path.join(HERE, "order.txt"), "w") as file:
        file.write("\n".join(patterns) + "\n")
    print(f"{len(patterns)} functions in cross/order.txt")


if __name__ == "__main__":
    main()
