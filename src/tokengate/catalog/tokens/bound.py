"""A number of prompt tokens that is never too low, for holds. It must never be used as a bill."""

from tokengate.catalog.tokens.pdf import pages_of_base64

_TEMPLATE_TOKENS = 512  # a chat template's own text: default system prompt, dates, the opening of the reply
_TOKENS_PER_MESSAGE = 16  # its marks around one message; known templates write 3 to 9
_TOOLS_TOKENS = 1_024  # its instructions on how to call tools; known vendors add 150 to 600
_TOOL_EXPANSION = 2  # tools are written again, indented or with escaped characters
# A page of a PDF is read as text and as a picture (Anthropic, OpenAI) or as a picture alone (Gemini). Text: Anthropic
# names 1,500 to 3,000 tokens a page (docs.anthropic.com, build-with-claude/pdf-support). Its picture: 3,779 at OpenAI
# (1,536 patches x 2.46), 2,240 at Gemini, less at Anthropic.
_TOKENS_PER_PAGE = 8_000
_MOST_PAGES = 1_000  # Gemini takes so many in a file; Anthropic 100 or 600 in a request
_PAGES_UNSEEN = 100  # of a document whose bytes are elsewhere
# Qwen3-VL looks at 2,000 frames at most, of 128 x 1.05 tokens for each pair and a time stamp; Gemini at eight minutes.
_TOKENS_PER_FILM = 144_000
# Gemini hears 32 tokens a second, the most of all; a second of sound has hardly fewer characters of base64 than 800
# (4.8 kbit/s).
_CHARACTERS_PER_SECOND = 800
_TOKENS_PER_SECOND = 32
_SECONDS_UNSEEN = 1_800  # of sound whose bytes are elsewhere


def document_bound(base64: str | None) -> int:
    """Return a bound for a document; `base64` is None when its bytes are elsewhere.

    Pages are counted where a PDF tells them; other documents are text, with no more tokens than bytes.
    """
    pages = 0 if base64 is None else pages_of_base64(base64)
    if pages is None:
        return len(base64 or "")
    return min(pages or _PAGES_UNSEEN, _MOST_PAGES) * _TOKENS_PER_PAGE


def sound_bound(base64: str | None) -> int:
    """Return a bound for sound; `base64` is None when its bytes are elsewhere."""
    seconds = _SECONDS_UNSEEN if base64 is None else len(base64) // _CHARACTERS_PER_SECOND + 1
    return seconds * _TOKENS_PER_SECOND


def prompt_bound(
    body_size_bytes: int,
    *,
    messages: int = 1,
    films: int = 0,
    tools: int = 0,
    media_size_bytes: int = 0,
    media_tokens: int = 0,
) -> int:
    """Return a number of prompt tokens that no backend exceeds for this request body.

    Every token of a byte-level tokenizer (OpenAI, Qwen, DeepSeek, GLM, Llama 3, SmolLM) stands for at least one byte of
    text, and a string in JSON is never shorter than its text in UTF-8 (an escape is at least as long as what it
    stands for), so the text has at most as many tokens as the body has bytes. What is not in the body is added
    on top: the template's own text, its marks around each message, and what it writes about tools. `films` counts every
    whole film; `media_tokens` is the bound of documents and sound. The bytes of media inside the body
    (`media_size_bytes`, base64) are no text and may be left out. Pictures are not in it: see `picture_bound`. Two
    things stay outside: what a vendor adds by itself, such as search results, and tokenizers that first replace rare
    ligatures by longer text; a bill above its hold is what the ledger's overrun is for.
    """
    text_bytes = body_size_bytes - media_size_bytes
    assert text_bytes >= 0, "media lies within the body"
    bound = text_bytes + _TEMPLATE_TOKENS + _TOKENS_PER_MESSAGE * messages
    bound += _TOKENS_PER_FILM * films + media_tokens
    if tools:
        bound += (_TOOL_EXPANSION - 1) * text_bytes + _TOOLS_TOKENS
    return bound
