from collections import Counter

from tokengate.reference.kinds import operation_of
from tokengate.reference.table import TABLE
from tokengate.reference.words import groups, operation_words


def test_every_operation_has_words_and_every_word_an_operation():
    described = Counter(words.id for group in groups() for words in group.operation)

    assert set(described) == {operation.id for operation in TABLE}
    assert max(described.values()) == 1


def test_ids_are_unique_and_found():
    assert len({operation.id for operation in TABLE}) == len(TABLE)
    assert all(operation_of(operation.id) is operation for operation in TABLE)


def test_path_parameters_are_described():
    for operation in TABLE:
        fields = {field.name for field in operation_words()[operation.id].path}

        assert fields == {part.partition("}")[0] for part in operation.path.split("{")[1:]}, operation.id


def test_both_languages_say_everything():
    for words in operation_words().values():
        for text in (words.title, words.summary, words.description):
            assert bool(text.zh) == bool(text.en), words.id
        assert words.title.zh and words.summary.zh, words.id
        for field in (*words.path, *words.query, *words.body):
            assert field.zh and field.en, f"{words.id}: {field.name}"
