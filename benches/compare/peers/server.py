"""A server on the Python SDK or on FastMCP with the fifty tools that every peer has.

`server.py mcp|fastmcp PORT` serves HTTP with sessions and JSON answers, their faster form; `server.py mcp|fastmcp PORT sse`
serves HTTP+SSE; `server.py mcp|fastmcp --stdio` whoever started it.
"""

import sys

TOOLS = 50
DESCRIPTION = "Adds two numbers."


async def add(a: float, b: float) -> str:
    return f"{a + b:g}"


def names():
    return ["add"] + [f"add_{number:02}" for number in range(2, TOOLS + 1)]


def with_mcp():
    from mcp.server.mcpserver import MCPServer

    server = MCPServer("compare", log_level="WARNING")
    for name in names():
        server.add_tool(add, name=name, description=DESCRIPTION, structured_output=False)
    return server


def with_fastmcp():
    from fastmcp import FastMCP

    server = FastMCP("compare")
    for name in names():
        server.tool(add, name=name, description=DESCRIPTION, output_schema=None)
    return server


def main():
    kind, where, *more = sys.argv[1:]
    server = with_mcp() if kind == "mcp" else with_fastmcp()
    if where == "--stdio":
        server.run("stdio") if kind == "mcp" else server.run("stdio", show_banner=False, log_level="WARNING")
        return
    import uvicorn

    if more == ["sse"]:
        app = server.sse_app() if kind == "mcp" else server.http_app(transport="sse")
    elif kind == "mcp":
        # It keeps at most 10,000 sessions unless told otherwise; idle ones are the benchmark's to end.
        app = server.streamable_http_app(json_response=True)
    else:
        app = server.http_app(json_response=True)
    uvicorn.run(app, host="127.0.0.1", port=int(where), log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
