"""Days that are still to come: mostly a year written wrongly."""

from __future__ import annotations

from datetime import date

from broadstreet.app.investigate.linelist import LineList
from broadstreet.app.investigate.sentences import counted

_MOST_NAMED = 5


def after_today(cases: LineList, today: date | None) -> list[str]:
    """Return a warning that names the cases with a day after today, if there are any."""
    if today is None or not cases.dated:
        return []
    late = {
        at: f"{cases.ids[at]} ({role} {cases.label(day)})"
        for role, days in reversed(cases.days.items())
        for at, day in enumerate(days)
        if day is not None and day > today.toordinal()
    }
    if not late:
        return []
    some = ", ".join(late[at] for at in sorted(late)[:_MOST_NAMED])
    more = f" and {len(late) - _MOST_NAMED:,} more" if len(late) > _MOST_NAMED else ""
    return [
        f"{counted(len(late), 'case has', 'cases have')} a day after today ({today.isoformat()}): "
        f"{some}{more}. They are used as they are: is the year right?"
    ]
