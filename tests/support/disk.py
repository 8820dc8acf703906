"""Full disks: a small one of its own, which only root may mount, and a limit on the sizes of files. Disks that hang."""

from __future__ import annotations

import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest


@pytest.fixture
def files_no_longer_than() -> Callable[[int], AbstractContextManager[None]]:
    """`with files_no_longer_than(size):` limits every file. The kernel refuses the rest, as on a full disk."""

    @contextmanager
    def limited(size: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limited


class SmallDisk:
    """A disk of a few megabytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Takes the last free byte."""
        with self._filler.open("ab", buffering=0) as out:
            for size in (65536, 4096, 1):
                with suppress(OSError):
                    while True:
                        out.write(b"x" * size)

    def free(self) -> None:
        self._filler.unlink()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "none", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    yield SmallDisk(folder)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


HANGING_WRITES = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int hangs(const char *path)
{
    char files[64];
    int flag = open(getenv("HANGS"), O_RDONLY);
    if (flag < 0)
        return 0;
    ssize_t length = read(flag, files, sizeof files - 1);
    close(flag);
    files[length > 0 ? length : 0] = 0;
    return length > 0 && strstr(path, files) != 0;
}

static void wait_for(int file)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length > 0) {
        path[length] = 0;
        while (hangs(path))
            usleep(20000);
    }
}

ssize_t pwrite64(int file, const void *content, size_t size, off64_t place)
{
    wait_for(file);
    ssize_t (*write_it)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");
    return write_it(file, content, size, place);
}

ssize_t write(int file, const void *content, size_t size)
{
    wait_for(file);
    ssize_t (*write_it)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    return write_it(file, content, size);
}
"""


@pytest.fixture
def hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Returns a path. Writes to the files that its text names hang, as on a network disk whose server is gone."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    source, library, flag = tmp_path / "hang.c", tmp_path / "hang.so", tmp_path / "hangs"
    source.write_text(HANGING_WRITES)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    monkeypatch.setenv("LD_PRELOAD", str(library))
    monkeypatch.setenv("HANGS", str(flag))
    return flag
