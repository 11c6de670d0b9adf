"""The local REST service of an FLM02: the last minute of each sensor's gauge."""

from collections.abc import Iterable
from contextlib import suppress
import re

from aiohttp import hdrs, web

from .formats import Message
from .meter import Meter

WINDOW = 60  # [s]
GAUGE = re.compile(rb"\[(\d+),(-?\d+),")
SENSOR_PATH = re.compile(r"/sensor/([0-9a-f]{32})/gauge")
REQUIRED = {"version": ("1.0",), "interval": ("minute",), "unit": ("watt", "lperday")}


class MinuteWindow:
    """What the daemon keeps of the gauges: one value a second, for one minute."""

    def __init__(self, history: dict[str, list[tuple[int, int]]]) -> None:
        """Begin with `history`: gauges of the minute before, by sensor id: (age [s], value)."""
        self._history = history
        self._values: dict[str, dict[int, int]] = {}
        self._end = 0

    def clear(self) -> None:
        """Forget everything, as a reboot does."""
        self._values.clear()
        self._history = {}

    def note(self, stamp: int, messages: Iterable[Message]) -> None:
        """Take the messages of the second `stamp`.

        The window moves only with a gauge of some sensor; the newest second is not in it yet when the file is written.
        """
        for sid, past in self._history.items():
            self._values[sid] = {stamp - age: value for age, value in past}
        self._history = {}
        for message in messages:
            path = SENSOR_PATH.fullmatch(message.topic)
            reading = GAUGE.match(message.payload)
            if path and reading:
                self._end = stamp
                values = self._values.setdefault(path[1], {})
                values[int(reading[1])] = int(reading[2])
                for old in [second for second in values if second <= stamp - WINDOW - 1]:
                    del values[old]

    def body(self, sid: str) -> str:
        """Write the minute of one sensor; holes take the next later value, what has not come yet is `"nan"`."""
        if sid not in self._values:
            return "[]"
        values = self._values[sid]
        known = [second for second in values if self._end - WINDOW < second < self._end]
        entries: list[str] = []
        later = '"nan"'
        for second in range(self._end, min(known, default=self._end - WINDOW + 1) - 1, -1):
            if second < self._end and second in values:
                later = str(values[second])
            entries.append(f"[{second},{later}]")
        return f"[{','.join(reversed(entries))}]"


class RestService:
    """The web server on port 8080."""

    def __init__(self, host: str, port: int, meter: Meter) -> None:
        """Prepare to listen on `host`:`port`; port 0 takes a free one at the first start and keeps it."""
        self._host = host
        self.port = port
        self._meter = meter
        self.window = MinuteWindow(meter.recorded_gauges())
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Begin to listen. Raises OSError when the port is taken."""
        app = web.Application()
        app.router.add_get("/sensor/{sid}", self._answer)
        app.on_response_prepare.append(_bare)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, self._host, self.port)
        try:
            await site.start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self.port = runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        sid = request.match_info["sid"]
        linked = any(entry["id"] == sid and entry.get("class") != "uart" for _, entry in self._meter.config.enabled())
        if not linked:
            return web.Response(status=404, text="No such file or directory")
        if any(request.query.get(key) not in allowed for key, allowed in REQUIRED.items()):
            return web.Response(status=400, text="incorrect or missing parameter")
        body = self.window.body(sid)
        callback = request.query.get("callback") or request.query.get("jsonp_callback")
        if callback and body != "[]":
            body = f"{callback}({body});"
        response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: "application/json"})
        response.enable_chunked_encoding()
        response.force_close()
        # Whoever asks may be gone before the answer is.
        with suppress(ConnectionError):
            await response.prepare(request)
            await response.write(body.encode())
            await response.write_eof()
        return response


async def _bare(_: web.Request, response: web.StreamResponse) -> None:
    """Take off the headers that the meter's small web server does not send."""
    for header in (hdrs.SERVER, hdrs.DATE):
        response.headers.popall(header, None)
    if response.status == web.HTTPBadRequest.status_code:
        response.headers.popall(hdrs.CONTENT_TYPE, None)
