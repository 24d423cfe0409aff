"""LangChain's own standard suite for chat models judges what its OpenAI class gets through the gateway, by chat
completions and by the Responses API.

What the suite takes from the internet (a picture, a PDF, a sound) stays off; `test_openai_sdk` and `test_responses_sdk`
send such things.
"""

from collections.abc import AsyncGenerator
from typing import Any, ClassVar

import httpx
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests

from tests.judges.openai_place import Place


# A parsed reply is not of the type that the SDK declares, and models of pydantic's first version are not parsed at all.
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning")
@pytest.mark.filterwarnings("ignore:Received a Pydantic BaseModel V1 schema:UserWarning")
class TestChat(ChatModelIntegrationTests):
    at: ClassVar[dict[str, Any]] = {}

    @pytest.fixture(autouse=True)
    async def clients(self, place: Place) -> AsyncGenerator[None]:
        """Clients of its own for each test: the class would keep one for ever, and for one event loop."""
        async with httpx.AsyncClient(timeout=60) as waiting:
            with httpx.Client(timeout=60) as blocking:
                self.at.update(base_url=place.url, api_key=place.key, http_client=blocking, http_async_client=waiting)
                yield

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatOpenAI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "gpt-4.1", "max_retries": 0, "stream_usage": True, **self.at}

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_model_override(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str:
        return "gpt-4o-audio-preview"


class TestResponses(TestChat):
    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "gpt-4.1", "max_retries": 0, "use_responses_api": True, **self.at}
