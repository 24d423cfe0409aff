"""What is read out of a sample is what the sample sends: whatever is wrong with it is not read as right."""

import pytest

from tests.samples.extracted import Unreadable, read_request
from tests.samples.kinds import Kind
from tests.samples.portal import Portal
from tests.samples.variants import REPLAYED, Variant, case_id

CHAT = Kind("chat.completions")

# A statement of each language without which its body is not sent.
SENDING = {
    "csharp.httpclient": 'request.Content = new StringContent(body, Encoding.UTF8, "application/json");',
    "csharp.restsharp": "request.AddStringBody(body, DataFormat.Json);",
    "objective-c.nsurlsession": "request.HTTPBody = [body dataUsingEncoding:NSUTF8StringEncoding];",
    "ocaml.cohttp": " ~body",
    "rust.reqwest": ".body(body)",
}


@pytest.mark.parametrize(("variant", "statement"), SENDING.items())
def test_a_body_that_is_not_sent_is_noticed(portal: Portal, variant: str, statement: str):
    code = portal.samples(CHAT)[variant].code
    assert statement in code

    with pytest.raises(Unreadable):
        read_request(variant, code.replace(statement, ""), "sk-test")


@pytest.mark.parametrize("variant", [one for one in REPLAYED if one.language != "http"], ids=case_id)
def test_a_statement_that_nobody_knows_is_noticed(portal: Portal, variant: Variant):
    head, _, rest = portal.samples(CHAT)[variant.id].code.partition("\n")

    with pytest.raises(Unreadable, match="launch"):
        read_request(variant.id, f"{head}\nlaunch(rockets);\n{rest}", "sk-test")


@pytest.mark.parametrize(
    ("variant", "told", "untold"),
    [
        ("swift.urlsession", '"POST"', r'"PO\(x)ST"'),
        ("dart.http", '"POST"', '"PO${x}ST"'),
        ("rust.reqwest", '"Content-Type"', r'"Content\qType"'),
        ("swift.urlsession", '\n"""#.utf8)', '\\#(x)\n"""#.utf8)'),
    ],
)
def test_a_literal_that_is_more_than_its_characters_is_noticed(portal: Portal, variant: str, told: str, untold: str):
    code = portal.samples(CHAT)[variant].code
    assert told in code

    with pytest.raises(Unreadable):
        read_request(variant, code.replace(told, untold), "sk-test")


def test_the_key_is_read_from_the_environment_only(portal: Portal):
    for variant in REPLAYED:
        request = read_request(variant.id, portal.samples(CHAT)[variant.id].code, "sk-of-the-reader")

        assert request.headers["Authorization"] == "Bearer sk-of-the-reader"
