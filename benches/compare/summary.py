"""The five rows that tell most, from what compare.py found, into a document between two markers. Called by summary.sh."""

import json
import os
import sys

import report

BEGIN, END = "<!-- compare -->", "<!-- end compare -->"
# What most readers choose between; rmcp by the better of its figures.
COLUMNS = {
    "siskin": ("siskin",),
    "rmcp": ("rmcp-json", "rmcp-sse", "rmcp-small-json", "rmcp-small-sse"),
    "TypeScript SDK": ("typescript",),
    "Python SDK": ("python-mcp",),
    "FastMCP": ("fastmcp",),
}


def main():
    results, document = sys.argv[1:]
    with open(os.path.join(results, "compare.json")) as file:
        found = json.load(file)
    with open(document) as file:
        text = file.read()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        sys.exit(f"`{os.path.basename(document)}` needs the lines `{BEGIN}` and `{END}`, once each")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    folder = os.path.relpath(results, os.path.dirname(os.path.abspath(document)))
    with open(document, "w") as file:
        file.write(f"{before}{BEGIN}\n{summary(found, folder)}{END}{after}")


def summary(found, folder):
    rows = {row: measured["peers"] for row, measured in found["rows"].items()}

    def calls(key):
        def of(name):
            rounds = rows.get("calls-session", {}).get(name, {}).get("32")
            got = report.spread(rounds, key) if isinstance(rounds, list) else None
            return got and got.median

        return of

    def listed(row, key, factor=1):
        def of(name):
            values = rows.get(row, {}).get(name, {}).get(key)
            return report.Spread(values).median * factor if isinstance(values, list) and values else None

        return of

    def stream(name):
        got = rows.get("memory", {}).get(name, {}).get("1000 streams", {})
        return (got["after"] - got["before"]) / got["opened"] if got.get("opened") == 1000 else None

    lines = [
        ("tool calls per second, 32 connections", calls("per_second"), max),
        ("CPU µs per call", calls("server_us_per_call"), min),
        ("memory when idle, MiB", listed("memory", "idle", 1 / 1024), min),
        ("memory for each idle stream, KiB", stream, min),
        ("start to first answer, ms", listed("start", "ms"), min),
    ]
    cells = []
    for what, of, best in lines:
        line = [what]
        for names in COLUMNS.values():
            values = [value for value in map(of, names) if value is not None]
            line.append(report.number(best(values)) if values else "–")
        cells.append(line)
    table = "\n".join(report.table(["", *COLUMNS], cells))
    dates = sorted(measured["date"] for measured in found["rows"].values())
    picture = "calls-session-cpu.svg"
    return (
        f"\n{table}\n\n![CPU time of the server per call]({folder}/{picture})\n\n"
        f"Measured {dates[-1][:10]} in one run on one core, every answer checked; [all rows]({folder}/README.md), and "
        f"[how to repeat them](benches/README.md).\n\n"
    )


if __name__ == "__main__":
    main()
