"""Samples in the languages that need a toolchain of their own are built and run like the others."""

import pytest

from tests.samples.checks import check_run
from tests.samples.kinds import AWKWARD, Kind
from tests.samples.portal import Portal
from tests.samples.record import Record
from tests.samples.variants import RUN_WITH_TOOLCHAINS, Variant, case_id, cases

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("variant", "kind"), cases(RUN_WITH_TOOLCHAINS), ids=case_id)
def test_a_sample_is_built_and_shows_the_answer(portal: Portal, record: Record, variant: Variant, kind: Kind):
    check_run(portal, variant, kind)

    record.passed(variant, kind)


@pytest.mark.parametrize("variant", RUN_WITH_TOOLCHAINS, ids=case_id)
def test_every_character_reaches_the_model(portal: Portal, variant: Variant):
    check_run(portal, variant, AWKWARD)
