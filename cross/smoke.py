"""Runs one static binary, under an emulator if need be, and looks whether it does what a deployed one has to do.

Usage: smoke.py TRIPLE BINARY [RUNNER…]   Called by smoke.sh. One line per case; the exit status is 1 if one failed.
Needs Python's standard library and the `openssl` command.
"""

import http.client
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

# Emulated starts take a second or two; nothing here is a measurement.
PATIENCE_SECONDS = 60

failed = []


def case(name, is_good, found=""):
    print(f"{'ok  ' if is_good else 'FAIL'} {triple:<34} {name}{'' if is_good else f': {found!r}'}", flush=True)
    if not is_good:
        failed.append(name)


def certificates(folder):
    """A test authority and a certificate for `localhost` under it, made by the openssl command."""

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=siskin smoke test CA")
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    with open(os.path.join(folder, "extensions"), "w") as file:
        file.write("subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n")
    openssl(
        "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
        "-days", "2", "-extfile", "extensions", "-out", "server.pem",
    )  # fmt: skip


class Upstream(BaseHTTPRequestHandler):
    """One page of JSON, as a service behind HTTPS has it."""

    def do_GET(self):
        body = json.dumps({"answer": "over TLS", "path": self.path}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


PACK = """
[service]
id = "smoke"
[[tool]]
name = "smoke_fetch"
description = "Fetches the page of the smoke test."
access = "read"
[tool.request]
path = "/page"
"""


def upstream(folder):
    server = HTTPServer(("127.0.0.1", 0), Upstream)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(folder, "server.pem"), os.path.join(folder, "server.key"))
    context.set_ecdh_curve("prime256v1")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def request(port, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    return connection, answer


def rpc(port, session, id, method, params):
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    if session:
        headers |= {"Mcp-Session-Id": session, "MCP-Protocol-Version": "2025-11-25"}
    message = {"jsonrpc": "2.0", "method": method, "params": params}
    if id is not None:
        message["id"] = id
    connection, answer = request(port, "POST", "/mcp", json.dumps(message), headers)
    text = answer.read().decode()
    connection.close()
    # Either form of answer holds the message on one line.
    found = re.search(r"^(?:data: ?)?(\{.*\"jsonrpc\".*\})\s*$", text, re.MULTILINE)
    return answer, json.loads(found[1]) if found else text


def serve(binary, runner, folder, settings):
    """The port of a server, if it came so far, what it says on stderr, and how to end it by a signal."""
    with open(os.path.join(folder, "config", "base.toml"), "w") as file:
        file.write(settings)
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    server = subprocess.Popen(
        [*runner, binary, "serve", "--config-dir", os.path.join(folder, "config")],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment, text=True,
    )  # fmt: skip
    killer = threading.Timer(PATIENCE_SECONDS, server.kill)
    killer.start()
    said, port = [], None
    for line in server.stderr:
        said.append(line)
        if found := re.search(r"listening https? 127\.0\.0\.1:(\d+)", line):
            port = int(found[1])
            break
    reader = threading.Thread(target=lambda: said.extend(server.stderr), daemon=True)
    reader.start()

    def end(how):
        """Its status, after it has said everything."""
        server.send_signal(how)
        status = server.wait(PATIENCE_SECONDS)
        reader.join(PATIENCE_SECONDS)
        killer.cancel()
        return status

    return port, said, end


def https(binary, runner, folder):
    """Our own end of TLS, and what a bug would leave behind."""
    settings = f'[server]\nport = 0\n[tls]\ncert_file = "{folder}/server.pem"\nkey_file = "{folder}/server.key"\n'
    port, said, end = serve(binary, runner, folder, settings)
    case("start with TLS", port is not None, "".join(said))
    if port is None:
        return
    # One curve alone, so that ours makes a key on it, and signs by one.
    context = ssl.create_default_context(cafile=os.path.join(folder, "ca.pem"))
    context.set_ecdh_curve("prime256v1")
    connection = http.client.HTTPSConnection("localhost", port, timeout=PATIENCE_SECONDS, context=context)
    connection.request("GET", "/health")
    answer = connection.getresponse()
    health = answer.read()
    connection.close()
    case("/health over TLS", answer.status == 200 and json.loads(health).get("status") == "healthy", health)

    status = end(signal.SIGILL)
    words = "".join(said)
    has_said = re.search(r"^siskin \S+ ends by a bug of its own, at 0x[0-9a-f]{16}; please report this line$", words, re.MULTILINE)
    case("a bug ends it with its last words", bool(has_said) and status == -signal.SIGILL, (status, words[-400:]))


def run(binary, runner, folder):
    tls_port = None
    os.makedirs(os.path.join(folder, "config", "packs"))
    features = subprocess.run([*runner, binary, "version"], capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    case("version", features.returncode == 0 and features.stdout.startswith("siskin "), features.stdout + features.stderr)
    has_tls = "tls" in features.stdout
    settings = "[server]\nport = 0\n"
    if has_tls:
        certificates(folder)
        tls_port = upstream(folder)
        settings += f'[services.smoke]\nurl = "https://localhost:{tls_port}"\nca_file = "{folder}/ca.pem"\n'
        with open(os.path.join(folder, "config", "packs", "smoke.toml"), "w") as file:
            file.write(PACK)
    port, said, end = serve(binary, runner, folder, settings)
    case("start", port is not None, "".join(said))
    if port is None:
        return

    connection, answer = request(port, "GET", "/health")
    health = answer.read()
    connection.close()
    case("/health", answer.status == 200 and json.loads(health).get("status") == "healthy", health)

    client = {"name": "smoke", "version": "1"}
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client}
    answer, message = rpc(port, None, 1, "initialize", hello)
    session = answer.getheader("Mcp-Session-Id")
    case("initialize", bool(session) and "result" in message, message)
    answer, _ = rpc(port, session, None, "notifications/initialized", {})
    case("initialized", answer.status == 202, answer.status)
    _, message = rpc(port, session, 2, "tools/call", {"name": "device_memory", "arguments": {}})
    case("tools/call", not message["result"].get("isError"), message)

    connection, answer = request(port, "GET", "/sse/", headers={"Accept": "text/event-stream"})
    lines = [answer.readline().decode() for _ in range(4)]
    has_endpoint = any("session_id=" in line for line in lines)
    case("event stream", answer.status == 200 and has_endpoint, lines)

    if has_tls:
        _, message = rpc(port, session, 3, "tools/call", {"name": "smoke_fetch", "arguments": {}})
        case("HTTPS to a server of a private authority", "over TLS" in json.dumps(message.get("result")), message)
    else:
        print(f"--   {triple:<34} no HTTPS: built without the feature `tls`", flush=True)

    status = end(signal.SIGTERM)
    rest = answer.read()
    connection.close()
    case("SIGTERM ends it with status 0 and the stream whole", status == 0, (status, rest, "".join(said)[-400:]))
    if has_tls:
        https(binary, runner, folder)


if len(sys.argv) < 3:
    sys.exit(__doc__)
triple, binary, *runner = sys.argv[1:]
folder = tempfile.mkdtemp(prefix="siskin-smoke-")
try:
    run(os.path.abspath(binary), runner, folder)
finally:
    shutil.rmtree(folder)
sys.exit(1 if failed else 0)
