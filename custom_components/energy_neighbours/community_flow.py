"""Founding a community, and changing its terms, its key and its broker."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from homeassistant.config_entries import ConfigFlow, ConfigFlowResult
from homeassistant.const import CONF_HOST, CONF_NAME
from homeassistant.util import dt as dt_util

from . import community_form as form
from .brokers import CONF_BROKER, CONF_CA, CertificateError, write_broker
from .coefficient_flow import CoefficientSteps
from .communities import (
    CONF_ACCEPTED,
    CONF_AUTHOR,
    CONF_COMMUNITY,
    CONF_KEY,
    CONF_REGION,
    CONF_SIGNING_KEY,
    CONF_VALID_FROM,
    key_on,
    members_of,
    new_community_id,
    read_keys,
    with_acceptance,
    with_key,
)
from .community_price_flow import CommunityPriceSteps
from .contract_form import guess_region
from .core.key_text import read_groups, read_stages, read_weights
from .core.quarter_hour import next_month
from .core.repartition_key import (
    DynamicCustom,
    Hybrid,
    KeyFault,
    KeyKind,
    Peer,
    Prorata,
    Relative,
    RepartitionKey,
    RepartitionKeyError,
    Static,
    StaticMulti,
    key_from_dict,
)
from .core.signing import generate_key
from .key_example import async_example
from .key_texts import async_key_texts
from .link import async_try_broker


class CommunitySteps(ConfigFlow):
    """The steps that found a community."""

    async def async_step_community(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the terms of a new community."""
        if user_input is not None:
            entry_id = new_community_id()
            key = key_from_dict({"kind": user_input[CONF_KEY]})
            options = {CONF_REGION: user_input[CONF_REGION], **form.read_terms(user_input)}
            valid_from = date.fromisoformat(user_input[CONF_VALID_FROM])
            return self.async_create_entry(
                title=user_input[CONF_NAME].strip() or entry_id,
                data={CONF_COMMUNITY: entry_id},
                options=with_key(options, valid_from, key, ""),
            )
        values: dict[str, Any] = {CONF_VALID_FROM: dt_util.now().date().replace(day=1).isoformat()}
        if region := guess_region(self.hass):
            values[CONF_REGION] = region.value
        return self.async_show_form(
            step_id="community", data_schema=self.add_suggested_values_to_schema(form.community_schema(), values)
        )


class CommunityOptionsFlow(CoefficientSteps, CommunityPriceSteps):
    """Changes a community's terms, its key from some day on, and what a key asks for."""

    def __init__(self) -> None:
        super().__init__()
        self._kind = KeyKind.PRORATA
        self._key: RepartitionKey = Prorata()
        self._valid_from = self._author = ""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Begin: the first step of a site's options has another title."""
        return await self.async_step_community()

    async def async_step_community(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask what is to be changed."""
        versions = read_keys(self.config_entry.options)
        asked = any(isinstance(version.key, DynamicCustom) for version in versions)
        coefficients = ["coefficients"] if asked else []
        menu = ["terms", "key", "acceptance", *coefficients, "broker"]
        return self.async_show_menu(step_id="community", menu_options=menu)

    async def async_step_broker(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the broker over which members who are far away are reached."""
        options, errors = self.config_entry.options, dict[str, str]()
        if user_input is not None:
            rest = {name: value for name, value in options.items() if name != CONF_BROKER}
            if not (user_input.get(CONF_HOST) or "").strip():
                return self.async_create_entry(data=rest)
            try:
                broker = form.read_broker_form(user_input)
            except CertificateError:
                errors[CONF_CA] = "not_a_certificate"
            else:
                if fault := await async_try_broker(self.hass, broker):
                    errors["base"] = fault
                else:
                    key = rest.get(CONF_SIGNING_KEY) or await self.hass.async_add_executor_job(generate_key)
                    return self.async_create_entry(
                        data={**rest, CONF_SIGNING_KEY: key, CONF_BROKER: write_broker(broker)}
                    )
        values = user_input or options.get(CONF_BROKER) or {}
        return self.async_show_form(
            step_id="broker",
            data_schema=self.add_suggested_values_to_schema(form.broker_schema(), values),
            errors=errors,
            description_placeholders={"community": self.config_entry.data[CONF_COMMUNITY]},
        )

    @property
    def _present(self) -> RepartitionKey:
        """The key of today."""
        return key_on(read_keys(self.config_entry.options), dt_util.now().date())

    async def async_step_key(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask which key shall hold, and from when on."""
        if user_input is not None:
            self._kind, self._valid_from = KeyKind(user_input[CONF_KEY]), user_input[CONF_VALID_FROM]
            self._author = (user_input.get(CONF_AUTHOR) or "").strip()
            if form.key_terms_schema(self._kind, {}, {}).schema:
                return await self.async_step_key_terms()
            self._key = DynamicCustom() if self._kind is KeyKind.DYNAMIC_CUSTOM else key_from_dict({"kind": self._kind})
            return await self.async_step_key_example()
        values = {
            CONF_KEY: self._present.kind.value,
            CONF_VALID_FROM: next_month(dt_util.now().date()).isoformat(),
        }
        return self.async_show_form(
            step_id="key", data_schema=self.add_suggested_values_to_schema(form.key_schema(), values)
        )

    async def async_step_key_terms(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the terms of the key: weights, groups, rounds."""
        errors: dict[str, str] = {}
        details: Mapping[str, str] = {}
        consumers, producers = self._names(produces=False), self._names(produces=True)
        if user_input is not None:
            try:
                self._key = _read_key(self._kind, user_input, list(consumers))
            except RepartitionKeyError as err:
                errors["base"], details = err.fault.value, err.placeholders
            else:
                return await self.async_step_key_example()
        values = user_input or form.key_values(self._kind, self._present, consumers)
        schema = form.key_terms_schema(self._kind, consumers, producers)
        return self.async_show_form(
            step_id="key_terms",
            data_schema=self.add_suggested_values_to_schema(schema, values),
            errors=errors,
            description_placeholders={"member": "", "sum": "", "weight": "", "line": "", "rounds": "", **details},
        )

    async def async_step_key_example(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show what the key would have given, and ask whether it is to hold."""
        if user_input is not None:
            valid_from = date.fromisoformat(self._valid_from)
            accepted = user_input.get(CONF_ACCEPTED, ())
            data = with_key(self.config_entry.options, valid_from, self._key, self._author, accepted)
            return self.async_create_entry(data=data)
        example = await async_example(self.hass, self.config_entry, self._key)
        return self.async_show_form(
            step_id="key_example",
            data_schema=form.acceptance_schema(self._names()),
            description_placeholders={
                "date": (await async_key_texts(self.hass)).day(date.fromisoformat(self._valid_from)),
                "example": example,
            },
        )

    async def async_step_acceptance(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask which members have accepted the key that was agreed last."""
        options, names = self.config_entry.options, self._names()
        newest = max(read_keys(options), key=lambda version: version.number, default=None)
        if newest is None or not names:
            return self.async_abort(reason="nobody_to_accept")
        if user_input is not None:
            return self.async_create_entry(data=with_acceptance(options, newest.number, user_input[CONF_ACCEPTED]))
        texts = await async_key_texts(self.hass)
        return self.async_show_form(
            step_id="acceptance",
            data_schema=self.add_suggested_values_to_schema(
                form.acceptance_schema(names), {CONF_ACCEPTED: sorted(newest.accepted & set(names))}
            ),
            description_placeholders={"version": texts.version(newest)},
        )

    def _names(self, *, produces: bool | None = None) -> dict[str, str]:
        """Return the members (that produce, or consume) by code, with what the organiser calls them."""
        entry = self.config_entry
        if produces is None:
            return {each.member.code: entry.subentries[each.subentry_id].title for each in members_of(entry)}
        return {
            each.member.code: entry.subentries[each.subentry_id].title
            for each in members_of(entry)
            if (each.member.produces if produces else each.member.consumes)
        }


def _read_key(kind: KeyKind, user_input: Mapping[str, Any], codes: list[str]) -> RepartitionKey:
    """Return the key that was typed; `RepartitionKeyError` if it is none."""
    text = (user_input.get(form.CONF_WEIGHTS) or "").strip()
    match kind:
        case KeyKind.CASCADE:
            return read_groups(user_input[form.CONF_GROUPS], codes)
        case KeyKind.PEER:
            return Peer(user_input[form.CONF_PRODUCER], user_input[form.CONF_CONSUMER])
        case _:
            pass
    needed = kind in (KeyKind.STATIC, KeyKind.RELATIVE) or "static" in user_input.get(form.CONF_STAGES, "")
    if not text and needed:
        raise RepartitionKeyError(KeyFault.WEIGHTS_NOT_WHOLE, sum="0")
    weights = read_weights(text, codes, rest_to_grid=user_input[form.CONF_REST]) if text else None
    if kind is KeyKind.TWO_STAGE:
        return read_stages(user_input[form.CONF_STAGES], weights)
    if kind is KeyKind.STATIC_MULTI:
        return StaticMulti(weights, user_input.get(form.CONF_ROUNDS))
    if kind is KeyKind.HYBRID or weights is None:
        return Hybrid(weights)
    return Static(weights) if kind is KeyKind.STATIC else Relative(weights)
