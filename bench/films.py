"""A vendor of films that are made at once: OpenAI's `/v1/videos` with nothing behind it.

python -m bench.films PORT
"""

import sys

import uvloop
from aiohttp import web

from tests.media_files import media_file

FILM = media_file("mp4", 1)
MODEL = "sora-2"
SECONDS = "4"


class Films:
    """Takes every submission; a film is done when it is looked at."""

    def __init__(self) -> None:
        self._made = 0

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/", self._ready)
        app.router.add_post("/v1/videos", self._create)
        app.router.add_get("/v1/videos/{id}", self._show)
        app.router.add_get("/v1/videos/{id}/content", self._content)
        return app

    async def _ready(self, request: web.Request) -> web.Response:
        return web.Response()

    async def _create(self, request: web.Request) -> web.Response:
        await request.read()
        self._made += 1
        return web.json_response(_shown(f"video_{self._made}", "queued", 0))

    async def _show(self, request: web.Request) -> web.Response:
        return web.json_response(_shown(request.match_info["id"], "completed", 100))

    async def _content(self, request: web.Request) -> web.Response:
        if request.query.get("variant", "video") != "video":
            return web.Response(status=404)
        return web.Response(body=FILM, content_type="video/mp4")


def _shown(id: str, status: str, progress: int) -> dict[str, object]:
    return {
        "id": id,
        "object": "video",
        "model": MODEL,
        "status": status,
        "progress": progress,
        "created_at": 1_790_000_000,
        "seconds": SECONDS,
        "size": "720x1280",
        "error": None,
    }


if __name__ == "__main__":
    uvloop.install()
    web.run_app(Films().app(), host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
