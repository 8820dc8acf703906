"""Damages files as disks, networks and attackers do."""

from __future__ import annotations

import os
import random

DAMAGES = int(os.environ.get("HARSTREAM_DAMAGES", "100"))
"""The number of damaged files of each kind in a test. `make soak` takes more."""
PAGE = 4096


def damaged(good: bytes, chance: random.Random) -> bytes:
    """Return the bytes after one kind of damage: bits, a sector, a page, the header, the text, or the end."""
    bad = bytearray(good)
    match chance.randrange(6):
        case 0:
            for _ in range(chance.choice([1, 3, 20])):
                bad[chance.randrange(len(bad))] = chance.randrange(256)
        case 1:
            first = chance.randrange(len(bad) // 512 + 1) * 512
            bad[first : first + 512] = chance.randbytes(min(512, len(bad) - first))
        case 2:
            first = chance.randrange(len(bad) // PAGE + 1) * PAGE
            bad[first : first + PAGE] = bytes(min(PAGE, len(bad) - first))
        case 3:
            for _ in range(5):
                bad[chance.randrange(min(PAGE, len(bad)))] = chance.randrange(256)
        case 4:  # in the text, so that everything else stays valid
            for _ in range(40):
                place = chance.randrange(len(bad))
                if 32 <= bad[place] < 127:
                    bad[place] = chance.choice(b'\x00\xff"{}#+/0\xe2')
        case 5:
            del bad[chance.randrange(len(bad)) :]
    return bytes(bad)
