"""Renders templates with Home Assistant's own engine, for tests/fixtures/home_assistant/templates.json.

Home Assistant isn't needed by the tests; this was run once with the version that the file names:

    pip install homeassistant
    python tests/tools/home_assistant_templates.py tests/fixtures/home_assistant/templates.json

It reads `now`, `zone`, `states` and the templates of the file, and writes `text` anew: what `mqtt.publish` would send.
"""

import asyncio
import datetime
import json
import logging
import sys

import homeassistant.const
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation, device_registry, entity_registry, template
from homeassistant.util import dt

logging.disable(logging.CRITICAL)


async def render(fixture):
    zone = await dt.async_get_time_zone(fixture["zone"])
    dt.set_default_time_zone(zone)
    now = datetime.datetime.fromisoformat(fixture["now"]).replace(tzinfo=zone).astimezone(datetime.timezone.utc)
    dt.utcnow = lambda: now
    dt.now = lambda of=None: now.astimezone(of or zone)
    home = HomeAssistant(".")
    await home.config.async_set_time_zone(fixture["zone"])
    # What `states(…, rounded=True)` asks for.
    await device_registry.async_load(home)
    await entity_registry.async_load(home)
    for entity, (state, attributes) in fixture["states"].items():
        home.states.async_set(entity, state, attributes)
    for case in fixture["cases"]:
        case.pop("error", None)
        try:
            result = template.Template(case["template"], home).async_render(parse_result=True)
            case["text"] = config_validation.string(result)
        except Exception as error:  # a run that fails there publishes nothing
            case["text"] = None
            case["error"] = type(error).__name__
    fixture["version"] = homeassistant.const.__version__
    await home.async_stop(force=True)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        fixture = json.load(file)
    asyncio.run(render(fixture))
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(fixture, file, indent=1, ensure_ascii=False)
        file.write("\n")


main()
