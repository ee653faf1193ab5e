"""Writes tests/fixtures/calendars.json: made-up calendars, and what happens in them according to another implementation.

    pip install recurring-ical-events==3.8.2
    python tests/tools/calendars.py > tests/fixtures/calendars.json

With a folder as its argument, it reads the `.ics` files there instead: to compare with calendars from elsewhere.
"""

import json
import random
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

HOME = ZoneInfo("Europe/Berlin")
UTC = ZoneInfo("UTC")
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


def instant(time):
    """Dates and times without a zone are those of the home."""
    if not isinstance(time, datetime):
        time = datetime(time.year, time.month, time.day)
    if time.tzinfo is None:
        time = time.replace(tzinfo=HOME)
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def happens(text, start, end):
    calendar = icalendar.Calendar.from_ical(text)
    found = []
    for event in recurring_ical_events.of(calendar).between(start, end):
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            continue
        found.append([instant(event["DTSTART"].dt), instant(event["DTEND"].dt), str(event.get("SUMMARY", "")).strip()])
    return sorted(found)


def case(text, start, end):
    at = lambda day: datetime(day.year, day.month, day.day, tzinfo=HOME)
    begin, over = instant(at(start)), instant(at(end))
    # What ends when the time begins isn't in it, whatever others say.
    inside = [one for one in happens(text, at(start), at(end)) if one[0] < over and (one[1] > begin or one[0] == one[1] >= begin)]
    return {"text": text, "from": begin, "until": over, "events": inside}


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def zone(self):
        return self.random.choice([None, "Europe/Berlin", "America/New_York", "Australia/Sydney", "UTC"])

    def time(self, name, time, zone, is_date):
        if is_date:
            return f"{name};VALUE=DATE:{time:%Y%m%d}"
        if zone == "UTC":
            return f"{name}:{time:%Y%m%dT%H%M%S}Z"
        return f"{name};TZID={zone}:{time:%Y%m%dT%H%M%S}" if zone else f"{name}:{time:%Y%m%dT%H%M%S}"

    def rule(self, start, zone, is_date):
        pick = self.random
        frequency = pick.choice(["DAILY", "WEEKLY", "WEEKLY", "MONTHLY", "MONTHLY", "YEARLY"])
        parts = [f"FREQ={frequency}"]
        if pick.random() < 0.5:
            parts.append(f"INTERVAL={pick.randint(1, 4)}")
        kind = pick.random()
        if frequency == "WEEKLY" and kind < 0.6:
            parts.append("BYDAY=" + ",".join(pick.sample(DAYS, pick.randint(1, 3))))
            if pick.random() < 0.3:
                parts.append(f"WKST={pick.choice(['SU', 'MO'])}")
        elif frequency == "MONTHLY" and kind < 0.4:
            parts.append("BYDAY=" + pick.choice(["1", "2", "3", "-1", "-2"]) + pick.choice(DAYS))
        elif frequency == "MONTHLY" and kind < 0.7:
            parts.append("BYMONTHDAY=" + pick.choice(["1", "15", "31", "-1", "1,15"]))
        elif frequency == "MONTHLY" and kind < 0.8:
            parts.append("BYDAY=MO,TU,WE,TH,FR;BYSETPOS=" + pick.choice(["1", "-1", "2"]))
        elif frequency == "YEARLY" and kind < 0.4:
            parts.append(f"BYMONTH={pick.randint(1, 12)};BYDAY={pick.choice(['1', '-1', '3'])}{pick.choice(DAYS)}")
        elif frequency == "YEARLY" and kind < 0.6:
            parts.append(f"BYMONTH={pick.randint(1, 12)}")
        elif frequency == "DAILY" and kind < 0.3:
            parts.append("BYDAY=MO,TU,WE,TH,FR")
        end = pick.random()
        if end < 0.25:
            parts.append(f"COUNT={pick.randint(1, 60)}")
        elif end < 0.5:
            until = start + timedelta(days=pick.randint(0, 1500))
            if is_date:
                parts.append(f"UNTIL={until:%Y%m%d}")
            else:
                parts.append(f"UNTIL={until:%Y%m%dT%H%M%S}" + ("Z" if zone else ""))
        return ";".join(parts)

    def event(self, number):
        pick = self.random
        is_date = pick.random() < 0.35
        zone = None if is_date else self.zone()
        start = datetime(2022, 1, 1) + timedelta(days=pick.randint(0, 1000))
        if not is_date:
            # No clock changes at these hours.
            start += timedelta(hours=pick.randint(5, 22), minutes=pick.choice([0, 15, 30]))
        lines = [f"UID:{number}@x", f"SUMMARY:{pick.choice(['Paper', 'Glass', 'Bins, all', 'Müll'])} {number}".replace(",", "\\,")]
        lines.append(self.time("DTSTART", start, zone, is_date))
        length = pick.random()
        if is_date:
            days = pick.randint(1, 4)
            if length < 0.6:
                lines.append(self.time("DTEND", start + timedelta(days=days), zone, True))
        elif length < 0.7:
            lines.append(self.time("DTEND", start + timedelta(minutes=pick.randint(0, 600)), zone, False))
        elif length < 0.85:
            lines.append(f"DURATION:PT{pick.randint(1, 9)}H")
        others = []
        if pick.random() < 0.8:
            lines.append("RRULE:" + self.rule(start, zone, is_date))
            if pick.random() < 0.5:
                for _ in range(pick.randint(1, 4)):
                    gone = start + timedelta(days=7 * pick.randint(0, 30))
                    lines.append(self.time("EXDATE", gone, zone, is_date))
            if pick.random() < 0.2:
                lines.append(self.time("RDATE", start + timedelta(days=pick.randint(1, 300)), zone, is_date))
            if pick.random() < 0.3:
                at = start + timedelta(days=7 * pick.randint(1, 10))
                moved = at + timedelta(days=pick.randint(-2, 2), hours=0 if is_date else 1)
                other = [f"UID:{number}@x", f"SUMMARY:Moved {number}", self.time("RECURRENCE-ID", at, zone, is_date)]
                other += [self.time("DTSTART", moved, zone, is_date)]
                other += [self.time("DTEND", moved + timedelta(days=1), zone, is_date)]
                if pick.random() < 0.3:
                    other.append("STATUS:CANCELLED")
                others.append(other)
        if pick.random() < 0.1:
            # What belongs to an event that doesn't take place is read in different ways.
            lines.append("STATUS:CANCELLED")
            others.clear()
        return "".join("BEGIN:VEVENT\r\n" + "".join(f"{line}\r\n" for line in one) + "END:VEVENT\r\n" for one in [lines, *others])

    def calendar(self):
        events = "".join(self.event(number) for number in range(self.random.randint(1, 3)))
        return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//homerule//tests//EN\r\n{events}END:VCALENDAR\r\n"


def made():
    for seed in range(160):
        maker = Maker(seed)
        text = maker.calendar()
        start = date(2022, 6, 1) + timedelta(days=maker.random.randint(0, 700))
        yield case(text, start, start + timedelta(days=maker.random.choice([1, 31, 90, 200])))


def from_folder(folder):
    for path in sorted(Path(folder).glob("*.ics")):
        try:
            text = path.read_text()
            for year in [*range(2005, 2027, 1)]:
                for month in (1, 3, 7, 10):
                    found = case(text, date(year, month, 1), date(year, month, 28))
                    if found["events"]:
                        yield {"name": path.name, **found}
        except Exception as error:
            print(f"{path.name}: {error!r}", file=sys.stderr)


cases = list(from_folder(sys.argv[1]) if len(sys.argv) > 1 else made())
json.dump(cases, sys.stdout, indent=1, ensure_ascii=False)
print()
