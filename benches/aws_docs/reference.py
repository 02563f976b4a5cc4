"""The reference server over stdio, given one page out of memory instead of the network: `reference.py PAGE`. Called by measure.py.

What is replaced is the HTTP library's transport alone, so that everything from the tool's call to its answer is the package's own code.
"""

import sys

import httpx

with open(sys.argv[1], "rb") as file:
    PAGE = file.read()


def answer(_request):
    return httpx.Response(200, headers={"content-type": "text/html; charset=utf-8"}, content=PAGE)


class Client(httpx.AsyncClient):
    def __init__(self, **options):
        super().__init__(**{**options, "transport": httpx.MockTransport(answer)})


# The package says `httpx.AsyncClient` when it needs one.
httpx.AsyncClient = Client

from awslabs.aws_documentation_mcp_server.server import main  # the replacement comes first

sys.argv[1:] = []
main()
