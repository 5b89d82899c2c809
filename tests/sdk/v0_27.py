"""Drives every operation with the library of spring 2023."""

from functools import partial
from typing import Any

import openai
from openai.version import VERSION
from telling import (
    BASE_URL,
    FAULTS,
    KEY,
    control,
    drive,
    fetched,
    limited_key,
    sending,
    tell,
    tell_refusal,
    tuned_model,
)

openai.api_base, openai.api_key = BASE_URL, KEY


def models() -> None:
    tell("listModels", openai.Model.list)
    tell("retrieveModel", openai.Model.retrieve, "gpt-3.5-turbo")
    model = tuned_model()
    tell("deleteModel", openai.Model.delete, model)
    tell_refusal("deleteModel again", openai.Model.delete, model)


def engines() -> None:
    tell("listEngines", openai.Engine.list)
    tell("retrieveEngine", openai.Engine.retrieve, "text-davinci-003")


def completions() -> None:
    for name in ("", " several", " streamed"):
        tell(f"createCompletion{name}", openai.Completion.create)


def chat() -> None:
    tell("createChatCompletion", openai.ChatCompletion.create)
    tell("createChatCompletion streamed", openai.ChatCompletion.create)


def edits() -> None:
    tell("createEdit", openai.Edit.create)


def images() -> None:
    create, name = openai.Image.create, "otter.png"
    tell("createImage", create)
    tell("createImage url", lambda **body: fetched(create(**body).data[0].url))
    edit = sending(openai.Image.create_edit, image=name, mask="mask.png")
    tell("createImageEdit", edit)
    tell("createImageVariation", sending(openai.Image.create_variation, image=name))


def embeddings() -> None:
    for name in ("", " texts", " tokens"):
        tell(f"createEmbedding{name}", openai.Embedding.create)


def moderations() -> None:
    tell("createModeration", openai.Moderation.create)


def audio() -> None:
    transcribe = sending(openai.Audio.transcribe, file="audio.mp3")
    for name in ("", " srt", " verbose"):
        tell(f"createTranscription{name}", transcribe)
    tell("createTranslation", sending(openai.Audio.translate, file="german.m4a"))


def upload() -> Any:
    name = "mydata.jsonl"
    create = partial(openai.File.create, user_provided_filename=name)
    return tell("createFile", sending(create, file=name)).id


def files() -> None:
    id = upload()
    tell("listFiles", openai.File.list)
    tell("retrieveFile", openai.File.retrieve, id)
    tell("downloadFile", openai.File.download, id)
    tell("deleteFile", openai.File.delete, id)
    tell_refusal("deleteFile again", openai.File.delete, id)


def fine_tunes() -> None:
    tunes = openai.FineTune
    id = tell("createFineTune", tunes.create, training_file=upload()).id
    tell("cancelFineTune", tunes.cancel, id)
    tell("retrieveFineTune", tunes.retrieve, id)
    tell("listFineTunes", tunes.list)
    tell("listFineTuneEvents", tunes.list_events, id)
    tell("listFineTuneEvents streamed", lambda stream: tunes.stream_events(id))


def refusals() -> None:
    create = openai.Embedding.create
    tell_refusal("createEmbedding unknown model", create)
    tell_refusal("createEmbedding no input", create)
    tell_refusal("createEmbedding limited", partial(create, api_key=limited_key()))
    for name in FAULTS:
        control("fault", refusal=name)
        tell_refusal(f"createEmbedding {name}", create)


drive(
    VERSION,
    models,
    engines,
    completions,
    chat,
    edits,
    images,
    embeddings,
    moderations,
    audio,
    files,
    fine_tunes,
    refusals,
)
