"""The requests of samples whose languages have no toolchain here are read out of them and sent."""

import pytest

from tests.samples.checks import check_replayed
from tests.samples.kinds import AWKWARD, Kind
from tests.samples.portal import Portal
from tests.samples.record import Record
from tests.samples.variants import REPLAYED, Variant, case_id, cases


@pytest.mark.parametrize(("variant", "kind"), cases(REPLAYED), ids=case_id)
def test_a_samples_request_is_answered_like_the_others(portal: Portal, record: Record, variant: Variant, kind: Kind):
    check_replayed(portal, variant, kind)

    record.passed(variant, kind)


@pytest.mark.parametrize("variant", REPLAYED, ids=case_id)
def test_every_character_reaches_the_model(portal: Portal, variant: Variant):
    check_replayed(portal, variant, AWKWARD)
