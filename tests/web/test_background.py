"""Responses in the background as their callers meet them: what is told at once, what goes on, how one is followed,
cancelled and deleted, and what each costs."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from tests.formats.responses.samples import frames
from tests.hosted import Hosted, hosted, sells, upstream
from tests.raw_http import Answer
from tests.simulators.openai_upstream import Call, Reply, Upstream, by_model
from tests.web.test_responses import delete, said, strangers
from tokengate.accounts.keys import KeyLimits
from tokengate.storage.tables import background_responses, calls, projects, response_events, stored_responses
from tokengate.storage.writer import CommitUnknown, Insert, Row, Writer
from tokengate.tasks.background_run import Run

PATH = "/v1/responses"
MODEL = "chunks-6"
ASK: dict[str, Any] = {"model": MODEL, "input": "Hello", "background": True}
WORDS = "word0 word1 word2 word3 word4 word5"
SSE = {"content-type": "text/event-stream"}
ENDED = ("completed", "incomplete", "failed", "cancelled")


@asynccontextmanager
async def serving(
    folder: Path, *, gated: bool = False, config: str = "", **options: Any
) -> AsyncGenerator[tuple[Upstream, Hosted]]:
    """A gateway before a vendor that says six words, and more than that never; `gated` ones wait to be let out."""

    def script(call: Call) -> Reply:
        return replace(by_model(call), gated=gated)

    async with Upstream(script) as simulator:
        config = upstream(simulator.url, MODEL, "error-500", "cut-stream", "echo") + config
        config += "".join(sells(model, input="0.001", output="0.01") for model in (MODEL, "error-500", "cut-stream"))
        async with hosted(folder, config + sells("echo"), **options) as gateway:
            try:
                yield simulator, gateway
            finally:
                for call in simulator.calls:
                    call.release(50)


async def show(gateway: Hosted, id: str) -> dict[str, Any]:
    return (await gateway.get(f"{PATH}/{id}")).json


async def shows(gateway: Hosted, id: str, *statuses: str) -> dict[str, Any]:
    """Return the response once its status is one of these."""
    async with asyncio.timeout(60):
        while (found := await show(gateway, id))["status"] not in statuses:
            await asyncio.sleep(0.01)
    return found


async def counts(gateway: Hosted) -> dict[str, int]:
    """Return how many rows there are of what runs, of what is stored, and of events."""
    async with gateway.platform.database.read() as read:
        return {
            table.name: (await read.execute(select(func.count()).select_from(table))).scalar_one()
            for table in (background_responses, stored_responses, response_events)
        }


def numbers(stream: bytes) -> list[int]:
    return [json.loads(part.partition(b"\ndata: ")[2])["sequence_number"] for part in stream.split(b"\n\n") if part]


# From its beginning to its end


async def test_a_response_is_queued_at_once_and_made_and_billed_once(tmp_path: Path) -> None:
    async with serving(tmp_path, gated=True) as (simulator, gateway):
        answer = await gateway.post(ASK | {"instructions": "Be brief.", "metadata": {"a": "b"}}, PATH)
        queued = answer.json
        call = await simulator.arrived()
        waiting = await show(gateway, queued["id"])
        call.release(3)
        going_on = await shows(gateway, queued["id"], "in_progress")
        items = await gateway.get(f"{PATH}/{queued['id']}/input_items")
        call.release(50)
        ended = await shows(gateway, queued["id"], *ENDED)
        record = await gateway.last_call()
        left = await counts(gateway)

    assert (queued["status"], queued["background"], queued["store"], queued["output"]) == ("queued", True, True, [])
    assert (queued["instructions"], queued["metadata"], queued["usage"]) == ("Be brief.", {"a": "b"}, None)
    assert (waiting["status"], going_on["status"], going_on["output"]) == ("queued", "in_progress", [])
    assert [item["content"][0]["text"] for item in items.json["data"]] == ["Hello"]
    assert (ended["status"], said(ended).strip(), ended["id"]) == ("completed", WORDS, queued["id"])
    assert ended["created_at"] == queued["created_at"] and ended["background"] is True
    assert queued["id"] == "resp_" + record["id"].partition("_")[2] == "resp_" + answer.headers["x-request-id"][4:]
    assert (record["endpoint"], record["outcome"], record["status"]) == ("responses", "ok", 200)
    assert (record["input_tokens"], record["output_tokens"]) == (10, 6) and float(record["cost"]) > 0
    assert left == {"background_responses": 0, "stored_responses": 1, "response_events": 0}


async def test_a_conversation_goes_on_from_one_that_has_ended(tmp_path: Path) -> None:
    async with serving(tmp_path, gated=True) as (simulator, gateway):
        first = (await gateway.post(ASK, PATH)).json
        call = await simulator.arrived()
        early = await gateway.post(ASK | {"previous_response_id": first["id"]}, PATH)
        call.release(50)
        await shows(gateway, first["id"], "completed")
        second = await gateway.post(ASK | {"previous_response_id": first["id"], "input": "And?"}, PATH)
        (await simulator.arrived(2)).release(50)
        ended = await shows(gateway, second.json["id"], *ENDED)

    assert (early.status, early.json["error"]["param"]) == (400, "previous_response_id")
    assert early.json["error"]["code"] == "previous_response_not_completed"
    assert ended["previous_response_id"] == second.json["previous_response_id"] == first["id"]
    assert len(simulator.calls[1].json["messages"]) == 3


async def test_one_that_fails_says_so_and_costs_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, gateway):
        made = (await gateway.post(ASK | {"model": "error-500", "stream": False}, PATH)).json
        ended = await shows(gateway, made["id"], *ENDED)
        streamed = frames((await gateway.post(ASK | {"model": "error-500", "stream": True}, PATH)).body)
        goes_on = await gateway.post(ASK | {"previous_response_id": made["id"]}, PATH)
        cancelled = await gateway.post({}, f"{PATH}/{made['id']}/cancel")
        balance = (await gateway.balance())["balance"]

    assert (ended["status"], ended["error"]["code"], ended["output"]) == ("failed", "server_error", [])
    assert [event["type"] for event in streamed] == ["response.created", "response.queued", "response.failed"]
    assert (goes_on.status, cancelled.status, balance) == (400, 400, "10")


async def test_one_that_is_cut_fails_with_what_it_said_which_is_billed(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, gateway):
        heard = frames((await gateway.post(ASK | {"model": "cut-stream", "stream": True}, PATH)).body)
        ended = await shows(gateway, heard[0]["response"]["id"], *ENDED)
        record = await gateway.last_call()

    assert heard[-1]["type"] == "response.failed" and heard[-1]["response"] == ended
    assert ended["output"][0]["status"] == "incomplete"
    assert record["outcome"] == "upstream_cut" and float(record["cost"]) > 0


async def test_one_whose_vendor_breaks_off_before_it_says_anything_fails_for_nothing(tmp_path: Path) -> None:
    """The head of its stream is out by then, so that the error is said there alone."""
    async with serving(tmp_path, gated=True) as (simulator, gateway):
        simulator.script = lambda call: Reply(headers=SSE, pieces=[b": one\n\n"], gated=True, ending="cut")
        made = (await gateway.post(ASK, PATH)).json["id"]
        call = await simulator.arrived()
        call.release()
        await shows(gateway, made, "in_progress")
        call.release(5)
        ended = await shows(gateway, made, *ENDED)
        record = await gateway.last_call()

    assert (ended["status"], ended["error"]["code"], record["cost"]) == ("failed", "server_error", "0")


async def test_an_application_answers_in_the_background(tmp_path: Path) -> None:
    app = f'[[app]]\nname = "helper"\nmodel = "{MODEL}"\nsystem = "The secret of the house."\n'
    async with serving(tmp_path, config=app) as (simulator, gateway):
        made = (await gateway.post(ASK | {"model": "app/helper"}, PATH)).json
        ended = await shows(gateway, made["id"], *ENDED)

    assert (made["model"], made["instructions"], ended["status"]) == ("app/helper", None, "completed")
    assert simulator.calls[0].json["messages"][0]["content"] == "The secret of the house."


async def test_a_call_in_the_background_is_quoted_as_any_other(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, gateway):
        quotes = [(await gateway.post(ASK | {"background": one}, "/v1/quote")).json for one in (False, True)]

    assert [quote["format"] for quote in quotes] == ["responses"] * 2
    assert quotes[0]["input_tokens"]["expected"] == quotes[1]["input_tokens"]["expected"]


async def test_one_waits_while_no_backend_is_there(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, gateway):
        failed = 0
        while not failed or await opens(gateway):
            failed += 1
        made = (await gateway.post(ASK | {"model": "error-500"}, PATH)).json["id"]
        await gateway.idle()
        waiting = await show(gateway, made)
        cancelled = await gateway.post({}, f"{PATH}/{made}/cancel")
        ended = await shows(gateway, made, *ENDED)

    assert (waiting["status"], cancelled.json["status"], ended["status"]) == ("queued", "cancelled", "cancelled")


async def opens(gateway: Hosted) -> bool:
    """Make a call that fails; return whether the vendor was asked."""
    answer = await gateway.post(ASK | {"model": "error-500", "background": False}, PATH)
    return answer.status == 502


# Streams


async def test_a_stream_begins_queued_and_is_told_again_in_full_or_in_part(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, gateway):
        answer = await gateway.post(ASK | {"stream": True}, PATH)
        events = frames(answer.body)
        path = f"{PATH}/{events[0]['response']['id']}"
        again = await gateway.get(f"{path}?stream=true")
        rest = await gateway.get(f"{path}?stream=true&starting_after=4")
        nothing = await gateway.get(f"{path}?stream=true&starting_after={len(events) - 1}")
        shown = await gateway.get(path)

    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert [event["type"] for event in events[:3]] == ["response.created", "response.queued", "response.in_progress"]
    assert [event["response"]["status"] for event in events[:3]] == ["queued", "queued", "in_progress"]
    assert events[-1]["type"] == "response.completed" and events[-1]["response"] == shown.json
    assert again.body == answer.body and answer.body.endswith(rest.body)
    assert numbers(rest.body) == list(range(5, len(events)))
    assert (nothing.status, nothing.body) == (200, b"")


async def test_a_stream_that_cannot_be_read_on_has_no_clean_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away:
        def connect(self) -> None:
            raise ConnectionRefusedError("the database is away")

    async with serving(tmp_path, gated=True) as (simulator, gateway):
        async with gateway.connect() as caller:
            await gateway.begin(caller, ASK | {"stream": True}, PATH)
            call = await simulator.arrived()
            await caller.read_head()
            call.release(3)
            await caller.read_until(b"word1")
            with monkeypatch.context() as patch:
                patch.setattr(gateway.platform.database, "engine", Away())
                call.release(50)
                with pytest.raises(asyncio.IncompleteReadError):
                    await caller.read_rest()
        record = await gateway.last_call()

    assert (record["outcome"], record["output_tokens"]) == ("ok", 6)


async def test_who_leaves_a_stream_goes_on_later_while_it_is_made(tmp_path: Path) -> None:
    async with serving(tmp_path, gated=True) as (simulator, gateway):
        async with gateway.connect() as caller:
            await gateway.begin(caller, ASK | {"stream": True}, PATH)
            call = await simulator.arrived()
            await caller.read_head()
            call.release(3)
            first = await caller.read_until(b"word1")
            id = json.loads(first.partition(b"data: ")[2].partition(b"\n")[0])["response"]["id"]
            caller.leave()
        async with gateway.connect() as later:
            await later.request("GET", f"{PATH}/{id}?stream=true&starting_after=5", gateway.headers())
            head = await later.read_head()
            seen = await later.read_until(b"word1")
            call.release(50)
            seen += await later.read_rest()
        record = await gateway.last_call()

    heard = numbers(seen)
    assert head.status == 200 and b"response.completed" in seen
    assert heard == list(range(6, 6 + len(heard)))
    assert (record["outcome"], record["output_tokens"]) == ("ok", 6)


async def test_events_of_which_it_is_not_known_whether_they_were_kept_are_kept_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, forget = Writer.commit, Run.forget
    kept: dict[int, Run] = {}  # the run, by how many of its events are known to be durable

    def commit_and_lose_the_answer(self: Writer, rows: Sequence[Row]) -> asyncio.Future[None]:
        async def lose() -> None:
            await commit(self, rows)
            raise CommitUnknown("the server went away")

        match rows:
            case [Insert(table)] if table is response_events:
                return asyncio.ensure_future(lose())
            case _:
                return commit(self, rows)

    def note(self: Run, count: int) -> None:
        forget(self, count)
        kept[self.base] = self

    async with serving(tmp_path, gated=True) as (simulator, gateway), gateway.connect() as caller:
        monkeypatch.setattr(Writer, "commit", commit_and_lose_the_answer)
        monkeypatch.setattr(Run, "forget", note)
        await gateway.begin(caller, ASK | {"stream": True}, PATH)
        call = await simulator.arrived()
        await caller.read_head()
        call.release(3)
        seen = await caller.read_until(b"word1")
        async with asyncio.timeout(60):
            while not any(count > max(numbers(seen.rpartition(b"\n\n")[0])) for count in kept):
                await asyncio.sleep(0.01)
        call.release(50)
        seen += await caller.read_rest()
        again = await gateway.get(f"{PATH}/{frames(seen)[0]['response']['id']}?stream=true")

    assert again.body == seen


async def test_only_what_was_streamed_in_the_background_is_streamed_again(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, gateway):
        whole = (await gateway.post(ASK, PATH)).json["id"]
        await shows(gateway, whole, "completed")
        plain = (await gateway.post(ASK | {"background": False}, PATH)).json["id"]
        refused = [
            await gateway.get(f"{PATH}/{whole}?stream=true"),
            await gateway.get(f"{PATH}/{plain}?stream=true"),
            await gateway.get(f"{PATH}/{whole}?starting_after=1"),
            await gateway.get(f"{PATH}/{whole}?stream=perhaps"),
            await gateway.get(f"{PATH}/{whole}?stream=true&starting_after=x"),
        ]
        unknown = await gateway.get(f"{PATH}/resp_1?stream=true")

    assert [(one.status, one.json["error"]["param"]) for one in refused] == [
        (400, "stream"),
        (400, "stream"),
        (400, "starting_after"),
        (400, "stream"),
        (400, "starting_after"),
    ]
    assert unknown.status == 404


# Cancelled and deleted


async def test_one_is_cancelled_and_what_it_said_is_billed(tmp_path: Path) -> None:
    async with serving(tmp_path, gated=True) as (simulator, gateway):
        made = (await gateway.post(ASK, PATH)).json["id"]
        call = await simulator.arrived()
        call.release(4)
        await shows(gateway, made, "in_progress")
        cancelled = await gateway.post({}, f"{PATH}/{made}/cancel")
        await call.closed.wait()
        again = await gateway.post({}, f"{PATH}/{made}/cancel")
        shown = await show(gateway, made)
        record = await gateway.last_call()
        left = await counts(gateway)

    assert (cancelled.status, cancelled.json["status"], cancelled.json["output"]) == (200, "cancelled", [])
    assert cancelled.json == again.json == shown and shown["error"] is None
    assert (record["outcome"], record["usage_source"]) == ("client_gone", "estimated") and float(record["cost"]) > 0
    assert left == {"background_responses": 0, "stored_responses": 1, "response_events": 0}


async def test_one_that_said_nothing_is_cancelled_for_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path, gated=True) as (simulator, gateway):
        made = (await gateway.post(ASK, PATH)).json["id"]
        call = await simulator.arrived()
        cancelled = await gateway.post({}, f"{PATH}/{made}/cancel")
        await call.closed.wait()
        record = await gateway.last_call()

    assert (cancelled.json["status"], record["cost"]) == ("cancelled", "0")


async def test_a_stream_that_is_cancelled_ends_as_openais_does(tmp_path: Path) -> None:
    async with serving(tmp_path, gated=True) as (simulator, gateway), gateway.connect() as caller:
        await gateway.begin(caller, ASK | {"stream": True}, PATH)
        call = await simulator.arrived()
        call.release(3)
        await caller.read_head()
        first = await caller.read_until(b"word1")
        id = json.loads(first.partition(b"data: ")[2].partition(b"\n")[0])["response"]["id"]
        await gateway.post({}, f"{PATH}/{id}/cancel")
        await caller.read_rest()
        again = await gateway.get(f"{PATH}/{id}?stream=true")

    events = frames(again.body)
    assert (events[-1]["type"], events[-1]["response"]["status"]) == ("response.failed", "cancelled")
    assert events[-1]["response"]["output"] == []


async def test_an_abandoned_call_that_is_read_on_is_cancelled_for_its_caller(tmp_path: Path) -> None:
    """The vendor is read to its end, which is what is billed."""
    async with Upstream(lambda call: replace(by_model(call), gated=True)) as simulator:
        config = upstream(simulator.url, MODEL, on_abort="drain") + sells(MODEL, input="0.001", output="0.01")
        async with hosted(tmp_path, config) as gateway:
            made = (await gateway.post(ASK, PATH)).json["id"]
            call = await simulator.arrived()
            call.release(3)
            await shows(gateway, made, "in_progress")
            cancelling = asyncio.create_task(gateway.post({}, f"{PATH}/{made}/cancel"))
            await shows(gateway, made, "cancelled")
            call.release(50)
            cancelled = await cancelling
            record = await gateway.last_call()
            shown = await show(gateway, made)

    assert (cancelled.json["status"], shown["status"], shown["output"]) == ("cancelled", "cancelled", [])
    assert (record["outcome"], record["usage_source"], record["output_tokens"]) == ("client_gone", "vendor", 6)


async def test_what_has_ended_or_is_not_in_the_background_is_not_cancelled(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, gateway):
        made = (await gateway.post(ASK, PATH)).json["id"]
        await shows(gateway, made, "completed")
        plain = (await gateway.post(ASK | {"background": False}, PATH)).json["id"]
        answers = [await gateway.post({}, f"{PATH}/{id}/cancel") for id in (made, plain, "resp_1")]

    assert [answer.status for answer in answers] == [400, 400, 404]
    assert "completed" in answers[0].json["error"]["message"]
    assert "synchronous" in answers[1].json["error"]["message"]


@pytest.mark.parametrize("stream", [False, True])
async def test_deleting_one_cancels_it_and_leaves_nothing(tmp_path: Path, stream: bool) -> None:
    async with serving(tmp_path, gated=True) as (simulator, gateway), gateway.connect() as caller:
        await gateway.begin(caller, ASK | {"stream": stream}, PATH)
        call = await simulator.arrived()
        call.release(4)
        id = await only(gateway)
        await shows(gateway, id, "in_progress")
        gone = await delete(gateway, f"{PATH}/{id}")
        again = await delete(gateway, f"{PATH}/{id}")
        await call.closed.wait()
        shown = await gateway.get(f"{PATH}/{id}")
        record = await gateway.last_call()
        async with asyncio.timeout(60):
            while sum((await counts(gateway)).values()):
                await asyncio.sleep(0.01)

    assert gone.json == {"id": id, "object": "response", "deleted": True}
    assert (again.status, shown.status, record["outcome"]) == (404, 404, "client_gone")


async def only(gateway: Hosted) -> str:
    """Return the id of the one that is being made."""
    async with asyncio.timeout(60):
        while True:
            async with gateway.platform.database.read() as read:
                ids = (await read.execute(select(background_responses.c.id))).scalars().all()
            if ids:
                return ids[0]


async def test_the_events_of_a_deleted_response_are_gone(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, gateway):
        events = frames((await gateway.post(ASK | {"stream": True}, PATH)).body)
        await delete(gateway, f"{PATH}/{events[0]['response']['id']}")
        left = await counts(gateway)

    assert left == {"background_responses": 0, "stored_responses": 0, "response_events": 0}


# What is checked before it begins


async def test_what_cannot_be_made_is_refused_at_once(tmp_path: Path) -> None:
    async with serving(tmp_path, balances={"main": "10", "poor": "0.000001"}) as (simulator, gateway):
        answers = [
            await gateway.post(ASK | {"store": False}, PATH),
            await gateway.post(ASK | {"model": "nothing"}, PATH),
            await gateway.post(ASK | {"temperature": 3}, PATH),
            await gateway.post(ASK, PATH, key="poor"),
            await gateway.post(ASK | {"stream": True}, PATH, key="poor"),
            await gateway.post(ASK, PATH, headers={"authorization": "Bearer sk-wrong"}),
        ]
        async with gateway.platform.database.tx() as tx:
            await tx.execute(update(projects).values(stores_responses=False))
        await gateway.platform.keyring.refresh()
        answers.append(await gateway.post(ASK, PATH))
        left = await counts(gateway)

    assert [answer.status for answer in answers] == [400, 404, 400, 402, 402, 401, 400]
    assert answers[0].json["error"]["param"] == answers[-1].json["error"]["param"] == "background"
    assert simulator.calls == [] and set(left.values()) == {0}


async def test_limits_hold_while_one_is_made(tmp_path: Path) -> None:
    async with serving(tmp_path, gated=True, limits={"main": KeyLimits(concurrency=1)}) as (simulator, gateway):
        made = (await gateway.post(ASK, PATH)).json["id"]
        (await simulator.arrived()).release(2)
        refused = await gateway.post(ASK, PATH)
        simulator.calls[0].release(50)
        await shows(gateway, made, "completed")
        await gateway.idle()
        later = await gateway.post(ASK, PATH)

    assert (refused.status, later.status) == (429, 200)


async def test_the_same_idempotency_key_gives_the_same_response(tmp_path: Path) -> None:
    headers = {"idempotency-key": "order-1"}
    async with serving(tmp_path, gated=True) as (simulator, gateway):
        first = await gateway.post(ASK, PATH, headers=headers)
        again = await gateway.post(ASK, PATH, headers=headers)
        other = await gateway.post(ASK | {"input": "Else"}, PATH, headers=headers)
        (await simulator.arrived()).release(50)
        await shows(gateway, first.json["id"], "completed")
        at_last = await gateway.post(ASK, PATH, headers=headers)
        count = len(simulator.calls)

    assert first.json == again.json == at_last.json
    assert again.headers["idempotent-replayed"] == "true" and other.status == 422
    assert count == 1


async def test_the_same_idempotency_key_gives_the_same_stream(tmp_path: Path) -> None:
    headers = {"idempotency-key": "order-1"}
    async with serving(tmp_path) as (simulator, gateway):
        first, again = [await gateway.post(ASK | {"stream": True}, PATH, headers=headers) for _ in range(2)]

    assert first.body == again.body and len(simulator.calls) == 1
    assert again.headers["idempotent-replayed"] == "true"


# Whose they are


async def test_one_is_seen_by_its_org_and_project_alone(tmp_path: Path) -> None:
    async with serving(tmp_path, gated=True) as (_, gateway):
        await strangers(gateway)
        made = (await gateway.post(ASK | {"stream": False}, PATH, key="mine")).json["id"]
        foreign: list[Answer] = []
        for name in ("beside", "theirs"):
            foreign += [
                await gateway.get(f"{PATH}/{made}", key=name),
                await gateway.get(f"{PATH}/{made}?stream=true", key=name),
                await gateway.post({}, f"{PATH}/{made}/cancel", key=name),
                await delete(gateway, f"{PATH}/{made}", name),
            ]
        mine = await gateway.get(f"{PATH}/{made}", key="mine")
        await gateway.post({}, f"{PATH}/{made}/cancel", key="mine")

    assert [answer.status for answer in foreign] == [404] * 8
    assert mine.json["status"] == "queued"


async def test_what_is_kept_of_one_is_sealed(tmp_path: Path) -> None:
    async with serving(tmp_path, gated=True) as (simulator, gateway):
        made = (await gateway.post(ASK | {"input": "a very secret wish"}, PATH)).json["id"]
        (await simulator.arrived()).release(3)
        async with gateway.platform.database.read() as read:
            row = (await read.execute(select(background_responses))).one()
        simulator.calls[0].release(50)
        await shows(gateway, made, "completed")
        simulator.script = by_model
        await gateway.post(ASK | {"model": "cut-stream", "stream": True, "input": "secret"}, PATH)
        async with gateway.platform.database.read() as read:
            events = (await read.execute(select(response_events.c.content))).scalars().all()
            billed = (await read.execute(select(func.count()).select_from(calls))).scalar_one()

    assert b"secret" not in row.content
    assert events and all(b"word0" not in one and b"resp_" not in one for one in events)
    assert billed == 2
