"""Drives every operation with the library of the end of 2023."""

from openai import __version__
from telling import drive, tell
from v1 import CLIENT, COMMON, ENGINES, upload


def edits() -> None:
    tell("createEdit", CLIENT.edits.create)


def fine_tunes() -> None:
    tunes = CLIENT.fine_tunes
    id = tell("createFineTune", tunes.create, training_file=upload()).id
    tell("cancelFineTune", tunes.cancel, id)
    tell("retrieveFineTune", tunes.retrieve, id)
    tell("listFineTunes", tunes.list)
    tell("listFineTuneEvents", tunes.list_events, id)
    tell("listFineTuneEvents streamed", tunes.list_events, id)


drive(__version__, *COMMON, edits, fine_tunes, bare=ENGINES)
