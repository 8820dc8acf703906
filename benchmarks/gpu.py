"""What share of the time an NVIDIA GPU is at work."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import numpy as np

SECONDS = 4.0
"""The driver's figure is of the last second at most; the first that it gives is of the time before."""
COMMAND = ("nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "--id=0")


def busy_share(work: Callable[[], object]) -> float | None:
    """0 to 1, the median while `work` is done over and over; None where no nvidia-smi says it."""
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
