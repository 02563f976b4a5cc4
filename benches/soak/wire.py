"""HTTP/1.1, event streams and JSON-RPC as the soak needs them: asyncio and the standard library."""

import asyncio
import json
import socket
import struct

DEADLINE = 45
CLIENT = {"name": "soak", "version": "1"}
BOTH = "application/json, text/event-stream"
STATELESS = "2026-07-28"


class Lost(Exception):
    """An answer that should have come did not, or is not one."""


class Answer:
    """Status, headers, and for all but streams the body."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def is_stream(self):
        return self.headers.get("content-type", "").startswith("text/event-stream")


class Http:
    """One connection. Everything that waits has a deadline, and running into it is `Lost`."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.text = b""

    @classmethod
    async def open(cls, port, tls=None):
        name = "localhost" if tls else None
        return cls(*await soon(asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname=name), "connect"))

    async def send(self, method, path, headers=None, body=None):
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = {"Host": "localhost", "Accept": BOTH}
        if body is not None:
            lines |= {"Content-Type": "application/json", "Content-Length": str(len(data))}
        lines |= headers or {}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + data)
        await soon(self.writer.drain(), f"{method} {path}: writing")

    async def answer(self):
        """The next answer; of a stream only its head."""
        status = await self._line()
        if not status.startswith("HTTP/1.1 "):
            raise Lost(f"no answer but {status!r}")
        status, headers = int(status[9:12]), {}
        while line := await self._line():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        self.is_chunked = headers.get("transfer-encoding") == "chunked"
        answer = Answer(status, headers, b"")
        if not answer.is_stream() and status not in (202, 204):
            answer.body = await self._body(headers)
        return answer

    async def ask(self, method, path, headers=None, body=None):
        await self.send(method, path, headers, body)
        return await self.answer()

    async def event(self):
        """The next event as (name, data, id); comments pass by, and are no sign of one to come. None at the end of the stream."""
        return await soon(self._event(), "an event")

    async def _event(self):
        name, data, id = "message", [], None
        while (line := await self._stream_line()) is not None:
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

    async def message(self, id):
        """Reads the stream up to the answer to a request."""
        while event := await self.event():
            if event[1] and (found := json.loads(event[1])).get("id") == id and ("result" in found or "error" in found):
                return found
        raise Lost(f"the stream ended before the answer to {id}")

    async def rest(self):
        """To the end of the last answer, so that another may follow."""
        while await self._stream_line() is not None:
            pass

    async def close(self):
        self.writer.close()
        try:
            await asyncio.wait_for(self.writer.wait_closed(), 5)
        except (OSError, TimeoutError, asyncio.TimeoutError):
            pass

    def reset(self):
        """Cuts the connection with a reset."""
        stream = self.writer.get_extra_info("socket")
        if stream is not None:
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def _line(self):
        line = await soon(self.reader.readline(), "a line")
        if not line.endswith(b"\n"):
            raise Lost(f"closed after {line[-80:]!r}")
        return line.rstrip(b"\r\n").decode("latin-1")

    async def _body(self, headers):
        if self.is_chunked:
            body = b""
            while chunk := await self._chunk():
                body += chunk
            return body
        length = int(headers.get("content-length", 0))
        try:
            return await soon(self.reader.readexactly(length), "a body")
        except asyncio.IncompleteReadError as error:
            raise Lost(f"closed after {len(error.partial)} of {length} bytes") from None

    async def _chunk(self):
        size = int((await self._line()).split(";")[0], 16)
        try:
            chunk = await soon(self.reader.readexactly(size + 2), "a chunk")
        except asyncio.IncompleteReadError:
            raise Lost("closed within a chunk") from None
        return chunk[:size]

    async def _stream_line(self):
        while b"\n" not in self.text:
            more = await self._chunk() if self.is_chunked else await soon(self.reader.read(65536), "an event")
            if not more:
                return None
            self.text += more
        line, _, self.text = self.text.partition(b"\n")
        return line.rstrip(b"\r").decode()


async def soon(waiting, what, seconds=DEADLINE):
    try:
        return await asyncio.wait_for(waiting, seconds)
    except (TimeoutError, asyncio.TimeoutError):
        raise Lost(f"{what}: nothing for {seconds} s") from None
    except ConnectionError as error:
        raise Lost(f"{what}: {error}") from None


def request(id, method, params=None):
    message = {"jsonrpc": "2.0", "id": id, "method": method}
    if params is not None:
        message["params"] = params
    return message


def initialize(id, revision):
    return request(id, "initialize", {"protocolVersion": revision, "capabilities": {}, "clientInfo": CLIENT})


INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}


def stateless(id, method, params=None):
    """A request of the revision without sessions, and the headers it mirrors."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": STATELESS,
        "io.modelcontextprotocol/clientInfo": CLIENT,
        "io.modelcontextprotocol/clientCapabilities": {},
        "progressToken": id,
    }
    headers = {"MCP-Protocol-Version": STATELESS, "Mcp-Method": method}
    if params and "name" in params:
        headers["Mcp-Name"] = params["name"]
    return request(id, method, {"_meta": meta} | (params or {})), headers


def check(message, id):
    if not isinstance(message, dict) or message.get("id") != id or not ("result" in message or "error" in message):
        raise Lost(f"no answer to {id}: {str(message)[:200]}")
    return message
