"""What whole replies and streams of OpenAI's format have in common: log probabilities, citations, sound, searches."""

from typing import Any

from msgspec import Raw

from tokengate.core.parts import Audio, Citation, Data, FileId, Image
from tokengate.core.reply import SearchResult, TokenLogprob, TopLogprob
from tokengate.formats.openai.fields import encode
from tokengate.formats.openai.media import source_of, write_url
from tokengate.formats.openai.shapes import is_list, is_object
from tokengate.formats.openai.thoughts import OWN

_HUGE = 1e9  # no probability is that small; JSON has no infinity


def objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list; none of anything else."""
    return [item for item in value if is_object(item)] if is_list(value) else []


def text_in(value: dict[str, Any], name: str) -> str:
    """Return a string member; empty for anything else."""
    text = value.get(name)
    return text if type(text) is str else ""


def integer_in(value: dict[str, Any], name: str, default: int = 0) -> int:
    """Return an integer member, which a vendor may have written as a float."""
    number = value.get(name)
    if type(number) is float and abs(number) < 2**53:
        return int(number)
    return number if type(number) is int else default


def content_text(content: Any) -> str:
    """Return the text of a message's content, which may be a list of parts."""
    if type(content) is str:
        return content
    return "".join(text_in(part, "text") for part in objects(content))


def read_logprobs(value: Any) -> tuple[TokenLogprob, ...]:
    """Return a choice's log probabilities, those of a refusal last."""
    if not is_object(value):
        return ()
    return (
        *(_read_token(token, refusal=False) for token in objects(value.get("content"))),
        *(_read_token(token, refusal=True) for token in objects(value.get("refusal"))),
    )


def write_logprobs(logprobs: tuple[TokenLogprob, ...]) -> dict[str, Any]:
    """Return a choice's `logprobs`."""
    content = [_write_token(token) for token in logprobs if not token.refusal]
    refusal = [_write_token(token) for token in logprobs if token.refusal]
    return {"content": content or None, "refusal": refusal or None}


def read_annotations(value: Any) -> tuple[Citation, ...]:
    """Return the sources of a text."""
    return tuple(_read_annotation(annotation) for annotation in objects(value))


def write_annotation(citation: Citation, shift: int, length: int) -> Raw | dict[str, Any]:
    """Return a source of a text that begins after `shift` characters of the content, which has `length` by now."""
    if citation.format == OWN and citation.raw is not None:
        return citation.raw
    known = citation.start >= 0 and citation.end >= 0
    inner: dict[str, Any] = {
        "start_index": citation.start + shift if known else shift,
        "end_index": citation.end + shift if known else length,
        "title": citation.title,
        "url": citation.url,
    }
    if citation.quote:
        inner["content"] = citation.quote  # OpenRouter's name
    return {"type": "url_citation", "url_citation": inner}


def read_sound(value: Any) -> Audio | None:
    """Return what a model said, or a piece of it."""
    if not is_object(value):
        return None
    data, transcript, id = text_in(value, "data"), text_in(value, "transcript"), text_in(value, "id")
    if not (data or transcript or id):
        return None
    expires = value.get("expires_at")
    extra = {"expires_at": Raw(encode(expires))} if expires is not None else {}
    return Audio(Data("", data), transcript, id, extra=extra)


def read_images(message: dict[str, Any]) -> tuple[Image, ...]:
    """Return the pictures that a model drew: in `images`, or among the parts of the content (vLLM-Omni)."""
    found = message.get("images") or message.get("content")
    if not is_list(found):
        return ()
    return tuple(image for item in objects(found) if (image := _read_image(item)) is not None)


def write_image(image: Image, index: int) -> dict[str, Any]:
    """Return a picture that a model drew."""
    assert not isinstance(image.source, FileId), "a reply's pictures are bytes or addresses"
    return {"type": "image_url", "image_url": {"url": write_url(image.source)}, "index": index}


def read_searches(reply: dict[str, Any]) -> tuple[SearchResult, ...]:
    """Return the pages that a vendor's web search found: DashScope's, GLM's, or Perplexity's and xAI's names."""
    info = reply.get("search_info")
    found = objects(info.get("search_results")) if is_object(info) else []
    found = found or objects(reply.get("web_search")) or objects(reply.get("search_results"))
    if found:
        return tuple(_read_search(page, number) for number, page in enumerate(found, 1))
    urls = reply.get("citations")
    if not is_list(urls):
        return ()
    return tuple(SearchResult(url, index=number) for number, url in enumerate(urls, 1) if type(url) is str)


def write_searches(searches: tuple[SearchResult, ...]) -> dict[str, Any]:
    """Return the member that tells them, in DashScope's words."""
    if not searches:
        return {}
    pages = [
        {"index": page.index, "title": page.title, "url": page.url, "site_name": page.site, "icon": page.icon}
        for page in searches
    ]
    return {"search_info": {"search_results": pages}}


def _read_token(token: dict[str, Any], *, refusal: bool) -> TokenLogprob:
    top = tuple(
        TopLogprob(text_in(one, "token"), _logprob(one), _bytes(one)) for one in objects(token.get("top_logprobs"))
    )
    return TokenLogprob(text_in(token, "token"), _logprob(token), _bytes(token), top, refusal)


def _write_token(token: TokenLogprob) -> dict[str, Any]:
    top = [{"token": one.token, "logprob": one.logprob, "bytes": one.bytes} for one in token.top]
    return {"token": token.token, "logprob": token.logprob, "bytes": token.bytes, "top_logprobs": top}


def _logprob(token: dict[str, Any]) -> float:
    value = token.get("logprob")
    return float(value) if isinstance(value, int | float) and abs(value) < _HUGE else -_HUGE


def _bytes(token: dict[str, Any]) -> tuple[int, ...] | None:
    value = token.get("bytes")
    return tuple(byte for byte in value if type(byte) is int) if is_list(value) else None


def _read_annotation(annotation: dict[str, Any]) -> Citation:
    inner = annotation.get("url_citation")
    if not is_object(inner):
        return Citation(format=OWN, raw=Raw(encode(annotation)))
    return Citation(
        text_in(inner, "url"),
        text_in(inner, "title"),
        text_in(inner, "content"),
        integer_in(inner, "start_index", -1),
        integer_in(inner, "end_index", -1),
    )


def _read_image(item: dict[str, Any]) -> Image | None:
    inner = item.get("image_url")
    url = text_in(inner, "url") if is_object(inner) else inner
    return Image(source_of(url)) if type(url) is str and url else None


def _read_search(page: dict[str, Any], number: int) -> SearchResult:
    return SearchResult(
        text_in(page, "url") or text_in(page, "link"),
        text_in(page, "title"),
        text_in(page, "site_name") or text_in(page, "media"),
        text_in(page, "icon"),
        integer_in(page, "index", number),
    )
