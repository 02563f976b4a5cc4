#!/usr/bin/env bash
# promtool on the alerts: their form, and that each fires when it should and is silent when it should not.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../../tests/clients/lib.sh
. "$HERE/../../tests/clients/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$HERE/../lib.sh"
begin deploy/prometheus

need jq jq
if ! command -v promtool >/dev/null; then
  need promtool prometheus
  # Debian starts what it installs.
  service prometheus stop >/dev/null 2>&1 || true
fi
cp "$HERE"/*.yml "$SCRATCH/"
check "check rules" promtool check rules "$SCRATCH/alerts.yml"
check "check config" promtool check config "$SCRATCH/prometheus.yml"
check "test rules" promtool test rules "$SCRATCH/alerts_test.yml"
# Every alert has a test that sees it fire.
tested() {
  local alert untested=0
  # shellcheck disable=SC2013  # names of alerts are single words
  for alert in $(sed -n 's/^ *- alert: //p' "$SCRATCH/alerts.yml"); do
    grep -q "alertname: $alert\$" "$SCRATCH/alerts_test.yml" || { echo "$alert is not seen firing"; untested=1; }
  done
  return "$untested"
}
check "every alert has a test" tested
sed 's/== 0/== 2/' "$HERE/alerts.yml" >"$SCRATCH/alerts.yml"
check "an alert that is wrong fails its test" refuses promtool test rules "$SCRATCH/alerts_test.yml"
check "the dashboard is JSON with panels" jq -e '.panels | length > 5' "$ROOT/deploy/grafana/siskin.json"
verdict
