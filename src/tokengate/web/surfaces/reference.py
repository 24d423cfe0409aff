"""The reference for machines: `/openapi.json`, `/collection.json`, `/llms.txt`, and the Markdown twin of every page.

Public, or by setting for holders of a key and for browsers that are signed in.
"""

import asyncio
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import msgspec

from tokengate.accounts.users.store import find_session
from tokengate.core.errors import BadKey, BadRequest, NotFound
from tokengate.reference import table
from tokengate.web.address import own_address
from tokengate.web.admit import Admit
from tokengate.web.console import Console
from tokengate.web.dispatch import Endpoint
from tokengate.web.request import Headers, Request

if TYPE_CHECKING:
    from tokengate.reference.library import Library
    from tokengate.reference.words import Lang

_SESSION_COOKIE = "tokengate_session"
_MAX_TOKEN_CHARS = 200
_JSON = "application/json"
_TEXT = "text/plain; charset=utf-8"
_MARKDOWN = "text/markdown; charset=utf-8"
_PICTURE_TAIL = ".png"
_PAGE_TAIL = ".md"

Write = Callable[["Library", "Lang", str], bytes]


class ReferenceSurface:
    """The documents, each written in a thread: a large catalogue must not hold up calls."""

    def __init__(self, console: Console, admit: Admit) -> None:
        self._console = console
        self._admit = admit

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(table.OPENAPI_DOCUMENT, self._openapi),
            Endpoint(table.COLLECTION, self._collection),
            Endpoint(table.LLMS_TXT, self._llms),
            Endpoint(table.MARKDOWN_PAGE, self._page),
            Endpoint(table.PICTURE, self._picture),
        ]

    async def _openapi(self, request: Request) -> None:
        def write(library: "Library", lang: "Lang", server: str) -> bytes:
            return msgspec.json.encode(library.openapi(lang, server))

        await self._answer(request, _JSON, write)

    async def _collection(self, request: Request) -> None:
        def write(library: "Library", lang: "Lang", server: str) -> bytes:
            return msgspec.json.encode(library.collection(lang, server))

        await self._answer(request, _JSON, write)

    async def _llms(self, request: Request) -> None:
        def write(library: "Library", lang: "Lang", server: str) -> bytes:
            return library.llms(lang, server).encode()

        await self._answer(request, _TEXT, write)

    async def _page(self, request: Request) -> None:
        slug = request.path.removeprefix("/docs/").removesuffix(_PAGE_TAIL)

        def write(library: "Library", lang: "Lang", server: str) -> bytes:
            page = library.page(slug, lang, server)
            if page is None:
                raise NotFound(f"There is no page '{slug[:200]}'.", param="page")
            return page.markdown.encode()

        await self._answer(request, _MARKDOWN, write)

    async def _picture(self, request: Request) -> None:
        await self._let_in(request)
        path = request.path.removeprefix("/docs/")
        library = await self._console.shelf.library()
        found = library.picture(path) if path.isprintable() else None
        if found is None:
            raise NotFound(f"There is no picture '{path[:200]}'.", param="picture")
        self._send(request, "image/png", found)

    async def _answer(self, request: Request, kind: str, write: Write) -> None:
        await self._let_in(request)
        lang = _language(request)
        library = await self._console.shelf.library()
        self._send(
            request,
            kind,
            await asyncio.to_thread(write, library, lang, own_address(request, self._console.settings.portal.base_url)),
        )

    def _send(self, request: Request, kind: str, body: bytes) -> None:
        headers: Headers = [
            ("content-type", kind),
            ("cache-control", "no-cache"),
            ("x-content-type-options", "nosniff"),
            ("x-request-id", request.id),
        ]
        request.whole(200, headers, body)

    async def _let_in(self, request: Request) -> None:
        """Raise BadKey when the portal is not public and the caller has neither a key nor a session."""
        console = self._console
        if console.portal.now.portal_public:
            return
        token = _session_token(request.headers.get("cookie", ""))
        if token:
            async with console.database.read() as read:
                if await find_session(read, token, console.now_ms()) is not None:
                    return
            raise BadKey()
        self._admit.principal(request)


def _language(request: Request) -> "Lang":
    """Return the language that the query asks for. Raises BadRequest."""
    asked = dict(parse_qsl(request.query, keep_blank_values=True)).get("lang", "en")
    match asked:
        case "zh" | "en":
            return asked
        case _:
            raise BadRequest("'lang' must be zh or en.", param="lang")


def _session_token(cookies: str) -> str:
    try:
        found = SimpleCookie(cookies).get(_SESSION_COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None and len(found.value) <= _MAX_TOKEN_CHARS else ""
