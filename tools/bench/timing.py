"""How long a call takes."""

from collections.abc import Callable
import gc
from time import perf_counter


def times(call: Callable[[], object], often: int) -> list[float]:
    """Return how long each of some calls took [s], without the collection of garbage."""
    gc.collect()
    gc.disable()
    try:
        found = []
        for _ in range(often):
            start = perf_counter()
            call()
            found.append(perf_counter() - start)
    finally:
        gc.enable()
    return found
