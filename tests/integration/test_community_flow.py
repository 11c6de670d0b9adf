"""An organiser founds a community, takes members in and changes the key; every text on the way is checked."""

from decimal import Decimal
from typing import Any

from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from custom_components.energy_neighbours.communities import members_of, read_keys, rules_of, shared_tariff_of
from custom_components.energy_neighbours.const import DOMAIN
from custom_components.energy_neighbours.core.repartition_key import (
    Cascade,
    DynamicCustom,
    Hybrid,
    Peer,
    Prorata,
    Relative,
    Static,
    StaticMulti,
    TwoStage,
    Weights,
)
from custom_components.energy_neighbours.core.sharing_costs import SharedTariff
from tests.core.tariffs import BRUSSELS

from .conftest import load
from .contracted import at
from .flows import options
from .neighbours import EQUAL, START, community, member, quarters, remember, settle, site, street
from .translations import check_result

MEMBER = "config_subentries.member"
MORE = {"takes_part": 100, "connection_power": 44}


async def test_a_community_is_founded(hass: HomeAssistant, freezer) -> None:
    freezer.move_to("2026-06-10T12:00:00+02:00")
    hass.config.country = "BE"
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    check_result(result)
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {"next_step_id": "community"})
    check_result(result)
    answers = {"name": "Rue des Érables", "region": "brussels", "key": "hybrid", "valid_from": "2026-06-01"}
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {**answers, "privacy_threshold": 4, "shared_price": 0.12}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    entry = result["result"]
    assert entry.title == "Rue des Érables"
    assert len(entry.data["community"]) == 12
    (version,) = read_keys(entry.options)
    assert (version.number, version.valid_from.isoformat(), version.key) == (1, "2026-06-01", Hybrid(None))
    assert shared_tariff_of(entry.options) == SharedTariff.flat(Decimal("0.12"))
    assert hass.states.get("sensor.rue_des_erables_members_present").state == "0"


async def take_in(hass: HomeAssistant, entry, source: str, **answers: Any):
    result = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "member"), context={"source": SOURCE_USER}
    )
    check_result(result, MEMBER)
    result = await hass.config_entries.subentries.async_configure(result["flow_id"], {"next_step_id": source})
    check_result(result, MEMBER)
    if result["type"] is FlowResultType.FORM:
        given = {"part": "consumer", "joined": START, "more": MORE} | answers
        result = await hass.config_entries.subentries.async_configure(result["flow_id"], given)
        check_result(result, MEMBER)
    await hass.async_block_till_done()
    return result


async def test_members_are_taken_in_with_codes_that_tell_nothing_of_them(hass: HomeAssistant, freezer) -> None:
    ash, elm = site("Ash"), site("Elm")
    await street(hass, freezer, "2026-06-10T12:00:00+02:00", ash, elm)
    entry = await load(hass, community([]))
    await take_in(hass, entry, "local", site=ash.entry_id)
    await take_in(hass, entry, "local", site=elm.entry_id, name="Ground floor", part="both", left="2026-12-01")
    await take_in(hass, entry, "files", name="Dupont", more={**MORE, "group": " flats ", "takes_part": 33.3})
    await take_in(hass, entry, "vacant", name="Third floor")
    found = members_of(entry)
    titles = [entry.subentries[each.subentry_id].title for each in found]
    assert titles == ["Ash", "Ground floor", "Dupont", "Third floor"]
    assert len({each.member.code for each in found}) == 4
    assert all(len(each.member.code) == 8 for each in found)
    assert [each.site for each in found[:2]] == [ash.entry_id, elm.entry_id]
    assert found[2].site == f"{entry.entry_id}/{found[2].member.code}"
    assert (found[1].member.produces, found[1].member.left.isoformat()) == (True, "2026-12-01")
    assert (found[2].member.group, str(found[2].member.offtake_part)) == ("flats", "333/1000")
    assert found[3].member.vacant
    result = await take_in(hass, entry, "local")
    assert result["reason"] == "no_site_left"
    assert "sensor.ash_coverage_rate" in hass.states.async_entity_ids()


async def test_a_member_is_changed_and_cannot_leave_before_it_came(hass: HomeAssistant, freezer) -> None:
    ash = site("Ash")
    await street(hass, freezer, "2026-06-10T12:00:00+02:00", ash)
    entry = await load(hass, community([member(ash, "aaaa")]))
    (known,) = members_of(entry)
    result = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "member"), context={"source": SOURCE_RECONFIGURE, "subentry_id": known.subentry_id}
    )
    check_result(result, MEMBER)
    change = {"site": ash.entry_id, "name": "Ash tree", "part": "both", "joined": START, "more": MORE}
    result = await hass.config_entries.subentries.async_configure(result["flow_id"], {**change, "left": START})
    check_result(result, MEMBER)
    assert result["errors"] == {"base": "left_before_joined"}
    result = await hass.config_entries.subentries.async_configure(result["flow_id"], {**change, "left": "2026-07-01"})
    check_result(result, MEMBER)
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    (changed,) = members_of(entry)
    assert (changed.member.code, changed.member.produces) == ("aaaa", True)
    assert entry.subentries[changed.subentry_id].title == "Ash tree"


def suggestions(result) -> dict[str, Any]:
    """Return what a form is filled in with."""
    return {
        str(field): field.description["suggested_value"]
        for field in result["data_schema"].schema
        if field.description and "suggested_value" in field.description
    }


async def configure(hass: HomeAssistant, result, answers):
    result = await hass.config_entries.options.async_configure(result["flow_id"], answers)
    check_result(result, "options")
    return result


async def with_roof(hass: HomeAssistant, freezer):
    ash, elm, roof = site("Ash"), site("Elm"), site("Roof")
    await street(hass, freezer, "2026-06-10T12:00:00+02:00", ash, elm, roof)
    await remember(hass, ash, quarters("2026-06-09T10:00:00+02:00", 4, 600))
    await remember(hass, elm, quarters("2026-06-09T10:00:00+02:00", 4, 200))
    await remember(hass, roof, quarters("2026-06-09T10:00:00+02:00", 4, 0, 400))
    members = [member(ash, "aaaa"), member(elm, "bbbb"), member(roof, "cccc", part="producer")]
    entry = await load(hass, community(members))
    await settle(hass, freezer)
    return entry


WEIGHTS = "aaaa 60 # Ash\nbbbb: 40 %\n"
AGREED = Weights.of({"aaaa": 60, "bbbb": 40})


@pytest.mark.parametrize(
    ("kind", "terms", "key"),
    [
        ("static", {"weights": WEIGHTS, "rest_to_grid": False}, Static(AGREED)),
        ("relative", {"weights": WEIGHTS, "rest_to_grid": False}, Relative(AGREED)),
        ("static_multi", {"weights": WEIGHTS, "rest_to_grid": False, "max_rounds": 2}, StaticMulti(AGREED, 2)),
        ("static_multi", {"weights": "", "rest_to_grid": False}, StaticMulti(None)),
        ("hybrid", {"weights": WEIGHTS, "rest_to_grid": False}, Hybrid(AGREED)),
        ("cascade", {"groups": "bbbb\naaaa"}, Cascade((("bbbb",), ("aaaa",)))),
        ("peer", {"producer": "cccc", "consumer": "aaaa"}, Peer("cccc", "aaaa")),
        ("prorata", None, Prorata()),
        ("dynamic_custom", None, DynamicCustom()),
    ],
)
async def test_a_key_of_each_kind_is_shown_with_an_example_before_it_holds(hass, freezer, kind, terms, key) -> None:
    entry = await with_roof(hass, freezer)
    result = await options(hass, entry, "key")
    result = await configure(hass, result, {"key": kind, "valid_from": "2026-07-01"})
    if terms is not None:
        assert result["step_id"] == "key_terms"
        result = await configure(hass, result, terms)
    assert result["step_id"] == "key_example"
    example = result["description_placeholders"]["example"]
    assert "| Flat aaaa | 1.2 kWh |" in example
    assert "| Flat bbbb | 0.4 kWh |" in example
    result = await configure(hass, result, {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    first, second = read_keys(entry.options)
    assert (first.number, first.key) == (1, Prorata())
    assert (second.number, second.valid_from.isoformat(), second.key) == (2, "2026-07-01", key)


async def test_rounds_with_a_rule_each(hass, freezer) -> None:
    entry = await with_roof(hass, freezer)
    result = await configure(hass, await options(hass, entry, "key"), {"key": "two_stage", "valid_from": START})
    stages = {"stages": "60 static\n40 % prorata", "weights": WEIGHTS, "rest_to_grid": False}
    result = await configure(hass, result, stages)
    await configure(hass, result, {})
    await hass.async_block_till_done()
    key = rules_of(entry).versions[-1].key
    assert isinstance(key, TwoStage)
    assert [(str(stage.part), stage.key.kind.value) for stage in key.stages] == [("3/5", "static"), ("2/5", "prorata")]


@pytest.mark.parametrize(
    ("kind", "terms", "error"),
    [
        ("static", {"weights": "aaaa 60\nbbbb 39.9", "rest_to_grid": False}, "weights_not_whole"),
        ("static", {"weights": "", "rest_to_grid": False}, "weights_not_whole"),
        ("static", {"weights": "aaaa 60\nzzzz 40", "rest_to_grid": False}, "unknown_member"),
        ("static", {"weights": "aaaa 60\naaaa 40", "rest_to_grid": False}, "in_two_groups"),
        ("static", {"weights": "aaaa -60\nbbbb 160", "rest_to_grid": False}, "not_a_weight"),
        ("static", {"weights": "all of it", "rest_to_grid": False}, "not_a_line"),
        ("cascade", {"groups": "aaaa zzzz"}, "unknown_member"),
        ("cascade", {"groups": "aaaa\naaaa"}, "in_two_groups"),
        ("two_stage", {"stages": "half prorata", "weights": WEIGHTS, "rest_to_grid": False}, "not_a_line"),
        ("two_stage", {"stages": "50 hybrid", "weights": WEIGHTS, "rest_to_grid": False}, "not_a_line"),
        ("two_stage", {"stages": "# none", "weights": WEIGHTS, "rest_to_grid": False}, "too_few_rounds"),
        ("two_stage", {"stages": "60 equal\n50 equal", "weights": "", "rest_to_grid": False}, "stages_over_whole"),
    ],
)
async def test_terms_that_make_no_key_get_one_sentence(hass, freezer, kind, terms, error) -> None:
    entry = await with_roof(hass, freezer)
    result = await configure(hass, await options(hass, entry, "key"), {"key": kind, "valid_from": START})
    result = await configure(hass, result, terms)
    assert result["errors"] == {"base": error}
    assert len(read_keys(entry.options)) == 1


async def test_what_a_form_of_the_key_shows_at_first(hass, freezer) -> None:
    entry = await with_roof(hass, freezer)
    agreed = {"kind": "static_multi", "weights": {"aaaa": "70", "bbbb": "20"}, "max_rounds": 3}
    version = {"number": 2, "valid_from": START, "author": "x", "key": agreed}
    hass.config_entries.async_update_entry(entry, options={**entry.options, "keys": [*entry.options["keys"], version]})
    await hass.async_block_till_done()
    result = await configure(hass, await options(hass, entry, "key"), {"key": "static_multi", "valid_from": START})
    shown = {str(field): field.description["suggested_value"] for field in result["data_schema"].schema}
    lines = "aaaa 70  # Flat aaaa\nbbbb 20  # Flat bbbb"
    assert shown == {"weights": lines, "rest_to_grid": True, "max_rounds": 3}
    result = await configure(hass, await options(hass, entry, "key"), {"key": "cascade", "valid_from": START})
    (groups,) = result["data_schema"].schema
    assert groups.description["suggested_value"] == "aaaa bbbb"


async def test_equal_weights_that_are_suggested_are_the_whole(hass, freezer) -> None:
    members = [member(None, code) for code in ("aaaa", "bbbb", "cccc")]
    freezer.move_to("2026-06-10T12:00:00+02:00")
    entry = await load(hass, community(members))
    result = await configure(hass, await options(hass, entry, "key"), {"key": "static", "valid_from": START})
    (weights, _) = result["data_schema"].schema
    suggested = weights.description["suggested_value"]
    assert [line.split()[1] for line in suggested.splitlines()] == ["33.34", "33.33", "33.33"]
    result = await configure(hass, result, {"weights": suggested, "rest_to_grid": False})
    assert result["step_id"] == "key_example"
    assert "|" not in result["description_placeholders"]["example"]  # nothing is known yet


async def test_price_and_threshold_are_changed_and_a_price_can_be_taken_away(hass, freezer) -> None:
    freezer.move_to("2026-06-10T12:00:00+02:00")
    entry = await load(hass, community([], (START, EQUAL), shared_prices={"": "0.15"}))
    result = await options(hass, entry, "terms")
    assert suggestions(result) == {"privacy_threshold": 5, "shared_price": 0.15}
    result = await configure(hass, result, {"hours": "one_price", "privacy_threshold": 3})
    await hass.async_block_till_done()
    assert entry.options["privacy_threshold"] == 3
    assert shared_tariff_of(entry.options) is None
    assert len(read_keys(entry.options)) == 1


async def test_each_band_of_shipped_hours_has_its_price(hass, freezer) -> None:
    freezer.move_to("2026-06-10T12:00:00+02:00")
    entry = await load(hass, community([], (START, EQUAL), shared_prices={"": "0.15"}))
    result = await configure(
        hass, await options(hass, entry, "terms"), {"hours": "impact_2026", "privacy_threshold": 5}
    )
    assert result["step_id"] == "band_prices"
    result = await configure(hass, result, {"eco": 0.1, "medium": 0.14, "peak": 0.185})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    tariff = shared_tariff_of(entry.options)
    assert tariff.prices == {"eco": Decimal("0.1"), "medium": Decimal("0.14"), "peak": Decimal("0.185")}
    assert tariff.grid.id == "impact_2026"
    result = await options(hass, entry, "terms")
    assert suggestions(result) == {"hours": "impact_2026", "privacy_threshold": 5}
    result = await configure(hass, result, {"hours": "impact_2026", "privacy_threshold": 5})
    assert suggestions(result) == {"eco": 0.1, "medium": 0.14, "peak": 0.185}
    await configure(hass, await options(hass, entry, "terms"), {"hours": "one_price", "privacy_threshold": 5})
    await hass.async_block_till_done()
    assert {"shared_prices", "shared_grid"}.isdisjoint(entry.options)


async def test_a_community_may_type_hours_of_its_own(hass, freezer) -> None:
    freezer.move_to("2026-06-10T12:00:00+02:00")
    entry = await load(hass, community([], (START, EQUAL)))
    result = await configure(hass, await options(hass, entry, "terms"), {"hours": "own", "privacy_threshold": 5})
    assert result["step_id"] == "shared_hours"
    lines = {"weekday": "11:00-17:00 Solar", "start": {}}
    result = await configure(hass, result, lines)
    assert result["errors"] == {"weekday": "hours_hole"}
    result = await configure(hass, result, {**lines, "weekday": "11:00-17:00 Sunny\nRest", "start": {}})
    assert result["step_id"] == "band_prices"
    called = {result["description_placeholders"][field]: field for field in ("own_1", "own_2")}
    await configure(hass, result, {called["Sunny"]: 0.08, called["Rest"]: 0.16})
    await hass.async_block_till_done()
    tariff = shared_tariff_of(entry.options)
    noon, night = at("2026-06-10T12:00:00+02:00"), at("2026-06-10T23:00:00+02:00")
    assert [tariff.price_at(time, BRUSSELS, None) for time in (noon, night)] == [Decimal("0.08"), Decimal("0.16")]
    result = await configure(hass, await options(hass, entry, "terms"), {"hours": "own", "privacy_threshold": 5})
    assert "11:00-17:00 Sunny" in suggestions(result)["weekday"]


async def test_who_accepted_a_key_is_noted(hass, freezer) -> None:
    entry = await with_roof(hass, freezer)
    change = {"key": "equal", "valid_from": "2026-07-01", "author": " the meeting "}
    result = await configure(hass, await options(hass, entry, "key"), change)
    await configure(hass, result, {"accepted": ["aaaa"]})
    await hass.async_block_till_done()
    assert [sorted(version.accepted) for version in read_keys(entry.options)] == [[], ["aaaa"]]
    result = await options(hass, entry, "acceptance")
    assert suggestions(result) == {"accepted": ["aaaa"]}
    told = (
        "Version 2 of the key, which holds from 2026-07-01 on and was decided by the meeting: Equal parts, one round."
    )
    assert result["description_placeholders"]["version"] == told
    await configure(hass, result, {"accepted": ["bbbb", "aaaa"]})
    await hass.async_block_till_done()
    assert [sorted(version.accepted) for version in read_keys(entry.options)] == [[], ["aaaa", "bbbb"]]


async def test_where_there_are_no_members_nobody_can_accept(hass, freezer) -> None:
    freezer.move_to("2026-06-10T12:00:00+02:00")
    entry = await load(hass, community([]))
    result = await options(hass, entry, "acceptance")
    assert result["reason"] == "nobody_to_accept"


async def test_a_community_is_changed_by_its_options(hass, freezer) -> None:
    freezer.move_to("2026-06-10T12:00:00+02:00")
    entry = await load(hass, community([]))
    result = await entry.start_reconfigure_flow(hass)
    check_result(result)
    assert result["reason"] == "community_has_options"
