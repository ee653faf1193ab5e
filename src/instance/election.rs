//! Who leads. MQTT has no compare-and-set, so leadership is a lease that runs out, claims are read back, and of two the smaller
//! name wins.
//!
//! A leader counts its lease from when it *sent* a renewal that it then read back; a standby counts from when it *heard* the last
//! one, which is later. The leader gives up a tenth of the lease early. So while clocks run at the same speed within a tenth, the old
//! leader has stopped before a new one begins.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::lease::Lease;

/// A claim counts once it was read back and nothing better was heard for this part of the lease.
const CLAIM: u32 = 10;

/// A lease is renewed each of this part of it.
const RENEW: u32 = 3;

/// A leader stops this part of the lease before its end.
const MARGIN: u32 = 10;

/// What an instance is just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It isn't connected, or doesn't know yet who leads.
    Joining,
    /// It waits.
    Standby,
    /// It says that it will lead, and waits whether somebody with a better claim does too.
    Claiming,
    /// It leads.
    Leader,
}

/// What was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// The broker is there, and what is retained has come.
    Settled,
    /// The broker is away.
    Disconnected,
    /// A lease, or a claim: also our own, read back.
    Lease(Lease),
    /// Whether an instance is there.
    Alive {
        /// Its name.
        name: String,
        /// Whether it is.
        is_alive: bool,
    },
    /// The clock that people see was set forward by so much, or the machine slept: the time may have passed for others.
    Jumped(Duration),
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Publish this on the leader topic, retained.
    Publish(Lease),
    /// Say on our alive topic that we are there.
    SayAlive,
    /// Begin to act.
    Lead {
        /// With this epoch.
        epoch: u64,
        /// Whether nobody else has led since we last did: what waits to be published then still counts.
        continues: bool,
    },
    /// Go on: what waits to be published may leave again.
    Resume,
    /// What is to be published must wait until we know whether we still lead.
    Pause,
    /// Stop acting. What waits to be published must wait on: it is forgotten once another leads.
    StepDown(StepDown),
    /// A person should know.
    Tell(Notice),
}

/// Why a leader stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepDown {
    /// It couldn't renew its lease in time.
    Expired,
    /// Another one leads; with its name and epoch.
    Replaced(String, u64),
}

/// What a person should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The leader of this name has other rules, so this instance won't take over.
    OtherRules(String),
    /// This instance would take over, but the last leader, of this name, had other rules.
    WontTakeOver(String),
}

/// What is known of the leader.
#[derive(Debug, Clone)]
struct Known {
    lease: Lease,
    /// When it was last heard.
    heard_at: Timestamp,
    /// Since when it is gone, as it says, or the broker.
    gone_at: Option<Timestamp>,
}

/// Decides who leads.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each says one thing of its own")]
pub struct Election {
    name: String,
    lease: Duration,
    ruleset: String,
    /// Whether it takes over though the last leader had other rules.
    force: bool,
    /// The time we were last told; it never goes back.
    now: Timestamp,
    role: Role,
    /// Whether the broker is there, and what is retained has come.
    is_settled: bool,
    known: Option<Known>,
    /// Who is there, as far as we heard.
    alive: BTreeSet<String>,
    /// Who isn't, as far as we heard.
    gone: BTreeSet<String>,
    epoch: u64,
    renewal: u64,
    /// When each renewal was sent that hasn't been read back.
    sent: BTreeMap<u64, Timestamp>,
    /// When the last renewal that was read back had been sent.
    confirmed: Option<Timestamp>,
    renew_at: Timestamp,
    /// When the claim counts; `None`: it hasn't been read back.
    claim_ends: Option<Timestamp>,
    /// Whether all that the leader saved is known here.
    is_whole: bool,
    /// Whether the last leader that is known was ourselves.
    was_own: bool,
    /// What the wall clock says, in seconds since 1970, for people.
    wall: i64,
    told: BTreeSet<String>,
}

impl Election {
    /// Returns the election as the instance of this name sees it, which isn't connected yet.
    #[must_use]
    pub fn new(now: Timestamp, name: &str, lease: Duration, ruleset: &str, force: bool) -> Election {
        Election {
            name: name.to_owned(),
            lease,
            ruleset: ruleset.to_owned(),
            force,
            now,
            role: Role::Joining,
            is_settled: false,
            known: None,
            alive: BTreeSet::new(),
            gone: BTreeSet::new(),
            epoch: 0,
            renewal: 0,
            sent: BTreeMap::new(),
            confirmed: None,
            renew_at: Timestamp::MAX,
            claim_ends: None,
            is_whole: false,
            was_own: false,
            wall: 0,
            told: BTreeSet::new(),
        }
    }

    /// Returns what it is just now.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// Returns how often leadership has changed hands, as far as is known.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch.max(self.known.as_ref().map_or(0, |known| known.lease.epoch))
    }

    /// Returns who leads, as far as is known: ourselves, or the one whose lease is in force.
    #[must_use]
    pub fn leader(&self) -> Option<&str> {
        match self.role {
            Role::Leader => Some(&self.name),
            Role::Joining | Role::Standby | Role::Claiming => {
                let known = self.known.as_ref().filter(|known| known.gone_at.is_none() && !self.has_run_out(known));
                known.map(|known| known.lease.name.as_str())
            }
        }
    }

    /// Returns who is there, as far as was heard.
    #[must_use]
    pub fn alive(&self) -> &BTreeSet<String> {
        &self.alive
    }

    /// Returns whether what is decided at `now` may be done. Ask before each batch: a process that slept doesn't know it.
    #[must_use]
    pub fn may_act(&self, now: Timestamp) -> bool {
        self.role == Role::Leader && self.confirmed.is_some_and(|sent| now < self.end_of(sent))
    }

    /// Notes what the next renewal says: the hash of the rules, and what the wall clock says in seconds since 1970.
    pub fn note(&mut self, ruleset: &str, wall: i64) {
        if self.ruleset != ruleset {
            ruleset.clone_into(&mut self.ruleset);
            self.told.clear();
        }
        self.wall = wall;
    }

    /// Notes whether all that the leader saved is known here. One that doesn't know it lets another go first, if one is there.
    pub fn note_whole(&mut self, is_whole: bool) {
        self.is_whole = is_whole;
    }

    /// Returns the earliest time at which there is something to decide.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        match self.role {
            Role::Joining => None,
            Role::Leader => {
                let renew = Some(self.renew_at).filter(|_| self.is_settled);
                renew.into_iter().chain(self.confirmed.map(|sent| self.end_of(sent))).min()
            }
            Role::Claiming => self.claim_ends.or(Some(self.renew_at)),
            Role::Standby => {
                let known = self.known.as_ref().filter(|known| self.may_follow(known))?;
                Some(self.claims_at(known))
            }
        }
    }

    /// Decides what is due, and what was heard leads to.
    #[must_use]
    pub fn handle(&mut self, now: Timestamp, heard: Option<Heard>) -> Vec<Decision> {
        self.now = self.now.max(now);
        let mut decisions = Vec::new();
        // First of all: a process that slept may have lost its lease.
        self.tick(&mut decisions);
        match heard {
            None => {}
            Some(Heard::Disconnected) => self.disconnected(&mut decisions),
            Some(Heard::Settled) => self.settled(&mut decisions),
            Some(Heard::Lease(lease)) => self.heard_lease(lease, &mut decisions),
            Some(Heard::Alive { name, is_alive }) => self.heard_alive(name, is_alive, &mut decisions),
            Some(Heard::Jumped(by)) => {
                let earlier = |at: Timestamp| at.checked_sub(by).unwrap_or(Timestamp::MIN);
                self.confirmed = self.confirmed.map(earlier);
                self.sent.values_mut().for_each(|at| *at = earlier(*at));
            }
        }
        self.tick(&mut decisions);
        decisions
    }

    fn tick(&mut self, decisions: &mut Vec<Decision>) {
        match self.role {
            Role::Joining => {}
            Role::Leader => {
                if !self.may_act(self.now) {
                    self.step_down(StepDown::Expired, decisions);
                } else if self.is_settled && self.renew_at <= self.now {
                    self.renew(decisions);
                }
            }
            Role::Claiming => match self.claim_ends {
                Some(ends) if ends <= self.now => self.lead(decisions),
                None if self.renew_at <= self.now => self.renew(decisions),
                _ => {}
            },
            Role::Standby => self.consider_claim(decisions),
        }
    }

    fn disconnected(&mut self, decisions: &mut Vec<Decision>) {
        self.is_settled = false;
        self.sent.clear();
        match self.role {
            Role::Leader => decisions.push(Decision::Pause),
            Role::Joining | Role::Standby | Role::Claiming => self.role = Role::Joining,
        }
    }

    /// All that is retained is known: who leads, and who is there.
    fn settled(&mut self, decisions: &mut Vec<Decision>) {
        self.is_settled = true;
        decisions.push(Decision::SayAlive);
        match self.role {
            Role::Joining => {
                self.role = Role::Standby;
                if self.known.is_none() {
                    self.claim(decisions);
                }
            }
            Role::Leader => {
                // Nobody has taken over meanwhile, or we had heard of it.
                self.renew(decisions);
                decisions.push(Decision::Resume);
            }
            Role::Standby | Role::Claiming => {}
        }
    }

    fn heard_alive(&mut self, name: String, is_alive: bool, decisions: &mut Vec<Decision>) {
        if name == self.name {
            // Our own will, which the broker sent since it thought us gone.
            if !is_alive && self.is_settled && self.role != Role::Joining {
                decisions.push(Decision::SayAlive);
            }
            return;
        }
        if let Some(known) = self.known.as_mut().filter(|known| known.lease.name == name) {
            known.gone_at = (!is_alive).then(|| known.gone_at.unwrap_or(self.now));
        }
        if is_alive {
            self.gone.remove(&name);
            self.alive.insert(name);
        } else {
            self.alive.remove(&name);
            self.gone.insert(name);
        }
    }

    fn heard_lease(&mut self, lease: Lease, decisions: &mut Vec<Decision>) {
        let is_own = lease.name == self.name;
        let known = self.known.as_ref();
        let is_older = lease.epoch < self.epoch()
            || known.is_some_and(|known| {
                (known.lease.epoch, known.lease.renewal) > (lease.epoch, lease.renewal)
                    && known.lease.name == lease.name
            });
        if is_own && lease.epoch == self.epoch && matches!(self.role, Role::Leader | Role::Claiming) {
            self.read_back(&lease);
            return;
        }
        if is_older {
            return;
        }
        if lease.epoch == self.epoch && matches!(self.role, Role::Leader | Role::Claiming) && self.name < lease.name {
            // Of two claims the smaller name wins: ours. The topic must say so, with an epoch that only we have.
            if self.role == Role::Claiming {
                self.epoch += 1;
            }
            self.claim_ends = None;
            self.renew(decisions);
            return;
        }
        if self.ruleset != lease.ruleset && !is_own && self.told.insert(lease.ruleset.clone()) {
            decisions.push(Decision::Tell(Notice::OtherRules(lease.name.clone())));
        }
        let replaced = StepDown::Replaced(lease.name.clone(), lease.epoch);
        // After a restart of ours, the lease that we find may be our own: nobody else has it.
        let gone_at = (is_own || self.gone.contains(&lease.name)).then_some(self.now);
        self.known = Some(Known { lease, heard_at: self.now, gone_at });
        match self.role {
            Role::Leader => self.step_down(replaced, decisions),
            Role::Claiming => self.role = Role::Standby,
            Role::Joining | Role::Standby => {}
        }
    }

    fn read_back(&mut self, lease: &Lease) {
        let Some(sent) = self.sent.remove(&lease.renewal) else { return };
        self.sent = self.sent.split_off(&lease.renewal);
        self.confirmed = self.confirmed.max(Some(sent));
        if self.role == Role::Claiming && lease.renewal == self.renewal {
            self.claim_ends = Some(self.after(self.lease / CLAIM));
        }
    }

    fn consider_claim(&mut self, decisions: &mut Vec<Decision>) {
        let Some(known) = &self.known else { return };
        if self.claims_at(known) > self.now {
            return;
        }
        if !self.may_follow(known) {
            let name = known.lease.name.clone();
            if self.told.insert(format!("gone {}", known.lease.epoch)) {
                decisions.push(Decision::Tell(Notice::WontTakeOver(name)));
            }
            return;
        }
        self.claim(decisions);
    }

    fn claim(&mut self, decisions: &mut Vec<Decision>) {
        self.was_own = self.known.as_ref().is_some_and(|known| known.lease.name == self.name);
        self.epoch = self.epoch() + 1;
        self.role = Role::Claiming;
        self.claim_ends = None;
        self.confirmed = None;
        self.sent.clear();
        self.renew(decisions);
    }

    fn lead(&mut self, decisions: &mut Vec<Decision>) {
        self.role = Role::Leader;
        self.claim_ends = None;
        self.known = None;
        decisions.push(Decision::Lead { epoch: self.epoch, continues: self.was_own });
        if !self.may_act(self.now) {
            self.step_down(StepDown::Expired, decisions);
        }
    }

    fn step_down(&mut self, why: StepDown, decisions: &mut Vec<Decision>) {
        if self.known.is_none() {
            // Nobody else is known: our own lease is the one that has run out, and we may claim another at once.
            let lease = self.next_lease();
            self.known = Some(Known { lease, heard_at: self.now, gone_at: Some(self.now) });
        }
        self.role = if self.is_settled { Role::Standby } else { Role::Joining };
        self.confirmed = None;
        self.sent.clear();
        decisions.push(Decision::StepDown(why));
    }

    fn renew(&mut self, decisions: &mut Vec<Decision>) {
        self.renewal += 1;
        self.renew_at = self.after(self.lease / RENEW);
        self.sent.insert(self.renewal, self.now);
        decisions.push(Decision::Publish(self.next_lease()));
    }

    fn next_lease(&self) -> Lease {
        let seconds = i64::try_from(self.lease.as_secs()).unwrap_or(0);
        Lease {
            name: self.name.clone(),
            epoch: self.epoch,
            until: self.wall.saturating_add(seconds),
            renewal: self.renewal,
            ruleset: self.ruleset.clone(),
        }
    }

    fn may_follow(&self, known: &Known) -> bool {
        self.force || known.lease.ruleset == self.ruleset
    }

    /// Returns when to claim the lease of a leader that is gone or falls silent.
    fn claims_at(&self, known: &Known) -> Timestamp {
        let over = known.gone_at.unwrap_or_else(|| self.runs_out(known));
        let lets_go_first = !self.is_whole && known.lease.name != self.name && !self.alive.is_empty();
        let patience = if lets_go_first { self.lease / 2 } else { Duration::ZERO };
        over.checked_add(patience).unwrap_or(Timestamp::MAX)
    }

    fn has_run_out(&self, known: &Known) -> bool {
        self.runs_out(known) <= self.now
    }

    fn runs_out(&self, known: &Known) -> Timestamp {
        known.heard_at.checked_add(self.lease).unwrap_or(Timestamp::MAX)
    }

    /// Returns when a leader stops whose last confirmed renewal was sent at `sent`.
    fn end_of(&self, sent: Timestamp) -> Timestamp {
        sent.checked_add(self.lease.saturating_sub(self.lease / MARGIN)).unwrap_or(Timestamp::MAX)
    }

    fn after(&self, duration: Duration) -> Timestamp {
        self.now.checked_add(duration).unwrap_or(Timestamp::MAX)
    }
}
