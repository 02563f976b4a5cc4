#!/usr/bin/env bash
# Puts siskin's `/metrics` before promtool, then lets a real Prometheus scrape it.
# Usage: prometheus.sh [BIN_DIR]   BIN_DIR holds `siskin` (default: target/release, else target/debug).
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$HERE/lib.sh"
begin tests/clients/prometheus

SISKIN=$(bin_dir "${1:-}")/siskin
[ -x "$SISKIN" ] || die "\`$SISKIN\` is missing; build it with: cargo build"
need prometheus prometheus
need promtool prometheus
need curl curl
need jq jq

PASSED=0
FAILED=0
# check CASE COMMAND…: one printed line; what the command said is the reason.
check() {
  local name=$1 said
  shift
  if said=$("$@" 2>&1); then
    PASSED=$((PASSED + 1))
    echo "ok   prometheus $VERSION  $name"
  else
    FAILED=$((FAILED + 1))
    echo "FAIL prometheus $VERSION  $name  $(tr '\n' ' ' <<<"$said" | cut -c 1-500)"
  fi
}
VERSION=$(promtool --version 2>&1 | sed -n 's/^promtool, version \([^ ]*\).*/\1/p')

start_siskin "$SCRATCH/siskin.log" "$SISKIN" serve --port 0
SISKIN_PORT=$PORT

# A request, an error and a tool that does not exist, so that the labelled families have something to show.
for body in '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' '{"jsonrpc":"2.0","id":2,"method":"no/such"}' \
  '{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"no_such","arguments":{}}}'; do
  curl --silent --show-error --max-time 10 --output /dev/null -H 'Content-Type: application/json' -d "$body" "http://127.0.0.1:$SISKIN_PORT/messages/"
done
curl --silent --show-error --max-time 10 --dump-header "$SCRATCH/head" --output "$SCRATCH/metrics" "http://127.0.0.1:$SISKIN_PORT/metrics"

content_type() { grep -qi '^content-type: text/plain; version=0\.0\.4' "$SCRATCH/head" || { cat "$SCRATCH/head"; return 1; }; }
check content-type content_type

# promtool's status tells errors (1) from lint (3); both are read from what it says, for two names may be complained of:
# they are inherited, gauges that end like counters.
lint() {
  local status=0 complaints
  [ -s "$SCRATCH/metrics" ] || { echo "the page is empty"; return 1; }
  promtool check metrics <"$SCRATCH/metrics" >"$SCRATCH/lint" 2>&1 || status=$?
  complaints=$(grep -vE '^(mcp_tools_registered_total|mcp_resources_registered_total) ' "$SCRATCH/lint" || true)
  [ -z "$complaints" ] || { echo "$complaints"; return 1; }
  [ "$status" = 0 ] || [ "$status" = 3 ] || { echo "promtool ended with status $status"; return 1; }
}
check promtool-check-metrics lint

mkdir "$SCRATCH/tsdb"
cat >"$SCRATCH/prometheus.yml" <<EOF
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: siskin
    static_configs:
      - targets: ["127.0.0.1:$SISKIN_PORT"]
EOF
start_on_free_port "$SCRATCH/prometheus.log" prometheus --config.file="$SCRATCH/prometheus.yml" --storage.tsdb.path="$SCRATCH/tsdb" \
  --web.listen-address='127.0.0.1:{PORT}'

# query EXPRESSION: the values of an instant query, one per line.
query() {
  curl --silent --max-time 5 --get --data-urlencode "query=$1" "http://127.0.0.1:$PORT/api/v1/query" | jq -r '.data.result[].value[1]' 2>/dev/null
}

# answers EXPRESSION PATTERN: some value of the query matches.
answers() {
  query "$1" | grep -qE "$2"
}

# scraped EXPRESSION PATTERN: `answers` within 30 s, or why the target is down.
scraped() {
  wait_until 30 answers "$1" "$2" || {
    echo "\`$1\` is \`$(query "$1")\`;"
    curl --silent --max-time 5 "http://127.0.0.1:$PORT/api/v1/targets" | jq -r '.data.activeTargets[] | .health + " " + .lastError'
    return 1
  }
}
check up scraped 'up{job="siskin"}' '^1$'
check inherited-name scraped 'mcp_tools_registered_total{job="siskin"}' '^[0-9]+$'
check uptime scraped 'mcp_server_uptime_seconds{job="siskin"}' '^[0-9.e+-]+$'
check requests-counted scraped 'sum(mcp_rpc_requests_total{job="siskin"})' '^[1-9]'
check errors-counted scraped 'sum(mcp_rpc_errors_total{job="siskin"})' '^[1-9]'
check histogram-has-quantile scraped 'histogram_quantile(0.5, sum by (le) (mcp_rpc_request_duration_seconds_bucket{job="siskin"}))' '^[0-9]'

if [ "$FAILED" != 0 ]; then
  tail -n 20 "$SCRATCH/siskin.log" | sed 's/^/siskin | /' >&2
  tail -n 20 "$SCRATCH/prometheus.log" | sed 's/^/prometheus | /' >&2
fi
echo "$PASSED passed, $FAILED failed"
[ "$FAILED" = 0 ]
