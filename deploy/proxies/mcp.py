"""What the cases need to speak MCP through a proxy: one socket per request, bytes as they come, deadlines instead of waiting.

Python's standard library only. Nothing here measures time: a deadline is where a case gives up.
"""

import json
import os
import re
import socket
import ssl
import subprocess
import tempfile
import time

DEADLINE = 20
CLIENT = {"name": "proxies", "version": "1"}


class Failed(Exception):
    """What a case found instead of what it expected."""


class Exchange:
    """A request and its answer, whose body can be read line by line while it is being written."""

    def __init__(self, origin, method, path, headers=None, body=None, raw=b""):
        # The name in TLS and `Host`, where the proxy tells its sites apart by it.
        name, host, port = origin
        stream = socket.create_connection((host, port), timeout=DEADLINE)
        if name:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            stream = context.wrap_socket(stream, server_hostname=name)
        self.stream = stream
        data = raw if body is None else json.dumps(body).encode()
        lines = {"Host": f"{name or host}:{port}"}
        if body is not None:
            lines |= {"Content-Type": "application/json", "Content-Length": str(len(data))}
        lines |= headers or {}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        stream.sendall(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + data)
        self.buffer = b""
        status = self._raw_line()
        if not status.startswith(b"HTTP/1.1 "):
            raise Failed(f"no answer but {status!r}")
        self.status = int(status[9:12])
        self.headers = {}
        while line := self._raw_line():
            name, _, value = line.decode("latin-1").partition(":")
            self.headers[name.lower()] = value.strip()
        self.is_chunked = self.headers.get("transfer-encoding") == "chunked"
        self.left = None if self.is_chunked else self.headers.get("content-length")
        self.left = int(self.left) if self.left is not None else None
        if self.status in (204, 202, 304) and self.left is None and not self.is_chunked:
            self.left = 0
        self.text = b""
        self.is_at_end = False

    def _fill(self):
        more = self.stream.recv(65536)
        if not more:
            raise EOFError
        self.buffer += more

    def _raw_line(self):
        while b"\n" not in self.buffer:
            try:
                self._fill()
            except EOFError:
                raise Failed(f"closed after {self.buffer!r}") from None
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.rstrip(b"\r")

    def _more(self):
        """The next piece of the body into `text`; False at its end."""
        if self.is_at_end:
            return False
        if self.is_chunked:
            size = int(self._raw_line().split(b";")[0], 16)
            while len(self.buffer) < size + 2:
                self._fill()
            self.text += self.buffer[:size]
            self.buffer = self.buffer[size + 2 :]
            self.is_at_end = size == 0
            return size != 0
        if self.left == 0:
            self.is_at_end = True
            return False
        if not self.buffer:
            try:
                self._fill()
            except EOFError:
                self.is_at_end = True
                return False
        taken = self.buffer if self.left is None else self.buffer[: self.left]
        self.buffer = self.buffer[len(taken) :]
        self.left = self.left if self.left is None else self.left - len(taken)
        self.text += taken
        return True

    def line(self):
        """The next line of a stream; None at its end."""
        while b"\n" not in self.text:
            try:
                if not self._more():
                    return None
            except (EOFError, OSError, Failed) as error:
                if isinstance(error, TimeoutError):
                    raise Failed(f"nothing came within {DEADLINE} s") from None
                self.is_at_end = True
                return None
        line, _, self.text = self.text.partition(b"\n")
        return line.rstrip(b"\r").decode()

    def event(self):
        """The next event as (name, data, id); comments are passed over. None at the end of the stream."""
        name, data, id = "message", [], None
        while (line := self.line()) is not None:
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if line == "" and (data or id is not None):
                return name, "\n".join(data), id
            if field == "event":
                name = value
            elif field == "data":
                data.append(value)
            elif field == "id":
                id = value
        return None

    def comment(self):
        """Reads until a comment."""
        while (line := self.line()) is not None:
            if line.startswith(":"):
                return line
        raise Failed("the stream ended before a comment came")

    def body(self):
        while self._more():
            pass
        return self.text.decode()

    def close(self):
        self.stream.close()


def expect(is_good, found):
    if not is_good:
        raise Failed(str(found)[:2400])


def initialize(origin, path="/mcp", headers=None):
    """A session of 2025-11-25 over Streamable HTTP: its id, and the server's name."""
    params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": CLIENT}
    answer = post(origin, path, {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}, headers)
    text = answer.body()
    expect(answer.status == 200, (answer.status, text))
    session = answer.headers.get("mcp-session-id")
    expect(session, answer.headers)
    done = post(origin, path, {"jsonrpc": "2.0", "method": "notifications/initialized"}, in_session(session) | (headers or {}))
    expect(done.status == 202, (done.status, done.body()))
    return session, message_of(text)["result"]["serverInfo"]["name"]


def in_session(session):
    return {"Mcp-Session-Id": session, "MCP-Protocol-Version": "2025-11-25"}


def post(origin, path, message, headers=None):
    return Exchange(origin, "POST", path, {"Accept": "application/json, text/event-stream"} | (headers or {}), message)


def message_of(text):
    """The last JSON-RPC message of a body that is JSON or an event stream."""
    found = re.findall(r"^(?:data: ?)?(\{.*\})\s*$", text, re.MULTILINE)
    expect(found, text)
    return json.loads(found[-1])


def stateless(origin, id, method, params=None, path="/mcp"):
    """A request of 2026-07-28, which belongs to no session."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": CLIENT,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    headers = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method}
    if params and "name" in params:
        headers["Mcp-Name"] = params["name"]
    return post(origin, path, {"jsonrpc": "2.0", "id": id, "method": method, "params": {"_meta": meta} | (params or {})}, headers)


def ping(id):
    return {"jsonrpc": "2.0", "id": id, "method": "ping"}


class Child:
    """A process with a log; ended by its own id."""

    def __init__(self, command, folder, name, environment=None, ready=None, mode="ab"):
        self.log_path = os.path.join(folder, f"{name}.log")
        self.name = name
        clean = {key: os.environ[key] for key in ("PATH",) if key in os.environ} | {"HOME": folder}
        with open(self.log_path, mode) as log:
            self.process = subprocess.Popen(
                command, cwd=folder, env=clean | (environment or {}), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        if ready is not None:
            self.wait(ready)

    def log(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()

    def wait(self, is_ready):
        until = time.monotonic() + DEADLINE
        while time.monotonic() < until:
            if self.process.poll() is not None:
                break
            if is_ready(self):
                return
            time.sleep(0.05)
        self.stop()
        raise Failed(f"`{self.name}` did not start: {self.log()[-600:]}")

    def stop(self, is_kill=False):
        if self.process.poll() is None:
            self.process.kill() if is_kill else self.process.terminate()
            try:
                self.process.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def accepts(port):
    """Whether somebody listens on a port of this machine."""

    def is_ready(_):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        except OSError:
            return False

    return is_ready


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Siskin(Child):
    """One siskin on a port, with a configuration folder of its own."""

    def __init__(self, binary, folder, name, port=0, environment=None, base=""):
        home = os.path.join(folder, name)
        os.makedirs(os.path.join(home, "config"), exist_ok=True)
        self.base = os.path.join(home, "config", "base.toml")
        with open(self.base, "w") as file:
            file.write(base)
        command = [binary, "serve", "--config-dir", os.path.join(home, "config"), "--port", str(port)]
        # A log of its own for each start, or the line of the last one would do.
        super().__init__(command, folder, name, environment, lambda child: "listening http" in child.log(), "wb")
        self.port = int(re.findall(r"listening http 127\.0\.0\.1:(\d+)", self.log())[-1])
        self.origin = (None, "127.0.0.1", self.port)


def folder():
    return tempfile.TemporaryDirectory(prefix="siskin-proxies-")
