"""Answers a browser: files of the front end's build, and its one page for every address that the page itself routes.

Asked only after every endpoint, so the API pays nothing for it. Without a build, a browser gets a page that tells
what to run.
"""

from collections.abc import Callable
from html import escape

from tokengate.web.portal.assets import Asset, Assets
from tokengate.web.request import Headers, Request

# What the built page needs and no more: its own scripts, styles and calls; nothing inline, nothing from elsewhere.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

_SECURITY: Headers = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("cross-origin-opener-policy", "same-origin"),
]
_PAGE_SECURITY: Headers = [
    *_SECURITY,
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    ("x-frame-options", "DENY"),
]

# The first parts of the map's addresses. Another address gets the page too, with status 404, so that a person who
# mistyped one sees a page; callers that do not ask for HTML get the API's own error.
_MAP = frozenset(
    (
        "",
        "models",
        "docs",
        "prices",
        "downloads",
        "status-codes",
        "sign-in",
        "sign-up",
        "invitations",
        "get-apikey",
        "apikey-recharge",
        "console",
        "admin",
    )
)
_NEVER = ("/v1/", "/v1beta/", "/api/", "/compatible-mode/", "/console/api", "/internal/")

_NO_BUILD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>TokenGate</title></head>
<body><h1>The web pages are not built</h1>
<p>The gateway runs and answers API calls. Its pages are built from the folder <code>console/</code> by
<code>make setup</code> (Node 20 or newer); then start the gateway again. A wheel from <code>make wheel</code>
carries them.</p>
<h1>网页尚未构建</h1>
<p>网关已在运行,API 可以正常调用。网页由 <code>make setup</code> 从 <code>console/</code> 构建(需要 Node 20 或更新版本),
构建后请重新启动网关。<code>make wheel</code> 生成的安装包自带网页。</p>
<p>{path}</p></body></html>
"""

Fallback = Callable[[Request], bool]


class Pages:
    """The portal's and the console's pages."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets

    def answer(self, request: Request) -> bool:
        """Answer a browser's request; False when this is not for the pages."""
        if request.method not in ("GET", "HEAD"):
            return False
        path = request.path
        asset = None if path == "/index.html" else self._assets.find(path, _encodings(request))
        if asset is not None:
            self._send(request, asset, 200, _SECURITY)
            return True
        if "text/html" not in request.headers.get("accept", "") or path.startswith(_NEVER):
            return False
        page = self._assets.find("/index.html", _encodings(request))
        if page is None:
            body = _NO_BUILD.format(path=escape(path[:200])).encode()
            request.whole(503, [("content-type", "text/html; charset=utf-8"), *_PAGE_SECURITY], body)
            return True
        known = path.removeprefix("/").partition("/")[0] in _MAP
        self._send(request, page, 200 if known else 404, _PAGE_SECURITY)
        return True

    def _send(self, request: Request, asset: Asset, status: int, security: Headers) -> None:
        request.extra.clear()  # pages of other origins have no business with ours
        headers: Headers = [
            ("etag", asset.etag),
            ("cache-control", "public, max-age=31536000, immutable" if asset.immutable else "no-cache"),
            ("vary", "accept-encoding"),
            *security,
        ]
        if status == 200 and asset.etag in request.headers.get("if-none-match", ""):
            request.whole(304, headers, b"")
            return
        headers.append(("content-type", asset.kind))
        if asset.encoding:
            headers.append(("content-encoding", asset.encoding))
        request.whole(status, headers, asset.body)


def _encodings(request: Request) -> str:
    return request.headers.get("accept-encoding", "")
