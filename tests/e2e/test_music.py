"""Music through a running gateway: what callers are told, what vendors are asked, and what it costs."""

import json
import re
from collections.abc import Generator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from msgspec import Struct

from tests.e2e.gateway import GatewayProcess
from tests.simulators.cqtai_vendor import DOWNBEATS, STEMS, CqtaiSimulator
from tests.simulators.films import film_of
from tests.simulators.music_media import mp3, notes_of, seconds_of, wav
from tests.simulators.music_vendor import KEY
from tests.simulators.openai_upstream import Reply, ThreadedUpstream
from tests.simulators.sunoapi_vendor import SunoApiSimulator
from tokengate.reference.table import TABLE
from tokengate.reference.words import operation_words

SONG = {"prompt": "[Verse]\nla la", "title": "A song", "tags": "pop"}
PRICE = (
    'price = { request = "0.5", when = [{ task = "lyrics", request = "0.02" }, { task = "wav", request = "0.05" }] }'
)


class Place(Struct, frozen=True):
    client: httpx.Client
    stranger: httpx.Client  # of another org
    poor: httpx.Client
    cqtai: CqtaiSimulator
    sunoapi: SunoApiSimulator


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    with ExitStack() as stack:
        cqtai, sunoapi = CqtaiSimulator(looks=1), SunoApiSimulator(looks=1)
        first, second = (stack.enter_context(ThreadedUpstream(one)) for one in (cqtai, sunoapi))
        config = (
            f'[[upstream]]\nname = "one"\nprovider = "cqtai"\nbase_url = "{_host(first)}"\napi_key = "{KEY}"\n'
            f'models = ["sunoV2", "chirp-crow", "chirp-auk"]\n'
            f'[[upstream]]\nname = "two"\nprovider = "sunoapi"\nbase_url = "{_host(second)}"\napi_key = "{KEY}"\n'
            f'models = {{ "chirp-v4" = "chirp-v4" }}\n'
            f'[[model]]\nid = "sunoV2"\n{PRICE}\n'
            '[portal]\nbase_url = "https://ai.example.com"\n[outbound]\nprivate_hosts = ["127.0.0.1"]\n'
        )
        gateway = stack.enter_context(GatewayProcess(tmp_path_factory.mktemp("music"), config))
        org = gateway.command("orgs", "create", "--name", "Others")["id"]
        others = gateway.command("keys", "create", "--name", "stranger", "--org", org, "--balance", "100")["key"]
        keys = gateway.create_key("100"), others, gateway.create_key("0.1")
        client, stranger, poor = (stack.enter_context(_client(gateway, key)) for key in keys)
        yield Place(client, stranger, poor, cqtai, sunoapi)


def _host(upstream: ThreadedUpstream) -> str:
    return upstream.url.removesuffix("/v1")


def _client(gateway: GatewayProcess, key: str) -> httpx.Client:
    return httpx.Client(base_url=gateway.url, headers={"authorization": f"Bearer {key}"}, timeout=30.0)


def submitted(place: Place, name: str, **body: Any) -> str:
    answer = place.client.post(f"/suno/v2/{name}", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"code": "success", "message": "", "data": answer.json()["data"]}
    return answer.json()["data"]


def task(place: Place, task_id: str) -> dict[str, Any]:
    """Follow a task to its end: the gateway sends an event for each step."""
    with place.client.stream("GET", f"/v1/jobs/{task_id}/events") as events:
        events.read()
    return place.client.get(f"/suno/v2/tasks/{task_id}").json()["data"]


def made(place: Place, name: str, **body: Any) -> Any:
    """Return what came of an operation."""
    done = task(place, submitted(place, name, **body))
    assert (done["status"], done["progress"]) == ("SUCCESS", "100%"), done
    return done["data"]


def all_made(place: Place, *asked: tuple[str, dict[str, Any]]) -> list[Any]:
    """Return what came of several operations, which go on at the same time."""
    ids = [submitted(place, name, **body) for name, body in asked]
    return [task(place, id)["data"] for id in ids]


def got(place: Place, url: str) -> httpx.Response:
    """Return a result; its address is the operator's, and good without a key."""
    assert url.startswith("https://ai.example.com/")
    base = str(place.client.base_url).rstrip("/")
    answer = httpx.get(base + url.removeprefix("https://ai.example.com"))
    assert answer.status_code == 200
    return answer


def refused(answer: httpx.Response, status: int, code: str) -> str:
    body = answer.json()
    assert (answer.status_code, body["code"], body["data"]) == (status, code, None), body
    return body["message"]


def bill(place: Place, task_id: str) -> dict[str, Any]:
    return place.client.get(f"/v1/usage/{task_id}").json()


@pytest.fixture(scope="module")
def clip(place: Place) -> str:
    return made(place, "create", **SONG)[0]["id"]


def test_a_song_is_made_kept_and_paid_for(place: Place) -> None:
    before = place.client.get("/v1/balance").json()["balance"]
    task_id = submitted(place, "create", mv="sunoV2", **SONG)
    done = task(place, task_id)

    first, second = done["data"]
    hexadecimal = task_id.removeprefix("job_")
    assert (first["id"], second["id"]) == (f"clip_{hexadecimal}_1", f"clip_{hexadecimal}_2")
    assert (first["title"], first["metadata"]["tags"], first["metadata"]["duration"]) == ("A song", "pop", 91.32)
    sound = got(place, first["audio_url"])
    assert (sound.headers["content-type"], sound.content) == ("audio/mpeg", mp3())
    assert seconds_of(sound.content) == seconds_of(got(place, first["video_url"]).content) == 1
    assert got(place, first["image_url"]).headers["content-type"] == "image/jpeg"
    vendor_ids = {id for one in place.cqtai.tasks.values() for id in (one.id, *one.clips)}
    told = json.dumps(done) + place.client.get(f"/v1/jobs/{task_id}").text
    assert not any(id in told for id in vendor_ids) and "127.0.0.1" not in told.replace(str(place.client.base_url), "")

    line = bill(place, task_id)
    assert (line["endpoint"], line["cost"], done["cost"]) == ("suno.create", "0.5", "0.5")
    after = place.client.get("/v1/balance").json()["balance"]
    assert round((float(before) - float(after)) * 100) == 50


def test_every_operation_on_a_clip(place: Place, clip: str) -> None:
    extended, covers, (section,), parts, instruments, film, sound, timing, beats = all_made(
        place,
        ("extend", {"clip_id": clip, "continue_at": 90, "prompt": "[Chorus]"}),
        ("cover", {"clip_id": clip, "tags": "jazz"}),
        ("replace-section", {"clip_id": clip, "prompt": "x", "infill_start_s": 3, "infill_end_s": 4.5}),
        ("stems", {"clip_id": clip}),
        ("midi", {"clip_id": clip}),
        ("mp4", {"clip_id": clip}),
        ("wav", {"clip_id": clip}),
        ("timing", {"clip_id": clip}),
        ("beats", {"clip_id": clip}),
    )
    (whole,) = made(place, "concat", clip_id=section["id"], is_infill=True)

    assert extended[0]["title"] == "A song" and extended[0]["metadata"]["tags"] == "pop"
    assert len(covers) == 2
    assert got(place, whole["audio_url"]).content == mp3()
    assert [one["title"] for one in parts] == ["(Vocals)", "(Instrumental)"]
    assert len(instruments) == len(STEMS)
    assert notes_of(got(place, instruments[0]["midi_url"]).content) == [[60, 64, 67]]
    assert got(place, film["video_url"]).content == film_of(1, 64, 64)
    assert got(place, sound["wav_url"]).content == wav()
    assert timing["aligned_words"][0]["start_s"] == 9.1
    assert beats == {"downbeats": DOWNBEATS}


def test_uploads_lyrics_and_tags(place: Place) -> None:
    address = "https://files.example.com/mine.mp3"
    lyrics_id = submitted(place, "lyrics", prompt="the moon")
    extended, covers, tags = all_made(
        place,
        ("upload-extend", {"audio_url": address, "continue_at": 60, "prompt": "[Outro]"}),
        ("upload-cover", {"audio_url": address, "tags": "rock"}),
        ("tags", {"tags": "pop"}),
    )
    lyrics = task(place, lyrics_id)["data"]

    assert len(extended) == len(covers) == 2
    assert (lyrics["title"], lyrics["text"], lyrics["tags"]) == ("月光", "[Verse]\nthe moon", ["acoustic pop", "warm"])
    line = bill(place, lyrics_id)
    assert (line["cost"], line["bill"]["when"]) == ("0.02", {"task": "lyrics"})
    assert tags == {"tags": "pop with warm synths"}


def test_the_examples_of_the_pages_are_requests_that_work(place: Place, clip: str) -> None:
    asked = {"clip_id": clip, "prompt": "x", "infill_start_s": 3, "infill_end_s": 4.5}
    section = made(place, "replace-section", **asked)[0]["id"]
    place.cqtai.hold()
    for operation in TABLE:
        for example in operation_words()[operation.id].example if operation.errors == "suno" else ():
            own = section if operation.id == "suno.concat" else clip
            body = re.sub(r"clip_[0-9a-f]{32}_1", own, example.body)
            path = operation.first_path.replace("{action}", "music")
            answer = place.client.post(path, content=body.encode(), headers={"content-type": "application/json"})
            assert answer.status_code == 200, (operation.id, answer.text)
            assert answer.headers.get("x-tokengate-warning") is None
    place.cqtai.let_go()


def test_another_project_s_tasks_and_clips_do_not_exist(place: Place, clip: str) -> None:
    task_id = f"job_{clip[5:37]}"
    refused(place.stranger.get(f"/suno/v2/tasks/{task_id}"), 404, "task_not_exist")
    refused(place.stranger.get(f"/suno/fetch/{task_id}"), 404, "task_not_exist")
    refused(place.stranger.post("/suno/v2/wav", json={"clip_id": clip}), 404, "clip_not_exist")
    assert place.stranger.post("/suno/fetch", json={"ids": [task_id]}).json()["data"] == []
    theirs = next(iter(place.cqtai.tasks.values())).clips[0]
    for id in (theirs, "clip_1", f"{clip[:-1]}9", f"clip_{'0' * 32}_1", "%00"):
        refused(place.client.post("/suno/v2/wav", json={"clip_id": id}), 404, "clip_not_exist")
    for id in ("job_1", f"job_{'0' * 32}", clip):
        refused(place.client.get(f"/suno/v2/tasks/{id}"), 404, "task_not_exist")


def test_the_account_that_made_a_clip_is_asked_and_no_other(place: Place, clip: str) -> None:
    """Another model of the same family is served by another account alone, which does not know the clip."""
    asked = len(place.sunoapi.asked)

    answer = place.client.post("/suno/v2/wav", json={"clip_id": clip, "mv": "chirp-v4"})

    assert "does not offer" in refused(answer, 503, "upstream_gone")
    assert len(place.sunoapi.asked) == asked


def test_the_second_seller_makes_music_and_midi_of_its_own(place: Place) -> None:
    song = made(place, "create", mv="chirp-v4", **SONG)[0]
    voice = made(place, "stems", clip_id=song["id"])[0]
    notes = made(place, "midi", clip_id=voice["id"])

    assert place.sunoapi.asked[-3]["model"] == "V4"
    assert place.sunoapi.asked[-3]["callBackUrl"].startswith("https://ai.example.com/v1/callbacks/job_")
    assert notes_of(got(place, notes["midi_url"]).content) == [[], [36], [44]]
    assert notes["instruments"][0]["name"] == "Drums"
    message = refused(place.client.post("/suno/v2/cover", json={"clip_id": song["id"]}), 400, "unsupported_parameter")
    assert "clip_id" in message
    timing = place.client.post("/suno/v2/timing", json={"clip_id": song["id"]})
    assert task(place, timing.json()["data"])["data"]["aligned_words"][0]["start_s"] == 1.36


def test_callbacks_are_only_a_reason_to_look(place: Place) -> None:
    """What comes late, twice, out of order or from elsewhere changes nothing that the vendor does not say itself."""
    place.sunoapi.hold()
    task_id = submitted(place, "create", mv="chirp-v4", **SONG)
    vendor_task = list(place.sunoapi.tasks.values())[-1]
    address = vendor_task.body["callBackUrl"].removeprefix("https://ai.example.com")
    first, half, whole = place.sunoapi.told(vendor_task, "http://127.0.0.1:1")

    answers = [place.client.post(address, json=body).status_code for body in (whole, half, first, whole)]
    wrong = place.client.post(address[:-4] + "zzzz", json=whole)
    held = place.client.get(f"/suno/v2/tasks/{task_id}").json()["data"]
    place.sunoapi.let_go()
    done = task(place, task_id)
    late = place.client.post(address, json={"code": 501, "msg": "failed"})

    assert (answers, wrong.status_code, late.status_code) == ([200] * 4, 404, 200)
    assert held["status"] in ("QUEUED", "IN_PROGRESS")
    assert done["status"] == "SUCCESS"
    assert place.client.get(f"/suno/v2/tasks/{task_id}").json()["data"]["status"] == "SUCCESS"
    assert bill(place, task_id)["cost"] == "0.5"


def test_who_asked_to_be_told_of_the_end_is_told(place: Place) -> None:
    with ThreadedUpstream(lambda call: Reply(200)) as receiver:
        task_id = submitted(place, "lyrics", prompt="the moon", notify_hook=receiver.url)
        message = receiver.run(receiver.upstream.arrived()).json

    assert (message["type"], message["data"]["id"]) == ("job.succeeded", task_id)
    assert task(place, task_id)["notify_hook"] == receiver.url


def test_what_fails_costs_nothing(place: Place) -> None:
    before = place.client.get("/v1/balance").json()
    failed_id = submitted(place, "create", prompt="FAIL sensitive words|", tags="pop")
    failed = task(place, failed_id)
    forgotten = task(place, submitted(place, "create", prompt="FORGET LATE 3", tags="pop"))
    after = place.client.get("/v1/balance").json()

    assert (failed["status"], failed["fail_reason"], failed["data"]) == ("FAILURE", "sensitive words", None)
    assert forgotten["status"] == "FAILURE"
    assert after == before
    refused(place.client.post("/suno/v2/wav", json={"clip_id": f"clip_{failed_id[4:]}_1"}), 400, "clip_not_ready")


def test_the_caller_is_told_what_was_wrong_and_what_was_left_out(place: Place) -> None:
    refused(place.client.post("/suno/v2/create", json={}), 400, "missing_required_parameter")
    refused(place.client.post("/suno/v2/create", json={**SONG, "mv": "no-such-model"}), 404, "model_not_found")
    refused(place.client.post("/suno/v2/lyrics", json={"prompt": "ERROR 400"}), 400, "400")
    nobody = {"authorization": "Bearer sk-nobody"}
    refused(place.client.post("/suno/v2/create", json=SONG, headers=nobody), 401, "invalid_api_key")
    refused(place.poor.post("/suno/v2/create", json=SONG), 402, "insufficient_balance")
    assert place.poor.post("/suno/v2/lyrics", json={"prompt": "x"}).status_code == 200
    answer = place.client.post("/suno/v2/lyrics", json={"prompt": "x", "title": "y", "foo": 1})
    assert "title" in answer.headers["x-tokengate-warning"] and "foo" in answer.headers["x-tokengate-warning"]
    talk = {"model": "sunoV2", "messages": [{"role": "user", "content": "x"}]}
    chat = place.client.post("/v1/chat/completions", json=talk)
    assert 400 <= chat.status_code < 500


def test_an_idempotency_key_makes_one_song(place: Place) -> None:
    asked = len(place.cqtai.asked)
    headers = {"idempotency-key": "song-1"}

    ids = {place.client.post("/suno/v2/create", json=SONG, headers=headers).json()["data"] for _ in range(2)}

    assert len(ids) == 1 and len(place.cqtai.asked) == asked + 1


def test_clients_of_the_widespread_shape(place: Place) -> None:
    ids = [
        place.client.post(f"/suno/submit/{action}", json=body).json()["data"]
        for action, body in (
            (
                "music",
                {"gpt_description_prompt": "a song", "mv": "chirp-auk", "generation_type": "TEXT"},
            ),
            ("LYRICS", {"prompt": "the moon"}),
            ("UPSAMPLE_TAGS", {"tags": "pop"}),
        )
    ]
    for id in ids:
        task(place, id)
    song, lyrics, tags = place.client.post("/suno/fetch", json={"ids": [*ids, "job_1"]}).json()["data"]
    assert [one["action"] for one in (song, lyrics, tags)] == ["MUSIC", "LYRICS", "UPSAMPLE_TAGS"]
    assert [one["status"] for one in (song, lyrics, tags)] == ["SUCCESS"] * 3
    assert place.client.get(f"/suno/fetch/{ids[0]}").json()["data"]["data"][0]["id"] == song["data"][0]["id"]

    clip = {"continue_clip_id": song["data"][0]["id"], "task_id": ids[0]}
    stems = place.client.post("/suno/submit/music", json={"task": "gen_stem", "stem_task": "two", **clip})
    assert task(place, stems.json()["data"])["model"] == "chirp-auk"
    refused(place.client.post("/suno/submit/video", json={"prompt": "x"}), 400, "invalid_action")
