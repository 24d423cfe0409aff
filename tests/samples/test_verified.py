"""What pages say of how their samples were verified is true of the samples as they are now."""

from pathlib import Path

import pytest

from tests.samples.kinds import AWKWARD
from tests.samples.portal import Portal
from tests.samples.record import Record, hash_of, read_rows
from tests.samples.variants import VARIANTS, Variant, case_id, cases


@pytest.mark.parametrize("variant", VARIANTS, ids=case_id)
def test_a_sample_is_what_was_verified(portal: Portal, variant: Variant):
    row = read_rows().get(variant.id)

    assert row is not None, f"{variant.id} was never verified: make samples"
    assert row["how"] == variant.how
    assert row["hash"] == hash_of(portal, variant), f"{variant.id} was changed since it was verified: make samples"
    assert set(row["operations"]) <= {kind.shown for kind in variant.kinds}


def test_only_a_library_whose_samples_all_passed_is_recorded(portal: Portal, tmp_path: Path):
    file = tmp_path / "verified.json"
    file.write_text('{"cobol.none": {}}')
    one, other = VARIANTS[:2]
    record = Record()
    for variant, kind in cases((one, other))[:-1]:
        record.passed(variant, kind)

    record.write(portal, file)

    assert list(read_rows(file)) == [one.id]
    assert read_rows(file)[one.id]["hash"] == hash_of(portal, one)
    assert AWKWARD.shown in read_rows(file)[one.id]["operations"]
