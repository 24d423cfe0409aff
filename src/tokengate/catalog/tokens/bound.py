"""A number of prompt tokens that is never too low, for holds. It must never be used as a bill."""

_TEMPLATE_TOKENS = 512  # a chat template's own text: default system prompt, dates, the opening of the reply
_TOKENS_PER_MESSAGE = 16  # its marks around one message; known templates write 3 to 9
_TOOLS_TOKENS = 1_024  # its instructions on how to call tools; known vendors add 150 to 600
_TOOL_EXPANSION = 2  # tools are written again, indented or with escaped characters
_TOKENS_PER_IMAGE = 24_600  # 10,000 patches x 2.46, the dearest published rule; Qwen-VL stops at 16,386


def prompt_bound(
    body_size_bytes: int, *, messages: int = 1, images: int = 0, tools: int = 0, media_size_bytes: int = 0
) -> int:
    """Return a number of prompt tokens that no backend exceeds for this request body.

    Every token of a byte-level tokenizer (OpenAI, Qwen, DeepSeek, GLM, Llama 3, SmolLM) stands for at least one byte of
    text, and a string in JSON is never shorter than its text in UTF-8 (an escape is at least as long as what it
    stands for), so the text has at most as many tokens as the body has bytes. What is not in the body is added
    on top: the template's own text, its marks around each message, and what it writes about tools. `images` counts
    every picture and video frame; the bytes of media inside the body (`media_size_bytes`, base64) are no text and
    may be left out. Two things stay outside: what a vendor adds by itself, such as search results, and tokenizers that
    first replace rare ligatures by longer text; a bill above its hold is what the ledger's overrun is for.
    """
    text_bytes = body_size_bytes - media_size_bytes
    assert text_bytes >= 0, "media lies within the body"
    bound = text_bytes + _TEMPLATE_TOKENS + _TOKENS_PER_MESSAGE * messages + _TOKENS_PER_IMAGE * images
    if tools:
        bound += (_TOOL_EXPANSION - 1) * text_bytes + _TOOLS_TOKENS
    return bound
