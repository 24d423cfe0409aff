"""A gateway that is killed under load again and again, and what must be true of its books after each restart.

The moment of a kill is an observed event with a number (the 731st byte that a caller reads, the 40th request that the
backend answers), drawn from a seed; nothing waits for time to pass.
"""

import asyncio
import json
import os
import random
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from tests.e2e.gateway import GatewayProcess
from tests.raw_http import Connection
from tests.simulators.openai_upstream import Call, Reply, ThreadedUpstream, by_model
from tokengate.accounts.store import DEFAULT_ORG, CreatedKey
from tokengate.billing.keys import create_key
from tokengate.core.clock import SystemClock, now_ms
from tokengate.core.money import NANO_PER_YUAN, write_yuan
from tokengate.ledger import store
from tokengate.ledger.verify import verify
from tokengate.storage.engine import Database, open_database
from tokengate.storage.tables import calls, journal, leases, tellers, wallets

WORKERS = 12
INPUT, OUTPUT = Decimal("0.0003007"), Decimal("0.0070011")  # yuan per 1,000 tokens: costs that must be rounded up
WHOLE, STREAM, EMBEDDING = "usage-11-7", "chunks-30", "embedder"
USAGE = {(WHOLE, False): (11, 7), (STREAM, True): (10, 30), (EMBEDDING, False): (8, 0)}
POOR_NANO = NANO_PER_YUAN // 200
# What may end a life, and up to how many of it.
EVENTS = {"asked": 250, "arrived": 250, "answered": 250, "bytes": 400_000, "pieces": 2_000, "whole": 200}
_LIFE_S = 60.0  # a life in which the event never comes fails


def cost_nano(model: str, stream: bool) -> int:
    """The oracle: exact decimals, rounded up once."""
    prompt, output = USAGE[model, stream]
    yuan = (prompt * INPUT + output * OUTPUT) / 1000
    return int((yuan * NANO_PER_YUAN).to_integral_value(ROUND_CEILING))


class Killer:
    """Counts events of both sides, and kills the process at the chosen one. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._event, self._left, self._pid = "", 0, 0

    def arm(self, event: str, count: int, pid: int) -> None:
        with self._lock:
            self._event, self._left, self._pid = event, count, pid

    def saw(self, event: str, count: int = 1) -> None:
        with self._lock:
            if event != self._event or self._left <= 0:
                return
            self._left -= count
            if self._left <= 0:
                os.kill(self._pid, signal.SIGKILL)


class _Answered(asyncio.Event):
    """Tells when the backend's last byte is out."""

    def __init__(self, killer: Killer) -> None:
        super().__init__()
        self._killer = killer

    def set(self) -> None:
        super().set()
        self._killer.saw("answered")


@dataclass
class Sent:
    """One request of a caller, and what came of it as far as they saw."""

    mark: str  # sent as the client's own request id
    key: str
    model: str
    stream: bool
    once: str | None  # its idempotency key
    leaves: bool = False
    request_id: str = ""
    whole: bool = False
    status: int = 0
    body: bytes = field(default=b"", repr=False)

    @property
    def headers(self) -> dict[str, str]:
        once = {"idempotency-key": self.once} if self.once else {}
        return {"content-type": "application/json", "x-client-request-id": self.mark, **once}

    @property
    def path(self) -> str:
        return "/v1/embeddings" if self.model == EMBEDDING else "/v1/chat/completions"

    @property
    def request(self) -> bytes:
        if self.model == EMBEDDING:
            return json.dumps({"model": EMBEDDING, "input": ["good", "morning"]}).encode()
        messages = [{"role": "user", "content": self.once or "Good morning"}]
        body: dict[str, Any] = {"model": self.model, "messages": messages, "stream": self.stream}
        return json.dumps(body | ({} if self.stream else {"max_tokens": 20})).encode()


@dataclass
class Crash:
    """A platform with keys and a backend; `kill_at` lives one life of it, `check` looks at the books."""

    gateway: GatewayProcess
    upstream: ThreadedUpstream
    database: Database
    keys: Mapping[str, CreatedKey]
    killer: Killer
    chance: random.Random
    sent: list[Sent] = field(default_factory=list[Sent])
    put_in: dict[str, int] = field(default_factory=dict[str, int])  # by wallet
    repeatable: list[Sent] = field(default_factory=list[Sent])  # calls with an idempotency key, whole or not
    checked: int = 0  # of `sent`

    async def kill_at(self, event: str, count: int) -> None:
        """Load the running gateway until that event, at which it is killed."""
        self.killer.arm(event, count, self.gateway.pid)
        async with asyncio.timeout(_LIFE_S):
            await asyncio.gather(
                *(self._work(f"{len(self.sent)}-{number}") for number in range(WORKERS)), self._top_up()
            )
        self.gateway.kill()

    async def _work(self, name: str) -> None:
        """Call until the gateway dies. The order of kinds and keys comes from the seed."""
        chance = random.Random(f"{self.chance.random()}{name}")
        key = chance.choice(list(self.keys))
        number = 0
        while True:
            try:
                async with Connection(self.gateway.port) as connection:
                    while True:
                        number += 1
                        call = self._choose(chance, key, f"{name}-{number}")
                        self.sent.append(call)
                        try:
                            if not await self._call(connection, call):
                                break
                        finally:
                            if call.once:
                                self.repeatable.append(call)
            except (OSError, EOFError):
                return

    def _choose(self, chance: random.Random, key: str, mark: str) -> Sent:
        if self.repeatable and chance.random() < 0.1:
            again = self.repeatable.pop(chance.randrange(len(self.repeatable)))  # by one worker at a time
            return Sent(mark, again.key, again.model, again.stream, again.once)
        model, stream = chance.choice([(WHOLE, False), (STREAM, True), (STREAM, True), (EMBEDDING, False)])
        once = f"once-{mark}" if model != EMBEDDING and chance.random() < 0.3 else None
        return Sent(mark, key, model, stream, once, leaves=stream and once is None and chance.random() < 0.15)

    async def _call(self, connection: Connection, call: Sent) -> bool:
        """Make one call; return whether the connection may be used again."""
        authorization = {"authorization": f"Bearer {self.keys[call.key].key}"}
        await connection.request("POST", call.path, {**call.headers, **authorization}, call.request)
        self.killer.saw("asked")
        head = await connection.read_head()
        call.status = head.status
        assert head.status in (200, 402), (call, head)
        if head.status == 200:
            call.request_id = head.headers["x-request-id"]
        while piece := await connection.read_piece():
            call.body += piece
            call.whole = call.stream and b"data: [DONE]" in call.body
            self.killer.saw("pieces")
            self.killer.saw("bytes", len(piece))
            if call.leaves and b"word3" in call.body:
                return False
        call.whole = head.status == 200 and (call.whole or not call.stream)
        assert call.whole or head.status == 402, call  # the end of a body that is no end
        self.killer.saw("whole")
        return True

    async def _top_up(self) -> None:
        """Beside the busy gateway, as the command does it."""
        await self._put_in(self.keys["shared-1"].wallet_id, 1 + self.chance.randrange(NANO_PER_YUAN))

    async def _put_in(self, wallet_id: str, nano: int) -> None:
        async with self.database.tx() as tx:
            await store.top_up(tx, DEFAULT_ORG, wallet_id, nano, "test", now_ms(SystemClock()))
        self.put_in[wallet_id] = self.put_in.get(wallet_id, 0) + nano

    async def check(self) -> None:
        """The books of a gateway that has just been started again."""
        await self._nothing_is_held()
        await self._every_whole_reply_has_its_bill()
        await self._nothing_is_billed_twice_or_wrongly()
        assert (await verify(self.database)).differences == []
        await self._balances_are_top_ups_less_bills()
        self.checked = len(self.sent)
        for call in self.sent:
            call.body = b"" if call.once is None else call.body  # a soak would fill the memory

    async def _nothing_is_held(self) -> None:
        async with self.database.read() as read:
            assert (await read.execute(select(leases))).all() == []
            assert (await read.execute(select(func.sum(wallets.c.leased_nano)))).scalar_one() == 0
            assert (await read.execute(select(func.count()).select_from(tellers))).scalar_one() == 1

    async def _every_whole_reply_has_its_bill(self) -> None:
        for name, key in self.keys.items():
            async with Connection(self.gateway.port) as connection:
                for call in self.sent[self.checked :]:
                    if call.whole and call.key == name:
                        headers = {"authorization": f"Bearer {key.key}"}
                        await connection.request("GET", f"/v1/usage/{call.request_id}", headers)
                        answer = await connection.answer()
                        assert answer.status == 200, f"no bill for {call}"
                        expected = write_yuan(cost_nano(call.model, call.stream))
                        bill = answer.json
                        assert (bill["status"], bill["cost"], bill["usage_source"]) == (200, expected, "vendor"), call

    async def _nothing_is_billed_twice_or_wrongly(self) -> None:
        async with self.database.read() as read:
            rows = (await read.execute(select(calls.c.id, calls.c.client_request_id, calls.c.cost_nano))).all()
            entries = (await read.execute(select(journal.c.call_id).where(journal.c.kind == "settle"))).scalars().all()
        assert len({call_id for call_id, _, _ in rows}) == len(rows)
        assert len(set(entries)) == len(entries)
        by_mark = {call.mark: call for call in self.sent}
        billed: dict[str, str] = {}  # by idempotency key or mark
        for call_id, mark, nano in rows:
            if not nano:
                continue
            call = by_mark[mark]
            name = call.once or mark
            assert name not in billed, f"{billed[name]} and {call_id} are bills of the same call {call}"
            billed[name] = call_id
            assert call.leaves or nano == cost_nano(call.model, call.stream), call
        replies = {call.once: call for call in self.sent if call.once and call.whole}
        for call in self.sent:
            if call.once and call.whole:
                assert (call.request_id, call.body) == (replies[call.once].request_id, replies[call.once].body)

    async def _balances_are_top_ups_less_bills(self) -> None:
        async with self.database.read() as read:
            sums = select(calls.c.wallet_id, func.sum(calls.c.cost_nano)).group_by(calls.c.wallet_id)
            spent = {wallet_id: int(nano) for wallet_id, nano in await read.execute(sums)}
            rows = await read.execute(select(wallets.c.id, wallets.c.balance_nano))
            balances = {wallet_id: nano for wallet_id, nano in rows}
        for wallet_id, nano in balances.items():
            assert nano == self.put_in[wallet_id] - spent.get(wallet_id, 0) >= 0
        for key in self.keys.values():
            shown = self.gateway.get("/v1/balance", key.key)
            assert (shown["balance"], shown["held"]) == (write_yuan(balances[key.wallet_id]), "0")

    def report(self) -> str:
        whole = sum(call.whole for call in self.sent)
        refused = sum(call.status == 402 for call in self.sent)
        return f"{len(self.sent)} calls, {whole} whole replies, {refused} refused for want of money"


async def crash_again_and_again(folder: Path, url: str, *, seed: int, kills: int) -> Crash:
    """Kill a gateway that many times, at moments that follow from the seed, and check its books after each."""
    chance = random.Random(seed)
    killer = Killer()

    def script(call: Call) -> Reply:
        killer.saw("arrived")
        call.answered = _Answered(killer)
        return by_model(call)

    database = await open_database(url)
    with ThreadedUpstream(script) as upstream:
        try:
            keys = await _open_keys(database)
            gateway = GatewayProcess(folder, _configuration(upstream.url), database=url)
            crash = Crash(gateway, upstream, database, keys, killer, chance)
            for key in keys.values():
                crash.put_in[key.wallet_id] = POOR_NANO if key is keys["poor"] else 1000 * NANO_PER_YUAN
            with gateway:
                for life in range(kills):
                    event = chance.choice(list(EVENTS))
                    count = chance.randint(1, EVENTS[event])
                    await crash.kill_at(event, count)
                    upstream.calls.clear()
                    gateway.start()
                    try:
                        await crash.check()
                    except AssertionError as error:
                        error.add_note(f"seed {seed}, kill {life} at {count} {event}")
                        raise
            return crash
        finally:
            await database.close()


async def _open_keys(database: Database) -> dict[str, CreatedKey]:
    async def key(name: str, nano: int, wallet_id: str | None = None) -> CreatedKey:
        return await create_key(database, SystemClock(), name=name, balance_nano=nano, wallet_id=wallet_id)

    shared = await key("shared-1", 1000 * NANO_PER_YUAN)
    return {
        "shared-1": shared,
        "shared-2": await key("shared-2", 0, shared.wallet_id),
        "own-1": await key("own-1", 1000 * NANO_PER_YUAN),
        "own-2": await key("own-2", 1000 * NANO_PER_YUAN),
        "poor": await key("poor", POOR_NANO),
    }


def _configuration(upstream_url: str) -> str:
    price = f'price = {{ input = "{INPUT}", output = "{OUTPUT}", per = "ktok" }}'
    chat = "\n".join(f'[[model]]\nid = "{model}"\nmax_output = 100\n{price}' for model in (WHOLE, STREAM))
    return f"""
        [[upstream]]
        name = "simulator"
        base_url = "{upstream_url}"
        models = {json.dumps([WHOLE, STREAM, EMBEDDING])}

        {chat}

        [[model]]
        id = "{EMBEDDING}"
        kind = "embedding"
        price = {{ input = "{INPUT}", per = "ktok" }}
    """
