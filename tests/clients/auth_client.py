"""The Python SDK's client with a token: `auth_client.py MODE TARGET ISSUER WAY`. Called by `auth.sh`.

WAY is `bearer TOKEN`, or `oauth CLIENT SECRET` with a client of `auth_server.mjs`. Prints a line for each case: connect, list-tools, call, close; the
twin of `auth_client.mjs`. With `refused` before the way, the one case is that connecting fails with a word of authorization.
"""

import asyncio
import os
import re
import sys
import traceback
import warnings
from importlib.metadata import version

import httpx2
import mcp
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider
from mcp.client.streamable_http import streamable_http_client

warnings.simplefilter("ignore")

DEADLINE_SECONDS = int(os.environ.get("SISKIN_CASE_SECONDS", "20"))


class Storage:
    """Tokens of this run, and no others."""

    def __init__(self):
        self.tokens = None
        self.client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client_info):
        self.client = client_info


class Run:
    """One client that comes in one way."""

    def __init__(self, mode, target, issuer, way):
        self.how, secret = way[0], way[-1]
        self.id = way[1] if self.how == "oauth" else None
        if self.how == "bearer":
            self.http = httpx2.AsyncClient(headers={"Authorization": f"Bearer {secret}"})
        else:
            provider = ClientCredentialsOAuthProvider(
                server_url=target,
                storage=Storage(),
                client_id=self.id,
                client_secret=secret,
                issuer=issuer,
            )
            self.http = httpx2.AsyncClient(auth=provider)
        self.client = mcp.Client(streamable_http_client(target, http_client=self.http), mode=mode)

    async def connect(self):
        await self.client.__aenter__()
        expect(self.client.server_info.name == "siskin", f"the server is {self.client.server_info!r}")

    async def list_tools(self):
        names = [tool.name for tool in (await self.client.list_tools()).tools]
        expect("device_memory" in names, f"device_memory is missing among {names}")
        # The one tool that changes something: it is there for who may call it.
        is_there, may_write = "wake_on_lan" in names, self.id != "reader"
        expect(is_there == may_write, f"wake_on_lan offered: {is_there}")

    async def call(self):
        result = await self.client.call_tool("device_memory", {})
        expect(not result.is_error and result.content, f"the call answered {result!r}")

    async def close(self):
        await self.client.__aexit__(None, None, None)
        await self.http.aclose()

    async def refused(self):
        try:
            await self.client.__aenter__()
        except BaseException as error:
            said = "; ".join(words(error))
            expect(re.search("401|invalid API token|does not prove itself", said, re.IGNORECASE), f"the client said {said}")
            return
        raise AssertionError("the client connected")


GRANTED = [("connect", Run.connect), ("list-tools", Run.list_tools), ("call", Run.call), ("close", Run.close)]
REFUSED = [("refused", Run.refused)]


def words(error):
    """What an error and those it holds say."""
    yield f"{type(error).__name__}: {error}"
    for inner in getattr(error, "exceptions", ()):
        yield from words(inner)
    if error.__cause__:
        yield from words(error.__cause__)


def expect(condition, said):
    if not condition:
        raise AssertionError(said)


async def main(mode, target, issuer, *way):
    cases = REFUSED if way[0] == "refused" else GRANTED
    way = way[1:] if way[0] == "refused" else way
    run, failed, connected = Run(mode, target, issuer, way), 0, True
    for name, case in cases:
        line = f"python-mcp {version('mcp')}  {mode} {run.how}{f' {run.id}' if run.id else ''}  {name}"
        reason = "not reached"
        if connected:
            try:
                async with asyncio.timeout(DEADLINE_SECONDS):
                    await case(run)
                reason = None
            except BaseException as error:
                traceback.print_exc()
                reason = " ".join("; ".join(words(error)).split())[:300]
        if reason:
            failed += 1
            connected = connected and name != "connect"
        print(f"FAIL {line}  {reason}" if reason else f"ok   {line}", flush=True)
    # What is left open must not keep the process.
    os._exit(1 if failed else 0)


asyncio.run(main(*sys.argv[1:]))
