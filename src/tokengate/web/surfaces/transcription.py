"""OpenAI's transcriptions and translations, under each of its base paths: forms whose file is put aside as it comes."""

import asyncio
from pathlib import Path

from msgspec.structs import replace

from tokengate.accounts.keys import Principal
from tokengate.formats.openai.transcription_forms import json_of_recording
from tokengate.gateway.estimate import Estimate, estimate
from tokengate.gateway.operation import Operation
from tokengate.gateway.pipeline import Gateway
from tokengate.gateway.recording import recording_of
from tokengate.gateway.transcription import TRANSCRIPTIONS, TRANSLATIONS
from tokengate.reference import table
from tokengate.web.admit import Admit, options
from tokengate.web.dispatch import Endpoint, Handler
from tokengate.web.request import Request
from tokengate.web.spool import spooled
from tokengate.web.surfaces.bases import BASES
from tokengate.web.surfaces.quote import QuotableForm

_OPERATIONS = ((table.TRANSCRIPTIONS, TRANSCRIPTIONS), (table.TRANSLATIONS, TRANSLATIONS))


class TranscriptionSurface:
    """Hands recordings to the pipeline; what does not fit into memory lies in `folder` meanwhile."""

    def __init__(self, gateway: Gateway, admit: Admit, folder: Path) -> None:
        self._gateway = gateway
        self._admit = admit
        self._folder = folder

    def endpoints(self) -> list[Endpoint]:
        """Return both routes, under every base path."""
        return [
            Endpoint(published, self._call(operation), base.path, base.bad_key)
            for base in BASES
            for published, operation in _OPERATIONS
        ]

    def quotable_forms(self) -> list[QuotableForm]:
        """Return how recordings are quoted: each is put aside until its duration is known."""

        def of(operation: Operation) -> QuotableForm:
            async def found(request: Request, principal: Principal) -> Estimate:
                async with spooled(request, self._folder) as (fields, file):
                    recording = await asyncio.to_thread(recording_of, file)
                    return await estimate(self._gateway, principal, operation, json_of_recording(fields, recording))

            return QuotableForm(operation.path, found)

        return [of(operation) for _, operation in _OPERATIONS]

    def _call(self, operation: Operation) -> Handler:
        admit, answer, folder = self._admit, self._gateway.answer, self._folder

        async def handler(request: Request) -> None:
            principal = admit.principal(request)
            asked = options(request)
            async with spooled(request, folder) as (fields, file):
                recording = await asyncio.to_thread(recording_of, file)
                body = json_of_recording(fields, recording)
                await answer(request.id, principal, operation, body, request, replace(asked, recording=recording))

        return handler
