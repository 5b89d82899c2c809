"""A run as the suite would write it: 62 clauses of a server with a few faults."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

URL = "http://127.0.0.1:8000/v1"
DOCUMENTATION = "https://platform.openai.com/docs/api-reference"
LIMIT = 64 * 1024
TAKEN = "document.title='taken'"
INJECTED = f'</script><script>{TAKEN}</script><img src=x onerror="{TAKEN}">'

# resource: its section and the operations its clauses speak of
RESOURCES = {
    "api": ("Authentication", ["GET /models"]),
    "models": ("Models", ["GET /models", "GET /models/{model}"]),
    "completions": ("Completions", ["POST /completions"]),
    "chat": ("Chat", ["POST /chat/completions"]),
    "edits": ("Edits", ["POST /edits"]),
    "embeddings": ("Embeddings", ["POST /embeddings"]),
    "images": ("Images", ["POST /images/generations"]),
    "audio": ("Audio", ["POST /audio/transcriptions"]),
    "files": ("Files", ["POST /files", "GET /files/{file_id}"]),
    "fine-tunes": ("Fine-tunes", ["POST /fine-tunes"]),
    "moderations": ("Moderations", ["POST /moderations"]),
}

# a line is: clause id | level | basis | sentence; what is not listed below holds
CLAUSES = (Path(__file__).parent / "sample_clauses.txt").read_text("utf-8")

FAILING: dict[str, dict[str, Any]] = {
    "completions.stream-done": {
        "findings": [
            "the stream ended without [DONE]",
            "with n=2 the stream ended without [DONE]",
        ],
        "cause": "The server closes the connection after the last chunk.",
    },
    "completions.best-of-covers-n": {
        "findings": ["n=3 with best_of=2 answered 200 with 2 choices"],
        "cause": "Bounds that join two fields are not checked.",
    },
    "files.delete-twice": {"findings": ["the second delete answered 200"]},
    "chat.snapshot-named": {
        "findings": ["asked for gpt-3.5-turbo, the reply named gpt-3.5-turbo"]
    },
    "embeddings.unit-length": {
        "findings": ["the embedding of 'hi' has length 4.7190"],
        "cause": "Embeddings are not normalised.",
    },
    "models.permission": {"findings": ["the model gpt-4 carries no permission"]},
    "api.request-id": {"findings": ["GET /models answered without x-request-id"]},
}
REASONS = {
    "audio.srt": ("untestable", "POST /audio/transcriptions timed out after 30 s"),
    "completions.suffix": ("untestable", "the reply has no usage.prompt_tokens"),
    "api.organization-usage": ("not claimed", "needs the capability control"),
    "fine-tunes.model-served": ("not claimed", "needs the capability training"),
    "fine-tunes.events-grow": ("not claimed", "needs the capability training"),
    "models.retrieve-same": ("holds", None),
    "moderations.stable-alias": ("unobservable", "both aliases name the same model"),
}


def body(content: bytes) -> dict[str, Any]:
    kept = content[:LIMIT]
    try:
        shown = {"text": kept.decode()}
    except UnicodeDecodeError:
        shown = {"base64": base64.b64encode(kept).decode()}
    digest = hashlib.sha256(content).hexdigest()
    size = len(content)
    return shown | {"bytes": size, "sha256": digest, "truncated": size > LIMIT}


def request(sent: Any) -> dict[str, Any]:
    headers = [["accept", "*/*"], ["authorization", "Bearer sk-...redacted"]]
    if sent is None:
        return {"headers": headers, "body": None}
    headers = [*headers, ["content-type", "application/json"]]
    return {"headers": headers, "body": body(json.dumps(sent).encode())}


def curl(method: str, path: str, sent: Any) -> str:
    lines = [f"curl -X {method} {URL}{path}", "-H 'Authorization: Bearer $API_KEY'"]
    if sent is not None:
        lines += ["-H 'Content-Type: application/json'", f"-d '{json.dumps(sent)}'"]
    return " \\\n  ".join(lines)


def exchange(method: str, path: str, sent: Any, response: Any, **more: Any) -> Any:
    known = {"method": method, "url": URL + path, "curl": curl(method, path, sent)}
    timed = {"at": 0.0, "seconds": 0.0124, "error": None}
    return known | timed | {"request": request(sent), "response": response} | more


def reply(status: int, content: bytes, kind: str = "application/json") -> Any:
    headers = [
        ["content-type", kind],
        ["content-length", str(len(content))],
        ["openai-version", "2020-10-01"],
        ["date", "Fri, 20 Nov 2026 12:00:03 GMT"],
    ]
    shown = {"status": status, "headers": headers, "body": body(content)}
    return shown | {"events": None}


def json_reply(status: int, value: Any) -> Any:
    return reply(status, json.dumps(value).encode())


def completion(text: str, **more: Any) -> dict[str, Any]:
    choice = {"text": text, "index": 0, "logprobs": None, "finish_reason": "length"}
    named = {"id": "cmpl-7Qk2", "object": "text_completion", "created": 1795521603}
    return named | {"model": "gpt-3.5-turbo-instruct", "choices": [choice]} | more


def stream(sent: dict[str, Any], words: list[str]) -> Any:
    """A completion sent word by word, without its ending."""
    data = [json.dumps(completion(word)) for word in words]
    events = [
        {"at": 0.0031 + 0.0142 * place, "data": chunk}
        for place, chunk in enumerate(data)
    ]
    content = "".join(f"data: {chunk}\n\n" for chunk in data).encode()
    response = reply(200, content, "text/event-stream") | {"events": events}
    return exchange("POST", "/completions", sent, response, seconds=events[-1]["at"])


PROMPT = {"model": "gpt-3.5-turbo-instruct", "prompt": "Once upon", "max_tokens": 6}
ENVELOPE = {"type": "invalid_request_error", "param": None, "code": None}
SPECIAL = {
    "completions.stream-done": [
        stream(PROMPT | {"stream": True}, [" a", " time", ",", " there", " was", " a"]),
        stream(PROMPT | {"stream": True, "n": 2}, [" a", " the"] * 3),
    ],
    "completions.best-of-covers-n": [
        exchange(
            "POST",
            "/completions",
            PROMPT | {"n": 3, "best_of": 2},
            json_reply(200, completion(INJECTED, usage={"total_tokens": 8.0})),
        )
    ],
    "files.delete-twice": [
        exchange("DELETE", "/files/file-9x", None, json_reply(200, answer), at=at)
        for at, answer in [
            (0.0, {"id": "file-9x", "object": "file", "deleted": True}),
            (0.0151, {"id": "file-9x", "object": "file", "deleted": False}),
        ]
    ],
    "audio.srt": [
        exchange(
            "POST",
            "/audio/transcriptions",
            None,
            None,
            seconds=30.0,
            error="timed out after 30 s",
        )
    ],
    "images.base64": [
        exchange("GET", "/images/1", None, reply(200, bytes(range(256)), "image/png"))
    ],
    "completions.max-tokens": [
        exchange(
            "POST", "/completions", PROMPT, json_reply(200, completion("a " * 40000))
        )
    ],
}


def exchanges(clause: str, operation: str) -> list[Any]:
    if clause in SPECIAL:
        return SPECIAL[clause]
    method, path = operation.split(" ")
    sent = PROMPT if method == "POST" else None
    refusal = {"error": ENVELOPE | {"message": "-1 is less than the minimum of 0"}}
    return [
        exchange(method, path, sent, json_reply(200, completion(" a time"))),
        exchange(method, path, sent, json_reply(400, refusal), at=0.0131),
    ]


def source(place: int, resource: str, section: str) -> dict[str, Any]:
    page = f"{DOCUMENTATION}/{resource}"
    named = {"id": f"S4-{place + 4:03}", "document": "API reference"}
    url = None if resource == "api" else page
    return named | {"date": "2023-04", "section": section, "url": url}


def result(place: int, line: str) -> dict[str, Any]:
    clause, level, basis, sentence = line.split(" | ")
    resource = clause.split(".")[0]
    section, operations = RESOURCES[resource]
    fault = FAILING.get(clause)
    outcome, reason = REASONS.get(clause, ("fails" if fault else "holds", None))
    seen = outcome not in {"not claimed", "unobservable"}
    tape = exchanges(clause, operations[0]) if seen else []
    again = f"assay check {URL} --only {clause} --seed 1"
    return {
        "clause": clause,
        "level": level,
        "resource": resource,
        "outcome": outcome,
        "sentence": sentence,
        "basis": basis,
        "source": [source(place, resource, section)],
        "operations": operations,
        "findings": fault["findings"] if fault else [],
        "reason": reason,
        "cause": fault.get("cause") if fault else None,
        "reproduce": again if seen else None,
        "seconds": sum(each["seconds"] for each in tape),
        "exchanges": tape,
    }


def sample() -> dict[str, Any]:
    lines = CLAUSES.strip().splitlines()
    return {
        "suite": "0.1.0",
        "spec": hashlib.sha256(CLAUSES.encode()).hexdigest(),
        "edition": "2023-04",
        "target": {
            "url": URL,
            "models": {
                "chat": "gpt-3.5-turbo",
                "completions": "gpt-3.5-turbo-instruct",
                "embeddings": "text-embedding-ada-002",
                "moderations": "text-moderation-latest",
            },
            "deterministic": True,
            "notes": ["The model list was read once and held 14 models."],
        },
        "claims": {
            "operations": [
                "listModels",
                "retrieveModel",
                "createCompletion",
                "createChatCompletion",
                "createEdit",
                "createEmbedding",
                "createImage",
                "createTranscription",
                "createFile",
                "deleteFile",
                "createFineTune",
                "createModeration",
            ],
            "capabilities": ["logprobs"],
        },
        "seed": 1,
        "started": "2026-11-20T12:00:00Z",
        "seconds": 42.318,
        "verdict": "nonconformant",
        "command": f"assay check {URL} --edition 2023-04 --seed 1",
        "results": [result(place, line) for place, line in enumerate(lines)],
    }
