"""Which column of a line list, of contacts, of visits and of a map holds what."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping

from broadstreet.app.reading.guessing import FLAGS, holds_dates, holds_flags, holds_numbers, listed, plain
from broadstreet.app.reading.table import Table, Unusable, is_missing, shown

Roles = dict[str, str]
"""Column of each role that was found."""


def _but(other: str, pattern: str) -> str:
    """Return a pattern that names fit which do not fit another."""
    return rf"(?!(?:{other})$)(?:{pattern})"


_NO_ONSET = (
    r".*(asympt|resol|recover|ceas|durat|delay|count|number|score|known|type|place|site|location|since_?(onset|symptom)|free"
    r"|onset_?to|to_?onset|symptoms?_?end|erkrankungs(ende|dauer|alter|ort)).*"
    r"|(.*_)?(end|ended|last|n|no|num|age|to|fin|hasta|ende|bis)(_.*)?|age_?at.*"
)
_ONSET = (
    r".*onset.*|.*prodrom.*|erkrankungs.*|.*inicio.*sintomas.*|.*(debut|apparition).*(sympt|maladie|sign).*"
    r"|발병일?|.*发病.*"
)
_FIRST_SYMPTOM = r".*symptom.*(day|start|begin|first).*|.*(day|start|begin|first).*symptom.*"
_NO_BEGIN = (
    r".*(until|duration|days|discharg|left|(isolation|quarantine|date)_?end).*|end.*|(.*_)?end(ed|s)?(_.*)?"
    r"|.*_(to|bis|hasta)|.*to_date|quarantineto"
    r"|(.*_)?(fin|sortie|alta)(_.*)?"
)

# Names as line lists have them, without accents. The first pattern that a column fits wins, for the roles in
# this order.
DATES = {
    "exposed_from": r".*(start|from|first|begin|min).*exp.*|.*exp.*(start|from|first|begin|min).*|노출시작.*"
    r"|暴露开始.*",
    "exposed_to": r".*(end|to|last|until|max).*exp.*|.*exp.*(end|_to|last|until|max).*|노출종료.*"
    r"|暴露结束.*",
    "infected": r"((date|dt|day)_?(of_)?)?infect(ion|ed)(_date|_day)?|감염일|感染日期",
    "onset": _but(_NO_ONSET, rf"{_ONSET}|.*symptom.*|증상.*"),
    "isolated": _but(
        _NO_BEGIN, r".*(isolat|isole|aislamiento|quarant|cuarentena).*|absonderung.*|격리.*|隔离.*"
    ),
    "hospitalised": _but(
        _NO_BEGIN, r".*(hospitali[sz]|admission|admitted|hosp.*admit|aufnahme|ingreso).*|입원.*|.*住院.*"
    ),
    "diagnosed": r".*(diag|confirm|lab_?result|positiv).*|확진.*|.*确诊.*",
    "reported": r".*(report|notif|meld|declaration).*|신고.*|.*报告.*",
    "died": r".*(death|died|dod|decease|todes|sterbe|verstorben|muerte|fallec|defuncion|deces).*"
    r"|사망.*|.*死亡.*",
    "rash": r".*rash.*|.*exanthem.*",
    "day": r"date|day|dt|datum|fecha|날짜|日期",
}
_STAND_INS = ("rash", "day")
_NAMED_ONSET = {"onset": _but(_NO_ONSET, _ONSET)}
"""Names that mean the day of onset whatever the column holds: "symptoms" may be a list of them."""
_NUMBERED = DATES | {
    "onset": _but(rf"{_NO_ONSET}|.*(week|month|year|hour|time).*", rf"{_ONSET}|{_FIRST_SYMPTOM}")
}
"""Names of columns that may hold numbers of days: symptoms are counted as well."""
_PREFERRED = {
    "onset": (r"((date|dt|day)_?(of_?)?)?(illness_|disease_|symptoms?_)?onset(_?(date|day|dt))?", _ONSET)
}
"""Of the columns that fit, those with such names go first."""
GROUPS = {
    "household": r"((id|n|no|num|numero)_(du_|de_)?)?(house_?hold|hh|famil(y|ie|ia|le)|haushalts?"
    r"|hogar|menage|foyer)(_?(id|no|nr|number|nummer|code))?|가구.*"
    r"|家庭.*|户.*",
    "class": r"((school_?)?class|klasse|classe|grade)(_?(id|no|room|name))?|반|班级",
    "school": r"(school|schule|escuela|ecole)(_?(id|name))?|학교|学校",
    "ward": r"(hospital_?)?(ward|station|room|zimmer)(_?(id|no|name))?|병동|병실|病房|病区",
    "hospital": r"(loc_?)?(hosp(ital)?|hopital|facility|clinic|krankenhaus)(_?(id|name))?|병원.*|医院.*",
    "workplace": r"(work_?place|employer|company|arbeitsplatz|lugar_de_trabajo|lieu_de_travail)"
    r"(_?(id|name))?|직장|工作单位",
}
_NUMBERED_GROUPS = ("household", "class", "ward")
"""Groups that may be named 0 and 1."""
_SURENESS = frozenset(
    {
        "confirmed", "probable", "suspected", "suspect", "possible", "definite", "discarded", "case",
        "not a case", "non-case", "lab-confirmed", "laboratory confirmed", "clinical", "epi-linked",
        "confirmé", "confirmado", "sospechoso", "descartado", "bestätigt", "wahrscheinlich", "verdacht",
    }
)  # fmt: skip
"""Classes of cases, which are no classes of a school."""
_ID = (
    r"(case|patient|person|fall|caso|cas|record)?_?(id|nr|no|num|numero|number|nummer|identifier)"
    r"|(id|n|no|nr|num|numero)_(de_|du_)?(case|patient|person|caso|cas|paciente)"
    r"|case|cas|caso|caseid|patient|person|연번|환자번호|번호|病例编号|编号"
)
_PERSON = (
    r"(person|case|patient|visitor|resident)?_?id|id_(case|patient|person)|person|case|patient|visitor|who"
)
_X, _Y = r"x(_?(loc|coord.*|pos|m|km))?|easting", r"y(_?(loc|coord.*|pos|m|km))?|northing"
_LON, _LAT = r"lon(g|gitude)?|lng|经度|경도", r"lat(itude)?|纬度|위도"
_HOME = (
    r"home(_?(area|district))?|residence|(home_?)?district|area|neighbou?rhood|quarter|quartier|bezirk|barrio"
    r"|동|구|区"
)
_AGE = r"age(_?(years|group|class))?|alter|edad|나이|연령|年龄"
_INFECTOR = r"infector(_?id)?|infected_by|source_case(_?id)?"
LINE_LIST = {"x": _X, "y": _Y, "lon": _LON, "lat": _LAT, "home": _HOME, "age": _AGE, "infector": _INFECTOR}
CONTACTS = {
    "infector": rf"{_INFECTOR}|from(_?id)?|index(_?case)?(_?id)?|source(_?id)?|primary(_?case)?(_?id)?",
    "case": r"case(_?id)?|to(_?id)?|target(_?id)?|infectee(_?id)?|secondary(_?case)?(_?id)?|infected(_?id)?",
    "id": r"id|person(_?id)?|case_?1|id_?1|a",
    "contact": r"contact(_?(id|of|person))?|case_?2|id_?2|person_?2|other(_?id)?|b",
}
VISITS = {
    "id": _PERSON,
    "place": r"place(_?(id|name))?|location(_?(id|name))?|site|venue|where|ort|lugar|장소|地点",
    "start": r"day|date|start.*|from|arriv.*|begin.*|time_?in|entry.*|visited?(_on|_date)?|datum|fecha"
    r"|날짜|日期",
    "end": r"end.*|to|until|left|leav.*|depart.*|time_?out|exit.*",
}
CONTROLS = {"id": _PERSON, "home": _HOME, "age": _AGE}
COORDINATES = {"x": _X, "y": _Y, "lon": _LON, "lat": _LAT}
SITES = {"site": r"label|name|site(_?name)?|pump|place|이름|名称"}
STREETS = {"street": r"street(_?(id|no|name))?|line(_?id)?|way(_?id)?|road(_?id)?|segment(_?id)?|osm_?id|id"}
POPULATION = {"population": r"pop(ulation)?|people|residents|inhabitants|persons|n|count|einwohner|인구|人口"}


def find(table: Table, patterns: Mapping[str, str], taken: Iterable[str] = ()) -> Roles:
    """Return the column of each role: the first that fits its pattern and has no other role."""
    used = set(taken)
    roles: Roles = {}
    for role, pattern in patterns.items():
        if names := _fitting(table, role, pattern, used):
            roles[role] = names[0]
            used.add(names[0])
    return roles


def _fitting(table: Table, role: str, pattern: str, taken: Container[str]) -> list[str]:
    """Return the columns that may have a role, those with preferred names first."""
    names = [n for n in table.names if n and n not in taken and re.fullmatch(pattern, plain(n))]
    for preferred in reversed(_PREFERRED.get(role, ())):
        names.sort(key=lambda name: not re.fullmatch(preferred, plain(name)))
    return names


def of_line_list(table: Table, given: Mapping[str, str]) -> Roles:
    """Return the roles of a line list's columns; what is given goes before what is recognised.

    Raises
    ------
    Unusable
        If a given column is not there, a given role is not known, or no column is recognised at all.
    """
    roles = _recognised(table, given)
    if not roles:
        raise Unusable(
            "expected names of columns such as id, date_of_onset and household in the first row, found "
            f"{listed(table.names)}; name them so, or say --column onset=NAME"
        )
    return roles


def _recognised(table: Table, given: Mapping[str, str]) -> Roles:
    roles = _checked(table, given)
    dated = _that(table, holds_dates)
    for held, patterns in ((dated, DATES), (_that(table, _holds_day_numbers), _NUMBERED)):
        roles |= find(table, _without(patterns, roles), {*table.names} - held | {*roles.values()})
    _stand_in(table, roles, given, dated)
    others = {role: pattern for role, pattern in DATES.items() if role not in (*roles, "onset", *_STAND_INS)}
    roles |= find(table, others, roles.values())
    for role, pattern in _without(GROUPS, roles).items():
        if grouping := [n for n in _fitting(table, role, pattern, roles.values()) if _groups(table, role, n)]:
            roles[role] = grouping[0]
    for patterns in (LINE_LIST, {"id": _ID}):
        roles |= find(table, _without(patterns, roles), roles.values())
    return roles


def no_groups(table: Table, roles: Roles) -> Roles:
    """Return, for the groups that no column has, those columns so named that say whether instead of which."""
    found = find(table, _without(GROUPS, roles), roles.values())
    return {role: name for role, name in found.items() if _says_whether(table, role, name)}


def passed_over(table: Table, roles: Roles) -> dict[str, list[str]]:
    """Return, by role, the other columns of days that might have had it as well as the one that has it."""
    free = {name for name in _that(table, holds_dates) if "week" not in plain(name)} - {*roles.values()}
    chosen = [role for role, name in roles.items() if role in DATES and holds_dates(table, name)]
    others = {role: _fitting(table, role, DATES[role], {*table.names} - free) for role in chosen}
    return {role: names for role, names in others.items() if names}


def _checked(table: Table, given: Mapping[str, str]) -> Roles:
    known = {"id", *DATES, *GROUPS, *LINE_LIST}
    for role, name in given.items():
        if role not in known:
            raise Unusable(f"expected one of {', '.join(sorted(known))} before the =, found {shown(role)!r}")
        if name not in table.names:
            raise Unusable(f'expected a column "{shown(name)}", the file has {listed(table.names)}')
    return dict(given)


def _without(patterns: Mapping[str, str], taken: Iterable[str]) -> dict[str, str]:
    used = set(taken)
    return {role: pattern for role, pattern in patterns.items() if role not in used}


def _stand_in(table: Table, roles: Roles, given: Mapping[str, str], dated: set[str]) -> None:
    """Let another column be the onset where none so named holds days: one whose text is then reported, a
    rash, any day, or one that is empty. Flags are none where there are dates.
    """
    if "onset" not in roles:
        flags = _that(table, holds_flags) if dated else set()
        named = find(table, _NAMED_ONSET, {*roles.values(), *flags}).get("onset")
        if named and any(not is_missing(cell) for cell in table.column(named)):
            roles["onset"] = named
        elif found := next((role for role in _STAND_INS if role in roles), None):
            roles["onset"] = roles.pop(found)
        elif named:
            roles["onset"] = named
    for role in _STAND_INS:
        if role not in given:
            roles.pop(role, None)


def _that(table: Table, holds: Callable[[Table, str], bool]) -> set[str]:
    return {name for name in table.names if name and holds(table, name)}


def _holds_day_numbers(table: Table, name: str) -> bool:
    return holds_numbers(table, name) and not holds_flags(table, name)


def _groups(table: Table, role: str, name: str) -> bool:
    """Tell whether a column groups cases: some share a value, and not all do; whether is no value."""
    cells = [cell.strip() for cell in table.column(name) if not is_missing(cell)]
    return 1 < len(set(cells)) < len(cells) and not _says_whether(table, role, name)


def _says_whether(table: Table, role: str, name: str) -> bool:
    cells = {cell.strip().lower() for cell in table.column(name) if not is_missing(cell)}
    numbers = {"0", "1"} if role in _NUMBERED_GROUPS else set()
    return bool(cells) and cells <= (FLAGS | _SURENESS) - numbers


def coordinates(roles: Roles) -> tuple[str, str] | None:
    """Return the pair of roles that hold coordinates: x and y before lon and lat."""
    for pair in (("x", "y"), ("lon", "lat")):
        if all(role in roles for role in pair):
            return pair
    return None


def required(
    table: Table, patterns: Mapping[str, str], name: str, wanted: Iterable[str], taken: Iterable[str] = ()
) -> Roles:
    """Return the roles of a table that needs some of them, of columns that are not taken.

    Raises
    ------
    Unusable
        If one is not found.
    """
    roles = find(table, patterns, taken)
    missing = [role for role in wanted if role not in roles]
    if missing:
        raise Unusable(f"{name}: expected a column for {', '.join(missing)}, found {listed(table.names)}")
    return roles
