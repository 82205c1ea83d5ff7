"""`detect`: a file of cases or counts in; what stands out, a table, a picture and a page out. No hub."""

from __future__ import annotations

from pathlib import Path

from broadstreet.cli import detect_options as option
from broadstreet.cli.program import AsJson, app

_FOLDER = Path("broadstreet-detect")


@app.command()
def detect(  # noqa: PLR0913, PLR0917  each is an option
    file: option.File,
    method: option.Method = "auto",
    setting: option.Settings = None,
    first: option.First = None,
    last: option.Last = None,
    newest: option.Newest = None,
    date: option.DateColumn = None,
    count: option.CountColumn = None,
    by: option.By = None,
    line_list: option.LineList = False,
    every: option.Every = None,
    dates: option.Order = None,
    gaps: option.Gaps = "refuse",
    add_up: option.AddUp = False,
    until: option.Until = None,
    encoding: option.Encoding = "utf-8-sig",
    out: option.Out = _FOLDER,
    exit_code: option.ExitCode = False,
    as_json: AsJson = False,
) -> None:
    """Test counts for more cases than expected, and write a table, a picture and a page.

    Columns are recognised by their names and contents; each guess is told and can be replaced by an option.
    Without --method the one that suits the history is taken.
    """
    from broadstreet.cli import detect_work  # noqa: PLC0415 - heavy, and no other command's

    detect_work.look_at(
        file, method=method, setting=setting or (), first=first, last=last, newest=newest, date=date,
        count=count, by=by or (), line_list=line_list, every=every, dates=dates, gaps=gaps, add_up=add_up,
        until=until, encoding=encoding, out=out, exit_code=exit_code, as_json=as_json,
    )  # fmt: skip
