"""``flowquake list``."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click

from flowquake.cli.app import Command
from flowquake.cli.options import json_option
from flowquake.cli.text import note, print_json, say, table
from flowquake.errors import suggest

KINDS = ("pes", "workflows", "mappings")


@click.command("list", cls=Command)
@click.argument("words", nargs=-1, metavar="[pes|workflows|mappings] [WORD]...")
@json_option
def list_command(words: Sequence[str], as_json: bool) -> None:
    """List processing elements, workflows and mappings.

    With WORDs only those in whose name, text, ports or parameters every word
    occurs. Nothing is imported, so what lacks a dependency is listed too.
    """
    from flowquake import registry

    kinds, rest = (list(KINDS), list(words))
    named = [kind for kind in KINDS if rest and rest[0].lower() in (kind, kind[:-1])]
    if named:
        kinds, rest = named, rest[1:]
    finders: dict[str, Callable[[], Sequence[registry.Entry]]] = {
        "pes": registry.find_elements,
        "workflows": registry.find_workflows,
        "mappings": registry.find_mappings,
    }
    found = {kind: registry.search(finders[kind](), " ".join(rest)) for kind in kinds}
    if as_json:
        listed = {kind: [entry.to_json() for entry in entries] for kind, entries in found.items()}
        print_json({"schema": "flowquake/list-1", **listed})
        return
    shown = False
    for kind, entries in found.items():
        if not entries:
            continue
        if shown:
            say()
        say({"pes": "Processing elements"}.get(kind, kind.capitalize()))
        rows = [
            [getattr(entry, "subject", entry.package), entry.name, entry.summary]
            for entry in entries
        ]
        say(table(["subject" if kind == "pes" else "package", "name", "summary"], rows))
        shown = True
    if not shown:
        near = suggest(rest[0], KINDS) if rest else ""
        note(f"nothing found for '{' '.join(rest)}'{near}")
