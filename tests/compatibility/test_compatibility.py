"""Every format of callers with every vendor: each capability comes to what the committed matrix says, and nothing is
lost without a word. `make compatibility` writes the matrix anew.
"""

import pytest

from tests.compatibility.capabilities import CAPABILITIES, GROUPS
from tests.compatibility.clients import CLIENTS, Client
from tests.compatibility.conftest import Found
from tests.compatibility.document import page, path, read_cells
from tests.compatibility.run import Place
from tests.compatibility.vendors import VENDORS, Vendor
from tokengate.providers.load import all_providers

every_client = pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
every_vendor = pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.id)


@every_client
@every_vendor
def test_a_slice_of_the_matrix_is_what_the_gateway_does(client: Client, vendor: Vendor, place: Place) -> None:
    committed = read_cells()[client.name]
    told = [one for one in CAPABILITIES if one.slice and client.name in one.asks]

    cells = {one.id: place.cell(client, vendor, one) for one in told}

    assert cells == {name: committed[name][vendor.id] for name in cells}


@pytest.mark.slow
@every_client
@every_vendor
def test_the_whole_matrix_is_what_the_gateway_does(
    client: Client, vendor: Vendor, place: Place, found: Found | None
) -> None:
    told = [one for one in CAPABILITIES if client.name in one.asks]

    cells = {one.id: place.cell(client, vendor, one) for one in told}

    if found is not None:
        for name, cell in cells.items():
            found.setdefault(client.name, {}).setdefault(name, {})[vendor.id] = cell
        return
    committed = read_cells()[client.name]
    assert cells == {name: committed[name][vendor.id] for name in cells}


def test_no_cell_is_unknown() -> None:
    cells = read_cells()

    for client in CLIENTS:
        told = {one.id for one in CAPABILITIES if client.name in one.asks}
        assert cells[client.name].keys() == told
        assert all(row.keys() == {vendor.id for vendor in VENDORS} for row in cells[client.name].values())


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_pages_are_made_of_the_matrix(lang: str) -> None:
    assert lang in ("en", "zh")

    assert path(lang).read_text() == page(read_cells(), lang)


def test_every_provider_is_a_column_and_every_capability_has_its_place() -> None:
    engines = {"local"}  # the models in this process, which the tests of the engines ask
    chats = {name for name, provider in all_providers().items() if provider.formats}

    assert {vendor.provider for vendor in VENDORS} == chats - engines
    assert len({one.id for one in CAPABILITIES}) == len(CAPABILITIES)
    assert {one.group for one in CAPABILITIES} == GROUPS.keys()
    for vendor in VENDORS:
        assert vendor.lacks <= {one.id for one in CAPABILITIES}, vendor.id
