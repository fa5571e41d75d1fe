"""The layout gives every module one full name."""

from __future__ import annotations

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
FOLDERS = ("pes", "mappings", "registry", "workflows")


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_is_linked_into_the_package_relatively(folder: str) -> None:
    link = REPOSITORY / "flowquake" / folder

    assert link.is_symlink()
    assert str(link.readlink()) == f"../{folder}"
    assert (link / "__init__.py").is_file()
