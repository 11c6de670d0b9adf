"""Home Assistant's REST and websocket interfaces as plain calls, usable beside Playwright's synchronous interface."""

import asyncio
from collections.abc import Coroutine
import json
import threading
from typing import Any

import aiohttp


class ApiError(Exception):
    """Home Assistant refused a call, or could not be reached."""


class _Background:
    """One event loop in a thread of its own: `asyncio.run` refuses to work beside Playwright's synchronous calls."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="home-api", daemon=True).start()

    def run[T](self, work: Coroutine[Any, Any, T], timeout: float) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(timeout)
        except TimeoutError as error:
            future.cancel()
            raise ApiError(f"no answer within {timeout:.0f} s") from error
        except (aiohttp.ClientError, aiohttp.WSMessageTypeError) as error:  # the second: closed instead of an answer
            raise ApiError(f"{type(error).__name__}: {error}") from error


class Api:
    """Calls to one Home Assistant.

    Parameters
    ----------
    url
        Origin without a slash at its end.
    token
        Access token; empty before the onboarding.
    """

    _background: _Background | None = None

    def __init__(self, url: str, token: str = "") -> None:
        self.url = url
        self.token = token

    def get(self, path: str) -> Any:
        """Return the JSON (or text) of a GET."""
        return self.request("GET", path)

    def post(self, path: str, body: Any = None) -> Any:
        """Return the JSON (or text) of a POST with a JSON body."""
        return self.request("POST", path, json={} if body is None else body)

    def request(self, method: str, path: str, *, timeout: float = 60, **content: Any) -> Any:
        """Return what a request answers; `content` is aiohttp's `json` or `data`.

        Raises
        ------
        ApiError
            The answer is not a success, or none came within `timeout` [s].
        """
        return self._run(self._request(method, path, content), timeout)

    def download(self, path: str) -> bytes:
        """Return the bytes of a GET."""
        found: bytes = self._run(self._download(path), 60)
        return found

    def websocket(self, command: str, *, timeout: float = 60, **fields: Any) -> Any:
        """Return the result of one websocket command.

        Raises
        ------
        ApiError
            The command failed, or no result came within `timeout` [s].
        """
        return self._run(self._websocket({"type": command, **fields}), timeout)

    def states(self) -> dict[str, dict[str, Any]]:
        """Return all states by entity id."""
        return {state["entity_id"]: state for state in self.get("/api/states")}

    @classmethod
    def _run[T](cls, work: Coroutine[Any, Any, T], timeout: float) -> T:
        if cls._background is None:
            cls._background = _Background()
        return cls._background.run(work, timeout)

    async def _request(self, method: str, path: str, content: dict[str, Any]) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, self.url + path, **content) as response,
        ):
            text = await response.text()
        if not response.ok:
            raise ApiError(f"{method} {path} answered {response.status}: {text[:300]}")
        try:
            return json.loads(text)
        except ValueError:
            return text

    async def _download(self, path: str) -> bytes:
        async with aiohttp.ClientSession() as session, session.get(self.url + path) as response:
            if not response.ok:
                raise ApiError(f"GET {path.partition('?')[0]} answered {response.status}")
            return await response.read()

    async def _websocket(self, message: dict[str, Any]) -> Any:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{self.url}/api/websocket", max_msg_size=0) as socket,
        ):
            await socket.receive_json()
            await socket.send_json({"type": "auth", "access_token": self.token})
            if (greeting := await socket.receive_json())["type"] != "auth_ok":
                raise ApiError(str(greeting))
            await socket.send_json({"id": 1, **message})
            while (answer := await socket.receive_json())["type"] != "result":
                pass
        if not answer["success"]:
            raise ApiError(f"{message['type']}: {answer['error']['message']}")
        return answer["result"]
