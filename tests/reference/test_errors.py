"""The status-code page is the error tree of the code."""

import msgspec

from tokengate.core import errors
from tokengate.core.errors import GatewayError
from tokengate.reference.errors import statuses, statuses_of
from tokengate.reference.words import operation_words, status_words
from tokengate.web.errors import error_body


def below(kind: type[GatewayError]) -> set[type[GatewayError]]:
    mine = {child for child in kind.__subclasses__() if child.__module__ == errors.__name__}
    return mine | {one for child in mine for one in below(child)}


def test_every_class_of_the_tree_has_words_and_is_on_the_page():
    names = {kind.__name__ for kind in below(GatewayError)} | {"GatewayError"}

    assert {status.name for status in statuses()} == names
    assert set(status_words()) == names
    for words in status_words().values():
        assert all(text.zh and text.en for text in (words.title, words.meaning, words.remedy))


def test_examples_are_bodies_as_callers_get_them():
    bad_key = next(status for status in statuses() if status.name == "BadKey")

    assert bad_key.example == msgspec.json.decode(error_body(errors.BadKey()))


def test_operations_name_classes_that_there_are():
    for words in operation_words().values():
        assert [status.status for status in statuses_of(words.errors)] == sorted(
            status.status for status in statuses_of(words.errors)
        )
