# shellcheck shell=bash
# What every script under tests/clients and tests/conformance shares: packages, ports, servers, deadlines, the clock.
# Sourced, never run. A script that sources it sets `set -euo pipefail` itself and calls `begin NAME` first.

# begin NAME: makes the scratch folder, and from here on the script ends by `finish`, whatever happens.
begin() {
  SCRIPT_NAME=$1
  STARTED_AT=$SECONDS
  SERVER_PIDS=()
  # The server reads these, and no proxy belongs between two ends of one machine.
  unset ENV "${!APP_@}" "${!FASTMCP_@}"
  export NO_PROXY=localhost,127.0.0.1 no_proxy=localhost,127.0.0.1
  SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/siskin-XXXXXXXX")
  trap finish EXIT
  # Without these a signal would end the script before the servers are reaped.
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

finish() {
  local status=$?
  trap - EXIT
  stop_servers
  rm -rf "$SCRATCH"
  printf '%s: %d s, %s\n' "$SCRIPT_NAME" $((SECONDS - STARTED_AT)) "$([ "$status" = 0 ] && echo passed || echo FAILED)"
  exit "$status"
}

die() {
  printf '%s: %s\n' "$SCRIPT_NAME" "$*" >&2
  exit 1
}

# need COMMAND DEBIAN_PACKAGE: installs the package if the command is missing (a cold machine).
need() {
  command -v "$1" >/dev/null 2>&1 && return
  command -v apt-get >/dev/null 2>&1 || die "\`$1\` is missing and there is no apt-get to install \`$2\` with"
  local sudo=()
  [ "$(id -u)" = 0 ] || sudo=(sudo -n)
  echo "installing $2 for \`$1\`" >&2
  if ! "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -q --no-install-recommends "$2" >"$SCRATCH/apt.log" 2>&1; then
    # A cold machine has no package lists yet.
    "${sudo[@]}" apt-get update -q >"$SCRATCH/apt.log" 2>&1 || true
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -q --no-install-recommends "$2" >"$SCRATCH/apt.log" 2>&1 ||
      { cat "$SCRATCH/apt.log" >&2; die "could not install \`$2\`"; }
  fi
  command -v "$1" >/dev/null 2>&1 || die "\`$2\` is installed but has no \`$1\`"
}

# stale STAMP FILE…: whether the cache was made from other versions of these files than those at hand.
stale() {
  local stamp=$1
  shift
  cat "$@" | sha256sum | cmp -s - "$stamp" && return 1
  return 0
}

# stamp STAMP FILE…: remembers what the cache was made from. Written last, so a broken install is not reused.
stamp() {
  local stamp=$1
  shift
  cat "$@" | sha256sum >"$stamp"
}

# npm_packages FOLDER: installs FOLDER/package.json into FOLDER/.cache and sets NODE to the Node pinned there.
npm_packages() {
  local folder=$1 cache=$1/.cache
  if stale "$cache/npm.stamp" "$folder/package.json" "$folder/package-lock.json"; then
    need npm npm
    mkdir -p "$cache"
    rm -rf "$cache/node_modules"
    cp "$folder/package.json" "$folder/package-lock.json" "$cache/"
    echo "installing npm packages" >&2
    (cd "$cache" && npm ci --no-audit --no-fund --no-progress --loglevel=error) >"$SCRATCH/npm.log" 2>&1 ||
      { cat "$SCRATCH/npm.log" >&2; die "npm ci failed"; }
    stamp "$cache/npm.stamp" "$folder/package.json" "$folder/package-lock.json"
  fi
  NODE=$cache/node_modules/.bin/node
  local version
  version=$("$NODE" --version) || die "the pinned Node does not run on this machine"
  # The conformance suite and the Inspector import `fs.globSync`; older ones fail with a misleading syntax error.
  [ "${version%%.*}" = v22 ] || die "Node 22 was wanted, $version is there"
}

# python_packages FOLDER: installs FOLDER/requirements.txt into a venv in FOLDER/.cache and sets PYTHON to its interpreter.
python_packages() {
  local folder=$1 cache=$1/.cache
  PYTHON=$cache/venv/bin/python
  stale "$cache/venv.stamp" "$folder/requirements.txt" || return 0
  need python3 python3
  mkdir -p "$cache"
  rm -rf "$cache/venv"
  if ! python3 -m venv "$cache/venv" >"$SCRATCH/venv.log" 2>&1; then
    # Debian's python3 has a `venv` module that only works with this package.
    python3 -c 'import ensurepip' 2>/dev/null || need_python_venv
    rm -rf "$cache/venv"
    python3 -m venv "$cache/venv" >"$SCRATCH/venv.log" 2>&1 || { cat "$SCRATCH/venv.log" >&2; die "python3 -m venv failed"; }
  fi
  echo "installing Python packages" >&2
  "$PYTHON" -m pip install -q --disable-pip-version-check --no-input -r "$folder/requirements.txt" >"$SCRATCH/pip.log" 2>&1 ||
    { cat "$SCRATCH/pip.log" >&2; die "pip install failed"; }
  stamp "$cache/venv.stamp" "$folder/requirements.txt"
}

need_python_venv() {
  local sudo=()
  [ "$(id -u)" = 0 ] || sudo=(sudo -n)
  "${sudo[@]}" apt-get update -q >"$SCRATCH/apt.log" 2>&1 || true
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -q --no-install-recommends python3-venv >"$SCRATCH/apt.log" 2>&1 ||
    { cat "$SCRATCH/apt.log" >&2; die "could not install \`python3-venv\`"; }
}

# bin_dir [DIR]: prints the folder with `siskin` and `examples/everything`: the one named, else release, else debug.
bin_dir() {
  local root
  root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
  if [ -n "${1:-}" ]; then
    (cd "$1" && pwd)
  elif [ -x "$root/target/release/examples/everything" ]; then
    echo "$root/target/release"
  else
    echo "$root/target/debug"
  fi
}

# free_port: prints a port nobody listens on. The server binds it a moment later; `start_on_free_port` retries a lost race.
free_port() {
  local port
  while :; do
    # Above the range Linux hands to outgoing connections (32768–60999) nothing takes it away in between.
    port=$((61000 + RANDOM % 4500))
    listening "$port" || { echo "$port"; return; }
  done
}

# listening PORT: whether something accepts connections on 127.0.0.1:PORT.
listening() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# wait_until SECONDS COMMAND…: repeats the command until it succeeds; fails at the deadline.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.05
  done
}

# start_server LOG COMMAND…: starts in the background, sets SERVER_PID; `finish` reaps it. The scratch folder is its working folder,
# so that no `config` folder comes in by accident.
start_server() {
  local log=$1
  shift
  (cd "$SCRATCH" && exec "$@") </dev/null >"$log" 2>&1 &
  SERVER_PID=$!
  SERVER_PIDS+=("$SERVER_PID")
}

# start_on_free_port LOG COMMAND…: {PORT} in the command is replaced; sets PORT and SERVER_PID, returns once it accepts.
start_on_free_port() {
  local log=$1 attempt
  shift
  for attempt in 1 2 3; do
    PORT=$(free_port)
    start_server "$log" "${@//\{PORT\}/$PORT}"
    wait_until 20 settled "$SERVER_PID" "$PORT" || break
    kill -0 "$SERVER_PID" 2>/dev/null && return
    grep -qi 'in use' "$log" || break
    echo "port $PORT was taken in between, attempt $attempt" >&2
  done
  cat "$log" >&2
  die "\`$1\` did not start"
}

# settled PID PORT: the server accepts, or it is gone.
settled() {
  listening "$2" || ! kill -0 "$1" 2>/dev/null
}

# start_siskin LOG COMMAND…: starts on port 0 and reads PORT from the readiness line on stderr.
start_siskin() {
  local log=$1
  start_server "$@"
  wait_until 20 ready_or_gone "$SERVER_PID" "$log" || true
  PORT=$(sed -n 's/^.*listening http 127\.0\.0\.1:\([0-9]\{1,5\}\).*$/\1/p' "$log" | head -n 1)
  [ -n "$PORT" ] || { cat "$log" >&2; die "no line \`listening http 127.0.0.1:PORT\` within 20 s"; }
}

ready_or_gone() {
  grep -qs 'listening http' "$2" || ! kill -0 "$1" 2>/dev/null
}

# stop_server PID: SIGTERM, ten seconds, SIGKILL; sets EXIT_STATUS.
# shellcheck disable=SC2034  # read by the scripts that source this
stop_server() {
  EXIT_STATUS=0
  kill "$1" 2>/dev/null || true
  wait_until 10 gone "$1" || { echo "process $1 ignored SIGTERM for 10 s" >&2; kill -KILL "$1" 2>/dev/null || true; }
  wait "$1" 2>/dev/null || EXIT_STATUS=$?
}

# A zombie still answers `kill -0`, so its state decides.
gone() {
  local state
  state=$(sed -n 's/^State:[[:space:]]*\([A-Z]\).*/\1/p' "/proc/$1/status" 2>/dev/null) || return 0
  [ -z "$state" ] || [ "$state" = Z ]
}

stop_servers() {
  local pid
  for pid in "${SERVER_PIDS[@]}"; do
    stop_server "$pid"
  done
  SERVER_PIDS=()
}
