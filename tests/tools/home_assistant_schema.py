"""Asks Home Assistant's own schema which automations it takes, for tests/fixtures/home_assistant/schema.json.

Home Assistant isn't needed by the tests; this was run once with the version that the file names:

    pip install homeassistant
    python tests/tools/home_assistant_schema.py tests/tools/schema_cases.txt tests/fixtures/home_assistant/schema.json

Each automation is read by Home Assistant's YAML loader, and judged by the schema of automations and by that of each trigger.
"""

import asyncio
import importlib
import json
import logging
import sys

import homeassistant.const
import voluptuous
from homeassistant.components.automation import config as automations
from homeassistant.components.homeassistant.triggers import state
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation
from homeassistant.util.yaml import loader

logging.disable(logging.CRITICAL)

# Where the schema of each trigger is. A trigger that has none there doesn't exist.
OF_HOME_ASSISTANT = {"numeric_state", "time", "time_pattern", "homeassistant", "event"}
ELSEWHERE = {"sun", "mqtt", "webhook", "template", "zone", "calendar", "conversation", "tag", "persistent_notification", "geo_location"}


def schema_of(platform):
    if platform in OF_HOME_ASSISTANT:
        module = importlib.import_module(f"homeassistant.components.homeassistant.triggers.{platform}")
    elif platform in ELSEWHERE:
        module = importlib.import_module(f"homeassistant.components.{platform}.trigger")
    elif platform == "device":
        return config_validation.TRIGGER_BASE_SCHEMA.extend(
            {voluptuous.Required("domain"): str, voluptuous.Required("device_id"): str}, extra=voluptuous.ALLOW_EXTRA
        )
    else:
        raise voluptuous.Invalid(f"no trigger {platform}")
    return getattr(module, "TRIGGER_SCHEMA", None) or module._TRIGGER_SCHEMA


def triggers_within(value):
    """All lists of triggers that actions wait for."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "wait_for_trigger":
                yield from inner
            else:
                yield from triggers_within(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from triggers_within(inner)


async def judge(hass, text):
    config = loader.parse_yaml(text)
    checked = automations.PLATFORM_SCHEMA(config)
    for trigger in [*checked["triggers"], *triggers_within(checked["actions"])]:
        platform = trigger["trigger"] if "trigger" in trigger else trigger["platform"]
        if platform == "state":  # which schema is meant depends on `attribute`
            await state.async_validate_trigger_config(hass, trigger)
        else:
            schema_of(platform)(trigger)


async def main(cases, target):
    hass = HomeAssistant(".")
    found = []
    for part in ("\n" + open(cases, encoding="utf-8").read()).split("\n=== ")[1:]:
        name, text = part.split("\n", 1)
        reason = None
        try:
            await judge(hass, text)
        except (voluptuous.Invalid, HomeAssistantError, ValueError, TypeError) as error:
            reason = str(error).split("\n")[0]
        found.append({"name": name, "automation": text, "refused": reason})
    await hass.async_stop(force=True)
    version = homeassistant.const.__version__
    with open(target, "w", encoding="utf-8") as file:
        json.dump({"version": version, "cases": found}, file, indent=1)
        file.write("\n")


asyncio.run(main(*sys.argv[1:]))
