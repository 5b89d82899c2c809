"""A text, changed as an instruction says."""

from dataclasses import dataclass, replace

from mockserver.choices import Candidate, spent
from mockserver.context import Context
from mockserver.registry import handles
from mockserver.reply import Reply

ROOM = 64  # tokens by which an edit may be longer than what it was made from, twice


@dataclass(frozen=True)
class CreateEdit:
    """What to change, how, and how many times."""

    model: str
    input: str
    instruction: str
    n: int
    temperature: float
    top_p: float
    user: str | None = None  # nobody can name one here


@handles("createEdit")
def create_edit(request: CreateEdit, context: Context) -> Reply:
    context.charge(request.user)
    prompt = tuple(context.tokenizer.edit(request.instruction, request.input))
    room = _room(len(prompt), request, context)
    context.saw(prompt)
    request = replace(request, model=context.snapshot(request.model))
    candidates = _candidates(prompt, room, request, context)
    schema = context.operation.reply["properties"]["choices"]["items"]
    shown = schema.get("required", ("text", "index"))
    choices = []
    for one in candidates:
        facts = {
            "text": one.whole.text,
            "index": one.index,
            "finish_reason": one.whole.finish,
        }
        choices.append({name: facts[name] for name in shown})
    body = {
        "object": "edit",
        "created": context.now,
        "choices": choices,
        "usage": spent(len(prompt), candidates, context, request),
    }
    return Reply(body, model=request.model)


def _candidates(
    prompt: tuple[int, ...], room: int, request: CreateEdit, context: Context
) -> list[Candidate]:
    from reference_model.sampling import Sampling

    sampling = Sampling(temperature=request.temperature, top_p=request.top_p)
    job = {"prompt": prompt, "sampling": sampling, "seed": None}
    return [Candidate(index, 0, room, (), context, job) for index in range(request.n)]


def _room(tokens: int, request: CreateEdit, context: Context) -> int:
    """How many tokens an edit may have. Raises Refuse where the prompt is too long."""
    context.admit_prompt(tokens)
    limit = context.model(request.model).accepts or 0
    if tokens >= limit:
        raise context.refuse("edits-context", context=limit, asked=tokens)
    return context.policy.capped(min(limit - tokens, 2 * tokens + ROOM))
