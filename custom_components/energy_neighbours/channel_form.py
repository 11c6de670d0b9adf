"""The form in which the user gives each channel of a Fluksometer its role and phase."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import voluptuous as vol

from .const import CONF_PHASE, CONF_REVERSED, CONF_ROLE
from .core.channel import Assignment, LayoutError, LayoutProblem, Phase, Role
from .core.power_balance import sum_or_none
from .flukso.discovery import Survey
from .flukso.models import Channel, MessageKind, Quantity
from .quantities import normal
from .roles import site_layout, suggest

NONE: Final = "none"
MOST_CHANNELS: Final = 12
"""So many sections have a translation; a meter has at most six ports and a P1 port."""


def _select(options: list[str], key: str) -> SelectSelector:
    return SelectSelector(SelectSelectorConfig(options=options, translation_key=key, mode=SelectSelectorMode.DROPDOWN))


_ROLES: Final = _select([*Role, NONE], "role")
_PHASES: Final = _select([*(phase.lower() for phase in Phase), NONE], "phase")


def _numbered(survey: Survey) -> Iterator[tuple[str, Channel]]:
    electric = [c for c in survey.device.channels if c.is_electric]
    for number, channel in enumerate(electric[:MOST_CHANNELS], 1):
        yield f"channel_{number}", channel


def schema(survey: Survey, given: Mapping[str, Assignment] | None = None) -> vol.Schema:
    """Return the form's fields, filled in with the roles given, else with those that we suggest."""
    assignments = suggest(survey.device, survey.readings) if given is None else given
    return vol.Schema(
        {
            vol.Required(name): section(_fields(channel, assignments.get(channel.key)), {"collapsed": False})
            for name, channel in _numbered(survey)
        }
    )


def _fields(channel: Channel, assignment: Assignment | None) -> vol.Schema:
    phase = assignment.phase.lower() if assignment and assignment.phase else NONE
    fields: dict[Any, Any] = {
        vol.Required(CONF_ROLE, default=assignment.role if assignment else NONE): _ROLES,
        vol.Required(CONF_PHASE, default=phase): _PHASES,
    }
    if channel.measures_direction:
        fields[vol.Required(CONF_REVERSED, default=bool(assignment and assignment.reversed))] = BooleanSelector()
    return vol.Schema(fields)


def placeholders(survey: Survey) -> dict[str, str]:
    """Return what each section is called: port, phase matched by the meter, name, and what it measures right now."""
    return {
        "meter": survey.device.hostname,
        "model": survey.device.model,
        **{name: _describe(survey, channel) for name, channel in _numbered(survey)},
    }


def _describe(survey: Survey, channel: Channel) -> str:
    parts = [_terminal(channel), channel.name]
    if channel.phase_hint is not None:
        parts.append(f"φ{channel.phase_hint + 1}")
    parts.append(_watts(live_power(survey, channel)))
    if channel.bundled:
        parts.append("Σ")
    return " · ".join(part for part in parts if part)


def _terminal(channel: Channel) -> str:
    return " + ".join(f"#{port}" for port in channel.ports)


def _watts(power: float | None) -> str:
    return "— W" if power is None else f"{power:.0f} W".replace("-", "−")  # noqa: RUF001 - a minus sign


def live_summary(survey: Survey) -> str:
    """Return what all channels measure right now, in one short line."""
    return " · ".join(
        f"{_terminal(channel) or channel.name} {_watts(live_power(survey, channel))}"
        for _, channel in _numbered(survey)
    )


def grid_power(survey: Survey, user_input: Mapping[str, Any]) -> float | None:
    """Return the site's grid power with the roles chosen so far [W]; None while they make no sense."""
    channels = {channel.key: channel for channel in survey.device.channels}
    try:
        layout = site_layout(survey.device, dict(_given(survey, user_input)))
    except KeyError, ValueError:  # a form half filled in, or roles that contradict each other
        return None
    powers: list[float | None] = []
    for key in layout.keys(Role.GRID):
        power = live_power(survey, channels[key])
        powers.append(-power if power is not None and layout.assignments[key].reversed else power)
    return sum_or_none(powers)


def live_power(survey: Survey, channel: Channel) -> float | None:
    """Return what a channel measured last, import positive [W]; None if nothing came."""

    def watts(quantity: Quantity) -> float | None:
        reading = survey.readings.get(channel.sensors.get(quantity, ""), {}).get(MessageKind.GAUGE)
        return normal(reading.value, reading.unit, "W") if reading else None

    if Quantity.EXPORT in channel.sensors:
        imported, exported = watts(Quantity.IMPORT), watts(Quantity.EXPORT)
        return None if imported is None or exported is None else imported - exported
    return watts(next(iter(channel.sensors)))


def read(survey: Survey, user_input: Mapping[str, Any]) -> dict[str, Assignment]:
    """Return the roles given in the form.

    Raises
    ------
    LayoutError
        When they contradict each other or the meter's wiring; its placeholders are fit for the form's errors.
    """
    assignments = dict(_given(survey, user_input))
    try:
        site_layout(survey.device, assignments)
    except LayoutError as err:
        if err.problem is LayoutProblem.BUNDLED:
            names = {c.key: c.name for c in survey.device.channels}
            raise LayoutError(err.problem, channel=names[err.placeholders["channel"]]) from err
        raise
    return assignments


def _given(survey: Survey, user_input: Mapping[str, Any]) -> Iterator[tuple[str, Assignment]]:
    for name, channel in _numbered(survey):
        values = user_input[name]
        if values[CONF_ROLE] == NONE:
            continue
        phase = None if values[CONF_PHASE] == NONE else Phase(values[CONF_PHASE].upper())
        yield channel.key, Assignment(Role(values[CONF_ROLE]), phase, reversed=values.get(CONF_REVERSED, False))
