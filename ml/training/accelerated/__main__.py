"""Train the emotion or action networks on a GPU in one command, or check what came back.

KERAS_BACKEND=jax python -m ml.training.accelerated emotion --packs PACKS --out OUT [--minutes 9]
KERAS_BACKEND=jax python -m ml.training.accelerated action --packs PACKS --out OUT --state STATE
python -m ml.training.accelerated verify emotion --data fer2013.parquet --run OUT
python -m ml.training.accelerated verify action --data har.parquet --run OUT --cache FOLDER

See docs/accelerated_training.md. PACKS is a folder of `ml.training.pack`. The same command goes on
where a stopped one was.
"""

import argparse
import logging
import os
from pathlib import Path

os.environ.setdefault("JAX_DEFAULT_MATMUL_PRECISION", "highest")  # of float32; bfloat16 is as fast

import keras  # reads the environment when imported

log = logging.getLogger(__name__)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parsers = parser.add_subparsers(dest="command", required=True)
    for name in ("emotion", "action"):
        each = parsers.add_parser(name)
        each.add_argument("--packs", type=Path, required=True, help="folder of ml.training.pack")
        each.add_argument("--out", type=Path, required=True, help="folder for what is wanted back")
        each.add_argument("--state", type=Path, help="folder for the rest, OUT by default")
        each.add_argument("--minutes", type=float, default=9.0, help="time limit")
        each.add_argument("--float32", action="store_true", help="instead of bfloat16")
    checks = parsers.add_parser("verify")
    checks.add_argument("what", choices=("emotion", "action"))
    checks.add_argument("--data", type=Path, required=True, help="the Parquet file")
    checks.add_argument("--run", type=Path, required=True, help="the folder that came back")
    checks.add_argument("--cache", type=Path, help="action: folder of ml.training.action.data")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", force=True)
    if given.command == "verify":
        verify(given)
    else:
        train(given)


def train(given: argparse.Namespace) -> None:
    from ml.training.accelerated import action, emotion

    devices = keras.distribution.list_devices()  # GPUs where there are any
    log.info("%s on %s", keras.backend.backend(), ", ".join(devices))
    if devices[0].startswith("cpu"):
        log.warning("No GPU is here. Training runs on the CPU, for hours.")
    if not given.float32:
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
    state = given.state or given.out
    for folder in (given.out, state):
        folder.mkdir(parents=True, exist_ok=True)
    what = {"emotion": emotion, "action": action}[given.command]
    done = what.train(given.packs, given.out, state, given.minutes)
    log.info("all phases are done" if done else "stopped; the same command goes on from here")


def verify(given: argparse.Namespace) -> None:
    from ml.training.accelerated import verify

    if given.what == "emotion":
        verify.emotion(given.data, given.run)
    elif given.cache:
        verify.action(given.data, given.run, given.cache)
    else:
        raise SystemExit("Give --cache, the folder of ml.training.action.data.")


if __name__ == "__main__":
    main()
