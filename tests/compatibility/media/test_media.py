"""Every format of callers with every vendor that makes media: each capability comes to what the committed matrix says,
and nothing is lost without a word. `make compatibility` writes the matrix anew.
"""

import pytest

from tests.compatibility.conftest import Found
from tests.compatibility.media.document import makers, page, path, read_cells
from tests.compatibility.media.rows import SECTIONS, Section
from tests.compatibility.media.run import Place
from tests.compatibility.media.vendors import VENDORS, Vendor
from tokengate.providers.load import all_providers

COLUMNS = [
    pytest.param(section, vendor, id=f"{section.id}-{vendor.id}") for section in SECTIONS for vendor in makers(section)
]


@pytest.mark.parametrize(("section", "vendor"), COLUMNS)
def test_a_slice_of_the_matrix_is_what_the_gateway_does(section: Section, vendor: Vendor, media: Place) -> None:
    row = section.rows[0]

    assert media.cell(section, vendor, row) == read_cells()[section.id][row.id][vendor.id]


@pytest.mark.slow
@pytest.mark.parametrize(("section", "vendor"), COLUMNS)
def test_the_whole_matrix_is_what_the_gateway_does(
    section: Section, vendor: Vendor, media: Place, found_media: Found | None
) -> None:
    cells = {row.id: media.cell(section, vendor, row) for row in section.rows}

    if found_media is not None:
        for name, cell in cells.items():
            found_media.setdefault(section.id, {}).setdefault(name, {})[vendor.id] = cell
        return
    committed = read_cells()[section.id]
    assert cells == {name: committed[name][vendor.id] for name in cells}


def test_no_cell_is_unknown() -> None:
    cells = read_cells()

    for section in SECTIONS:
        assert cells[section.id].keys() == {row.id for row in section.rows}
        assert all(row.keys() == {vendor.id for vendor in makers(section)} for row in cells[section.id].values())


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_pages_are_made_of_the_matrix(lang: str) -> None:
    assert lang in ("en", "zh")

    assert path(lang).read_text() == page(read_cells(), lang)


def test_every_provider_that_makes_media_is_a_column() -> None:
    same = {"dashscope"}  # makes what `dashscope_native` makes, by the same formats
    making = {
        name
        for name, vendor in all_providers().items()
        if vendor.images or vendor.speech or vendor.jobs or vendor.transcription
    }

    assert {vendor.provider for vendor in VENDORS} == making - same
    known = {f"{section.id}.{row.id}" for section in SECTIONS for row in section.rows}
    assert all(vendor.lacks <= known for vendor in VENDORS)
