"""No endpoint and no language is without a test of its samples."""

from tests.samples.kinds import SERVED, UNSHOWN, kinds
from tests.samples.portal import Portal
from tests.samples.variants import VARIANTS


def test_every_operation_that_is_served_has_samples_that_are_tested(portal: Portal):
    assert sorted(portal.served()) == sorted([*SERVED, *UNSHOWN])


def test_every_sample_of_a_page_is_tested(portal: Portal):
    for kind in kinds():
        tested = [variant.id for variant in VARIANTS if kind in variant.kinds]

        assert sorted(portal.samples(kind)) == sorted(tested), kind
