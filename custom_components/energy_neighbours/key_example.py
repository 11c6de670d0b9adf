"""What a repartition key would have given last month, beside the one that held: to be seen before it is agreed."""

from datetime import timedelta
import time
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers.importlib import async_import_module

from .core.quarter_hour import Span, day_of, local_month
from .core.repartition_key import DynamicCustom, RepartitionKey
from .key_texts import async_key_texts
from .ledger import LedgerError

MOST_ROWS = 40


async def async_example(hass: HomeAssistant, entry: ConfigEntry[Any], key: RepartitionKey) -> str:
    """Return a table of what members got last month and would have got, or a sentence why there is none."""
    texts = await async_key_texts(hass)
    text = texts.say

    def energy(watt_hours: int) -> str:
        return f"{texts.number(watt_hours / 1000, 1)} kWh"

    if entry.state is not ConfigEntryState.LOADED:
        return text("example_none")
    community = entry.runtime_data
    now = time.time()
    this_month = local_month(day_of(now, community.zone), community.zone)
    last_month = local_month(day_of(this_month.start, community.zone) - timedelta(days=1), community.zone)
    sites = [member.site for member in community.members]
    division = await async_import_module(hass, f"{__package__}.division")
    for span in (last_month, Span(this_month.start, int(now))):
        try:
            readings, given = await community.ledger.async_look(
                lambda shares, span=span: (
                    shares.readings(sites, span),
                    shares.coefficients(community.ledger.name, span),
                )
            )
        except LedgerError:
            return text("example_none")
        example = await hass.async_add_executor_job(
            division.example, community.rules, community.members, key, span, readings, given
        )
        lacks_coefficients = isinstance(key, DynamicCustom) and not given
        if any(now_ or then for now_, then in example.values()):
            break
    else:
        return text("example_none")
    rows = [f"| {text('example_member')} | {text('example_now')} | {text('example_then')} |", "|---|---:|---:|"]
    named = {each.member.code: entry.subentries[each.subentry_id].title for each in community.members}
    listed = sorted(example, key=lambda code: -abs(example[code][1] - example[code][0]))[:MOST_ROWS]
    rows += [f"| {named[code]} | {energy(example[code][0])} | {energy(example[code][1])} |" for code in listed]
    before, after = (sum(pair[place] for pair in example.values()) for place in (0, 1))
    rows.append(f"| **{text('example_all')}** | **{energy(before)}** | **{energy(after)}** |")
    start, end = (texts.day(day_of(moment, community.zone)) for moment in (span.start, span.end - 1))
    table = "\n".join([text("example_span", start=start, end=end), "", *rows])
    return f"{table}\n\n{text('example_without_coefficients')}" if lacks_coefficients else table
