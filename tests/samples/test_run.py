"""Samples in the shell, in JavaScript and in Python are run as the page shows them against a running gateway."""

import pytest

from tests.samples.checks import check_run
from tests.samples.kinds import AWKWARD, Kind
from tests.samples.portal import Portal
from tests.samples.record import Record
from tests.samples.variants import RUN_AT_ONCE, Variant, case_id, cases


@pytest.mark.parametrize(("variant", "kind"), cases(RUN_AT_ONCE), ids=case_id)
def test_a_sample_shows_the_answer(portal: Portal, record: Record, variant: Variant, kind: Kind):
    check_run(portal, variant, kind)

    record.passed(variant, kind)


@pytest.mark.parametrize("variant", [one for one in RUN_AT_ONCE if one.has(AWKWARD)], ids=case_id)
def test_every_character_reaches_the_model(portal: Portal, variant: Variant):
    check_run(portal, variant, AWKWARD)
