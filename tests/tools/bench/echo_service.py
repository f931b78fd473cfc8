"""A server that reads a request and answers with a fixed body: what loopback and the load client cost by themselves."""

import asyncio
import os

import uvloop

from tests.tools.bench.load import CONTENT_LENGTH

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 150\r\ncontent-type: application/json\r\n\r\n" + b" " * 150


class Echo(asyncio.Protocol):
    missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if not self.missing:
            end = data.index(b"\r\n\r\n") + 4
            length = CONTENT_LENGTH.search(data[:end])
            self.missing = end + (int(length[1]) if length else 0)
        self.missing -= len(data)
        if not self.missing:
            self.transport.write(ANSWER)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", int(os.environ["PORT"]))
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
