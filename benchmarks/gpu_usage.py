"""Measures the share of time in which an NVIDIA GPU is busy."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import numpy as np

SECONDS = 4.0
"""The driver's figure covers at most the last second; its first figure covers the time before."""
COMMAND = ("nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "--id=0")


def busy_share(work: Callable[[], object]) -> float | None:
    """Repeat `work` and return the median share, 0 to 1; None without nvidia-smi."""
    if shutil.which(COMMAND[0]) is None:
        return None
    until = monotonic() + SECONDS
    with ThreadPoolExecutor(1) as worker:
        shares = worker.submit(_shares, until)
        while monotonic() < until or not shares.done():
            work()
        known = [share for share in shares.result()[1:] if share is not None]
    return float(np.median(known)) if known else None


def _shares(until: float) -> list[float | None]:
    shares: list[float | None] = []
    while monotonic() < until or len(shares) < 2:
        said = subprocess.run(COMMAND, check=False, capture_output=True, text=True).stdout.strip()
        shares.append(float(said) / 100 if said.isdecimal() else None)
    return shares
