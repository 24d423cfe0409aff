"""The Markdown of `docs/` as pages: the same files that a reader of the repository sees, carried in the package.

Links between files become links between pages; the front end renders the text and shows raw HTML as text.
"""

import hashlib
import posixpath
import re
from collections.abc import Iterator
from datetime import datetime
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import msgspec
from msgspec import Struct

from tokengate.reference.words import Lang

_LANGUAGE = re.compile(r"\.(zh|en)\.md$")
_NOT_IN_ANCHORS = re.compile(r"[^\w\- ]")
_HEADING = re.compile(r"^(#{1,6}) +(.+?) *#*$")
_LINK = re.compile(r"(\]\()([^)\s]+)(\))")
_MARKS = re.compile(r"[`*_]|\[([^\]]*)\]\([^)]*\)")
_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)

STAMPS = "modified.json"  # in the folder; made by tools/gen_reference.py

# The guides in the order in which a reader needs them; others follow by name.
_ORDER = (
    "quick-start",
    "first-call",
    "using-the-api",
    "sdk-openai",
    "sdk-anthropic",
    "sdk-google",
    "sdk-dashscope",
    "codex",
    "conversion",
    "embeddings-rerank-moderation",
    "images",
    "video",
    "speech",
    "music",
    "vllm-omni",
    "ai-applications",
    "reference",
    "connect-a-vendor",
    "add-a-vendor",
)


class Heading(Struct, frozen=True):
    """A heading below the title, for the outline beside the page."""

    level: int
    id: str
    title: str


class Guide(Struct, frozen=True):
    """One file in one language. `markdown` begins with its title."""

    slug: str
    lang: Lang
    title: str
    markdown: str
    headings: tuple[Heading, ...]
    modified_ms: int


class Stamp(Struct, frozen=True):
    """When a text was changed last, and the digest by which one knows that it is still that text."""

    sha256: str
    modified: datetime


class Guides:
    """Every file of `docs/` that is a page: guides in both languages, and the project's own documents in English."""

    def __init__(self, folder: Traversable) -> None:
        self._folder = folder
        self._read: dict[str, Guide] = {}
        self._files = {_key(path): path for path in _walk(folder, "")}
        self._stamps = _stamps(folder)

    def slugs(self, lang: Lang) -> list[str]:
        """Return the slugs of all pages, guides first."""
        return sorted({slug for slug, _ in self._files}, key=_place)

    def find(self, slug: str, lang: Lang) -> Guide | None:
        """Return a page; one that exists in English only is shown in English."""
        for language in (lang, "en", "zh"):
            path = self._files.get((slug, language))
            if path is not None:
                guide = self._read.get(path)
                if guide is None:
                    guide = self._read[path] = _read(self._folder, path, slug, language, self._stamps)
                return guide
        return None

    def picture(self, path: str) -> bytes | None:
        """Return a picture of the guides by its path below `docs/`."""
        if not path.endswith(".png") or ".." in path.split("/"):
            return None
        file = self._folder.joinpath(*path.split("/"))
        return file.read_bytes() if file.is_file() else None


def digest(data: bytes) -> str:
    """Return what a stamp knows a text by."""
    return hashlib.sha256(data).hexdigest()[:32]


def docs_folder() -> Traversable:
    """Return where the documents are: in the package, or in the repository that it is run from."""
    packaged = resources.files("tokengate.reference").joinpath("docs")
    if packaged.is_dir():
        return packaged
    return Path(__file__).resolve().parents[3] / "docs"


def outline(markdown: str) -> tuple[str, tuple[Heading, ...]]:
    """Return the title of a text and its other headings, with the anchors that repositories give them."""
    title = ""
    headings: list[Heading] = []
    seen: dict[str, int] = {}
    for marks, words in _headings(markdown):
        if len(marks) == 1 and not title:
            title = words
            continue
        anchor = _NOT_IN_ANCHORS.sub("", words.lower()).strip().replace(" ", "-")
        seen[anchor] = seen.get(anchor, -1) + 1
        headings.append(Heading(len(marks), f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor, words))
    return title, tuple(headings)


def _walk(folder: Traversable, head: str) -> Iterator[str]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{head}{entry.name}/")
        elif entry.name.endswith(".md"):
            yield head + entry.name


def _key(path: str) -> tuple[str, Lang]:
    """Return the slug and the language of a file: `guide/billing.zh.md` is guide/billing in Chinese."""
    found = _LANGUAGE.search(path)
    if found is None:
        slug = path.removesuffix(".md")
        return (slug if slug.startswith("guide/") else f"project/{slug}"), "en"
    return path[: found.start()], "zh" if found[1] == "zh" else "en"


def _place(slug: str) -> tuple[int, int, str]:
    head, _, name = slug.partition("/")
    return head != "guide", _ORDER.index(name) if name in _ORDER else len(_ORDER), slug


def _read(folder: Traversable, path: str, slug: str, lang: Lang, stamps: dict[str, Stamp]) -> Guide:
    file = folder.joinpath(*path.split("/"))
    data = file.read_bytes()
    text = _COMMENT.sub("", data.decode()).strip() + "\n"
    markdown = _LINK.sub(lambda found: f"{found[1]}{page_link(found[2], path)}{found[3]}", text)
    title, headings = outline(markdown)
    return Guide(slug, lang, title or slug, markdown, headings, _modified_ms(file, data, stamps.get(path)))


def _headings(markdown: str) -> Iterator[tuple[str, str]]:
    """Yield the marks and the words of each heading; lines in code blocks are none."""
    fenced = False
    for line in markdown.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif not fenced and (found := _HEADING.match(line)):
            yield found[1], _MARKS.sub(lambda link: link[1] or "", found[2])


def page_link(link: str, path: str) -> str:
    """Return where a link of the file at `path` leads in the portal."""
    if "://" in link or link.startswith(("#", "/", "mailto:")):
        return link
    target, hash_, anchor = link.partition("#")
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    if joined.endswith(".md"):
        joined = _key(joined)[0]
    return f"/docs/{joined}{hash_}{anchor}"


def _stamps(folder: Traversable) -> dict[str, Stamp]:
    file = folder.joinpath(STAMPS)
    return _decode_stamps(file.read_bytes()) if file.is_file() else {}


def _modified_ms(file: Traversable, data: bytes, stamp: Stamp | None) -> int:
    """Return when the text was changed: as stamped, or for a text that was changed since, as its file says."""
    if stamp is not None and stamp.sha256 == digest(data):
        return int(stamp.modified.timestamp() * 1000)
    return int(file.stat().st_mtime * 1000) if isinstance(file, Path) else 0


_decode_stamps = msgspec.json.Decoder(dict[str, Stamp]).decode
