"""Runs the long proofs and prints their results: `python -m tests.soak --rounds 500 --minutes 60`."""

from __future__ import annotations

import argparse
import signal
import tempfile
from argparse import Namespace
from pathlib import Path

from tests.soak.camera_faults import camera_faults
from tests.soak.films import write_h264
from tests.soak.forecast_year import live_on
from tests.soak.forecaster_kills import forecaster_kills
from tests.soak.growth import watch_growth
from tests.soak.kill_rounds import kill_rounds
from tests.support.broker import new_mosquitto
from tests.support.light_model import write_model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=500, help="rounds of faults; 0: none")
    parser.add_argument("--minutes", type=float, default=60, help="minutes of watching memory; 0: none")
    parser.add_argument("--camera-faults", type=int, default=100, help="faults of cameras; 0: none")
    parser.add_argument("--forecaster-kills", type=int, default=200, help="kills of a forecaster or broker; 0: none")
    parser.add_argument("--forecast-days", type=int, default=365, help="simulated days of a forecaster; 0: none")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # a service that nohup started would ignore the reload
    proofs = {
        "rounds": _rounds,
        "minutes": _growth,
        "camera_faults": _camera_faults,
        "forecaster_kills": _forecaster_kills,
        "forecast_days": _forecast_days,
    }
    with tempfile.TemporaryDirectory() as name:
        results = []
        for option, proof in proofs.items():
            if getattr(options, option):
                folder = Path(name) / option
                folder.mkdir()
                results.append(proof(folder, options))
    raise SystemExit(0 if all(results) else 1)


def _rounds(folder: Path, options: Namespace) -> bool:
    film, model = _film(folder), write_model(folder / "light.onnx")
    account = kill_rounds(folder, model, film, new_mosquitto(folder / "broker"), options.rounds, options.seed)
    print(f"kill rounds, seed {options.seed}: {account}", flush=True)
    return not any(account.faults.values())


def _growth(folder: Path, options: Namespace) -> bool:
    growth = watch_growth(
        folder, _film(folder), new_mosquitto(folder / "broker"), cameras=16, viewers=2, warm_up=300,
        seconds=60 * options.minutes,
    )  # fmt: skip
    print(f"16 cameras, 2 viewers: {growth}", flush=True)
    return growth.is_small(memory=0.05)


def _camera_faults(folder: Path, options: Namespace) -> bool:
    faults = camera_faults(folder, new_mosquitto(folder / "broker"), options.camera_faults, options.seed)
    print(f"camera faults, seed {options.seed}:\n{faults}", *faults.mistakes, sep="\n", flush=True)
    return not faults.mistakes and faults.growth.is_small(memory=0.05)


def _forecaster_kills(folder: Path, options: Namespace) -> bool:
    account = forecaster_kills(folder, new_mosquitto(folder / "broker"), options.forecaster_kills, options.seed)
    print(f"forecaster kills, seed {options.seed}: {account}", *account.missing, sep="\n", flush=True)
    return account.is_good


def _forecast_days(folder: Path, options: Namespace) -> bool:
    months = []
    for month in live_on(folder, options.forecast_days, seed=options.seed):
        print(f"forecaster, seed {options.seed}: {month}", flush=True)
        months.append(month)
    settled = months[min(1, len(months) - 1)]  # in the first month, the learner sees its first activities
    return months[-1].memory < 1.1 * settled.memory


def _film(folder: Path) -> Path:
    return write_h264(folder / "film.mp4", [(1.5, 0), (1.5, 200)])


if __name__ == "__main__":
    main()
