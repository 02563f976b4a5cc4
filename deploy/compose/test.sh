#!/usr/bin/env bash
# Every compose file and Dockerfile that is shipped: read by docker-compose, held against the schema of the compose specification,
# and linted; what a container must not be given is looked for. Nothing is pulled and nothing started. A line per case.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../../tests/clients/lib.sh
. "$HERE/../../tests/clients/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$HERE/../lib.sh"
begin deploy/compose

need jq jq
need python3 python3
compose=()
if docker compose version >/dev/null 2>&1; then
  compose=(docker compose)
elif need docker-compose docker-compose; then
  compose=(docker-compose)
fi
schema=$(tool check-jsonschema) || die "check-jsonschema cannot be had here"
python=$(dirname "$schema")/python

mapfile -t FILES < <(cd "$ROOT/deploy" && find . -name 'docker-compose*.yml' -o -name 'compose*.yml' | sort)
[ "${#FILES[@]}" -ge 4 ] || die "only ${#FILES[@]} compose files were found"

# Containers that are ours get no rights, no writable root, a bound on memory and processes, a health check, and are restarted.
hardened() {
  "$python" - "$1" <<'PY'
import sys
from ruamel.yaml import YAML

with open(sys.argv[1]) as file:
    services = YAML(typ="safe").load(file)["services"]
wrong, seen = [], 0
for name, service in services.items():
    if "siskin" not in str(service.get("image", "")) and "aws-documentation" not in str(service.get("image", "")):
        continue
    seen += 1
    wanted = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"], "restart": "unless-stopped"}
    wrong += [f"{name}.{key} is {service.get(key)}" for key, value in wanted.items() if service.get(key) != value]
    wrong += [f"{name} has no {key}" for key in ("mem_limit", "pids_limit", "healthcheck", "user") if key not in service]
    if str(service.get("user", "")).startswith("0"):
        wrong.append(f"{name} is root")
if not seen:
    wrong.append("no service of siskin")
print("\n".join(wrong))
sys.exit(bool(wrong))
PY
}

for file in "${FILES[@]}"; do
  path=$ROOT/deploy/$file
  name=${file#./}
  check "$name: the schema of the specification" "$schema" --builtin-schema vendor.compose-spec "$path"
  if [ ${#compose[@]} != 0 ]; then
    check "$name: docker-compose config" "${compose[@]}" --file "$path" config --quiet
  else
    skip "$name: no docker-compose here"
  fi
  check "$name: containers without rights" hardened "$path"
done

# Older releases of docker-compose list a service whatever its profile, so the file itself is asked.
unconditional() {
  "$python" - "$ROOT/deploy/aws-documentation/docker-compose-sse.yml" <<'PY'
import sys
from ruamel.yaml import YAML

with open(sys.argv[1]) as file:
    services = YAML(typ="safe").load(file)["services"]
always = [name for name, service in services.items() if "profiles" not in service]
print(always)
sys.exit(always != ["aws-documentation-mcp-sse"])
PY
}
check "aws-documentation: one service without the profile" unconditional
profiles() {
  "${compose[@]}" --file "$ROOT/deploy/aws-documentation/docker-compose-sse.yml" "$@" config --services | sort | tr '\n' ' '
}
if [ ${#compose[@]} != 0 ]; then
  with() { [ "$(profiles --profile production)" = "aws-documentation-mcp-sse nginx " ] || { profiles --profile production; return 1; }; }
  check "aws-documentation: nginx as well with the profile \`production\`" with
fi
printf 'services:\n  siskin:\n    image: siskin\n    no_such_key: 1\n' >"$SCRATCH/broken.yml"
check "a key that is none is refused by the schema" refuses "$schema" --builtin-schema vendor.compose-spec "$SCRATCH/broken.yml"
check "a container with rights is refused" refuses hardened "$SCRATCH/broken.yml"

if hadolint=$(tool hadolint); then
  for file in Dockerfile.alpine deploy/aws-documentation/Dockerfile.sse; do
    check "$file: hadolint" "$hadolint" "$ROOT/$file"
  done
  printf 'FROM alpine\nRUN cd /tmp\n' >"$SCRATCH/Dockerfile"
  check "an image without a version is refused by hadolint" refuses "$hadolint" "$SCRATCH/Dockerfile"
else
  skip "hadolint cannot be had here"
fi
verdict
