"""Asks what the libraries ask with plain requests, and so sees what they should see."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from telling import (
    BASE_URL,
    EDITION,
    FAULTS,
    KEY,
    control,
    drive,
    fetched,
    limited_key,
    tell,
    tell_refusal,
    tuned_model,
)

CLIENT = httpx.Client(base_url=BASE_URL, timeout=60)


class Refused(Exception):  # noqa: N818 - the API says no
    """An answer with another status than 200."""

    def __init__(self, reply: httpx.Response) -> None:
        super().__init__(reply.text)
        self.status_code, self.code = reply.status_code, reply.json()["error"]["code"]


def send(method: str, path: str, key: str = KEY, **more: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {key}"}
    reply = CLIENT.request(method, path, headers=headers, **more)
    if reply.status_code != 200:
        raise Refused(reply)
    return reply


def get(path: str) -> Any:
    return send("GET", path).json()


def delete(path: str) -> Any:
    return send("DELETE", path).json()


def content(path: str) -> bytes:
    return send("GET", path).content


def post(path: str, key: str = KEY) -> Callable[..., Any]:
    return lambda **body: send("POST", path, key, json=body).json()


def form(path: str, **files: str) -> Callable[..., Any]:
    def ask(**fields: Any) -> Any:
        parts = {name: (file, Path(file).read_bytes()) for name, file in files.items()}
        reply = send("POST", path, data=fields, files=parts)
        json = reply.headers["content-type"] == "application/json"
        return reply.json() if json else reply.text

    return ask


def stream(method: str, path: str) -> Callable[..., Any]:
    def ask(**asked: Any) -> list[Any]:
        more = {"json": asked} if method == "POST" else {"params": asked}
        text = send(method, path, **more).text
        *datas, done = (
            event.removeprefix("data: ") for event in text.split("\n\n")[:-1]
        )
        assert done == "[DONE]"
        return [json.loads(data) for data in datas]

    return ask


def models() -> None:
    tell("listModels", get, "/models")
    tell("retrieveModel", get, "/models/gpt-3.5-turbo")
    path = f"/models/{tuned_model()}"
    tell("deleteModel", delete, path)
    tell_refusal("deleteModel again", delete, path)


def engines() -> None:
    tell("listEngines", get, "/engines")
    tell("retrieveEngine", get, "/engines/text-davinci-003")


def completions() -> None:
    tell("createCompletion", post("/completions"))
    tell("createCompletion several", post("/completions"))
    tell("createCompletion streamed", stream("POST", "/completions"))


def chat() -> None:
    tell("createChatCompletion", post("/chat/completions"))
    tell("createChatCompletion streamed", stream("POST", "/chat/completions"))


def edits() -> None:
    tell("createEdit", post("/edits"))


def images() -> None:
    create = post("/images/generations")
    tell("createImage", create)
    tell("createImage url", lambda **body: fetched(create(**body)["data"][0]["url"]))
    edit = form("/images/edits", image="otter.png", mask="mask.png")
    tell("createImageEdit", edit)
    tell("createImageVariation", form("/images/variations", image="otter.png"))


def embeddings() -> None:
    for name in ("", " texts", " tokens"):
        tell(f"createEmbedding{name}", post("/embeddings"))


def moderations() -> None:
    tell("createModeration", post("/moderations"))


def audio() -> None:
    transcribe = form("/audio/transcriptions", file="audio.mp3")
    for name in ("", " srt", " verbose"):
        tell(f"createTranscription{name}", transcribe)
    tell("createTranslation", form("/audio/translations", file="german.m4a"))


def speech() -> None:
    def create(**body: Any) -> bytes:
        return send("POST", "/audio/speech", json=body).content

    tell("createSpeech", create)


def upload() -> Any:
    return tell("createFile", form("/files", file="mydata.jsonl"))["id"]


def files() -> None:
    path = f"/files/{upload()}"
    tell("listFiles", get, "/files")
    tell("retrieveFile", get, path)
    tell("downloadFile", content, f"{path}/content")
    tell("deleteFile", delete, path)
    tell_refusal("deleteFile again", delete, path)


def fine_tunes() -> None:
    tune = tell("createFineTune", post("/fine-tunes"), training_file=upload())
    path = f"/fine-tunes/{tune['id']}"
    tell("cancelFineTune", post(f"{path}/cancel"))
    tell("retrieveFineTune", get, path)
    tell("listFineTunes", get, "/fine-tunes")
    tell("listFineTuneEvents", get, f"{path}/events")
    tell("listFineTuneEvents streamed", stream("GET", f"{path}/events"))


def refusals() -> None:
    tell_refusal("createEmbedding unknown model", post("/embeddings"))
    tell_refusal("createEmbedding no input", post("/embeddings"))
    tell_refusal("createEmbedding limited", post("/embeddings", limited_key()))
    for name in FAULTS:
        control("fault", refusal=name)
        tell_refusal(f"createEmbedding {name}", post("/embeddings"))


COMMON = (
    models,
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
drive(httpx.__version__, *COMMON, engines if EDITION == "2023-04" else speech)
