"""What is compared, with the targets of the project, and the sentences that belong below the table."""

from collections.abc import Callable, Iterator, Sequence

from tools.bench.result import Result, compare

from .rounds import Bench, Round, Say, Window, measure

NAME = "ingest"
PEERS = {"mqtt": "MQTT sensors", "bare": "bare client"}
SENSORS_CPU = 4
SENSORS_ROWS = 20
BARE_CPU = 0.5
"""At most twice the processor time of a client that does nothing with what it hears."""


def run(*, speeds: Sequence[float], seconds: int, rounds: int, say: Say) -> tuple[list[Result], list[str]]:
    """Measure at each of `speeds` [bursts a second]; return the comparisons and the notes."""
    results: list[Result] = []
    notes: list[str] = []
    for speed in speeds:
        measured, bench = measure(speed, seconds, rounds, say)
        results += _compare(measured, f"{speed:g} Hz")
        notes = _notes(bench, rounds, seconds)
    return results, notes


def _compare(rounds: Sequence[Round], pace: str) -> Iterator[Result]:
    def values(side: str, value: Callable[[Window], float]) -> list[float]:
        return [value(each[side]) for each in rounds]

    def case(
        what: str, value: Callable[[Window], float], unit: str, target: float | None = None, peer: str = "mqtt"
    ) -> Result:
        name = f"{pace}: {what}, {PEERS[peer]}"
        return compare(NAME, name, unit, ours=values("site", value), peer=values(peer, value), target=target)

    yield case("CPU a message", lambda w: w.cpu_per_message, "us", SENSORS_CPU)
    yield case("CPU a message", lambda w: w.cpu_per_message, "us", BARE_CPU, peer="bare")
    yield case("recorder rows a day", lambda w: w.rows_per_day, "rows", SENSORS_ROWS)
    yield case("share of a core", lambda w: w.share, "%")


def _notes(bench: Bench, rounds: int, seconds: int) -> list[str]:
    return [
        f"Median of the rounds ({rounds} of {seconds} s), least and most; ratio is peer / ours of the same round.",
        f"The same {bench.topics} messages a burst for all, each side at its own part of the burst's time.",
        "CPU: of the process, user and system, recorder included, less that of an idle Home Assistant beside it.",
        "Sped up, our durations are shortened alike; shares and rows are those of the household's own time.",
        f"Our {len(bench.enabled)} entities enabled by default: {', '.join(bench.enabled)}.",
    ]
