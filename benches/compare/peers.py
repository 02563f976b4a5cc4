"""Who is compared: how each is started, what it can do, and what of it lies on the disk."""

import glob
import json
import os
import re
import subprocess


class Missing(Exception):
    """A peer that cannot be measured, and why."""


class Places:
    """Where run.sh has put everything."""

    def __init__(self, here, target):
        root = os.path.join(here, "..", "..")
        peers = os.path.join(here, "peers")
        release = os.path.normpath(os.path.join(root, "target", target, "release"))
        self.peers = peers
        self.siskin = os.path.join(release, "examples", "compare")
        self.siskin_full = os.path.join(release, "siskin")
        self.packs = os.path.normpath(os.path.join(root, "config", "packs"))
        self.load = os.path.join(here, "load", "target", "release", "siskin-load")
        self.rmcp = os.path.join(peers, "rmcp", "target", "release", "siskin-compare-rmcp")
        self.rmcp_small = os.path.join(peers, "rmcp", "target", "small", "siskin-compare-rmcp")
        self.npm = os.path.join(peers, ".cache", "node_modules")
        # The program itself and not the shell script before it.
        self.node = os.path.join(self.npm, "node", "bin", "node")
        self.venv = os.path.join(peers, ".cache", "venv")
        self.proxy_venv = os.path.join(peers, "mcp-proxy", ".cache", "venv")
        self.root = root

    def versions(self):
        found = {}
        with open(os.path.join(self.root, "Cargo.toml")) as file:
            found["siskin"] = re.search(r'^version = "(.*)"', file.read(), re.M)[1]
        git = subprocess.run(["git", "-C", self.root, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
        found["siskin commit"] = git.stdout.strip() or "?"
        with open(os.path.join(self.peers, "rmcp", "Cargo.lock")) as file:
            lock = file.read()
        for name in ("rmcp", "tokio", "axum"):
            found[name] = re.search(rf'name = "{name}"\nversion = "(.*)"', lock)[1]
        with open(os.path.join(self.peers, "package.json")) as file:
            found.update(json.load(file)["dependencies"])
        for folder in (self.peers, os.path.join(self.peers, "mcp-proxy")):
            with open(os.path.join(folder, "requirements.txt")) as file:
                for name in ("mcp-proxy", "fastmcp", "mcp", "uvicorn"):
                    file.seek(0)
                    if version := re.search(rf"^{name}==(.*)$", file.read(), re.M):
                        found.setdefault(f"{name} (Python)" if name == "mcp" else name, version[1])
        for name, command in {"nginx": ["nginx", "-v"], "rustc": ["rustc", "-V"], "python": ["python3", "-V"]}.items():
            try:
                said = subprocess.run(command, capture_output=True, text=True)
                found[name] = re.search(r"\d+\.\d+(\.\d+)?", said.stdout + said.stderr)[0]
            except (OSError, TypeError):
                found[name] = "?"
        return found


# What the servers that cannot call a tool answer: as long as siskin's answer to the same call.
BODY = '{"jsonrpc":"2.0","id":1000001,"result":{"content":[{"type":"text","text":"42"}]}}'

NGINX = """daemon off;
worker_processes 1;
pid {scratch}/nginx.pid;
error_log {scratch}/nginx.error;
events {{ worker_connections 16384; }}
http {{
  access_log off;
  default_type application/json;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  client_body_temp_path {scratch}/nginx-body;
  proxy_temp_path {scratch}/nginx-proxy;
  fastcgi_temp_path {scratch}/nginx-fastcgi;
  uwsgi_temp_path {scratch}/nginx-uwsgi;
  scgi_temp_path {scratch}/nginx-scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{ return 200 '{body}'; }}
  }}
}}
"""


class Peer:
    """One row of the table. `eras` are the ways of calling it that it knows."""

    is_limit = False
    is_bridge = False
    is_slow = False
    has_stdio = False
    lists = True
    streams = "session"
    streams_max = 10_000
    eras = ("session", "session-per-call")

    def __init__(self, name, label):
        self.name, self.label = name, label

    def path(self, how):
        return "/sse" if how == "http-sse" else "/mcp"

    def env(self, port):
        return {}

    def files(self, places):
        return []


class Siskin(Peer):
    has_stdio = True
    eras = ("session", "session-per-call", "stateless", "http-sse")

    def path(self, how):
        return "/sse/" if how == "http-sse" else "/mcp"

    def command(self, places, port, how, scratch):
        return [places.siskin, "--stdio" if how == "stdio" else str(port)]

    def files(self, places):
        return [("the program", places.siskin)]


class SiskinFull(Peer):
    """The program as it is shipped, with every pack configured: what it weighs, not what it calls."""

    # It has no tool that the others have.
    eras = ()

    def command(self, places, port, how, scratch):
        return [places.siskin_full]

    def env(self, port):
        env = {"APP_SERVER__PORT": str(port), "APP_LIMITS__REQUESTS_IN_FLIGHT": "1024"}
        for limit in ("CONNECTIONS", "CONNECTIONS_PER_ADDRESS", "STREAMS", "SESSIONS"):
            env[f"APP_LIMITS__{limit}"] = "12000"
        for pack in self.packs:
            # Nothing listens on port 9, and nobody asks before a tool is called.
            env[f"APP_SERVICES__{pack.upper()}__URL"] = "http://127.0.0.1:9"
            env[f"APP_SERVICES__{pack.upper()}__TOKEN"] = "user:password"
        return env

    @property
    def packs(self):
        here = os.path.dirname(os.path.abspath(__file__))
        files = glob.glob(os.path.join(here, "..", "..", "config", "packs", "*.toml"))
        return sorted(os.path.basename(file)[:-5] for file in files)

    def files(self, places):
        return [("the program", places.siskin_full)]


class Rmcp(Peer):
    def __init__(self, name, label, mode, small=False):
        super().__init__(name, label)
        self.mode, self.small = mode, small
        self.has_stdio = mode == "sse"
        # JSON answers are given only without sessions, and streams belong to sessions.
        self.streams = "session" if mode == "sse" else None
        self.eras = ("session", "session-per-call", "stateless")

    def program(self, places):
        return places.rmcp_small if self.small else places.rmcp

    def command(self, places, port, how, scratch):
        return [self.program(places), *(["--stdio"] if how == "stdio" else [str(port), self.mode])]

    def files(self, places):
        return [("the program", self.program(places))]


class TypeScript(Peer):
    is_slow = True
    has_stdio = True
    eras = ("session", "session-per-call", "stateless")

    def command(self, places, port, how, scratch):
        # Modules are found beside the file.
        script = os.path.join(places.peers, ".cache", "server.mjs")
        with open(os.path.join(places.peers, "server.mjs")) as source:
            text = source.read()
        with open(script, "w") as copy:
            copy.write(text)
        return [places.node, script, "--stdio" if how == "stdio" else str(port)]

    def files(self, places):
        return [("Node", places.node)] + packages(places, "@modelcontextprotocol/server", "@modelcontextprotocol/node")


class Python(Peer):
    is_slow = True
    has_stdio = True
    eras = ("session", "session-per-call", "stateless", "http-sse")

    def command(self, places, port, how, scratch):
        script = os.path.join(places.peers, "server.py")
        where = ["--stdio"] if how == "stdio" else [str(port)] + (["sse"] if how == "http-sse" else [])
        kind = "mcp" if self.name == "python-mcp" else "fastmcp"
        return [os.path.join(places.venv, "bin", "python"), script, kind, *where]

    def files(self, places):
        # Both stand in one folder; what only the other needs is little beside what both do.
        return [("packages, without Python", os.path.join(places.venv, "lib"))]


class Supergateway(Peer):
    is_bridge = is_slow = True

    def command(self, places, port, how, scratch):
        script = os.path.join(places.npm, "supergateway", "dist", "index.js")
        server = f"{places.siskin} --stdio"
        way = ["--outputTransport", "sse"] if how == "http-sse" else ["--outputTransport", "streamableHttp", "--stateful"]
        return [places.node, script, "--stdio", server, *way, "--port", str(port), "--logLevel", "none"]

    def files(self, places):
        return [("Node", places.node)] + packages(places, "supergateway")


class McpProxy(Peer):
    is_bridge = is_slow = True
    eras = ("session", "session-per-call", "http-sse")

    def command(self, places, port, how, scratch):
        program = os.path.join(places.proxy_venv, "bin", "mcp-proxy")
        return [program, "--port", str(port), "--log-level", "ERROR", "--", places.siskin, "--stdio"]

    def files(self, places):
        return [("packages, without Python", os.path.join(places.proxy_venv, "lib"))]


class Nginx(Peer):
    is_limit = True
    lists = False
    streams = None
    eras = ("session", "stateless")

    def command(self, places, port, how, scratch):
        path = os.path.join(scratch, f"nginx-{port}.conf")
        with open(path, "w") as file:
            file.write(NGINX.format(scratch=scratch, port=port, body=BODY))
        return ["nginx", "-c", path]


class Bare(Peer):
    is_limit = True
    lists = False
    streams = None
    eras = ("session", "stateless")

    def command(self, places, port, how, scratch):
        return [places.load, "bare", "--port", str(port), "--body", BODY]


def packages(places, *names):
    """The packages and everything they need, by the lock file."""
    lock = os.path.join(places.npm, ".package-lock.json")
    try:
        with open(lock) as file:
            known = json.load(file)["packages"]
    except OSError:
        return []
    wanted, seen = [f"node_modules/{name}" for name in names], set()
    while wanted:
        path = wanted.pop()
        if path in seen or path not in known:
            continue
        seen.add(path)
        for name in known[path].get("dependencies", {}):
            # The nearest folder above that has it, as Node looks for it.
            folder = path
            while True:
                found = f"{folder}/node_modules/{name}" if folder else f"node_modules/{name}"
                if found in known:
                    wanted.append(found)
                    break
                if not folder:
                    break
                folder = folder.rpartition("/node_modules/")[0] if "/node_modules/" in folder else ""
    # A package's folder holds the packages nested in it, which are counted by their own paths.
    outer = [path for path in seen if not any(path.startswith(f"{other}/") for other in seen)]
    root = os.path.dirname(places.npm)
    return [(path.removeprefix("node_modules/"), os.path.join(root, path)) for path in sorted(outer)]


PEERS = [
    Siskin("siskin", "siskin"),
    SiskinFull("siskin-full", "siskin, every pack"),
    Rmcp("rmcp-json", "rmcp, JSON", "json"),
    Rmcp("rmcp-sse", "rmcp, SSE", "sse"),
    Rmcp("rmcp-small-json", "rmcp built for size, JSON", "json", small=True),
    Rmcp("rmcp-small-sse", "rmcp built for size, SSE", "sse", small=True),
    TypeScript("typescript", "TypeScript SDK"),
    Python("python-mcp", "Python SDK"),
    Python("fastmcp", "FastMCP"),
    Supergateway("supergateway", "supergateway"),
    McpProxy("mcp-proxy", "mcp-proxy"),
    Nginx("nginx", "nginx `return 200`"),
    Bare("bare", "bare epoll responder"),
]
