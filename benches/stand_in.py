"""Stands in for a documentation host: answers every GET with the page of its path, over connections that stay open."""

import socket
import threading


def serve(pages):
    """Serves these bytes by path from now on; says at which origin."""
    listener = socket.create_server(("127.0.0.1", 0))

    def converse(stream):
        with stream:
            pending = b""
            while True:
                while b"\r\n\r\n" not in pending:
                    more = stream.recv(65536)
                    if not more:
                        return
                    pending += more
                head, pending = pending.split(b"\r\n\r\n", 1)
                page = pages[head.split(b" ", 2)[1].split(b"?")[0].decode()]
                answer = f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(page)}\r\n\r\n"
                stream.sendall(answer.encode() + page)

    def accept():
        while True:
            stream, _ = listener.accept()
            threading.Thread(target=converse, args=(stream,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}"
