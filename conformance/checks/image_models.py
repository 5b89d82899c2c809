"""What is said of the models that draw images."""

from conformance.checks.images import HARSH, MAKE, entries
from conformance.probe import NOBODY
from conformance.registry import Findings, check
from conformance.target import Target

OLDER, NEWER = "dall-e-2", "dall-e-3"
LARGE = "1024x1024"  # the smallest that dall-e-3 draws
LONGEST = 4000  # characters


@check("images.models")
def models(target: Target) -> Findings:
    for model, size in ((OLDER, "256x256"), (NEWER, LARGE)):
        answer = target.call(MAKE, model=model, size=size)
        if answer.status != 200:
            yield f"{model} was answered {answer.status}"


@check("images.model-other")
def model_other(target: Target) -> Findings:
    yield from drawn_by_others(target, MAKE)


@check("images.model-default")
def model_default(target: Target) -> Findings:
    answer = target.call(MAKE, model=..., size="256x256")
    if answer.status != 200:
        yield f"a size of 256x256 and no model were answered {answer.status}"


@check("images.prompt-dall-e-3")
def prompt_dall_e_3(target: Target) -> Findings:
    lawful = target.call(MAKE, model=NEWER, size=LARGE, prompt="a" * LONGEST)
    if lawful.status != 200:
        yield f"a prompt of {LONGEST} characters was answered {lawful.status}"
    longer = "a" * (LONGEST + 1)
    answer = target.call(MAKE, model=NEWER, size=LARGE, prompt=longer)
    if not answer.refused:
        yield f"a prompt of {LONGEST + 1} characters was answered {answer.status}"


@check("images.size-names-five")
def size_names_five(target: Target) -> Findings:
    for size in ("300x300", "2048x2048", "256"):
        answer = target.call(MAKE, size=size)
        if not answer.refused:
            yield f"the size {size!r} was answered {answer.status}"


@check("images.quality-names")
def quality_names(target: Target) -> Findings:
    yield from names(target, "quality", ("standard", "hd"))


@check("images.style-names")
def style_names(target: Target) -> Findings:
    yield from names(target, "style", ("vivid", "natural"))


@check("images.revised-prompt")
def revised_prompt(target: Target) -> Findings:
    for entry in entries(target, MAKE, model=NEWER, size=LARGE):
        revised = entry.get("revised_prompt")
        if not isinstance(revised, str) or not revised:
            yield f"an image of {NEWER} had the revised_prompt {revised!r}"


@check("images.policy-code")
def policy_code(target: Target) -> Findings:
    answer = target.call(MAKE, model=NEWER, size=LARGE, prompt=HARSH)
    code = answer.error["code"]
    if code != "content_policy_violation":
        yield f"the refusal had the code {code!r}"


@check("images.edit-model-other")
def edit_model_other(target: Target) -> Findings:
    yield from drawn_by_others(target, "createImageEdit")


@check("images.variation-model-other")
def variation_model_other(target: Target) -> Findings:
    yield from drawn_by_others(target, "createImageVariation")


def drawn_by_others(target: Target, operation: str) -> Findings:
    """Findings where a model answers that is not there, or writes texts."""
    for model in (NOBODY, target.model("completions")):
        answer = target.call(operation, model=model)
        if not answer.refused:
            yield f"the model {model} was answered {answer.status}"


def names(target: Target, field: str, lawful: tuple[str, ...]) -> Findings:
    """Findings where dall-e-3 takes other values of a field than these."""
    for value in lawful:
        answer = target.call(MAKE, model=NEWER, size=LARGE, **{field: value})
        if answer.status != 200:
            yield f"the {field} {value} was answered {answer.status}"
    answer = target.call(MAKE, model=NEWER, size=LARGE, **{field: "robot"})
    if not answer.refused:
        yield f"the {field} robot was answered {answer.status}"
