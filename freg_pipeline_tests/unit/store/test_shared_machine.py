"""Whoever shares the machine can neither decide what a store holds, nor be written over by one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from freg_pipeline.errors import ConfigurationError, StoreError
from freg_pipeline.orchestration.lists import list_file
from freg_pipeline.settings import load
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.conftest import RunFreg


def test_a_store_that_everyone_may_write_is_refused_in_one_line(
    freg: RunFreg, tmp_path: Path
) -> None:
    root = tmp_path / "store"
    root.mkdir()
    root.chmod(0o1777)
    for command in (["sql", "SELECT 1"], ["release", "list"]):
        ended = freg(*command)
        assert ended.code == 2
        (line,) = ended.lines
        assert "can be written by everyone on this machine. Take that away (chmod o-w)" in line
    root.chmod(0o2770)
    LocalStore(root).write("a", b"")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another user's folder")
def test_another_users_store_is_read_and_not_written() -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)  # others can't enter pytest's own
        root = Path(name, "store")
        LocalStore(root).write("a", b"there")
        os.chown(root, 4711, 4711)
        root.chmod(0o775)
        (root / "a").chmod(0o644)
        code = (  # everything is imported before: this Python may lie where they can't go
            "import os; from pathlib import Path\n"
            "from freg_pipeline.store.local import LocalStore\n"
            "os.setgroups([4711]); os.setgid(4711); os.setuid(4712)\n"
            f"store = LocalStore(Path({str(root)!r})); print(store.read('a'))\n"
            "try: store.write('b', b'')\nexcept Exception as error: print(error)"
        )
        ended = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
        assert "b'there'" in ended.stdout, ended.stderr
        assert "belongs to another user" in ended.stdout
        assert LocalStore(root).list("") == ["a"]
        LocalStore(root).write("by-root", b"")


def test_a_store_that_cant_be_looked_at_is_told_by_whoever_reads(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="can't be written"):
        LocalStore(tmp_path / "file" / "store").write("a", b"")


def test_runs_read_lists_from_their_folder_only(tmp_path: Path) -> None:
    folder, outside = tmp_path / "lists", tmp_path / "secret.txt"
    folder.mkdir()
    outside.write_text("41819077302\n")
    (folder / "mine.csv").write_text("41819077302\n")
    (folder / "link.csv").symlink_to(outside)
    (folder / "inner.csv").symlink_to(folder / "mine.csv")
    (folder / "circle.csv").symlink_to(folder / "circle.csv")
    settings = load(lists=str(folder))
    for named in ("mine.csv", "./mine.csv", "inner.csv", str(folder / "mine.csv")):
        assert list_file(settings, named) == (folder / "mine.csv").resolve()
    said = set()
    for named in (
        str(outside), "../secret.txt", "link.csv", "circle.csv", "nothing.csv", "/etc/passwd",
        "/etc/nothing", "", ".", "a\0b", "x" * 5000,
    ):  # fmt: skip
        with pytest.raises(ConfigurationError) as refused:
            list_file(settings, named)
        said.add(str(refused.value))
    assert len(said) == 1, "what is there and what isn't is told alike"
    with pytest.raises(ConfigurationError, match="Set FREG_LISTS"):
        list_file(load(store="s3://bucket"), "mine.csv")
    with pytest.raises(ConfigurationError, match="isn't a file in the folder"):
        list_file(load(store=str(tmp_path)), str(outside))
    assert list_file(load(store=str(tmp_path)), "mine.csv").name == "mine.csv"
