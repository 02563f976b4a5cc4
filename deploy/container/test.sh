#!/usr/bin/env bash
# Builds the final stages of Dockerfile.alpine and deploy/aws-documentation/Dockerfile.sse around a binary built here, with podman and
# runc, runs them as compose would, and looks at them. No image is pulled: the stages stand on `scratch`. A line per case.
# Usage: test.sh [BINARY]   default: the musl build of this machine. Status 77 where podman cannot be had.
# shellcheck disable=SC2317,SC2034  # called by trap; a loop that only counts
set -uo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=cross/lib.sh
. "$HERE/../../cross/lib.sh"
cd "$ROOT" || exit 1
BINARY=${1:-target/$(uname -m)-unknown-linux-musl/release/siskin}
[ -x "$BINARY" ] || { echo "there is no $BINARY; build it with cross/build.sh"; exit 1; }
apt podman runc curl python3 || { echo "podman cannot be had here"; exit "$UNAVAILABLE"; }

FAILED=0
ENGINE=(podman --runtime runc --cgroup-manager cgroupfs)
# Without a daemon nobody raises our own limits for the container.
LIMITS=(--ulimit nofile=20000:20000 --ulimit nproc=10000:10000)
NAME=siskin-test-$$
WORK=$(mktemp -d)
cleanup() {
  "${ENGINE[@]}" rm --force --time 1 "$NAME" >/dev/null 2>&1
  "${ENGINE[@]}" rmi --force "$NAME" >/dev/null 2>&1
  rm -rf "$WORK"
}
trap cleanup EXIT

# good NAME STATUS [TEXT]: prints the line of a case.
good() {
  if [ "$2" = 0 ]; then
    echo "ok   $1"
  else
    echo "FAIL $1: ${3:-}"
    FAILED=1
  fi
}

# build DOCKERFILE OPTION…: builds it around the binary.
build() {
  local file=$1
  shift
  "${ENGINE[@]}" build --format docker --pull=never --file "$file" --tag "$NAME" --build-arg SOURCE=prebuilt --build-arg "BINARY=$BINARY" "$@" . >"$WORK/build" 2>&1
}

# image DOCKERFILE: the same on scratch.
image() {
  build "$1" --build-arg FINAL=on-scratch
  good "$1: the image builds" $? "$(tail -5 "$WORK/build")"
}

# start [OPTION…]: as the compose files do: no rights, read-only, 16 MB, the host's network so that no bridge is needed.
start() {
  "${ENGINE[@]}" run --detach --name "$NAME" --network host "${LIMITS[@]}" --read-only --cap-drop ALL \
    --security-opt no-new-privileges --memory 16m "$@" "$NAME" >"$WORK/run" 2>&1 ||
    { # Where control groups may not be written, the memory limit cannot be had.
      "${ENGINE[@]}" rm --force "$NAME" >/dev/null 2>&1
      echo "--   the memory limit cannot be set here: $(tail -1 "$WORK/run" | cut -c1-120)"
      "${ENGINE[@]}" run --detach --name "$NAME" --network host "${LIMITS[@]}" --read-only --cap-drop ALL \
        --security-opt no-new-privileges --cgroups=disabled "$@" "$NAME" >"$WORK/run" 2>&1
    }
}

# port: where it listens; it was asked to take any.
port() {
  local attempt
  for attempt in $(seq 100); do
    "${ENGINE[@]}" logs "$NAME" 2>&1 | sed -n 's/^.*listening http [0-9.]*:\([0-9]*\).*$/\1/p' | head -n 1 >"$WORK/port"
    [ -s "$WORK/port" ] && break
    sleep 0.1
  done
  cat "$WORK/port"
}

stop() {
  "${ENGINE[@]}" stop --time 10 "$NAME" >/dev/null 2>&1
  "${ENGINE[@]}" inspect --format '{{.State.ExitCode}}' "$NAME"
  "${ENGINE[@]}" rm --force "$NAME" >/dev/null 2>&1
}

# ----------------------------------------------------------------------------------------------------------------------------- lint
HADOLINT=$ROOT/.cache/deploy/bin/hadolint
if [ ! -x "$HADOLINT" ]; then
  apt python3-venv
  python3 -m venv "$ROOT/.cache/deploy" &&
    "$ROOT/.cache/deploy/bin/pip" install --quiet --disable-pip-version-check --no-input -r deploy/requirements.txt
fi >"$WORK/pip" 2>&1
if [ -x "$HADOLINT" ]; then
  for file in Dockerfile.alpine deploy/aws-documentation/Dockerfile.sse; do
    "$HADOLINT" "$file" >"$WORK/out"
    good "$file: hadolint" $? "$(cat "$WORK/out")"
  done
else
  echo "--   hadolint cannot be had here: $(tail -1 "$WORK/pip")"
fi

# ---------------------------------------------------------------------------------------------------------------- Dockerfile.alpine
image Dockerfile.alpine
size=$("${ENGINE[@]}" image inspect --format '{{.Size}}' "$NAME" 2>/dev/null)
echo "     image size $size bytes, binary $(stat -c %s "$BINARY") bytes"

# What SOURCE_DATE_EPOCH is for BuildKit is `--timestamp` for podman. Its id would not do: podman notes the names of its own steps in it.
content() { "${ENGINE[@]}" image inspect --format '{{.RootFS.Layers}} {{json .Config}} {{.Created}}' "$NAME"; }
build Dockerfile.alpine --build-arg FINAL=on-scratch --timestamp 0 --no-cache && first=$(content) &&
  build Dockerfile.alpine --build-arg FINAL=on-scratch --timestamp 0 --no-cache && [ "$(content)" = "$first" ]
good "two builds of one commit are the same image" $? "$(tail -5 "$WORK/build")"

start --env APP_SERVER__PORT=0
sleep 1
"${ENGINE[@]}" logs "$NAME" >"$WORK/log" 2>&1
grep -q token "$WORK/log"
good "without a token it does not start, and says why" $? "$(cat "$WORK/log")"
"${ENGINE[@]}" rm --force "$NAME" >/dev/null 2>&1

TOKEN=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
printf '%s\n' "$TOKEN" >"$WORK/token"
chmod 0444 "$WORK/token"
start --env APP_SERVER__PORT=0 --env APP_SERVER__API_TOKEN_FILE=/run/secrets/api_token --volume "$WORK/token:/run/secrets/api_token:ro"
port=$(port)
curl --silent --fail --max-time 10 "http://127.0.0.1:$port/health" >"$WORK/out"
good "/health answers" $? "$("${ENGINE[@]}" logs "$NAME" 2>&1)"
[ "$(curl --silent --output /dev/null --write-out '%{http_code}' "http://127.0.0.1:$port/api/mcp/v1/tools")" = 401 ]
good "a stranger is refused" $?
grep -q device_memory <<<"$(curl --silent --fail --max-time 10 -H "Authorization: Bearer $TOKEN" "http://127.0.0.1:$port/api/mcp/v1/tools")"
good "the token of the secret's file is taken" $?
# The port was chosen at the start; in an image it is 8000, and then no option is needed.
"${ENGINE[@]}" exec --env APP_SERVER__PORT="$port" "$NAME" /usr/bin/siskin healthcheck >"$WORK/out" 2>&1
good "siskin healthcheck inside" $? "$(cat "$WORK/out")"
"${ENGINE[@]}" exec --env APP_SERVER__PORT=1 "$NAME" /usr/bin/siskin healthcheck >"$WORK/out" 2>&1
[ $? = 1 ]
good "siskin healthcheck says 1 where nobody listens" $? "$(cat "$WORK/out")"
[ "$("${ENGINE[@]}" inspect --format '{{.Config.User}}' "$NAME")" = 65532:65532 ]
good "it is not root" $?
"${ENGINE[@]}" inspect --format '{{json .Config.Healthcheck}}' "$NAME" | grep -q healthcheck
good "the image has a health check" $?
status=$(stop)
[ "$status" = 0 ]
good "stop ends it with status 0" $? "$status"

# ------------------------------------------------------------------------------------------------------------- its variant on Alpine
# Alpine itself would have to be pulled. A stand-in under its name shows that the stage is chosen, asks for packages by `apk` and runs.
ALPINE=docker.io/library/alpine:$(sed -n 's/^ARG ALPINE_VERSION=//p' Dockerfile.alpine)
if "${ENGINE[@]}" image exists "$ALPINE"; then
  echo "--   $ALPINE is here already: no stand-in is put in its place"
elif apt busybox-static; then
  mkdir -p "$WORK/alpine/bin"
  cp "$(command -v busybox)" "$WORK/alpine/bin/busybox"
  for name in sh ls cat; do ln -s busybox "$WORK/alpine/bin/$name"; done
  # shellcheck disable=SC2016  # expanded in the image
  printf '#!/bin/sh\necho "$@" >/apk\n' >"$WORK/alpine/bin/apk"
  chmod 755 "$WORK/alpine/bin/apk"
  tar -C "$WORK/alpine" -c . | "${ENGINE[@]}" import --quiet - "$ALPINE" >"$WORK/out" 2>&1 &&
    build Dockerfile.alpine --build-arg FINAL=on-alpine --runtime runc "${LIMITS[@]}"
  good "on Alpine: the image builds" $? "$(cat "$WORK/out") $(tail -5 "$WORK/build")"
  "${ENGINE[@]}" run --rm --name "$NAME" --network none "${LIMITS[@]}" --entrypoint sh "$NAME" -c 'cat /apk; siskin version' >"$WORK/out" 2>&1
  grep -q '^add .*ca-certificates' "$WORK/out" && grep -q '^siskin [0-9]' "$WORK/out"
  good "on Alpine: it asks for certificates, has a shell, and siskin in its path" $? "$(cat "$WORK/out")"
  "${ENGINE[@]}" rmi --force "$ALPINE" >/dev/null 2>&1
else
  echo "--   the variant on Alpine: no busybox for a stand-in here"
fi

# --------------------------------------------------------------------------------------------------------------------- Dockerfile.sse
image deploy/aws-documentation/Dockerfile.sse
start --env FASTMCP_PORT=0
port=$(port)
curl --silent --no-buffer --max-time 2 -H "Accept: text/event-stream" "http://127.0.0.1:$port/sse/" >"$WORK/out"
grep -q 'data: .*session_id=' "$WORK/out"
good "aws: GET /sse/ names the message endpoint" $? "$(cat "$WORK/out") $("${ENGINE[@]}" logs "$NAME" 2>&1)"
"${ENGINE[@]}" exec --env FASTMCP_PORT="$port" "$NAME" docker-healthcheck-sse.sh >"$WORK/out" 2>&1
good "aws: docker-healthcheck-sse.sh exits 0 when up" $? "$(cat "$WORK/out")"
"${ENGINE[@]}" exec --env FASTMCP_PORT=1 "$NAME" docker-healthcheck-sse.sh >"$WORK/out" 2>&1
[ $? = 1 ]
good "aws: docker-healthcheck-sse.sh exits 1 when down" $? "$(cat "$WORK/out")"
curl --silent --max-time 10 -H 'Content-Type: application/json' -d '{"method":"tools/list"}' "http://127.0.0.1:$port/messages/" >"$WORK/out"
grep -q search_documentation "$WORK/out" && ! grep -q device_ "$WORK/out"
good "aws: its tools, and not the machine's" $? "$(cut -c1-300 "$WORK/out")"
status=$(stop)
[ "$status" = 0 ]
good "aws: stop ends it with status 0" $? "$status"

exit "$FAILED"
