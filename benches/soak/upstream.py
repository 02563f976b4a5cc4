"""A service that behaves as badly as it is asked to; killed and started again by the soak. Usage: upstream.py PORT, 0 for any."""

import asyncio
import sys
from urllib.parse import parse_qs, urlsplit


async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            how = parse_qs(urlsplit(head.split(b" ")[1].decode()).query).get("how", ["ok"])[0]
            if how == "slow":
                await asyncio.sleep(0.3)
            if how == "close":
                break
            if how == "garbage":
                writer.write(b"\x00\xff not http\r\n\r\n")
                break
            if how == "cut":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
                break
            if how == "endless":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
                for _ in range(4096):
                    writer.write(b"4000\r\n" + b" " * 0x4000 + b"\r\n")
                    await writer.drain()
                break
            status = b"500 Oops" if how == "error" else b"200 OK"
            body = b'{"how":"%s","list":[%s]}' % (how.encode(), b",".join(b'{"n":%d}' % n for n in range(2000 if how == "big" else 3)))
            writer.write(b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
