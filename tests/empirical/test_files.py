"""Whole files, disks that refuse, and where the cache is."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from empirical.files import cache_directory, writable, write_atomically
from theory.errors import InputError


def test_a_text_replaces_the_whole_of_the_old_one(tmp_path):
    path = tmp_path / "deep" / "a.txt"
    write_atomically(path, "a long old text")
    write_atomically(path, "new ☀")
    assert path.read_text("utf-8") == "new ☀" and list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.ENOTDIR])
def test_a_disk_that_refuses_is_a_users_mistake(tmp_path, code):
    with pytest.raises(InputError, match=f"results: .*{tmp_path.name}.*can be written"), writable(tmp_path):
        raise OSError(code, os.strerror(code))


def test_other_errors_pass_as_they_are(tmp_path):
    with pytest.raises(FileNotFoundError), writable(tmp_path):
        raise FileNotFoundError(errno.ENOENT, "gone")
    with pytest.raises(ZeroDivisionError), writable(tmp_path):
        raise ZeroDivisionError


def test_the_cache_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_directory() == tmp_path / "kdshift"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert cache_directory() == Path.home() / ".cache" / "kdshift"
