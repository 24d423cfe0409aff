from tests.reference.shelf import SERVED, SERVER, library, running
from tokengate.reference.collection import collection
from tokengate.reference.table import TABLE


def test_each_operation_is_a_request_once_with_its_body_and_replies():
    made = library().collection("zh", SERVER)

    assert made["info"]["schema"].endswith("/v2.1.0/collection.json")
    items = [item for folder in made["item"] for item in folder["item"]]
    assert len(items) == len(SERVED)
    chat = next(item for item in items if item["request"]["url"]["raw"] == "{{base_url}}/v1/chat/completions")
    assert chat["request"]["body"]["mode"] == "raw" and chat["response"]
    assert {"key": "base_url", "value": SERVER, "type": "string"} in made["variable"]


def test_it_has_the_same_id_for_the_same_gateway():
    one, other = library().collection("zh", SERVER), library().collection("en", SERVER)

    assert one["info"]["_postman_id"] == other["info"]["_postman_id"]
    assert one["info"]["_postman_id"] != library().collection("zh", "https://other")["info"]["_postman_id"]


def test_a_form_is_one_with_its_file_to_be_chosen():
    made = collection(running(served=TABLE), server=SERVER, lang="en")

    requests = [item["request"] for folder in made["item"] for item in folder["item"]]
    edit = next(one for one in requests if one["url"]["raw"].endswith("/images/edits"))
    assert edit["body"]["mode"] == "formdata"
    assert {"key": "image", "type": "file", "src": "picture.png"} in edit["body"]["formdata"]
    assert {"key": "prompt", "type": "text", "value": "Put the dog on a beach"} in edit["body"]["formdata"]
    assert all(header["key"] != "Content-Type" for header in edit["header"])
