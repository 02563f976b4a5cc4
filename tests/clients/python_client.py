"""The two Python clients: `python_client.py mcp|fastmcp TRANSPORT MODE TARGET…`.

Runs every case of CASES over one transport and prints a line for each. TRANSPORT is stdio, http+sse or streamable-http; MODE is
legacy, auto, 2026-07-28, or `any` (auto, content with whatever it finds); TARGET is a URL or a command. Called by `run.sh`.
"""

import asyncio
import os
import sys
import traceback
import warnings
from importlib.metadata import version

import fastmcp
import mcp
from fastmcp.client.transports import SSETransport, StdioTransport, StreamableHttpTransport
from mcp.client.sse import sse_client
from mcp.client.subscriptions import listen

# Calling the older revisions' methods is the point here.
warnings.simplefilter("ignore")

DEADLINE_SECONDS = int(os.environ.get("SISKIN_CASE_SECONDS", "20"))
LEGACY = "2025-11-25"
MODERN = "2026-07-28"
WATCHED = "test://watched-resource"
STATIC_TEXT = "This is the content of the static text resource."
TOOLS = {"test_simple_text", "test_tool_with_progress", "test_trigger_resource_update"}


class Mcp:
    """The SDK's own client, package `mcp`."""

    label = f"python-mcp {version('mcp')}"

    def __init__(self, transport, target, mode, on_message):
        if transport == "stdio":
            server = mcp.StdioServerParameters(command=target[0], args=target[1:])
        elif transport == "http+sse":
            server = sse_client(target[0])
        else:
            server = target[0]
        self.client = mcp.Client(server, mode=mode, message_handler=on_message)

    async def tools(self):
        return (await self.client.list_tools()).tools

    async def call(self, name, on_progress=None):
        return await self.client.call_tool(name, {}, progress_callback=on_progress)

    async def contents(self, uri):
        return (await self.client.read_resource(uri)).contents

    async def close(self):
        await self.client.__aexit__(None, None, None)


class FastMcp:
    """FastMCP's client, package `fastmcp-slim`. Its users subscribe through `client.session`, for it has no call of its own."""

    label = f"fastmcp {version('fastmcp-slim')}"

    def __init__(self, transport, target, mode, on_message):
        if transport == "stdio":
            server = StdioTransport(command=target[0], args=target[1:], keep_alive=False)
        elif transport == "http+sse":
            server = SSETransport(target[0])
        else:
            server = StreamableHttpTransport(target[0])
        self.client = fastmcp.Client(server, mode=mode, message_handler=on_message)

    async def tools(self):
        return await self.client.list_tools()

    async def call(self, name, on_progress=None):
        return await self.client.call_tool(name, {}, progress_handler=on_progress)

    async def contents(self, uri):
        return await self.client.read_resource(uri)

    async def close(self):
        await self.client.__aexit__(None, None, None)
        await self.client.close()


class Run:
    """One client over one transport, and what has come in beside the answers."""

    def __init__(self, kind, transport, mode, target):
        self.mode = mode
        self.updated = []
        self.progress = []
        self.client = kind(transport, target, "auto" if mode == "any" else mode, self.on_message)

    async def on_message(self, message):
        if getattr(message, "method", None) == "notifications/resources/updated":
            self.updated.append(str(message.params.uri))

    async def on_progress(self, progress, total, _message):
        self.progress.append((progress, total))

    async def connect(self):
        client = self.client.client
        await client.__aenter__()
        if self.mode == "any":
            expect(client.protocol_version in (LEGACY, MODERN), f"version {client.protocol_version} was negotiated")
        else:
            expect_equal("version", client.protocol_version, LEGACY if self.mode == "legacy" else MODERN)
        if self.mode != MODERN:
            # A pinned client asks nothing at connect and so knows no name.
            expect(client.server_info and client.server_info.name, "the server has no name")

    async def list_tools(self):
        names = {tool.name for tool in await self.client.tools()}
        expect(TOOLS <= names, f"{sorted(TOOLS - names)} missing among {len(names)} tools")

    async def call_with_progress(self):
        result = await self.client.call("test_tool_with_progress", self.on_progress)
        expect(not result.is_error and result.content, f"the call answered {result!r}")
        await eventually(lambda: len(self.progress) >= 3)
        expect_equal("progress", self.progress, [(0, 100), (50, 100), (100, 100)])

    async def read_resource(self):
        contents = await self.client.contents("test://static-text")
        expect_equal("text", [content.text for content in contents], [STATIC_TEXT])

    async def subscribe_and_receive(self):
        session = self.client.client.session
        if session.protocol_version == MODERN:
            async with listen(session, resource_subscriptions=[WATCHED]) as subscription:
                expect_equal("honoured", subscription.honored.resource_subscriptions, [WATCHED])
                await self.client.call("test_trigger_resource_update")
                expect_equal("updated", (await anext(subscription)).uri, WATCHED)
        else:
            await session.subscribe_resource(WATCHED)
            await self.client.call("test_trigger_resource_update")
            await eventually(lambda: self.updated)
            expect_equal("updated", self.updated, [WATCHED])
            await session.unsubscribe_resource(WATCHED)

    async def get_prompt(self):
        result = await self.client.client.get_prompt("test_prompt_with_arguments", {"arg1": "sparrow", "arg2": "finch"})
        text = result.messages[0].content.text
        expect("sparrow" in text and "finch" in text, f"the prompt reads {text!r}")

    async def close(self):
        await self.client.close()


CASES = [
    ("connect", Run.connect),
    ("list-tools", Run.list_tools),
    ("call-with-progress", Run.call_with_progress),
    ("read-resource", Run.read_resource),
    ("subscribe-and-receive", Run.subscribe_and_receive),
    ("get-prompt", Run.get_prompt),
    ("close", Run.close),
]


async def main(kind, transport, mode, target):
    run = Run(kind, transport, mode, target)
    failed = 0
    connected = True
    for name, case in CASES:
        line = f"{kind.label}  {transport} {mode}  {name}"
        reason = await outcome(case, run) if connected else "not reached"
        connected = connected and (name != "connect" or reason is None)
        failed += reason is not None
        print(f"ok   {line}" if reason is None else f"FAIL {line}  {reason}", flush=True)
    return 1 if failed else 0


async def outcome(case, run):
    """None if the case passed, else why not.

    The case runs in this same task, since both clients tie a connection to the task that opened it.
    """
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            await case(run)
    except BaseException as error:  # a cancelled scope inside a client is a failed case, too
        # Both clients wrap what went wrong in exception groups; the innermost one says it.
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if isinstance(error, TimeoutError):
            return f"nothing within {DEADLINE_SECONDS} s"
        if not isinstance(error, AssertionError):
            traceback.print_exception(error, file=sys.stderr)
        return " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return None


def expect(condition, said):
    if not condition:
        raise AssertionError(said)


def expect_equal(what, got, wanted):
    expect(got == wanted, f"{what} is {got!r}, not {wanted!r}")


async def eventually(condition):
    """Waits for what arrives beside the answer; the case's deadline bounds it."""
    while not condition():
        await asyncio.sleep(0.01)


if __name__ == "__main__":
    kinds = {"mcp": Mcp, "fastmcp": FastMcp}
    sys.exit(asyncio.run(main(kinds[sys.argv[1]], sys.argv[2], sys.argv[3], sys.argv[4:])))
