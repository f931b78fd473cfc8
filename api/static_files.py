"""Files that are served as they are, each by a route of its own.

A mount at "/" would answer every path with its own 404, and take requests that another route refuses in its own words.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import Request, Response
from fastapi.responses import FileResponse
from starlette.routing import Route
from starlette.staticfiles import NotModifiedResponse


def list_files(folder: Path) -> dict[str, Path]:
    """Return the files in a folder by the path under which each is served; index.html by the folder's."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {f"/{path.relative_to(folder).as_posix()}".removesuffix("index.html"): path for path in files}


def make_routes(files: dict[str, Path]) -> list[Route]:
    return [Route(name, send_file(path)) for name, path in files.items()]


def send_file(path: Path) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint of one file. A browser asks each time, so that files of two versions never mix."""

    async def answer(request: Request) -> Response:
        response = FileResponse(path, stat_result=path.stat(), headers={"Cache-Control": "no-cache"})
        if request.headers.get("If-None-Match") == response.headers["ETag"]:
            return NotModifiedResponse(response.headers)
        return response

    return answer
