"""`python -m reference_model`: train the weights, export them, record their replies."""

import argparse
from pathlib import Path


def main() -> None:
    arguments = _parser().parse_args()
    match arguments.command:
        case "train":
            from reference_model import train as training  # torch, once it is needed

            training.train(arguments.steps or training.STEPS)
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
    train = commands.add_parser("train", help="train tokenizer and weights")
    train.add_argument("--steps", type=int, help="fewer for a trial")
    export = commands.add_parser("export", help="write the weights for other servers")
    export.add_argument("--format", choices=("hf", "gguf"), default="hf")
    export.add_argument("folder", type=Path, metavar="DIR")
    golden = commands.add_parser("golden", help="record the replies anew")
    path = Path("tests/reference_model/golden.json")
    golden.add_argument("file", type=Path, nargs="?", default=path)
    return parser


if __name__ == "__main__":
    main()
