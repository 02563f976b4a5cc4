"""The place in the source of an address in a static binary.

Usage: where.py NAMED ADDRESS ADDR2LINE [SHIPPED]   Called by where.sh. NAMED was built with names and lines, SHIPPED without.
Status 0: it was found; 1: no code is there, or SHIPPED is another build, so that nothing could be said of it.
"""

import subprocess
import sys

from largest import demangled, sections, symbols

ALLOCATED, EXECUTED = 2, 4


def code(path):
    """Address and bytes of each section of code."""
    data = open(path, "rb").read()
    table, _ = sections(data, path)
    wanted = ALLOCATED | EXECUTED
    return [(section[3], data[section[4] : section[4] + section[5]]) for section in table if section[2] & wanted == wanted]


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    named, address, addr2line = sys.argv[1], int(sys.argv[2], 16), sys.argv[3]
    if len(sys.argv) > 4 and code(named) != code(sys.argv[4]):
        sys.exit(f"`{sys.argv[4]}` is not what this commit is built into here; the places would be wrong")
    if not any(start <= address < start + len(bytes) for start, bytes in code(named)):
        sys.exit(f"no code of this build is at {address:#x}: was the binary built from this commit, for this machine and with these features?")
    holding = [(at, name) for at, (name, size) in symbols(named).items() if at <= address < at + size]
    for at, name in holding:
        print(f"{demangled([name])[0]} + {address - at:#x}")
    # Inlined functions too, the innermost first.
    found = subprocess.run([addr2line, "-i", "-e", named, f"{address:#x}"], capture_output=True, text=True, check=True)
    print(found.stdout, end="")


main()
