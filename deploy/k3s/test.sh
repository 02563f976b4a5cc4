#!/usr/bin/env bash
# Holds the manifests against the schemas of Kubernetes, and the configuration inside them against siskin. A line per case.
# Usage: test.sh [SISKIN]   default: a debug build.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../../tests/clients/lib.sh
. "$HERE/../../tests/clients/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$HERE/../lib.sh"
begin deploy/k3s

validate=$(tool kubernetes-validate) || die "kubernetes-validate cannot be had here"
python=$(dirname "$validate")/python
debug_siskin "${1:-}"
# What a k3s of two years ago runs, and of this year.
for version in 1.27 1.34; do
  check "siskin.yaml: Kubernetes $version" "$validate" --strict --kubernetes-version "$version" "$HERE/siskin.yaml"
done
sed 's/replicas: 1/replicas: one/' "$HERE/siskin.yaml" >"$SCRATCH/broken.yaml"
check "a number that is none is refused" refuses "$validate" --strict --kubernetes-version 1.34 "$SCRATCH/broken.yaml"

# The parts that are extracted and held against each other.
"$python" - "$HERE" "$SCRATCH" <<'PY'
import sys
import yaml

here, scratch = sys.argv[1:]
with open(f"{here}/siskin.yaml") as file:
    parts = {(part["kind"], part["metadata"]["name"]): part for part in yaml.safe_load_all(file)}
with open(f"{scratch}/base.toml", "w") as file:
    file.write(parts["ConfigMap", "siskin"]["data"]["base.toml"])
pod = parts["Deployment", "siskin"]["spec"]["template"]
labels, ports = pod["metadata"]["labels"], {port["name"]: port["containerPort"] for port in pod["spec"]["containers"][0]["ports"]}
wrong = []
for (kind, name), part in parts.items():
    if kind == "Service":
        if part["spec"]["selector"].items() - labels.items():
            wrong.append(f"Service {name} selects no pod")
        wrong += [f"Service {name}: no port {port['targetPort']}" for port in part["spec"]["ports"] if port["targetPort"] not in ports]
    if kind == "HorizontalPodAutoscaler" and ("Deployment", part["spec"]["scaleTargetRef"]["name"]) not in parts:
        wrong.append("what is to be scaled is not there")
    if kind == "NetworkPolicy" and part["spec"]["podSelector"]["matchLabels"].items() - labels.items():
        wrong.append("the network policy is for no pod")
if str(ports["mcp"]) not in parts["ConfigMap", "siskin"]["data"]["base.toml"]:
    wrong.append("siskin listens elsewhere")
for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
    if pod["spec"]["containers"][0][probe]["httpGet"]["port"] not in ports:
        wrong.append(f"{probe} asks a port that is none")
with open(f"{scratch}/wrong", "w") as file:
    file.write("\n".join(wrong))
PY
agree() { ! grep . "$SCRATCH/wrong"; }
check "selectors, ports and probes agree" agree
kustomize() { grep -q '^  - siskin.yaml$' "$HERE/kustomization.yaml" && grep -q "newTag: $(sed -n 's/^version = "\(.*\)"$/\1/p' "$ROOT/Cargo.toml" | head -n 1)$" "$HERE/kustomization.yaml"; }
check "kustomization.yaml names the file and this version" kustomize

# As the pod has it, but for the place of the token, which here is a file of the scratch folder.
mkdir "$SCRATCH/config"
echo 0123456789abcdef0123456789abcdef >"$SCRATCH/token"
sed "s|/run/secrets/siskin/api_token|$SCRATCH/token|" "$SCRATCH/base.toml" >"$SCRATCH/config/base.toml"
check "siskin check takes the ConfigMap" env APP_SERVER__SESSION_PREFIX=3f0c6b1e-58c1-4d07-9d2e-0c6b1e58c14d "$SISKIN" check --config-dir "$SCRATCH/config"
rm "$SCRATCH/token"
check "and misses the Secret" refuses "$SISKIN" check --config-dir "$SCRATCH/config"
verdict
