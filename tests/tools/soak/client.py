"""An HTTP client of raw requests, so that a measurement sees what came and where a connection broke."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

BROKEN = (ConnectionError, asyncio.IncompleteReadError)


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes


class Client:
    """One keep-alive connection, opened when it is needed, over which requests go one after the other."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.writer: asyncio.StreamWriter | None = None
        self.is_reused = False

    async def ask(self, request: bytes) -> Answer:
        """Return the whole answer. Raises BROKEN, ConnectionRefusedError where no server listens."""
        self.is_reused = self.writer is not None
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            self.writer.write(request)
            answer = await self.read_answer()
        except BROKEN:
            self.close()
            raise
        if answer.headers.get("connection") == "close":
            self.close()
        return answer

    async def read_answer(self) -> Answer:
        status_line, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        body = await self.reader.readexactly(int(headers["content-length"]))
        return Answer(int(status_line.split()[1]), headers, body)

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
            self.writer = None


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Client]:
    client = Client(port)
    yield client
    client.close()
