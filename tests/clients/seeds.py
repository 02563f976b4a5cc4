"""The deployment guide's Python example, with `requests` and `sseclient-py`: `seeds.py BASE_URL`. Called by `seeds.sh`.

The guide's loop over the stream never ends, so here it takes one event; the rest is as written there.
"""

import sys
from urllib.parse import urljoin, urlsplit

import requests
import sseclient

base = sys.argv[1]
LIMIT = (5, 20)  # seconds to connect, seconds between two chunks


def case(name, run):
    try:
        run()
    except Exception as error:
        print(f"FAIL aws-guide  {name}  {type(error).__name__}: {' '.join(str(error).split())[:300]}", flush=True)
    else:
        print(f"ok   aws-guide  {name}", flush=True)


def events():
    response = requests.get(f"{base}/sse/", stream=True, timeout=LIMIT)
    response.raise_for_status()
    return response, sseclient.SSEClient(response).events()


def connect():
    response, stream = events()
    with response:
        event = next(stream)
        assert event.event == "endpoint", f"the first event is {event.event!r}"
        # A relative reference, so that it holds below any prefix of a proxy.
        path = urlsplit(urljoin(response.url, event.data)).path
        assert path == "/messages/", f"the endpoint is {event.data!r}"


def send_message():
    message_response = requests.post(f"{base}/messages/", json={"method": "tools/list"}, timeout=LIMIT)
    assert message_response.status_code == 200, f"status {message_response.status_code}: {message_response.text}"
    answer = message_response.json()
    assert answer["result"]["tools"], f"the answer is {answer}"


def send_on_session():
    response, stream = events()
    with response:
        endpoint = urljoin(f"{base}/sse/", next(stream).data)
        params = {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {"name": "guide", "version": "0"}}
        initialize = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
        assert requests.post(endpoint, json=initialize, timeout=LIMIT).status_code == 202
        event = next(stream)
        assert event.event == "message" and '"2024-11-05"' in event.data, f"{event.event}: {event.data}"


case("python-connect", connect)
case("python-send-message", send_message)
case("python-send-on-session", send_on_session)
