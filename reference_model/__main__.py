"""`python -m reference_model train` makes the stored weights anew."""

import argparse


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m reference_model")
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="train tokenizer and weights")
    train.add_argument("--steps", type=int, help="fewer for a trial")
    arguments = parser.parse_args()

    from reference_model import train as training  # torch, once it is needed

    training.train(arguments.steps or training.STEPS)


if __name__ == "__main__":
    main()
