// Writes the fixture of zigbee2mqtt's definitions: what the bridge tells of one device of each of many models.
//
//     npm install zigbee-herdsman-converters
//     EVERY=8 node tests/tools/zigbee_exposes.cjs > tests/fixtures/devices/zigbee2mqtt_devices.jsonl
//
// One line a device; the first line names the version of the package that it was made with.
const path = require('path');
const root = process.env.NODE_PATH || path.join(process.cwd(), 'node_modules');
const package_ = path.join(root, 'zigbee-herdsman-converters');
const { prepareDefinition } = require(package_);
const fs = require('fs');

const version = JSON.parse(fs.readFileSync(path.join(package_, 'package.json'))).version;
const every = Number(process.env.EVERY || 1);
const wanted = process.env.MODELS ? new Set(process.env.MODELS.split(',')) : null;
const folder = path.join(package_, 'dist/devices');
const seen = new Map();
let count = 0;
const lines = [];
for (const file of fs.readdirSync(folder).filter((name) => name.endsWith('.js')).sort()) {
    const { definitions } = require(path.join(folder, file));
    for (const raw of definitions || []) {
        let definition;
        let exposes;
        try {
            definition = prepareDefinition(raw);
            exposes = typeof definition.exposes === 'function' ? definition.exposes({ isDummyDevice: true }, {}) : definition.exposes;
        } catch {
            continue;
        }
        exposes = JSON.parse(JSON.stringify(exposes, (key, value) => (['description', 'label'].includes(key) ? undefined : value)));
        // Devices that have the same are one case.
        const shape = JSON.stringify(exposes);
        if (seen.has(shape)) continue;
        seen.set(shape, definition.model);
        count += 1;
        if (wanted ? !wanted.has(definition.model) : count % every !== 0) continue;
        lines.push(JSON.stringify({
            ieee_address: `0x${count.toString(16).padStart(16, '0')}`,
            type: 'EndDevice', supported: true, disabled: false, friendly_name: definition.model, interview_completed: true,
            definition: {
                model: definition.model, vendor: definition.vendor, description: definition.description, exposes,
                supports_ota: Boolean(definition.ota),
            },
        }));
    }
}
console.log(JSON.stringify({ made_with: `zigbee-herdsman-converters ${version}` }));
for (const line of lines) console.log(line);
