"""Writes the fixture of templates: what Home Assistant makes of each template and payload.

    python3.13 -m venv venv && venv/bin/pip install homeassistant
    venv/bin/python tests/tools/template_results.py > tests/fixtures/devices/templates.jsonl

The templates are in the shapes that the discovery of real software uses (zigbee2mqtt, zwave-js-ui, ESPHome, Tasmota,
OpenMQTTGateway, rtl_433, Valetudo, ring-mqtt, EMS-ESP, and others), and some for each filter and test. The first line names the
version; each other is [template, payload, result], the result null where Home Assistant keeps nothing.
"""

import asyncio
import json
import logging
import sys
import tempfile

from homeassistant import core
from homeassistant.const import __version__
from homeassistant.helpers import template as templates
from homeassistant.exceptions import TemplateError

logging.disable(logging.CRITICAL)

CASES = json.load(open(sys.argv[1] if len(sys.argv) > 1 else "tests/tools/template_cases.json"))


async def main():
    hass = core.HomeAssistant(tempfile.mkdtemp())
    failed = object()
    print(json.dumps({"made_with": f"homeassistant {__version__}"}))
    for group in CASES:
        for source in group["templates"]:
            for payload in group["payloads"]:
                text = payload if isinstance(payload, str) else json.dumps(payload)
                try:
                    template = templates.Template(source, hass)
                    template.ensure_valid()
                    result = template.async_render_with_possible_json_value(text, failed)
                except (TemplateError, Exception):  # a raise is no result either
                    result = failed
                if result is failed or result in ("", "None"):
                    result = None
                print(json.dumps([source, text, result], ensure_ascii=False))


asyncio.run(main())
