"""The judge of the log, judged."""

import pytest

from tests.smoke.log import reproaches

STAMP = "2026-11-22 21:31:05.643"
FINE = f"""\
{STAMP} WARNING (SyncWorker_0) [homeassistant.loader] We found a custom integration energy_neighbours which has not \
been tested by Home Assistant. This component might cause stability problems
{STAMP} INFO (MainThread) [custom_components.energy_neighbours.site] Started
{STAMP} ERROR (MainThread) [haffmpeg.core] FFmpeg fails [Errno 2] No such file or directory: 'ffmpeg'
Traceback (most recent call last):
  File "/lib/python3.14/site-packages/haffmpeg/core.py", line 130, in open
"""
REPROACHES = {
    "own warning": "WARNING (MainThread) [custom_components.energy_neighbours.site] The registers cannot be read",
    "set-up": "ERROR (MainThread) [homeassistant.config_entries] Error setting up entry Flukso for energy_neighbours",
    "deprecation": "WARNING (MainThread) [homeassistant.helpers.frame] Detected that custom integration "
    "'energy_neighbours' accesses a deprecated function. This will stop working in Home Assistant 2027.8",
    "blocking call": "WARNING (MainThread) [homeassistant.util.loop] Detected blocking call to open with args ('x',) "
    "inside the event loop by custom integration 'energy_neighbours' at custom_components/energy_neighbours/site.py",
    "traceback": "ERROR (MainThread) [homeassistant] Error doing job\nTraceback (most recent call last):\n"
    '  File "/config/custom_components/energy_neighbours/sensor.py", line 1, in native_value',
    "lost task": "ERROR (MainThread) [asyncio] Task exception was never retrieved",
}


def test_what_is_not_about_us_is_fine() -> None:
    assert reproaches(FINE) == []


@pytest.mark.parametrize("zone", ["", "+00:00"])  # newer releases log it
@pytest.mark.parametrize("text", REPROACHES.values(), ids=REPROACHES)
def test_an_entry_about_us_is_found(text: str, zone: str) -> None:
    entry = f"{STAMP}{zone} {text}"

    assert reproaches(f"{FINE}{entry}\n{FINE}") == [entry]


def test_a_log_that_cannot_be_read_is_no_good_news() -> None:
    with pytest.raises(ValueError, match="no entry"):
        reproaches("something else")
