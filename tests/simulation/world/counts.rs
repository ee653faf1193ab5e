//! How often the simulation did what.

/// How often things happened.
#[derive(Debug, Default)]
pub(in crate::simulation) struct Counts {
    pub(super) kills: usize,
    pub(super) lost: usize,
    pub(super) half_open: usize,
    pub(super) goodbyes: usize,
    pub(super) stalls: usize,
    pub(super) replaced_disks: usize,
    pub(super) clock_jumps: usize,
    pub(super) delivered: usize,
    pub(super) wills: usize,
    pub(super) retained: usize,
    pub(super) shared: usize,
    pub(super) again: usize,
    pub(super) late: usize,
    pub(super) resumed: usize,
    pub(super) power_cuts: usize,
}

impl Counts {
    pub(in crate::simulation) fn add(&mut self, more: &Counts) {
        self.kills += more.kills;
        self.lost += more.lost;
        self.half_open += more.half_open;
        self.goodbyes += more.goodbyes;
        self.stalls += more.stalls;
        self.replaced_disks += more.replaced_disks;
        self.clock_jumps += more.clock_jumps;
        self.delivered += more.delivered;
        self.wills += more.wills;
        self.retained += more.retained;
        self.shared += more.shared;
        self.again += more.again;
        self.late += more.late;
        self.resumed += more.resumed;
        self.power_cuts += more.power_cuts;
    }

    pub(in crate::simulation) fn named(&self) -> Vec<(&'static str, usize)> {
        vec![
            ("kills", self.kills),
            ("lost connections", self.lost),
            ("half open connections", self.half_open),
            ("good-byes", self.goodbyes),
            ("stalls of the disk", self.stalls),
            ("disks that were replaced", self.replaced_disks),
            ("times that the clock was set", self.clock_jumps),
            ("deliveries", self.delivered),
            ("wills", self.wills),
            ("retained messages", self.retained),
            ("messages that came to one of those who share them", self.shared),
            ("messages that came twice", self.again),
            ("runs that waited and went on", self.late),
            ("starts with runs that waited", self.resumed),
            ("power cuts", self.power_cuts),
        ]
    }
}
