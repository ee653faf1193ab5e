//! Decodes `every`: an interval within the day, or some days or weeks from a date on.

use jiff::civil::Date;

use crate::lang::Code;
use crate::lang::yaml::tree::Node;
use crate::model::schedule::Schedule;

use crate::lang::rule_file::decoder::Decoder;

/// A day, in seconds.
const DAY: u64 = 86_400;

impl Decoder<'_> {
    /// Returns when `every: …` is due, with `from` and `at` where they are given.
    pub(in crate::lang::rule_file) fn every(
        &mut self,
        node: &Node,
        from: Option<&Node>,
        at: Option<&Node>,
    ) -> Option<Schedule> {
        let days = match weeks(node) {
            Some(days) => days,
            None => {
                let interval = self.interval(node)?;
                let is_of_day = interval.as_secs() < DAY || (interval.as_secs() == DAY && interval.subsec_nanos() == 0);
                if is_of_day && from.is_none() && at.is_none() {
                    return Some(Schedule::Every(interval));
                }
                if interval.as_secs() % DAY != 0 || interval.subsec_nanos() != 0 {
                    let span = self.mark(node);
                    let message =
                        "an interval with `from` and `at`, or of more than a day, must be whole days or weeks";
                    let found = self.findings.error(Code::OUT_OF_RANGE, span, message);
                    found.help("write e.g. `every: 2w, from: 2026-01-05, at: \"18:00\"`");
                    return None;
                }
                u32::try_from(interval.as_secs() / DAY).unwrap_or(u32::MAX)
            }
        };
        let (Some(from), Some(at)) = (from, at) else {
            let span = self.mark(node);
            let message = "`every` of more than a day needs `from` and `at`";
            let found = self.findings.error(Code::MISSING_KEY, span, message);
            found.help("write e.g. `every: 2w, from: 2026-01-05, at: \"18:00\"`");
            return None;
        };
        let (from, at) = (self.date(from), self.time_of_day(at));
        Some(Schedule::EachDays { days, from: from?, at: at? })
    }

    /// Returns a date.
    fn date(&mut self, node: &Node) -> Option<Date> {
        let fixed = self.fixed(node, "a date (`2026-01-05`)")?;
        if let Ok(date) = fixed.text.trim().parse() {
            return Some(date);
        }
        let message = format!("`{}` isn't a valid date", fixed.text);
        self.findings.error(Code::BAD_TIME, fixed.span, message).help("write it like `2026-01-05`");
        None
    }
}

/// Returns how many days `2w` is; `None` where it is no number of weeks.
fn weeks(node: &Node) -> Option<u32> {
    let text = node.as_scalar()?.text.as_str().trim().to_owned();
    let weeks: u32 = text.strip_suffix('w')?.parse().ok()?;
    weeks.checked_mul(7).filter(|days| *days > 0)
}
