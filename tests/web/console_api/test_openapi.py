import re

from tests.web.console_site import Site


async def test_the_document_describes_every_route_with_its_errors(site: Site):
    document = await site.visitor().get("/openapi.json")

    assert document["openapi"].startswith("3.1")
    ids: list[str] = []
    for path, operations in document["paths"].items():
        assert path.startswith("/console/api/")
        for method, operation in operations.items():
            assert re.match(r"^[A-Z].*[^.]$", operation["summary"]), f"{method} {path}"
            assert operation["tags"], f"{method} {path}"
            assert operation["responses"]["default"]["content"]["application/json"]["schema"]
            ids.append(operation["operationId"])
    assert len(ids) == len(set(ids))


async def test_an_unknown_path_and_a_wrong_method_have_the_shape_of_every_error(site: Site):
    visitor = site.visitor()
    await visitor.begin()

    assert await visitor.refused("GET", "/nothing/here") == (404, "not_found")
    assert await visitor.refused("PUT", "/session") == (405, "method_not_allowed")


async def test_a_body_that_is_no_json_or_lacks_a_field_is_named(site: Site):
    visitor = site.visitor()
    await visitor.begin()

    assert await visitor.refused("POST", "/session", {"email": "a@b.example"}) == (400, "invalid_request")
    assert await visitor.refused("POST", "/session", {"email": "a\0@b.example", "password": "x"}) == (
        400,
        "bad_character",
    )
    for body in (b"{", b"[" * 100_000, b'{"email":' * 100_000):
        broken = await visitor.client.post("/console/api/session", content=body)
        assert (broken.status_code, broken.json()["error"]["code"]) == (400, "invalid_request")
