"""Weighs the binaries of a folder, and holds them against their budgets and against the table in README.md.

Usage: size.py [--write] FOLDER TARGET…   Called by size.sh. FOLDER holds TARGET.default, TARGET.edge and TARGET.none, as far as built.
"""

import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import urllib.request

SETS = ("default", "edge", "none")
# How far a figure in README.md may be off.
DRIFT = 0.02
STARTS = 9
BEGIN, END = "<!-- size -->\n", "<!-- end of size -->\n"
HEAD = "| machine | default | `edge` | no features | resident after start: default, `edge` |\n|---|---|---|---|---|\n"
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def budgets():
    """Budgets in bytes by (target, set)."""
    found = {}
    with open(os.path.join(ROOT, "cross", "targets")) as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                triple, _, _, *limits = line.split()
                for name, limit in zip(SETS, limits):
                    if limit != "-":
                        found[triple, name] = int(limit)
    return found


def resident(binary):
    """Median of VmRSS in KiB after a start without configuration and a first answer, by when what comes after the line that says it
    listens is done as well. Of a machine's own binaries only: an emulator would be weighed."""
    seen = []
    with tempfile.TemporaryDirectory(prefix="siskin-size-") as folder:
        for _ in range(STARTS):
            environment = {"PATH": os.environ["PATH"], "APP_SERVER__PORT": "0"}
            server = subprocess.Popen([binary], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            for line in server.stderr:
                if found := re.search(rb"listening http \S+:(\d+)", line):
                    urllib.request.urlopen(f"http://127.0.0.1:{int(found[1])}/health").close()
                    with open(f"/proc/{server.pid}/status") as status:
                        seen.append(next(int(row.split()[1]) for row in status if row.startswith("VmRSS:")))
                    break
            server.terminate()
            server.stderr.close()
            server.wait()
    if len(seen) != STARTS:
        sys.exit(f"`{binary}` did not start")
    return statistics.median(seen)


def table():
    """README.md, and the cells of its rows by target."""
    with open(os.path.join(ROOT, "README.md")) as file:
        text = file.read()
    before, found, rest = text.partition(BEGIN)
    inside, end, after = rest.partition(END)
    if not found or not end:
        sys.exit(f"README.md has no {BEGIN.strip()} … {END.strip()}")
    rows = {}
    for line in inside.removeprefix(HEAD).splitlines():
        triple, *cells = [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
        rows[triple] = cells
    return before, after, rows


def mebi(size):
    return f"{size / 2**20:.3f} MiB"


def number(cell):
    """The figure of a cell; None where there is none yet."""
    found = re.match(r"([\d.]+) MiB", cell)
    return float(found[1]) if found else None


def main():
    arguments = sys.argv[1:]
    is_write = arguments[:1] == ["--write"]
    folder, *wanted = arguments[is_write:]
    folder = os.path.abspath(folder)
    before, after, rows = table()
    limits, wrong, weighed = budgets(), [], 0
    print(f"{'machine':<34} {'features':<9} {'bytes':>10} {'budget':>10}")
    for triple in wanted:
        cells = rows.setdefault(triple, ["", "", "", ""])
        memory = cells[3].split(", ") if ", " in cells[3] else ["—", "—"]
        for column, name in enumerate(SETS):
            path = os.path.join(folder, f"{triple}.{name}")
            if not os.path.exists(path):
                print(f"{triple:<34} {name:<9} {'not built':>10}")
                continue
            weighed += 1
            size, said = os.path.getsize(path), number(cells[column])
            limit = limits.get((triple, name))
            verdict = "" if limit is None else "ok" if size <= limit else f"OVER by {100 * (size / limit - 1):.0f} %"
            print(f"{triple:<34} {name:<9} {size:>10,} {limit or '':>10} {verdict}")
            if limit is not None and size > limit:
                wrong.append(f"{triple}, {name}: {size:,} bytes are over the {limit:,} of cross/targets; `cross/size.sh --largest {triple}` shows what takes them")
            if is_write:
                cells[column] = mebi(size)
            elif said is None or abs(size / 2**20 / said - 1) > DRIFT:
                wrong.append(f"README.md says {cells[column] or 'nothing'} of {triple}, {name}, but it is {mebi(size)}; run `cross/size.sh --built --write {triple}`")
            if triple.startswith(platform.machine()) and name != "none":
                found = resident(path)
                print(f"{triple:<34} {name:<9} {found:>10,.0f} KiB resident after start, median of {STARTS}")
                if is_write:
                    memory[column] = f"{found / 1024:.1f} MiB"
        cells[3] = ", ".join(memory) if memory != ["—", "—"] else "—"
    if is_write:
        lines = "".join(f"| `{triple}` | {' | '.join(cell or '—' for cell in cells)} |\n" for triple, cells in rows.items())
        with open(os.path.join(ROOT, "README.md"), "w") as file:
            file.write(before + BEGIN + HEAD + lines + END + after)
    for line in wrong:
        print(f"FAIL {line}")
    print(f"{weighed} binaries weighed, {len(wrong)} complaints")
    sys.exit(77 if not weighed else 1 if wrong else 0)


main()
