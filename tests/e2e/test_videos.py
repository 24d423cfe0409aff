"""Films through a running gateway: what callers are told, what vendors are asked, and what it costs."""

import base64
from collections.abc import Generator
from typing import Any

import httpx
import pytest
from msgspec import Struct

from tests.e2e.gateway import GatewayProcess
from tests.simulators.film_upstream import FAILED, KEY, WAN, FilmSimulator
from tests.simulators.films import Seen, seen
from tests.simulators.image_upstream import png
from tests.simulators.openai_upstream import ThreadedUpstream

SORA, OURS = "sora-2", "wan-t2v"


class Place(Struct, frozen=True):
    client: httpx.Client
    stranger: httpx.Client  # of another org
    poor: httpx.Client
    sora: FilmSimulator
    omni: FilmSimulator


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    sora, omni = FilmSimulator("openai", looks=1), FilmSimulator("vllm", looks=1)
    with ThreadedUpstream(sora) as first, ThreadedUpstream(omni) as second:
        config = (
            f'[[upstream]]\nname = "openai"\nprovider = "openai"\nbase_url = "{first.url}"\napi_key = "{KEY}"\n'
            f'models = ["{SORA}"]\n'
            f'[[upstream]]\nname = "omni"\nprovider = "vllm"\nbase_url = "{second.url}"\napi_key = "{KEY}"\n'
            f'models = {{ {OURS} = "{WAN}" }}\n'
        )
        with (
            GatewayProcess(tmp_path_factory.mktemp("films"), config) as gateway,
            _client(gateway, gateway.create_key("100")) as client,
            _client(gateway, _strangers_key(gateway)) as stranger,
            _client(gateway, gateway.create_key("1")) as poor,
        ):
            yield Place(client, stranger, poor, sora, omni)


def _strangers_key(gateway: GatewayProcess) -> str:
    org = gateway.command("orgs", "create", "--name", "Others")["id"]
    return gateway.command("keys", "create", "--name", "stranger", "--org", org, "--balance", "100")["key"]


def _client(gateway: GatewayProcess, key: str) -> httpx.Client:
    return httpx.Client(base_url=gateway.url, headers={"authorization": f"Bearer {key}"}, timeout=30.0)


def submit(place: Place, **asked: Any) -> httpx.Response:
    return place.client.post("/v1/videos", json={"model": OURS, "prompt": "a cat", "size": "832x480", **asked})


def ended(place: Place, answer: httpx.Response) -> dict[str, Any]:
    """Follow a film to its end: the gateway sends an event for each step."""
    assert answer.status_code == 200, answer.text
    id = answer.json()["id"]
    with place.client.stream("GET", f"/v1/jobs/{id.replace('video_', 'job_')}/events") as events:
        events.read()
    return place.client.get(f"/v1/videos/{id}").json()


def error(answer: httpx.Response) -> dict[str, Any]:
    return answer.json()["error"]


def test_a_film_is_held_for_and_billed_by_its_seconds(place: Place):
    before = place.client.get("/v1/balance").json()

    answer = submit(place, seconds="5")
    film = ended(place, answer)
    record = place.client.get(f"/v1/usage/{film['id'].replace('video_', 'job_')}").json()

    assert float(before["balance"]) - float(answer.headers["x-account-balance"]) == pytest.approx(1.5)
    assert (film["status"], film["seconds"], film["size"]) == ("completed", "5", "832x480")
    assert (record["endpoint"], record["cost"]) == ("videos", "1.5")
    line = record["bill"]["lines"][0]
    assert (line["word"], line["units"], line["price"], line["amount"]) == ("second", 5, "0.3", "1.5")


def test_a_film_that_fails_costs_nothing_and_says_why(place: Place):
    before = place.client.get("/v1/balance").json()

    film = ended(place, submit(place, prompt="FAIL"))

    assert film["status"] == "failed"
    assert film["error"]["message"] == FAILED[1]
    assert place.client.get("/v1/balance").json()["balance"] == before["balance"]


def test_a_film_that_is_late_is_fetched_later(place: Place):
    film = ended(place, submit(place, prompt="LATE", seconds="4"))

    assert film["status"] == "completed"
    assert seen(place.client.get(f"/v1/videos/{film['id']}/content").content) == Seen(4.0, 832, 480)


def test_a_part_of_a_film_is_downloaded(place: Place):
    film = ended(place, submit(place))
    path = f"/v1/videos/{film['id']}/content"

    whole = place.client.get(path)
    part = place.client.get(path, headers={"range": "bytes=4-7"})
    head = place.client.head(path)
    behind = place.client.get(path, headers={"range": "bytes=99999999-"})

    assert whole.headers["content-type"] == "video/mp4"
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(whole.content)), b"")
    assert behind.status_code == 416


def test_a_preview_that_the_model_does_not_give_is_not_there(place: Place):
    film = ended(place, submit(place))

    absent = place.client.get(f"/v1/videos/{film['id']}/content?variant=thumbnail")
    unknown = place.client.get(f"/v1/videos/{film['id']}/content?variant=poster")

    assert (absent.status_code, error(absent)["param"]) == (404, "variant")
    assert (unknown.status_code, error(unknown)["param"]) == (400, "variant")


def test_a_form_with_a_picture_reaches_the_vendor(place: Place):
    picture = png(832, 480)
    answer = place.client.post(
        "/compatible-mode/v1/videos",
        data={"model": OURS, "prompt": "a cat", "seed": "7", "guidance_scale": "4.5", "style": "oil"},
        files={"input_reference": ("cat.png", picture, "image/png")},
    )

    assert answer.status_code == 200, answer.text
    assert place.omni.files[-1][0][1:] == ("image/png", picture)
    assert place.omni.asked[-1] == {
        "model": WAN,
        "prompt": "a cat",
        "seconds": "4",
        "seed": "7",
        "guidance_scale": "4.5",
    }
    assert answer.headers["x-tokengate-warning"] == "dropped, omni has no such parameter: style"


def test_the_other_base_paths_show_the_same_films(place: Place):
    film = ended(place, submit(place))

    for base in ("/v1", "/api/gpt/v1", "/compatible-mode/v1"):
        assert place.client.get(f"{base}/videos/{film['id']}").json() == film
        assert place.client.get(f"{base}/videos?limit=1").json()["data"][0]["id"] == film["id"]


def test_another_projects_film_is_not_there(place: Place):
    film = ended(place, submit(place))

    for path in (f"/v1/videos/{film['id']}", f"/v1/videos/{film['id']}/content"):
        answer = place.stranger.get(path)
        assert (answer.status_code, error(answer)["code"]) == (404, "not_found")
    assert place.stranger.delete(f"/v1/videos/{film['id']}").status_code == 404
    assert place.stranger.post(f"/v1/videos/{film['id']}/remix", json={"prompt": "a dog"}).status_code == 404
    assert place.stranger.get("/v1/videos").json()["data"] == []


def test_a_remix_goes_to_the_backend_that_has_the_film(place: Place):
    film = ended(place, submit(place, model=SORA, seconds="8", size="1280x720"))

    remix = ended(place, place.client.post(f"/v1/videos/{film['id']}/remix", json={"prompt": "a dog"}))
    record = place.client.get(f"/v1/usage/{remix['id'].replace('video_', 'job_')}").json()

    assert (remix["seconds"], remix["size"], remix["remixed_from_video_id"]) == ("8", "1280x720", film["id"])
    assert place.sora.asked[-1] == {"prompt": "a dog"}
    assert place.sora.videos[max(place.sora.videos)].remixed_from is not None
    assert record["bill"]["lines"][0]["units"] == 8


def test_a_backend_without_remixes_refuses_one_by_name(place: Place):
    film = ended(place, submit(place))

    answer = place.client.post(f"/v1/videos/{film['id']}/remix", json={"prompt": "a dog"})

    assert answer.status_code == 400
    assert error(answer)["message"] == "'video' cannot be remixed: omni has no remixes."


def test_a_film_that_is_not_done_cannot_be_changed(place: Place):
    film = submit(place, model=SORA, prompt="STAY", size="1280x720").json()

    answer = place.client.post("/v1/videos/edits", json={"prompt": "a dog", "video": {"id": film["id"]}})

    assert (answer.status_code, error(answer)["code"]) == (409, "video_not_ready")


def test_what_a_vendor_lacks_is_dropped_or_refused_by_name(place: Place):
    dropped = submit(place, model=SORA, size="1280x720", seconds="4", seed=7)
    refused = submit(place, model=SORA, size="1280x720", negative_prompt="dogs")

    assert dropped.headers["x-tokengate-warning"] == "dropped, openai has no such parameter: seed"
    assert (refused.status_code, error(refused)["param"]) == (400, "negative_prompt")


@pytest.mark.parametrize(
    ("method", "path", "status", "param"),
    [
        ("GET", "/v1/videos/video_1", 404, "video_id"),
        ("GET", "/v1/videos/video_1/content", 404, "video_id"),
        ("DELETE", "/v1/videos/%2e%2e", 404, "video_id"),
        ("GET", "/v1/videos/characters/char_1", 404, "video_id"),
        ("GET", "/v1/videos?limit=0", 400, "limit"),
        ("GET", "/v1/videos?limit=101", 400, "limit"),
        ("GET", "/v1/videos?after=x", 400, "after"),
        ("GET", "/v1/videos?order=up", 400, "order"),
    ],
)
def test_what_does_not_exist_is_refused_by_name(place: Place, method: str, path: str, status: int, param: str):
    answer = place.client.request(method, path)

    assert (answer.status_code, error(answer)["param"]) == (status, param)


@pytest.mark.parametrize(
    ("picture", "code"),
    [
        (b"GIF but no", "invalid_image_format"),
        (png(64, 64)[:-20], "invalid_image"),
    ],
)
def test_what_is_no_picture_is_refused_before_anything_is_held(place: Place, picture: bytes, code: str):
    asked = len(place.omni.asked)

    answer = submit(place, input_reference=f"data:image/png;base64,{base64.b64encode(picture).decode()}")

    assert (answer.status_code, error(answer)["code"], error(answer)["param"]) == (400, code, "input_reference")
    assert len(place.omni.asked) == asked


def test_a_film_that_the_wallet_cannot_pay_is_refused(place: Place):
    asked = len(place.omni.asked)

    answer = place.poor.post("/v1/videos", json={"model": OURS, "prompt": "a cat", "size": "832x480", "seconds": 5})

    assert (answer.status_code, error(answer)["code"]) == (402, "insufficient_balance")
    assert len(place.omni.asked) == asked


def test_the_same_idempotency_key_makes_one_film(place: Place):
    asked = {"model": OURS, "prompt": "once", "size": "832x480"}

    answers = [place.client.post("/v1/videos", json=asked, headers={"idempotency-key": "film-1"}) for _ in range(2)]

    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert answers[1].headers["idempotent-replayed"] == "true"
    assert [one["prompt"] for one in place.omni.asked].count("once") == 1
