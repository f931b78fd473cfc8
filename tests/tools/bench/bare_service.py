"""An ASGI app that reads a body and answers a constant: what a request costs under uvicorn before anything is done."""

from starlette.types import Receive, Scope, Send

ANSWER = b" " * 150
HEADERS = [(b"content-length", b"150"), (b"content-type", b"application/json")]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        for kind in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{kind}.complete"})
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": ANSWER})
