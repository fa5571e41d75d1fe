"""The code in the pages does what the pages say.

The ``bash`` and ``python`` blocks of a page run in their order, in one new
folder; the python blocks share their names, but one that begins with
``# NAME.py`` is saved as that file. A ``text`` block right after a
block that ran is what it prints, with ``...`` for what may differ.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
SAME_BUT_FOR_DOTS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    language: str
    code: str
    line: int
    follows_directly: bool


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    end = 0
    for match in FENCE.finditer(text):
        between = text[end : match.start()]
        line = text.count("\n", 0, match.start()) + 1
        yield Block(match[1], match[2], line, end > 0 and not between.strip())
        end = match.end()


def pages() -> list[Path]:
    """List the pages with code to run."""
    found = [REPOSITORY / "README.md"]
    for folder in ("tutorials", "how-to", "explanation"):
        found += sorted((DOCS / folder).glob("*.md"))
    return [page for page in found if any(b.language in ("bash", "python") for b in blocks(page))]


@pytest.mark.slow
@pytest.mark.parametrize(
    "page",
    [
        pytest.param(p, marks=[pytest.mark.mpi] if p.stem == "mpi" else [], id=p.stem)
        for p in pages()
    ],
)
def test_the_blocks_of_a_page_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    printed: str | None = None
    for block in blocks(page):
        where = f"{page.name}, line {block.line}"
        if block.language == "bash":
            printed = run_bash(block.code, tmp_path, where)
        elif saved := re.match(r"# (\w+\.py)\n", block.code):
            (tmp_path / saved[1]).write_text(block.code, encoding="utf-8")
            printed = None
        elif block.language == "python":
            printed = run_python(block, names, page)
        elif block.language == "text" and block.follows_directly and printed is not None:
            assert_prints(block.code, printed, where)
            printed = None
        else:
            printed = None


def run_bash(code: str, folder: Path, where: str) -> str:
    commands = Path(sys.executable).parent
    environment = dict(os.environ, PATH=f"{commands}{os.pathsep}{os.environ['PATH']}")
    environment |= {"COLUMNS": "100", "XDG_DATA_HOME": str(folder / ".data")}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{where}: exit code {done.returncode}\n{done.stderr}{done.stdout}"
    assert "Traceback" not in done.stderr, f"{where}\n{done.stderr}"
    return done.stdout


def run_python(block: Block, names: dict[str, object], page: Path) -> str:
    # Empty lines before the code, so that a traceback names the line of the page.
    code = compile("\n" * block.line + block.code, str(page), "exec", dont_inherit=True)
    with contextlib.redirect_stdout(io.StringIO()) as output:
        exec(code, names)  # noqa: S102 - the page's own code
    return output.getvalue()


def assert_prints(expected: str, printed: str, where: str) -> None:
    if not doctest.OutputChecker().check_output(expected, printed, SAME_BUT_FOR_DOTS):
        pytest.fail(f"{where}\nThe page says:\n{expected}\nIt prints:\n{printed}")


def test_every_page_is_reached_from_the_index() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^([\w/-]+)$", index, flags=re.MULTILINE))
    decisions = {f"decisions/{page.stem}" for page in DOCS.glob("decisions/0*.md")}
    there = {
        page.relative_to(DOCS).with_suffix("").as_posix()
        for page in DOCS.rglob("*.md")
        if not {"_build", "_generated"} & set(page.relative_to(DOCS).parts)
        and not page.read_text(encoding="utf-8").startswith("---\norphan: true\n")
    }

    assert there - {"index"} == (listed | decisions)


def test_every_exit_code_of_the_design_is_described() -> None:
    from flowquake import errors

    codes = {
        value.exit_code
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.FlowquakeError)
    }

    assert codes == {1, 2, 3, 4, 130}
