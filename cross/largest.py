"""Names the crates, the parts of siskin and the functions that take most of a binary that still has its symbols.

Usage: largest.py BINARY [FUNCTIONS]   Called by size.sh; any machine's ELF file, Python's standard library and binutils' c++filt.
What no symbol covers (texts, tables without a name, relocations) is the line `rest`.
"""

import os
import re
import struct
import subprocess
import sys
from collections import Counter

FUNC, OBJECT = 2, 1


def sections(data, path):
    """Those of an ELF file, and whether it is one of 64 bits: name, type, flags, address, place, size, link, info, alignment, entry size."""
    if data[:4] != b"\x7fELF" or data[5] != 1:
        sys.exit(f"`{path}` is not a little-endian ELF file")
    is_64 = data[4] == 2
    if is_64:
        (table,), (entry, count) = struct.unpack_from("<Q", data, 0x28), struct.unpack_from("<HH", data, 0x3A)
    else:
        (table,), (entry, count) = struct.unpack_from("<I", data, 0x20), struct.unpack_from("<HH", data, 0x2E)
    layout = "<IIQQQQIIQQ" if is_64 else "<IIIIIIIIII"
    return [struct.unpack_from(layout, data, table + entry * index) for index in range(count)], is_64


def symbols(path):
    """Name and size of each function and object, by its address, those of one address once."""
    data = open(path, "rb").read()
    table, is_64 = sections(data, path)
    found = {}
    for section in table:
        if section[1] != 2:
            continue
        strings = table[section[6]][4]
        for at in range(section[4], section[4] + section[5], section[9]):
            if is_64:
                name, info, _, index, value, size = struct.unpack_from("<IBBHQQ", data, at)
            else:
                name, value, size, info, _, index = struct.unpack_from("<IIIBBH", data, at)
            if info & 15 in (FUNC, OBJECT) and size and 0 < index < 0xFF00:
                end = data.index(b"\0", strings + name)
                # Folded functions share an address; the first name stands for all.
                found.setdefault(value & ~1, (data[strings + name : end].decode(errors="replace"), size))
    if not found:
        sys.exit(f"`{path}` has no symbols; build it with -Cstrip=none")
    return found


ESCAPES = {"LT": "<", "GT": ">", "RF": "&", "BP": "*", "LP": "(", "RP": ")", "C": ",", "SP": "@"}


def readable(name):
    """A name as the compiler was given it; those of C stay as they are."""
    found = re.match(r"_?_ZN(.*)E(?:\.llvm\.\d+)?$", name)
    if not found:
        return name
    rest, parts = found[1], []
    while length := re.match(r"\d+", rest):
        begin, end = length.end(), length.end() + int(length[0])
        parts.append(rest[begin:end])
        rest = rest[end:]
    if parts and re.fullmatch(r"h[0-9a-f]{16}", parts[-1]):
        parts.pop()
    text = "::".join(part.removeprefix("_") if part.startswith("_$") else part for part in parts).replace("..", "::")
    return re.sub(r"\$(\w+?)\$", lambda code: ESCAPES.get(code[1]) or chr(int(code[1][1:], 16)), text)


def demangled(names):
    """The newer kind of names, which binutils knows how to read; the older kind is left to `readable`."""
    new = [name for name in names if name.startswith("_R")]
    done = {}
    if new:
        said = subprocess.run(["c++filt"], input="\n".join(new), capture_output=True, text=True, check=True).stdout.splitlines()
        done = {old: re.sub(r"\[[0-9a-f]+\]|\.llvm\.\d+$", "", text) for old, text in zip(new, said, strict=True)}
    return [done.get(name) or readable(name) for name in names]


def owner(name):
    """The crate a function is counted for: of an implementation, the type's; of a generic from the standard library, that."""
    if "::" not in name:
        return "ring (C and assembler)" if name.startswith(("ring_core", "ecp_", "k25519", "LIMBS", "bn_", "aes_")) else "C and the rest"
    path = re.search(r"[A-Za-z_]\w*(?=::)", name)
    return path[0] if path else "C and the rest"


def part(name):
    """The folder of siskin a function belongs to."""
    found = re.search(r"siskin::([a-z_0-9]+)(?:::([a-z_0-9]+))?", name)
    if not found:
        return None
    return f"{found[1]}/{found[2]}" if found[1] == "tools" and found[2] else found[1]


def table(title, counter, total, rows):
    print(f"{title:<72} {'bytes':>10}")
    for name, size in counter.most_common(rows):
        print(f"  {name[:70]:<70} {size:>10,} {100 * size / total:>5.1f} %")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    named = list(symbols(sys.argv[1]).values())
    found = list(zip(demangled([name for name, _ in named]), [size for _, size in named], strict=True))
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 25
    total = sum(size for _, size in found)
    crates, parts, functions = Counter(), Counter(), Counter()
    for name, size in found:
        crates[owner(name)] += size
        functions[name] += size
        if folder := part(name):
            parts[folder] += size
    print(f"{os.path.basename(sys.argv[1])}: {total:,} bytes have a name, in {len(found):,} functions and tables")
    table("crate", crates, total, rows)
    table("part of siskin, generics of other crates made for it included", parts, total, rows)
    table("function, all copies of a generic together", functions, total, rows)


if __name__ == "__main__":
    main()
