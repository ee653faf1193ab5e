//! The rules that properties are tried on: each word of the language stands in one of them.

/// Rules by key, each a complete one. They speak about the topics and values of `home::TOPICS` and `PAYLOADS`.
pub(crate) const RULES: &[(&str, &str)] = &[
    ("plain", "{ when: home/+room/tv, then: { 'out/${room}/plain': '${payload}' } }"),
    ("payload", "{ when: { topic: home/a/tv, payload: [ON, 21] }, then: { out/payload: yes } }"),
    (
        "where",
        "{ when: { topic: home/#rest, where: 'msg != () and captures.len() == 1', retained: true }, \
         then: { out/where: '${rest}' } }",
    ),
    (
        "change",
        "{ when: { state: home/+room/tv, from: [OFF, 21], to: [ON, 25.5], id: on }, \
         then: { 'out/${room}/change': '${old ?? 0} ${value} ${trigger.id}' } }",
    ),
    ("field", "{ when: { state: home/+room/tv, field: a.b }, then: { 'out/${room}/field': { v: '${value}' } } }"),
    (
        "hold",
        "{ when: { state: home/+room/tv, to: [ON, 25.5], for: 30s }, mode: single, \
         then: [ { publish: 'out/${room}/hold', payload: '${value}' }, { delay: 45s }, { out/held: done } ] }",
    ),
    (
        "cross",
        "{ when: { state: home/+room/tv, above: 22, hysteresis: 2, for: 10s }, then: { 'out/${room}/cross': '${value}' } }",
    ),
    ("between", "{ when: { state: home/a/tv, above: 20, below: 30 }, then: { out/between: '${msg}' } }"),
    ("silent", "{ when: { silent: home/+room/tv, for: 90s }, then: { 'out/${room}/silent': '${age(topic)}' } }"),
    ("at", "{ when: { at: ['12:01', '12:03:30'], catch_up: 1h, weekdays: mon-sun }, then: { out/at: '${now.time}' } }"),
    (
        "at-state",
        "{ when: { at: \"if state('home/a/tv') == 'ON' { '12:02' } else { () }\" }, then: { out/at-state: 1 } }",
    ),
    ("every", "{ when: { every: 70s }, then: { publish: out/every, payload: '${now.unix}', retain: true, qos: 0 } }"),
    ("cron", "{ when: { cron: '*/2 * * * *' }, then: { out/cron: '${now.time}' } }"),
    ("sun", "{ when: [ { sun: noon, offset: -10m }, { sun: sunset } ], then: { out/sun: '${sun.up}' } }"),
    ("client", "{ when: { client: 't*', is: disconnected }, then: { out/client: '${trigger.client}' } }"),
    ("failed", "{ when: { event: rule_failed }, then: { out/failed: '${trigger.rule}' } }"),
    ("loop", "{ when: [ { event: loop_detected }, { event: stopping } ], then: { out/loop: '${trigger.rule}' } }"),
    ("webhook", "{ when: { webhook: bell }, then: { out/webhook: '${msg}' } }"),
    (
        "while",
        "{ while: \"state('home/a/tv') == 'ON'\", for: 5s, linger: 20s, every: 40s, \
         let: { began: '${now.unix}' }, then: { out/while: '${began}' }, else: { out/while: 'off ${began}' } }",
    ),
    (
        "heating",
        "{ while: \"state('home/b/tv') < (if holds() { 26 } else { 22 })\", cooldown: 1m, \
         if: { time: { after: '06:00', before: '22:00' } }, then: { out/heating: ON }, else: { out/heating: OFF } }",
    ),
    ("named", "{ while: { state: home/b/tv, is: [ON, 21], for: 15s } }"),
    ("reads-named", "{ while: \"holds('named') or running('hold')\", then: { out/reads: 1 }, else: { out/reads: 0 } }"),
    (
        "each",
        "{ each: { topic: home/+room/door }, while: \"msg == 'open'\", for: 20s, every: 30s, \
         then: { 'out/${room}/nag': 1 }, else: { 'out/${room}/nag': 0 } }",
    ),
    (
        "conditions",
        "{ when: home/+/tv, if: { any: [ { not: { state: home/b/tv, below: 22 } }, \
         { all: [ { sun: up }, { time: { weekdays: mon-fri } } ] } ] }, then: { out/conditions: 1 }, else: { out/conditions: 0 } }",
    ),
    (
        "branches",
        "{ when: home/+room/door, let: { n: \"${count('home/#', 'ON')}\" }, then: [ { if: n > 1, then: { out/if: many }, else: { out/if: few } }, \
         { choose: [ { if: \"payload == 'open'\", then: { out/choose: open } } ], else: { out/choose: shut } }, \
         { choose: payload, cases: { open: { out/case: 1 } }, else: [ { stop: not open } ] }, { out/after-stop: '${n}' } ] }",
    ),
    (
        "wait",
        "{ when: { topic: home/+room/door, payload: open }, mode: queued, max: 3, then: [ { wait: [ { topic: home/+/tv, payload: ON } ], \
         timeout: 50s, on_timeout: continue }, { 'out/${room}/waited': '${wait.timed_out}' } ] }",
    ),
    (
        "until",
        "{ when: home/a/door, mode: parallel, max: 2, then: [ { wait: { until: \"state('home/b/tv') == 'ON'\" }, timeout: 100s, \
         on_timeout: [ { out/late: 1 } ] }, { out/until: 1 } ] }",
    ),
    (
        "repeats",
        "{ when: home/b/door, per: [], then: [ { repeat: { times: 2 }, do: [ { out/times: '${repeat.index}' }, { delay: 3s } ] }, \
         { repeat: { each: [x, y] }, do: { out/each: '${repeat.item}' } }, \
         { repeat: { while: \"repeat.index < 3\" }, do: { delay: 1s } }, \
         { repeat: { until: 'repeat.index >= 2' }, do: { out/turn: 1 } }, \
         { repeat: { every: 20s, until: \"state('home/b/door') == 'shut'\" }, do: { out/nag: '${repeat.index}' } }, { out/repeated: 1 } ] }",
    ),
    (
        "every-until",
        "{ when: { topic: home/a/door, payload: open }, then: [ { repeat: { every: 15s, until: { topic: home/a/door, payload: shut } }, \
         do: [ { out/beep: '${repeat.index}' }, { delay: 4s }, { out/boop: 1 } ] }, { out/quiet: 1 } ] }",
    ),
    (
        "parallel",
        "{ when: home/+room/tv, cooldown: 25s, then: [ { parallel: [ [ { delay: 2s }, { out/left: 1 } ], \
         [ { wait: { topic: home/+/door }, timeout: 30s, on_timeout: continue }, { out/right: 1 } ] ] }, { out/both: '${room}' } ] }",
    ),
    (
        "memory",
        "{ when: home/a/tv, then: [ { remember: { n: '${(memory.n ?? 0) + 1}' } }, { let: { m: '${memory.n}' } }, { out/memory: '${m}' } ] }",
    ),
    ("remembers-on", "{ while: memory.on == true, then: { out/on: 1 }, else: { out/on: 0 } }"),
    (
        "calls",
        "{ when: home/b/tv, then: [ { run: callee, with: { x: '${msg}' }, on_error: continue }, { out/called: 1 } ] }",
    ),
    (
        "callee",
        "{ when: nothing/here, mode: single, then: [ { out/callee: '${x ?? 0}' }, { delay: 7s }, { out/callee: end } ] }",
    ),
    (
        "switches",
        "{ when: home/+/door, then: [ { choose: payload, cases: { open: { disable: plain }, shut: { enable: plain } } }, \
         { cancel: hold }, { log: 'door ${payload}', level: warn } ] }",
    ),
    (
        "outside",
        "{ when: { topic: home/b/door, payload: open }, then: [ { http: { url: 'http://127.0.0.1/x', method: POST, body: { a: 1 } } }, \
         { out/http: '${http.status}' }, { exec: [/bin/true, '${payload}'], on_error: continue } ] }",
    ),
    (
        "tells",
        "{ when: home/+room/tv, then: { notify: [phone, display], message: '${room} ${msg}', priority: 4, \
         buttons: [ { text: Ok, webhook: '${room}' } ] } }",
    ),
    ("dry", "{ when: home/+room/tv, dry_run: true, then: { 'out/${room}/dry': 1 } }"),
    (
        "changed",
        "{ when: home/+/tv, then: { publish: out/changed, payload: \"${state('home/a/tv') ?? 0}\", if_changed: true } }",
    ),
    (
        "fails",
        "{ when: { topic: home/+/tv, payload: [OFF] }, then: [ { out/before: 1 }, { out/fails: '${msg.x.y}' } ] }",
    ),
    ("chain", "{ when: ping/pong, then: { ping/pong: '${payload}' } }"),
    ("starts-chain", "{ when: { topic: home/a/door, payload: shut }, then: { ping/pong: go } }"),
    ("random", "{ when: home/a/tv, then: { out/random: '${random(1, 100)}' } }"),
    ("scene", "{ when: home/a/door, then: { scene: evening } }"),
    (
        "scene-by-name",
        "{ when: home/b/door, then: { scene: '${if msg == \"open\" { \"evening\" } else { \"none\" }}', on_error: continue } }",
    ),
    (
        "yields",
        "{ when: { topic: home/+room/door, payload: open }, then: [ { 'home/${room}/tv/set': ON }, { delay: 20s }, { out/yielded: \"${room} ${overridden('yields')}\" } ], \
         yields: { for: 50s, to: [home/+room/tv], grace: 3s } }",
    ),
    (
        "yields-while",
        "{ while: \"state('home/b/door') == 'open'\", then: { home/b/tv/set: ON }, else: [ { home/b/tv/set: OFF }, { resume: yields-while } ], \
         yields: { for: 5m, until: \"state('home/a/door') == 'shut'\", to: [home/b/tv] } }",
    ),
    ("resumes", "{ when: { topic: home/b/door, payload: shut }, hand: true, then: { home/a/tv/set: OFF } }"),
    ("overridden", "{ when: { event: overridden }, then: { out/overridden: '${trigger.rule}' } }"),
    (
        "wait-with-variables",
        "{ when: home/+room/tv, mode: parallel, max: 3, then: [ { wait: [ { state: 'home/${room}/door', to: [ open, '${msg}' ], \
         for: '${7}s', id: '${room}' }, { topic: 'home/${room}/tv', where: \"room == 'a' && topic != ''\" } ], timeout: 40s, \
         on_timeout: continue }, { 'out/${room}/formed': '${wait.trigger?.id ?? \"late\"}' } ] }",
    ),
];

/// The words of the language that must be drawn at least once: of triggers, conditions, actions, modes and `while`.
pub(crate) const WORDS: &[&str] = &[
    "topic:",
    "payload:",
    "where:",
    "retained:",
    "state:",
    "field:",
    "from:",
    "to:",
    "above:",
    "below:",
    "hysteresis:",
    "for:",
    "silent:",
    "at:",
    "every:",
    "cron:",
    "sun:",
    "client:",
    "event:",
    "webhook:",
    "while:",
    "linger:",
    "cooldown:",
    "holds(",
    "any:",
    "all:",
    "not:",
    "time:",
    "is:",
    "publish:",
    "scene:",
    "delay:",
    "wait:",
    "until:",
    "timeout:",
    "on_timeout:",
    "if:",
    "choose:",
    "cases:",
    "times:",
    "each:",
    "parallel:",
    "let:",
    "remember:",
    "run:",
    "with:",
    "enable:",
    "disable:",
    "cancel:",
    "log:",
    "http:",
    "exec:",
    "stop:",
    "notify:",
    "on_error:",
    "mode: single",
    "mode: queued",
    "mode: parallel",
    "per:",
    "dry_run:",
    "if_changed:",
    "catch_up:",
    "weekdays:",
    "yields:",
    "resume:",
    "hand:",
];
