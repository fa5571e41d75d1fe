"""``flowquake doctor``."""

from __future__ import annotations

from dataclasses import asdict

import click

from flowquake.cli.app import Command
from flowquake.cli.options import json_option
from flowquake.cli.text import print_json, say


@click.command("doctor", cls=Command)
@json_option
def doctor_command(as_json: bool) -> int:
    """Check this machine and this installation.

    Each line says ok, or Fix: and what to do; -- is what you may do without.
    Exit code 2 if flowquake cannot do its main job here.
    """
    from flowquake.cli.checks import all_checks

    checks = list(all_checks())
    broken = any(check.required and not check.ok for check in checks)
    if as_json:
        print_json(
            {
                "schema": "flowquake/doctor-1",
                "ok": not broken,
                "checks": [asdict(check) for check in checks],
            }
        )
        return 2 if broken else 0
    width = max(len(check.name) for check in checks)
    for check in checks:
        say(f"{check.name:<{width}}  ", end="")
        if check.ok:
            say(f"ok    {check.text}")
        elif check.optional:
            say(f"--    {check.text}; if you want it: {check.fix}")
        else:
            say(f"Fix:  {check.fix} (now: {check.text})")
    return 2 if broken else 0
