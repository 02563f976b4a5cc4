#!/usr/bin/env bash
# Runs the tools of packs against the real services, as far as registries have them: Prometheus, Node-RED and Home Assistant.
# Usage: run.sh [BIN_DIR] [SERVICE…]   BIN_DIR holds `siskin` (default: target/release, else target/debug);
#        SERVICE is prometheus, node-red, home-assistant or another pack, which says why it is skipped (default: all).
# shellcheck disable=SC2016  # $text and $json are jq's
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../clients/lib.sh
. "$HERE/../clients/lib.sh"
begin tests/upstreams

SISKIN=$(bin_dir "${1:-}")/siskin
[ $# = 0 ] || shift
WANTED=("$@")
[ -x "$SISKIN" ] || die "\`$SISKIN\` is missing; build it with: cargo build"
need curl curl
need jq jq

RESULTS=$SCRATCH/results
: >"$RESULTS"

report() {
  echo "$*" | tee -a "$RESULTS"
}

wanted() {
  [ ${#WANTED[@]} = 0 ] || [[ " ${WANTED[*]} " == *" $1 "* ]]
}

skip() {
  wanted "$1" || return 0
  report "skip $1  $2"
}

# call TOOL ARGUMENTS: the result of one call, as JSON.
call() {
  local message
  message=$(jq -cn --arg tool "$1" --argjson arguments "$2" \
    '{jsonrpc: "2.0", id: 1, method: "tools/call", params: {name: $tool, arguments: $arguments}}')
  curl --silent --show-error --max-time 60 -H 'Content-Type: application/json' -d "$message" "http://127.0.0.1:$PORT/api/mcp/v1/call" |
    jq -c '.result // .'
}

# check SERVICE CASE TOOL ARGUMENTS FILTER: one printed line. FILTER is jq over the result, whose text is `$text`, whose JSON is `$json`.
check() {
  local result
  result=$(call "$3" "$4" 2>&1) || true
  if jq -e '(.content[0].text // "") as $text | (.structuredContent // {}) as $json | '"$5" >/dev/null 2>&1 <<<"$result"; then
    report "ok   $1  $2  $3"
  else
    report "FAIL $1  $2  $3  $(cut -c 1-400 <<<"$result")"
  fi
}

# probe SERVICE CASE STATUS: what /ready says.
probe() {
  local said
  said=$(curl --silent --show-error --max-time 30 "http://127.0.0.1:$PORT/ready" 2>&1) || true
  if jq -e --arg status "$3" '.status == $status' >/dev/null 2>&1 <<<"$said"; then
    report "ok   $1  $2"
  else
    report "FAIL $1  $2  $said"
  fi
}

answers() {
  curl --silent --fail --max-time 5 --output "$SCRATCH/answer" "$@"
}

# --- Prometheus -------------------------------------------------------------------------------------------------------

# prometheus_server LABEL PREFIX OPTION…: a Prometheus that scrapes what $SCRATCH/targets.json names and is ready to be asked, which it is
# some time after it accepts connections; sets PORT and SERVER_PID. Who asks is `ada` in case it wants to know.
prometheus_server() {
  local label=$1 prefix=$2
  shift 2
  mkdir "$SCRATCH/$label.tsdb"
  start_on_free_port "$SCRATCH/$label.log" prometheus --config.file="$SCRATCH/prometheus.yml" --storage.tsdb.path="$SCRATCH/$label.tsdb" \
    --web.listen-address='127.0.0.1:{PORT}' "$@"
  wait_until 20 answers --user ada:secret "http://127.0.0.1:$PORT$prefix/-/ready" || { cat "$SCRATCH/$label.log" >&2; die "Prometheus is not ready"; }
}

# scraped: both targets were asked, siskin since it has asked Prometheus something, and the rules were looked at since. Once more than a
# second ago, for a range is asked of at whole seconds.
scraped() {
  local all='ALERTS{alertname=\"SiskinSeen\"} and on() (count(up) == 2) and on() sum(mcp_upstream_requests_total{service=\"prometheus\"})'
  all+=' and on() count(mcp_server_uptime_seconds offset 2s)'
  call prometheus_query "{\"query\": \"$all\"}" | jq -e '.structuredContent.shown == 1' >/dev/null
}

prometheus_tools() {
  local label=prometheus server siskin url
  cat >"$SCRATCH/prometheus.yml" <<EOF
global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }
rule_files: ["$SCRATCH/rules.yml"]
scrape_configs:
  - job_name: siskin
    file_sd_configs: [{ files: ["$SCRATCH/targets.json"], refresh_interval: 1s }]
  - job_name: nobody
    static_configs: [{ targets: ["127.0.0.1:9"] }]
EOF
  cat >"$SCRATCH/rules.yml" <<'EOF'
groups:
  - name: siskin
    rules:
      - { alert: SiskinSeen, expr: 'up{job="siskin"} == 1', labels: { severity: info }, annotations: { summary: 'siskin is up' } }
      - { alert: SiskinDown, expr: 'up{job="siskin"} == 0', for: 5m }
EOF
  echo '[]' >"$SCRATCH/targets.json"
  prometheus_server $label ''
  server=$SERVER_PID url=http://127.0.0.1:$PORT
  start_siskin "$SCRATCH/$label.siskin" env "APP_PROMETHEUS__URL=$url" "$SISKIN" serve --port 0
  siskin=127.0.0.1:$PORT
  echo "[{\"targets\": [\"$siskin\"]}]" >"$SCRATCH/targets.json"
  wait_until 30 scraped || true
  probe $label probe ready
  check $label vector prometheus_query '{"query": "up{job=\"siskin\"}"}' \
    '$json.shown == 1 and $json.items[0].value == "1" and $json.items[0].metric.instance == "'"$siskin"'"'
  check $label scalar prometheus_query '{"query": "1 + 1"}' '$json.items[0].value == "2"'
  check $label string prometheus_query '{"query": "\"text\""}' '$json.items[0].value == "text"'
  check $label matrix prometheus_query '{"query": "up{job=\"siskin\"}[1m]"}' '($json.items[0].values | length) > 0'
  check $label nothing-yet prometheus_query '{"query": "up", "time": "1h"}' '$json.items == []'
  check $label own-counter prometheus_query '{"query": "sum(mcp_upstream_requests_total{service=\"prometheus\"})"}' '$json.shown == 1'
  check $label bad-query prometheus_query '{"query": "up("}' '.isError and ($text | contains("answered 400")) and ($text | contains("parse error"))'
  check $label range prometheus_query_range '{"query": "mcp_server_uptime_seconds", "start": "5m", "step": 1}' \
    '$json.items[0].metric.job == "siskin" and ($json.items[0].values | length) > 0'
  check $label range-with-a-step-chosen prometheus_query_range '{"query": "up", "start": "7d"}' '$json.shown == 2'
  check $label too-many-points prometheus_query_range '{"query": "up", "start": "7d", "step": "1s"}' '.isError and ($text | contains("11,000 points"))'
  check $label label-names prometheus_list_label_names '{"match": "mcp_rpc_requests_total"}' \
    '[$json.items[]] | (index("method") != null) and (index("transport") != null)'
  check $label label-values prometheus_list_label_values '{"label": "job"}' '$json.items == ["nobody", "siskin"]'
  check $label values-that-contain prometheus_list_label_values '{"label": "__name__", "contains": "TOOLS_REGISTERED"}' \
    '$json.items == ["mcp_tools_registered_total"]'
  check $label no-label prometheus_list_label_values '{"label": "2xx"}' '.isError and ($text | contains("invalid label name"))'
  check $label series prometheus_find_series '{"match": ["up{job=\"siskin\"}", "siskin_build_info"]}' '$json.shown == 2'
  check $label bad-selector prometheus_find_series '{"match": "up!"}' '.isError and ($text | contains("parse error"))'
  check $label targets prometheus_list_targets '{}' \
    '[$json.items[] | .job + " " + .health] == ["nobody down", "siskin up"] and ($json.items[0].error | contains("connection refused"))'
  check $label targets-down prometheus_list_targets '{"only_down": true}' '[$json.items[].instance] == ["127.0.0.1:9"]'
  check $label metadata prometheus_get_metadata '{"metric": "mcp_rpc_request_duration_seconds"}' \
    '$json.items[0].type == "histogram" and ($json.items[0].help | length) > 0'
  check $label metadata-limited prometheus_get_metadata '{"limit": 3}' '$json.shown == 3'
  check $label alerts prometheus_get_alerts '{"state": "firing"}' \
    '$json.items[0].name == "SiskinSeen" and $json.items[0].labels.severity == "info" and $json.items[0].summary == "siskin is up"'
  check $label alert-rules prometheus_get_alert_rules '{"state": "inactive"}' \
    '[$json.items[].name] == ["SiskinDown"] and $json.items[0].for_s == 300 and $json.items[0].health == "ok"'
  stop_server "$SERVER_PID"
  stop_server "$server"

  # By its web configuration it asks for user and password; the hash is bcrypt of `secret`.
  # shellcheck disable=SC2016
  echo 'basic_auth_users: { ada: $2b$05$hE0peCG93ZEvPGL0sbGJLOAIgvBaCgIXC4/oZkI3rI1iW1KnytGXu }' >"$SCRATCH/web.yml"
  prometheus_server $label-closed /prom --web.config.file="$SCRATCH/web.yml" --web.route-prefix=/prom
  server=$SERVER_PID url=http://127.0.0.1:$PORT/prom
  start_siskin "$SCRATCH/$label.password.siskin" env "APP_PROMETHEUS__URL=$url" APP_PROMETHEUS__TOKEN=ada:secret "$SISKIN" serve --port 0
  probe $label-closed probe ready
  check $label-closed password-and-prefix prometheus_query '{"query": "vector(7)"}' '$json.items[0].value == "7"'
  stop_server "$SERVER_PID"
  start_siskin "$SCRATCH/$label.wrong" env "APP_PROMETHEUS__URL=$url" APP_PROMETHEUS__TOKEN=ada:guess "$SISKIN" serve --port 0
  probe $label-closed wrong-password-probe degraded
  check $label-closed wrong-password prometheus_query '{"query": "up"}' '.isError and ($text | contains("answered 401")) and ($text | contains("guess") | not)'
  stop_server "$SERVER_PID"
  stop_server "$server"
}

if wanted prometheus; then
  need prometheus prometheus
  prometheus_tools
fi

# --- Node-RED ---------------------------------------------------------------------------------------------------------

# node_red AUTH LABEL TOKEN: Node-RED with or without `adminAuth`, and all tools against it.
node_red() {
  local auth=$1 label=$2 token=$3 folder=$SCRATCH/$2 log=$SCRATCH/$2.log server
  mkdir -p "$folder"
  cat >"$folder/settings.js" <<EOF
module.exports = {
  uiHost: '127.0.0.1', flowFile: 'flows.json', credentialSecret: false, $auth
  telemetry: { enabled: false, updateNotification: false },
  diagnostics: { enabled: true, ui: false },
  externalModules: { autoInstall: false, palette: { allowInstall: false } },
  logging: { console: { level: 'warn' } },
}
EOF
  cat >"$folder/flows.json" <<'EOF'
[
  { "id": "f1", "type": "tab", "label": "Garden", "disabled": false, "info": "Waters", "env": [{ "name": "KEY", "value": "hunter2", "type": "str" }] },
  { "id": "n1", "type": "inject", "z": "f1", "name": "Water now", "props": [{ "p": "payload" }], "payload": "7", "payloadType": "num", "x": 120, "y": 80, "wires": [["n2"]] },
  { "id": "n2", "type": "change", "z": "f1", "name": "Keep", "rules": [{ "t": "set", "p": "litres", "pt": "global", "to": "payload", "tot": "msg" }], "x": 320, "y": 80, "wires": [[]] }
]
EOF
  start_on_free_port "$log" "$NODE" "$HERE/.cache/node_modules/node-red/red.js" --userDir "$folder" --settings "$folder/settings.js" --port '{PORT}'
  server=$SERVER_PID
  local url=http://127.0.0.1:$PORT
  wait_until 30 answers "$url/auth/login" || { cat "$log" >&2; die "Node-RED does not answer"; }
  start_siskin "$SCRATCH/$label.siskin" env "APP_SERVICES__NODE_RED__URL=$url" ${token:+"APP_SERVICES__NODE_RED__TOKEN=$token"} \
    "$SISKIN" serve --port 0
  # The flows start a moment after the door opens.
  wait_until 20 started || true
  probe "$label" probe ready
  check "$label" flows node_red_list_flows '{}' '$json.items == [{id: "f1", type: "tab", label: "Garden", disabled: false, info: "Waters"}]'
  check "$label" nodes node_red_find_nodes '{"type": "inject"}' '$json.items == [{id: "n1", type: "inject", name: "Water now", flow: "f1"}]'
  check "$label" flow-without-secrets node_red_get_flow '{"flow_id": "f1"}' '($json.nodes | length) == 2 and ($text | contains("hunter2") | not)'
  check "$label" no-flow node_red_get_flow '{"flow_id": "f9"}' '.isError and ($text | contains("no flow `f9`"))'
  check "$label" inject node_red_inject '{"node_id": "n1"}' '$text == "Fired."'
  check "$label" what-it-did node_red_get_context_value '{"key": "litres"}' '$json == {value: "7", format: "number"}'
  check "$label" inject-payload node_red_inject '{"node_id": "n1", "payload": "many"}' '$text == "Fired."'
  check "$label" what-it-did-then node_red_get_context_value '{"key": "litres"}' '$json.value == "many"'
  check "$label" keys node_red_list_context_keys '{}' '$json.items[0].keys == ["litres"]'
  check "$label" no-node node_red_inject '{"node_id": "n9"}' '.isError and ($text | contains("no node `n9`"))'
  check "$label" modules node_red_list_modules '{"limit": 500}' '[$json.items[].types[]] | index("inject") != null'
  check "$label" diagnostics node_red_get_diagnostics '{}' '$json.version == "5.0.7" and $json.flows == "start"'
  stop_server "$SERVER_PID"
  if [ -n "$token" ]; then
    start_siskin "$SCRATCH/$label.wrong" env "APP_SERVICES__NODE_RED__URL=$url" APP_SERVICES__NODE_RED__TOKEN=admin:guess "$SISKIN" serve --port 0
    probe "$label" wrong-password-probe degraded
    check "$label" wrong-password node_red_list_flows '{}' '.isError and ($text | contains("Invalid resource owner credentials"))'
    stop_server "$SERVER_PID"
  fi
  stop_server "$server"
}

started() {
  call node_red_get_diagnostics '{}' | jq -e '.structuredContent.flows == "start"' >/dev/null
}

if wanted node-red; then
  npm_packages "$HERE"
  hash=$(cd "$HERE/.cache" && "$NODE" -p "require('bcryptjs').hashSync('pass:word', 8)")
  node_red "" node-red-open ""
  node_red "adminAuth: { type: 'credentials', users: [{ username: 'admin', password: '$hash', permissions: '*' }] }," node-red-login "admin:pass:word"
fi

# --- Home Assistant ---------------------------------------------------------------------------------------------------

house_runs() {
  answers -H "Authorization: Bearer $TOKEN" "$1/api/config" && jq -e '.state == "RUNNING"' "$SCRATCH/answer" >/dev/null
}

home_assistant() {
  local label=home-assistant folder=$SCRATCH/house log=$SCRATCH/house.log server entity='{"entity_id": "input_boolean.lamp"}'
  mkdir -p "$folder"
  TOKEN=$("$PYTHON" "$HERE/home_assistant_token.py" "$folder" 2>"$log") || { cat "$log" >&2; die "no token of Home Assistant"; }
  local free
  free=$(free_port)
  cat >"$folder/configuration.yaml" <<EOF
homeassistant:
  name: Test house
  time_zone: Europe/Zurich
http:
  server_host: 127.0.0.1
  server_port: $free
api:
config:
frontend:
recorder:
  commit_interval: 0
history:
logbook:
input_boolean:
  lamp:
    name: Desk lamp
    initial: false
  fan:
    name: Fan
    initial: false
EOF
  start_server "$log" "$(dirname "$PYTHON")/hass" --config "$folder" --skip-pip
  server=$SERVER_PID
  local url=http://127.0.0.1:$free
  wait_until 90 house_runs "$url" || { cat "$log" "$folder"/*.log >&2; die "Home Assistant does not run"; }
  start_siskin "$SCRATCH/house.siskin" env "APP_SERVICES__HOME_ASSISTANT__URL=$url" "APP_SERVICES__HOME_ASSISTANT__TOKEN=$TOKEN" "$SISKIN" serve --port 0
  probe $label probe ready
  check $label states home_assistant_list_states '{"domain": "input_boolean", "query": "lamp"}' \
    '$json.items == [{entity_id: "input_boolean.lamp", state: "off", name: "Desk lamp"}]'
  check $label states-by-name home_assistant_list_states '{"query": "DESK"}' '$json.shown == 1'
  check $label switch-on home_assistant_call_service \
    '{"domain": "input_boolean", "service": "turn_on", "entity_id": "input_boolean.lamp"}' '$json.items[0].state == "on"'
  check $label switch-all-off home_assistant_call_service \
    '{"domain": "input_boolean", "service": "turn_off", "entity_id": "all"}' '$json.items[0].state == "off"'
  check $label switch-several-on home_assistant_call_service \
    '{"domain": "input_boolean", "service": "turn_on", "entity_id": "input_boolean.lamp, input_boolean.fan"}' '$json.shown == 2'
  check $label state home_assistant_get_state "$entity" '$json.state == "on" and $json.attributes.friendly_name == "Desk lamp"'
  check $label no-entity home_assistant_get_state '{"entity_id": "light.none"}' '.isError and ($text | contains("no entity `light.none`"))'
  check $label template home_assistant_render_template '{"template": "{{ states(\"input_boolean.lamp\") }} of {{ states | count }}"}' '$text | startswith("on of ")'
  check $label bad-template home_assistant_render_template '{"template": "{{ nonsense( }}"}' '.isError and ($text | contains("Error rendering template"))'
  check $label actions home_assistant_list_actions '{"domain": "input_boolean"}' '$json.items[0].actions | index("turn_on") != null'
  check $label no-action home_assistant_call_service '{"domain": "input_boolean", "service": "explode"}' '.isError and ($text | contains("answered 400"))'
  check $label bad-data home_assistant_call_service '{"domain": "input_boolean", "service": "turn_on", "data": {"colour": "red"}}' '.isError and ($text | contains("answered 400"))'
  # The recorder writes behind the change.
  wait_until 20 recorded || true
  check $label history home_assistant_get_history '{"entity_id": "input_boolean.lamp", "start": "1h"}' \
    '$json.items[0].entity_id == "input_boolean.lamp" and ($json.items[0].changes | map(.state) | index("on") != null)'
  check $label no-history home_assistant_get_history '{"entity_id": "input_boolean.none", "start": "1h"}' '($json.items // []) == []'
  check $label logbook home_assistant_get_logbook '{"entity_id": "input_boolean.lamp", "start": "1h"}' '$json.items[0].name == "Desk lamp"'
  check $label configuration home_assistant_check_config '{}' '$json.result == "valid"'
  report "skip $label  response  home_assistant_call_service_for_response: the REST interface has it since 2024.5, which wants Python 3.12"
  stop_server "$SERVER_PID"
  start_siskin "$SCRATCH/house.wrong" env "APP_SERVICES__HOME_ASSISTANT__URL=$url" APP_SERVICES__HOME_ASSISTANT__TOKEN=wrong "$SISKIN" serve --port 0
  probe $label wrong-token-probe degraded
  check $label wrong-token home_assistant_list_states '{}' '.isError and ($text | contains("answered 401"))'
  stop_server "$SERVER_PID"
  stop_server "$server"
}

recorded() {
  call home_assistant_get_history '{"entity_id": "input_boolean.lamp", "start": "1h"}' |
    jq -e '.structuredContent.items[0].changes | map(.state) | index("on") != null' >/dev/null
}

if wanted home-assistant; then
  need python3 python3
  version=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  if [ "$version" = 3.11 ] || [ "$version" = 3.12 ]; then
    python_packages "$HERE"
    home_assistant
  else
    skip home-assistant "its pinned packages want Python 3.11 or 3.12, this is $version"
  fi
fi

# --- What no registry has ---------------------------------------------------------------------------------------------

skip adguard "a Go program with a front end of its own; no registry package"
skip gitea "a Go program with a front end of its own; no registry package"
skip immich "container images only"
skip jellyfin "a .NET program; no registry package"
skip ntfy "a Go program; the packages of that name are clients"
skip paperless "container images only; needs Redis and OCR beside it"
skip pihole "an installer and container images only"
skip proxmox "an operating system"
skip uptime-kuma "its npm package is a name only; container images and git"

passed=$(grep -c '^ok ' "$RESULTS" || true)
failed=$(grep -c '^FAIL ' "$RESULTS" || true)
skipped=$(grep -c '^skip ' "$RESULTS" || true)
if [ "$failed" != 0 ]; then
  tail -n 30 "$SCRATCH"/*.siskin "$SCRATCH"/*.wrong 2>/dev/null | sed 's/^/siskin | /' >&2
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
