"""The pages of music in the reference are made of the portal's data."""

import pytest

from tokengate.reference.words import Lang
from tools.music_reference import LANGS, page, path


@pytest.mark.parametrize("lang", LANGS)
def test_the_page_is_up_to_date(lang: Lang) -> None:
    assert path(lang).read_text(encoding="utf-8") == page(lang), "run `python tools/music_reference.py`"
