"""The FLM02's local REST service: the last minute of a sensor's momentary values."""

from http import HTTPStatus
from typing import NamedTuple

import aiohttp
import orjson
from yarl import URL

from .exceptions import FluksoConfigError, FluksoConnectionError, NotAFluksoError

REST_PORT = 8080
MAX_WINDOW_BYTES = 16_384
_QUERY = "version=1.0&interval=minute&unit=watt"
_PAIR = 2
_NUMBERS = frozenset({int, float})


class Window(NamedTuple):
    """The last minute of a sensor: time [s, Unix] and value of each second that has one.

    `gaps` counts the seconds without a value, one or two at the end as a rule. Earlier holes cannot be told: the meter
    fills them with the next value.
    """

    values: tuple[tuple[int, float], ...]
    gaps: int = 0


async def fetch_window(
    session: aiohttp.ClientSession, host: str, sid: str, *, port: int = REST_PORT, limit: float = 5
) -> Window:
    """Read a sensor's last minute, in its native unit (W, or L/day), whatever `unit` the query asks for.

    Raises
    ------
    FluksoConnectionError
        No answer in time.
    FluksoConfigError
        The meter does not know this sensor, or it is switched off.
    NotAFluksoError
        Something else answers.

    """
    try:
        url = URL.build(scheme="http", host=host, port=port, path=f"/sensor/{sid}", query_string=_QUERY)
        async with session.get(url, timeout=aiohttp.ClientTimeout(limit), allow_redirects=False) as response:
            status = response.status
            body = await response.content.read(MAX_WINDOW_BYTES + 1)
            while len(body) <= MAX_WINDOW_BYTES and (more := await response.content.read(MAX_WINDOW_BYTES)):
                body += more
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
        raise FluksoConnectionError(f"The REST service at {host} port {port} does not answer.") from error
    if status == HTTPStatus.NOT_FOUND:
        raise FluksoConfigError(f"The meter at {host} does not know sensor {sid}, or it is switched off.")
    if status != HTTPStatus.OK:
        raise NotAFluksoError(f"What answers at {host} port {port} refuses a Fluksometer's query with status {status}.")
    return parse_window(body)


def parse_window(body: bytes) -> Window:
    """Read `[[time, value], …]`, with "nan" for a second without a value; empty if there was none since the start.

    Raises
    ------
    NotAFluksoError
        The body is anything else.

    """
    try:
        rows = orjson.loads(body) if len(body) <= MAX_WINDOW_BYTES else None
    except orjson.JSONDecodeError:
        rows = None
    if not isinstance(rows, list):
        raise NotAFluksoError("The answer is not a Fluksometer's list of values.")
    values = []
    gaps = 0
    for row in rows:
        if not isinstance(row, list) or len(row) < _PAIR or type(row[0]) not in _NUMBERS:
            raise NotAFluksoError("The answer is not a Fluksometer's list of values.")
        if type(row[1]) in _NUMBERS:
            values.append((int(row[0]), float(row[1])))
        else:
            gaps += 1
    return Window(tuple(values), gaps)
