"""``flowquake runs``."""

from __future__ import annotations

from typing import Any

import click

from flowquake.cli.app import Group
from flowquake.cli.options import json_option
from flowquake.cli.text import clean, clean_lines, note, print_json, say, table


@click.group("runs", cls=Group)
def runs_command() -> None:
    """List and show earlier runs; RUN is an id, part of one, `last` or a directory."""


@runs_command.command("list")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many; the latest are shown.",
)
@json_option
def runs_list(limit: int, as_json: bool) -> None:
    """List the runs, the latest last."""
    from flowquake.runindex import list_runs

    runs = list_runs()[-limit:]
    if as_json:
        rows = [
            {
                "id": run.id,
                "status": run.status,
                "workflow": run.record.get("workflow", {}).get("name"),
                "started": run.record.get("started"),
                "seconds": run.record.get("seconds"),
                "exit_code": run.record.get("exit_code"),
                "directory": str(run.path),
            }
            for run in runs
        ]
        print_json({"schema": "flowquake/runs-1", "runs": rows})
        return
    if not runs:
        note("there are no runs yet")
        return
    say(table(["run", "status", "directory"], [[r.id, r.status, r.path] for r in runs], indent=""))


@runs_command.command("show")
@click.argument("run")
@json_option
def runs_show(run: str, as_json: bool) -> None:
    """Show a run: what was run, how it ended, and how to repeat it."""
    from flowquake.cli.bottlenecks import loads_table, of_record
    from flowquake.cli.closing import closing_summary
    from flowquake.cli.record import repeat_line
    from flowquake.cli.run import with_forecasts

    found = _existing(run)
    record = {**found.record, "status": found.status}
    held_up = of_record(record)
    if as_json:
        record["bottleneck"] = held_up.to_json() if held_up else None
        print_json(with_forecasts(record, found.path))
        return
    workflow = record["workflow"]
    say(f"{clean(record['id'])}: {found.status}")
    say(f"  workflow  {clean(workflow['name'])} {clean(workflow['version'])}".rstrip())
    say(f"  started   {record['started']}, ended {record['ended'] or '-'}")
    versions = record["versions"]
    say(f"  with      flowquake {versions['flowquake']}, Python {versions['python']}")
    say(f"  on        {clean(record['host']['name'])}, {clean(record['host']['system'])}")
    for given in record["inputs"]:
        say(f"  input     {clean(given['path'])}  sha256 {str(given['sha256'])[:12]}")
    if record["error"]:
        lines = clean_lines(record["error"]).splitlines()
        say("  error     " + "\n            ".join(line.strip() for line in lines))
    say(f"\nRepeat it in {clean(record['working_directory'])}:\n  {clean(repeat_line(record))}\n")
    say(closing_summary(record, found.path))
    if record.get("loads"):
        say("\n" + loads_table(record["loads"]))
        say(clean(held_up.text if held_up else "the run was too short to tell a bottleneck"))


@runs_command.command("path")
@click.argument("run")
def runs_path(run: str) -> None:
    """Print the directory of a run."""
    say(str(_existing(run).path))


@runs_command.command("compare")
@click.argument("first")
@click.argument("second")
@json_option
def runs_compare(first: str, second: str, as_json: bool) -> None:
    """Show what differs between two runs: parameters, options, versions, inputs, counts."""
    one, two = _existing(first), _existing(second)
    ours, theirs = _comparable(one.record), _comparable(two.record)
    names = sorted(
        name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)
    )
    if as_json:
        rows = [{"name": n, "first": ours.get(n), "second": theirs.get(n)} for n in names]
        print_json(
            {
                "schema": "flowquake/compare-1",
                "first": one.id,
                "second": two.id,
                "differences": rows,
            }
        )
        return
    if not names:
        say("no difference")
        return
    say(
        table(
            ["", one.id, two.id],
            [[n, ours.get(n, "-"), theirs.get(n, "-")] for n in names],
            indent="",
        )
    )


def _existing(reference: str) -> Any:  # an IndexedRun, imported late
    from flowquake.errors import UsageError
    from flowquake.runindex import find_run

    found = find_run(reference)
    if found.status == "gone":
        raise UsageError(f"the directory of run {found.id} is gone: {found.path}")
    return found


def _comparable(record: dict[str, Any]) -> dict[str, str]:
    flat = {
        "workflow": f"{record['workflow']['name']} {record['workflow']['version']}".strip(),
        "workflow sha256": str(record["workflow"]["sha256"])[:12],
        "status": str(record["status"]),
    }
    settings = {**record["defaults"], **record["parameters"]}
    flat |= {f"parameter {name}": str(value) for name, value in settings.items()}
    flat |= {f"option {name}": str(value) for name, value in record["options"].items()}
    flat |= {f"version {name}": str(value) for name, value in record["versions"].items()}
    flat |= {f"input {i['parameter']}": str(i["sha256"])[:12] for i in record["inputs"]}
    flat |= {f"received {n}": str(c["received"]) for n, c in record["counts"].items()}
    return flat
