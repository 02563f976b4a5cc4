#!/usr/bin/env bash
# Puts the rows that tell most, with a chart, between the markers `<!-- compare -->` and `<!-- end compare -->` of README.md.
# Usage: summary.sh [RESULTS]   RESULTS is a folder that run.sh has written (default: benches/compare/results).
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec python3 "$HERE/summary.py" "${1:-$HERE/results}" "$HERE/../../README.md"
