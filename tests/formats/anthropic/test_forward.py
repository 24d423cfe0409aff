"""The same-format lane changes the model's name and nothing else."""

from tokengate.core.splice import Members
from tokengate.formats.anthropic.forward import FORWARDING

BODY = (
    b'{ "model" : "ours","max_tokens": 9, '
    b'"messages":[{"role":"user","content":"\\u00e9 \\"model\\": 1"}], "odd": [1,2] }'
)


def test_a_request_differs_only_by_its_model() -> None:
    sent = FORWARDING.forward_chat(Members(BODY), model="theirs", output_cap=None)

    assert sent == BODY.replace(b'"ours"', b'"theirs"')


def test_a_lowered_cap_is_written() -> None:
    sent = FORWARDING.forward_chat(Members(BODY), model="ours", output_cap=3)

    assert sent == BODY.replace(b": 9", b": 3")


def test_a_message_is_renamed_wherever_its_model_stands() -> None:
    whole = b'{"id":"msg_1","model":"theirs","content":[{"type":"text","text":"\\"model\\":\\"theirs\\""}]}'
    start = b'{"type":"message_start","message":' + whole + b"}"

    assert FORWARDING.rename_model(whole, "ours") == whole.replace(b'"theirs"', b'"ours"', 1)
    assert FORWARDING.rename_model(start, "ours") == start.replace(b'"theirs"', b'"ours"', 1)


def test_what_has_no_model_stays_as_it_is() -> None:
    for data in (b'{"type":"ping"}', b'{"text":"\\"model\\""}', b'{"model"', b"[]", b'{"message":{"a":"model"}}'):
        assert FORWARDING.rename_model(data, "ours") == data
