"""Runs the long proofs and prints their results: `python -m tests.soak --rounds 500 --minutes 60`."""

from __future__ import annotations

import argparse
import signal
import tempfile
from pathlib import Path

from tests.soak.camera_faults import camera_faults
from tests.soak.films import write_h264
from tests.soak.growth import watch_growth
from tests.soak.kill_rounds import kill_rounds
from tests.support.broker import new_mosquitto
from tests.support.light_model import write_model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=500, help="rounds of faults; 0: none")
    parser.add_argument("--minutes", type=float, default=60, help="minutes of watching memory; 0: none")
    parser.add_argument("--camera-faults", type=int, default=100, help="faults of cameras; 0: none")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # a service that nohup started would ignore the reload
    is_good = True
    with tempfile.TemporaryDirectory() as name:
        film = write_h264(Path(name) / "film.mp4", [(1.5, 0), (1.5, 200)])
        if options.rounds:
            folder = Path(name) / "rounds"
            folder.mkdir()
            model = write_model(folder / "light.onnx")
            account = kill_rounds(folder, model, film, new_mosquitto(folder / "broker"), options.rounds, options.seed)
            print(f"kill rounds, seed {options.seed}: {account}", flush=True)
            is_good = not any(account.faults.values())
        if options.minutes:
            folder = Path(name) / "growth"
            folder.mkdir()
            growth = watch_growth(
                folder, film, new_mosquitto(folder / "broker"), cameras=16, viewers=2, warm_up=300,
                seconds=60 * options.minutes,
            )  # fmt: skip
            print(f"16 cameras, 2 viewers: {growth}", flush=True)
            is_good = is_good and growth.is_small(memory=0.05)
        if options.camera_faults:
            folder = Path(name) / "cameras"
            folder.mkdir()
            faults = camera_faults(folder, new_mosquitto(folder / "broker"), options.camera_faults, options.seed)
            print(f"camera faults, seed {options.seed}:\n{faults}", *faults.mistakes, sep="\n", flush=True)
            is_good = is_good and not faults.mistakes and faults.growth.is_small(memory=0.05)
    raise SystemExit(0 if is_good else 1)


if __name__ == "__main__":
    main()
