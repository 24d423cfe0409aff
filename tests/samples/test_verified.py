"""What pages say of how their samples were verified is true of the samples as they are now."""

from pathlib import Path

import pytest

from tests.samples.portal import Portal
from tests.samples.record import Record, hash_of, read_rows, shown_by
from tests.samples.variants import VARIANTS, Variant, case_id


@pytest.mark.parametrize("variant", VARIANTS, ids=case_id)
def test_a_sample_is_what_was_verified(portal: Portal, variant: Variant):
    row = read_rows()[variant.id]
    verified = {shown: told.partition(" ")[2] for shown, told in row["operations"].items()}

    now = {shown: hash_of(portal, variant, shown) for shown in shown_by(variant)}

    changed = {shown.partition(":")[0] for shown, told in now.items() if verified.get(shown) != told}
    assert not changed, f"changed since they were verified: make samples ONLY='{' or '.join(sorted(changed))}'"
    assert row["how"] == variant.how
    assert verified.keys() == now.keys()


def test_only_an_operation_whose_samples_all_passed_is_recorded(portal: Portal, tmp_path: Path):
    file = tmp_path / "verified.json"
    one = VARIANTS[0]
    file.write_text(
        f'{{"cobol.none": {{}}, "{one.id}": {{"how": "run", "operations": {{"quote": "0.0 old", "gone": "0.0 old"}}}}}}'
    )
    operations = shown_by(one)
    record = Record()
    for kind in (*operations["chat.completions"][1:], *operations["balance"]):
        record.passed(one, kind)

    record.write(portal, file)

    told = read_rows(file)
    assert list(told) == [one.id]
    assert list(told[one.id]["operations"]) == ["balance", "quote"]
    assert told[one.id]["operations"]["quote"] == "0.0 old"
    assert told[one.id]["operations"]["balance"].endswith(f" {hash_of(portal, one, 'balance')}")
