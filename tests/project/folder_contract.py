"""An import-linter contract: which folder may import which."""

from __future__ import annotations

import sys

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

ROOT = "flowquake"
FOLDERS = frozenset({"cli", "compat", "records", "pes", "mappings", "registry", "workflows"})


class FolderContract(Contract):
    """Each folder imports only what its row of the table names.

    A row reads ``folder: allowed, allowed``. A name is a folder of the project,
    ``engine`` (every module of flowquake outside the other folders), a package
    from outside, or ``*`` for all packages from outside. The row of a full
    module name goes before the row of its folder. A folder may always import
    itself and the standard library.
    """

    rows = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        table = dict(_parse(row) for row in self.rows)  # type: ignore[attr-defined]  # a field that import-linter sets
        broken = [
            f"{importer} imports {imported}"
            for importer in sorted(graph.modules)
            if importer.split(".")[0] == ROOT
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if not _allowed(table, importer, imported)
        ]
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for line in check.metadata["broken"]:
            output.print_error(f"- {line}")


def _parse(row: str) -> tuple[str, frozenset[str]]:
    name, _, allowed = row.partition(":")
    return name.strip(), frozenset(part.strip() for part in allowed.split(",") if part.strip())


def folder_of(module: str) -> str:
    """Name the row that a module belongs to: a folder, the engine, or a package from outside.

    Examples
    --------
    >>> folder_of("flowquake.pes.windows"), folder_of("flowquake.keys"), folder_of("numpy")
    ('pes', 'engine', 'numpy')
    """
    first, *rest = module.split(".")
    if first != ROOT:
        return first
    return rest[0] if rest and rest[0] in FOLDERS else "engine"


def _allowed(table: dict[str, frozenset[str]], importer: str, imported: str) -> bool:
    source, target = folder_of(importer), folder_of(imported)
    allowed = table.get(importer, table.get(source, frozenset()))
    if source == target or target in allowed or target in sys.stdlib_module_names:
        return True
    is_outside = imported.split(".")[0] != ROOT
    return is_outside and "*" in allowed
