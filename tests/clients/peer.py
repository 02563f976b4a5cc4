"""A stand-in for siskin's fixture, made with the Python SDK's server: `peer.py PORT` or `peer.py --stdio`.

`selftest.sh` runs the clients against it, once whole and once for each defect in PEER_BREAK, so that the scripts here are
known to pass and known to fail before siskin has a say.
"""

import os
import signal
import sys

import anyio
import mcp_types as types
import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.prompts.base import UserMessage
from starlette.responses import PlainTextResponse

BREAK = os.environ.get("PEER_BREAK", "")
server = MCPServer("siskin-stand-in", version="0")
subscribers = {}


@server.tool()
def test_simple_text() -> str:
    """Answers with one text."""
    return "This is a simple text response for testing."


@server.tool()
async def test_tool_with_progress(ctx: Context) -> str:
    """Reports 0, 50 and 100 of 100."""
    for progress in (0, 50, 100):
        if BREAK != "progress":
            await ctx.report_progress(progress, 100)
        await anyio.sleep(0.01)
    return "done"


@server.tool()
async def test_trigger_resource_update(ctx: Context) -> str:
    """Announces a change of the watched resource."""
    if BREAK != "update":
        await ctx.notify_resource_updated("test://watched-resource")
        for session in list(subscribers.values()):
            await session.send_resource_updated("test://watched-resource")
    return "sent"


@server.resource("test://static-text", mime_type="text/plain")
def static_text() -> str:
    return "Something else." if BREAK == "resource" else "This is the content of the static text resource."


@server.resource("test://watched-resource", mime_type="text/plain")
def watched() -> str:
    return "watched"


@server.prompt()
def test_prompt_with_arguments(arg1: str, arg2: str) -> list[UserMessage]:
    """Repeats both arguments."""
    return [UserMessage(f"Prompt with arguments: arg1='{arg1}', arg2='{'' if BREAK == 'prompt' else arg2}'")]


async def subscribe(ctx, params):
    subscribers[params.uri] = ctx.session
    return types.EmptyResult()


async def unsubscribe(ctx, params):
    subscribers.pop(params.uri, None)
    return types.EmptyResult()


server._lowlevel_server.add_request_handler("resources/subscribe", types.SubscribeRequestParams, subscribe)
server._lowlevel_server.add_request_handler("resources/unsubscribe", types.UnsubscribeRequestParams, unsubscribe)


@server.custom_route("/health", methods=["GET"])
async def health(_request):
    return PlainTextResponse("ok")


if __name__ == "__main__":
    if sys.argv[1] == "--stdio":
        if BREAK == "exit":
            # A server that leaves with an error when its input ends.
            import atexit

            atexit.register(lambda: os._exit(3))
        server.run("stdio")
    else:
        app = server.streamable_http_app()
        app.router.routes.extend(server.sse_app(sse_path="/sse/").routes)
        # uvicorn raises the signal again once it has stopped; the default action would end us with status 143.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", timeout_graceful_shutdown=1)
