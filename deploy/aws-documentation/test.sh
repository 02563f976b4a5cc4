#!/usr/bin/env bash
# The commands of the deployment guide this folder takes over from, run as it writes them: docker-compose and docker against podman's
# service, MCP Inspector from npm. The image's last stage is built around a binary built here, for no image can be pulled. A line per case,
# with the numbers of README.md's table of promises.
# Usage: test.sh [BINARY]   default: the musl build of this machine. Status 77 where podman cannot be had.
# shellcheck disable=SC2317  # called by name
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../../tests/clients/lib.sh
. "$HERE/../../tests/clients/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$HERE/../lib.sh"
begin deploy/aws-documentation
cd "$ROOT"
BINARY=${1:-target/$(uname -m)-unknown-linux-musl/release/siskin}
[ -x "$BINARY" ] || die "there is no \`$BINARY\`; build it with cross/build.sh"
BINARY=$(realpath --relative-to="$ROOT" "$BINARY")

for package in podman:podman runc:runc docker-compose:docker-compose curl:curl jq:jq; do
  (need "${package%:*}" "${package#*:}") || { echo "podman and docker-compose cannot be had here"; exit "$UNAVAILABLE"; }
done
npm_packages "$ROOT/tests/clients"

PODMAN=(podman --runtime runc --cgroup-manager cgroupfs)
# Without a daemon of root's nobody raises our own limits for the container.
LIMITS=(--ulimit nofile=20000:20000 --ulimit nproc=10000:10000)
PROJECT=siskin-guide-$$
SERVICE=aws-documentation-mcp-sse
FASTMCP_PORT=$(free_port)
URL=http://localhost:$FASTMCP_PORT
export FASTMCP_PORT DOCKER_HOST=unix://$SCRATCH/podman.sock
# Beside what is shipped: the binary, and limits that may be set here.
cat >"$SCRATCH/override.yml" <<YML
version: "3.9"
services:
  $SERVICE:
    build: { args: { SOURCE: prebuilt, BINARY: $BINARY } }
    ulimits: { nofile: 20000, nproc: 10000 }
YML
COMPOSE=(docker-compose --project-name "$PROJECT" -f "$HERE/docker-compose-sse.yml" -f "$SCRATCH/override.yml")

clean() {
  timeout 60 "${COMPOSE[@]}" down --timeout 5 >/dev/null 2>&1 || true
  "${PODMAN[@]}" rm --force --time 1 "$PROJECT" >/dev/null 2>&1 || true
}
# `finish` ends with the status that it finds.
trap 'status=$?; set +e; clean; (exit "$status"); finish' EXIT

start_server "$SCRATCH/podman.log" "${PODMAN[@]}" system service --time 0 "$DOCKER_HOST"
reachable() { [ -S "$SCRATCH/podman.sock" ]; }
wait_until 20 reachable || die "podman's service does not start: $(cat "$SCRATCH/podman.log")"

# served [PATH]: the guide's health check, as it writes it; curl leaves at its limit with status 28, for the stream stays open.
served() {
  local head wanted
  head=$(curl --silent --include --max-time 3 -H 'Accept: text/event-stream' "$URL${1:-/sse/}" || [ $? = 28 ])
  for wanted in '^HTTP/1.1 200' '^content-type: text/event-stream' '^event: endpoint'; do
    grep -qi "$wanted" <<<"$head" || { echo "no \`$wanted\` in: $head"; return 1; }
  done
}

# tools: what is offered, by the guide's own POST, which has neither id nor version.
tools() {
  curl --silent --max-time 10 -H 'Content-Type: application/json' -d '{"method": "tools/list"}' "$URL/messages/" |
    jq -r '[.result.tools[].name] | sort | join(" ")'
}
offers() {
  local found
  found=$(tools)
  [ "$found" = "$*" ] || { echo "it offers \`$found\`"; return 1; }
}
container() { "${PODMAN[@]}" ps --quiet --filter "name=$PROJECT" | head -n 1; }
exec_health() { timeout 30 "${COMPOSE[@]}" exec -T "$SERVICE" docker-healthcheck-sse.sh; }
# Not through a pipe: grep leaves it at the first find, and docker-compose would end by the signal for that.
logs_show() {
  local said
  said=$(timeout 30 "${COMPOSE[@]}" logs "$SERVICE" 2>&1)
  grep -q "$1" <<<"$said" || { echo "$said"; return 1; }
}
lacks() { ! logs_show "$1" >/dev/null || { echo "the log has \`$1\`"; return 1; }; }

up() { timeout 300 "${COMPOSE[@]}" up -d; }
check "S2, S4: docker-compose up -d builds and starts" up
image() { "${PODMAN[@]}" image exists "$SERVICE"; }
alone() {
  local running
  running=$("${PODMAN[@]}" ps --format '{{.Names}}' --filter "name=$PROJECT")
  if [ "$(wc -l <<<"$running")" != 1 ] || ! grep -q "$SERVICE" <<<"$running"; then
    echo "running: $running"
    return 1
  fi
}
check "S18: without the profile \`production\` nginx is not started" alone
check "S4: the image is called $SERVICE" image
wait_until 20 served >/dev/null || true
check "S5, S11, S15, S17: the published port has the event stream" served
check "S6: docker exec docker-healthcheck-sse.sh says 0" exec_health
check "S8: the partition is \`aws\`" offers read_documentation read_sections recommend search_documentation search_table
health_times() {
  "${PODMAN[@]}" inspect "$(container)" | jq -e '.[0].Config.Healthcheck | .Interval == 30e9 and .Timeout == 30e9 and .StartPeriod == 5e9 and .Retries == 3' ||
    { "${PODMAN[@]}" inspect "$(container)" | jq -c '.[0].Config.Healthcheck'; return 1; }
}
check "S30: the health check's times" health_times
check "S3: docker-compose logs shows that it listens" logs_show 'listening http 0.0.0.0:8000'
check "S14: at INFO it says more" logs_show 'MCP endpoint'
inspector() {
  local cli=$ROOT/tests/clients/.cache/node_modules/.bin/mcp-inspector
  HOME=$SCRATCH timeout 60 "$NODE" "$cli" --cli "$URL/sse/" --transport sse --protocol-era legacy --format json --quiet --stored-auth-only \
    --method tools/list >"$SCRATCH/inspector" 2>&1 || true
  jq -e '[.result.tools[].name] | index("search_documentation")' "$SCRATCH/inspector" >/dev/null || { head -c 600 "$SCRATCH/inspector"; return 1; }
}
check "S31: MCP Inspector lists the tools over /sse/" inspector
counted() {
  local metrics
  metrics=$(curl --silent --max-time 10 "$URL/metrics")
  for name in mcp_sse_connections_active mcp_rpc_request_duration_seconds_bucket mcp_rpc_requests_total process_resident_memory_bytes process_open_fds \
    mcp_http_active_connections mcp_sse_disconnects_total; do
    grep -q "^$name" <<<"$metrics" || { echo "no $name"; return 1; }
  done
}
check "S32: connections, latency, reconnections and resources are counted" counted
down() {
  local id
  id=$(container)
  timeout 60 "${COMPOSE[@]}" stop "$SERVICE" && [ "$("${PODMAN[@]}" inspect --format '{{.State.ExitCode}}' "$id")" = 0 ] &&
    timeout 60 "${COMPOSE[@]}" down && [ -z "$(container)" ]
}
check "S3: docker-compose down ends it with status 0" down
gone_now() { refuses curl --silent --max-time 3 "$URL/health"; }
check "S3: and nobody listens any more" gone_now

export AWS_DOCUMENTATION_PARTITION=aws-cn FASTMCP_SSE_PATH=/events/ FASTMCP_MESSAGE_PATH=/post/ FASTMCP_LOG_LEVEL=ERROR
check "docker-compose up -d with other values" up
served_elsewhere() { served /events/ && served /events && [ "$(curl --silent --max-time 3 --output /dev/null --write-out '%{http_code}' "$URL/sse/")" = 404 ]; }
wait_until 20 served /events/ >/dev/null || true
check "S10, S12: FASTMCP_PORT and FASTMCP_SSE_PATH" served_elsewhere
posts_elsewhere() {
  curl --silent --max-time 10 -H 'Content-Type: application/json' -d '{"method": "tools/list"}' "$URL/post/" | jq -e '.result.tools | length == 2' >/dev/null
}
check "S8, S13: FASTMCP_MESSAGE_PATH, and the two tools of \`aws-cn\`" posts_elsewhere
check "S6: the health check follows FASTMCP_SSE_PATH" exec_health
check "S14: at ERROR no line of level INFO" lacks 'MCP endpoint'
check "and down again" down
unset AWS_DOCUMENTATION_PARTITION FASTMCP_SSE_PATH FASTMCP_MESSAGE_PATH FASTMCP_LOG_LEVEL

# The guide's other way: docker alone, the port published.
run_alone() {
  "${PODMAN[@]}" run -d --name "$PROJECT" --network slirp4netns -p "$FASTMCP_PORT:8000" -e AWS_DOCUMENTATION_PARTITION=aws -e FASTMCP_LOG_LEVEL=INFO \
    "${LIMITS[@]}" "$SERVICE"
}
if command -v slirp4netns >/dev/null; then
  check "S5: docker run -d -p" run_alone
  wait_until 20 served >/dev/null || true
  check "S5, S17: the stream through the published port" served
  alone_health() { "${PODMAN[@]}" exec "$PROJECT" docker-healthcheck-sse.sh; }
  check "S6: docker exec docker-healthcheck-sse.sh says 0" alone_health
  down_health() {
    local status=0
    "${PODMAN[@]}" exec --env FASTMCP_PORT=1 "$PROJECT" docker-healthcheck-sse.sh || status=$?
    [ "$status" = 1 ]
  }
  check "S6: and 1 where nobody listens" down_health
else
  skip "S5: no slirp4netns to publish a port with"
fi
verdict
