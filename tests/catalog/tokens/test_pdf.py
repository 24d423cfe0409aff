"""Pages of a PDF, and the bounds of documents, sound and films that holds take."""

import zlib
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokengate.catalog.model import Model
from tokengate.catalog.tokens import count_chat, document_bound, prompt_bound, sound_bound
from tokengate.catalog.tokens.pdf import pages_of, pages_of_base64
from tokengate.core.chat import Chat, Message
from tokengate.core.parts import Data, File, Source, Url

OPEN_PAGES = b"".join(b"%d 0 obj\n<< /Type /Page /Parent 1 0 R >>\nendobj\n" % number for number in range(2, 14))
PLAIN = b"%PDF-1.4\n1 0 obj\n<< /Type /Pages /Kids [] /Count 12 >>\nendobj\n" + OPEN_PAGES + b"%%EOF"


def packed(objects: bytes) -> bytes:
    """A PDF whose objects lie in a compressed stream, as PDF 1.5 writes them."""
    stream = zlib.compress(objects)
    head = b"%%PDF-1.5\n9 0 obj\n<< /Type /ObjStm /N 3 /Filter /FlateDecode /Length %d >>\nstream\r\n" % len(stream)
    return head + stream + b"\nendstream\nendobj\n%%EOF"


@pytest.mark.parametrize(
    ("data", "pages"),
    [
        (PLAIN, 12),
        (PLAIN.replace(b"/Count 12", b"/Count 1"), 12),  # as many as are there, whatever the tree says
        (PLAIN.replace(OPEN_PAGES, b""), 12),
        (packed(OPEN_PAGES), 12),
        (packed(b"<< /Type /Pages /Count 7 >>"), 7),
        (b"%PDF-1.7\n<< /Type /ObjStm >>\nstream\n never deflated \nendstream", 0),
        (b"%PDF-1.7 and nothing", 0),
        (b"A text about /Type /Page", None),
    ],
)
def test_pages_are_counted_open_or_packed(data: bytes, pages: int | None) -> None:
    assert pages_of(data) == pages
    assert pages_of_base64(b64encode(data).decode()) == pages


def test_an_object_stream_that_inflates_without_end_is_read_so_far() -> None:
    bomb = packed(b"0" * 200_000_000)

    assert pages_of(bomb + OPEN_PAGES) == 12


@given(st.binary(), st.integers(0, len(PLAIN)))
def test_whatever_the_bytes_are_a_number_comes_out(noise: bytes, at: int) -> None:
    found = pages_of(PLAIN[:at] + noise + PLAIN[at:])

    assert found is None or found >= 0
    assert pages_of_base64(noise.decode("latin-1")) is None or noise


def test_a_page_is_held_for_as_much_as_vendors_ask() -> None:
    dear = 3_000 + 3_779  # a dense page's text (Anthropic) and the dearest picture of a page (OpenAI's patches)

    assert document_bound(b64encode(PLAIN).decode()) >= 12 * dear
    assert document_bound(b64encode(packed(OPEN_PAGES)).decode()) == document_bound(b64encode(PLAIN).decode())
    assert document_bound(None) >= 100 * dear  # at an address: as many pages as Anthropic takes in a request
    assert document_bound(b64encode(b"%PDF-1.7 encrypted").decode()) == document_bound(None)
    assert document_bound(b64encode(b"%PDF-1.4 /Count 999999").decode()) == 10 * document_bound(None)


def test_a_document_that_is_text_has_no_more_tokens_than_bytes() -> None:
    text = b64encode(b"word " * 1_000).decode()

    assert 5_000 <= document_bound(text) == len(text)


def test_sound_is_held_by_its_length() -> None:
    minute_of_mp3 = "x" * (60 * 16_000 * 4 // 3)  # 128 kbit/s

    assert sound_bound(minute_of_mp3) >= 60 * 32
    assert sound_bound(None) >= 30 * 60 * 32


def test_a_film_is_held_for_all_its_frames() -> None:
    pairs_of_frames, least_tokens, stamp = 1_000, 134, 9

    assert prompt_bound(0, films=1) - prompt_bound(0) >= pairs_of_frames * (least_tokens + stamp)


@pytest.mark.parametrize(
    ("model", "page_tokens"), [("claude-opus-4-6", 2_250), ("gemini-2.5-flash", 258), ("gemini-3-flash-preview", 560)]
)
def test_a_pdf_is_estimated_by_its_pages(model: str, page_tokens: int) -> None:
    def tokens(source: Source) -> int:
        chat = Chat(format="x", model="m", messages=(Message("user", (File(source),)),))
        return count_chat(chat, Model(id=model, kind="chat", vendor="v", name="M")).tokens

    inside, elsewhere = Data("application/pdf", b64encode(PLAIN).decode()), Url("https://a/b.pdf")

    assert tokens(inside) - tokens(elsewhere) == (12 - 4) * page_tokens
