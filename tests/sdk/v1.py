"""What drives the library in all the forms that it has had since the end of 2023."""

from collections.abc import Callable
from functools import partial
from typing import Any

from openai import OpenAI
from telling import (
    BASE_URL,
    EDITION,
    FAULTS,
    KEY,
    control,
    fetched,
    limited_key,
    sending,
    tell,
    tell_refusal,
    tuned_model,
)

CLIENT = OpenAI(base_url=BASE_URL, api_key=KEY, max_retries=0)


def models() -> None:
    tell("listModels", CLIENT.models.list)
    tell("retrieveModel", CLIENT.models.retrieve, "gpt-3.5-turbo")
    model = tuned_model()
    tell("deleteModel", CLIENT.models.delete, model)
    tell_refusal("deleteModel again", CLIENT.models.delete, model)


def engines() -> None:
    tell("listEngines", general("get", "/engines"))
    tell("retrieveEngine", general("get", "/engines/text-davinci-003"))


def general(method: str, path: str) -> Callable[..., Any]:
    """The library's own request for what it has no method for."""
    send = partial(getattr(CLIENT, method), path, cast_to=dict[str, Any])
    return lambda **body: send(body=body) if body else send()


def completions() -> None:
    for name in ("", " several", " streamed"):
        tell(f"createCompletion{name}", CLIENT.completions.create)


def chat() -> None:
    tell("createChatCompletion", CLIENT.chat.completions.create)
    tell("createChatCompletion streamed", CLIENT.chat.completions.create)


def images() -> None:
    create, name = CLIENT.images.generate, "otter.png"
    tell("createImage", create)
    tell("createImage url", lambda **body: fetched(create(**body).data[0].url))
    edit = sending(CLIENT.images.edit, image=name, mask="mask.png")
    tell("createImageEdit", edit)
    tell("createImageVariation", sending(CLIENT.images.create_variation, image=name))


def embeddings() -> None:
    for name in ("", " texts", " tokens"):
        tell(f"createEmbedding{name}", CLIENT.embeddings.create)


def moderations() -> None:
    tell("createModeration", CLIENT.moderations.create)


def audio() -> None:
    transcribe = sending(CLIENT.audio.transcriptions.create, file="audio.mp3")
    for name in ("", " srt", " verbose"):
        tell(f"createTranscription{name}", transcribe)
    translate = sending(CLIENT.audio.translations.create, file="german.m4a")
    tell("createTranslation", translate)


def speech() -> None:
    create = CLIENT.audio.speech.create
    tell("createSpeech", lambda **body: create(**body).read())


def upload() -> Any:
    return tell("createFile", sending(CLIENT.files.create, file="mydata.jsonl")).id


def files() -> None:
    id = upload()
    tell("listFiles", CLIENT.files.list)
    tell("retrieveFile", CLIENT.files.retrieve, id)
    tell("downloadFile", lambda: CLIENT.files.content(id).read())
    tell("deleteFile", CLIENT.files.delete, id)
    tell_refusal("deleteFile again", CLIENT.files.delete, id)


def refusals() -> None:
    create = CLIENT.embeddings.create
    tell_refusal("createEmbedding unknown model", create)
    tell_refusal("createEmbedding no input", create)
    limited = CLIENT.with_options(api_key=limited_key())
    tell_refusal("createEmbedding limited", limited.embeddings.create)
    for name in FAULTS:
        control("fault", refusal=name)
        tell_refusal(f"createEmbedding {name}", create)


COMMON = (
    models,
    completions,
    chat,
    images,
    embeddings,
    moderations,
    audio,
    files,
    refusals,
    engines if EDITION == "2023-04" else speech,
)
ENGINES = ("listEngines", "retrieveEngine")
