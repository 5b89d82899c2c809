"""`python -m reference_model`: train, evaluate, export, and record replies."""

import argparse
import os
from pathlib import Path

# Idle threads that spin would keep each other and their neighbours from the cores;
# torch reads this once, when it is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def main() -> None:
    arguments = _parser().parse_args()
    match arguments.command:
        case "train":
            from reference_model import train as training  # torch, once it is needed

            steps = arguments.steps or training.STEPS
            training.train(steps, arguments.folder, arguments.curve)
        case "train-moderation":
            from reference_model.judging.training import train as train_judge

            train_judge()
        case "evaluate":
            from reference_model.evaluate import report

            print(report(arguments.cases, arguments.folder, arguments.wrong))
        case "export":
            from reference_model.export import export

            for path in export(arguments.format, arguments.folder):
                print(path)
        case "golden":
            from reference_model.golden import write

            write(arguments.file)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reference_model")
    commands = parser.add_subparsers(dest="command", required=True)
    weights = Path(__file__).parent / "weights"
    train = commands.add_parser("train", help="train tokenizer and weights")
    train.add_argument("--steps", type=int, help="fewer for a trial")
    train.add_argument("--folder", type=Path, default=weights, help="of the weights")
    train.add_argument("--curve", type=Path, help="folder for the losses, drawn")
    commands.add_parser("train-moderation", help="train what judges texts")
    evaluate = commands.add_parser("evaluate", help="try what training never shows")
    evaluate.add_argument("--cases", type=int, default=200, help="of each skill")
    evaluate.add_argument("--folder", type=Path, default=weights, help="of the weights")
    evaluate.add_argument("--wrong", type=int, default=0, help="replies to show")
    export = commands.add_parser("export", help="write the weights for other servers")
    export.add_argument("--format", choices=("hf", "gguf"), default="hf")
    export.add_argument("folder", type=Path, metavar="DIR")
    golden = commands.add_parser("golden", help="record the replies anew")
    path = Path("tests/reference_model/golden.json")
    golden.add_argument("file", type=Path, nargs="?", default=path)
    return parser


if __name__ == "__main__":
    main()
