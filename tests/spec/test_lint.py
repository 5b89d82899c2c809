"""Lint: silent on our pages, not on broken ones."""

from copy import deepcopy

import pytest
import yaml

from spec import load
from spec.lint import lint
from spec.load import read
from spec.pages import editions

PAGES = """
api:
  openapi: 3.1.0
  x-editions: {"2023-04": {}}
  x-clauses:
    - {id: api.answers, level: MUST, says: It answers., basis: stated, source: S4-001}
  components: {schemas: {}}
things:
  paths:
    /things:
      post:
        operationId: createThing
        requestBody:
          content:
            application/json: {schema: {$ref: "#/components/schemas/Thing"}}
        responses:
          "200":
            content:
              application/json: {schema: {$ref: "#/components/schemas/Made"}}
          "400": {}
          "401": {}
          "405": {}
          "413": {}
          "415": {}
          "429": {}
          "500": {}
          "503": {}
        x-clauses:
          - id: things.low-below-high
            level: MUST
            says: A low above high is refused.
            basis: stated
            source: [S4-001, E22]
            derive: [rule]
        x-rules:
          - id: things.low-below-high
            holds: "!has(body.low) || body.low <= body.high"
            refuse: {status: 400}
            accept: {low: 1}
            reject: {low: 3}
        x-sample: {high: 2}
  components:
    schemas:
      Thing:
        type: object
        required: [high]
        properties: {low: {type: integer}, high: {type: integer}}
      Made:
        type: object
        properties: {state: {type: string, enum: [new, old, gone]}}
        x-lifecycle:
          field: state
          start: new
          moves: {new: [old], old: [gone], gone: []}
          terminal: [gone]
          walk: [new, old, gone]
"""


@pytest.fixture
def pages():
    return yaml.safe_load(PAGES)


def thing(pages):
    return pages["things"]["paths"]["/things"]["post"]


@pytest.mark.parametrize("edition", editions())
def test_our_pages_have_no_fault(edition):
    assert list(lint(load(edition))) == []


def test_a_page_without_fault_is_passed_over_in_silence(pages):
    assert list(lint(read(pages), pages)) == []


def unknown_key(pages):
    thing(pages)["x-claus"] = []


def unknown_key_deep_down(pages):
    pages["things"]["components"]["schemas"]["Thing"]["properties"]["low"] = {
        "anyOf": [{"type": "integer", "x-secret": 1}]
    }


def unknown_level(pages):
    thing(pages)["x-clauses"][0]["level"] = "SHALL"


def no_full_stop(pages):
    thing(pages)["x-clauses"][0]["says"] = "A low above high is refused"


def unknown_derivation(pages):
    thing(pages)["x-clauses"][0]["derive"] = ["rule", "magic"]


def numbered_id(pages):
    thing(pages)["x-clauses"].append(
        clause("things.Numbered_3", says="It is numbered.")
    )


def foreign_id(pages):
    thing(pages)["x-clauses"].append(clause("others.answers"))


def twice_said(pages):
    pages["api"]["x-clauses"].append(clause("things.low-below-high"))


def out_of_reach(pages):
    pages["things"]["components"]["schemas"]["Orphan"] = {
        "type": "object",
        "x-clauses": [clause("things.orphan")],
    }


def unknown_source(pages):
    thing(pages)["x-clauses"][0]["source"] = "S9-001"


def unknown_operation(pages):
    pages["api"]["x-clauses"][0]["operations"] = ["destroyThing"]


def derived_for_all(pages):
    pages["api"]["x-clauses"][0]["derive"] = ["type"]


def unlawful_sample(pages):
    thing(pages)["x-sample"] = {"high": "two"}


def rule_without_clause(pages):
    thing(pages)["x-clauses"].clear()


def rule_not_derived(pages):
    del thing(pages)["x-clauses"][0]["derive"]


def witness_against_the_schema(pages):
    thing(pages)["x-rules"][0]["reject"] = {"low": "three"}


def witness_that_is_lawful(pages):
    thing(pages)["x-rules"][0]["reject"] = {"low": 2}


def witness_that_is_not_lawful(pages):
    thing(pages)["x-rules"][0]["accept"] = {"low": 3}


def no_refusal(pages):
    del thing(pages)["responses"]["429"]


def hole_without_sample(pages):
    paths = pages["things"]["paths"]
    paths["/things/{id}"] = paths.pop("/things")


def pages_by_nothing(pages):
    page = {"after": "after", "limit": "limit", "by": "created", "first": "newest"}
    thing(pages)["x-page"] = page


def made(pages):
    return pages["things"]["components"]["schemas"]["Made"]


def state_that_is_no_value(pages):
    made(pages)["x-lifecycle"]["moves"]["lost"] = ["gone"]


def move_to_nowhere(pages):
    made(pages)["x-lifecycle"]["moves"]["new"] = ["old", "nowhere"]


def end_that_goes_on(pages):
    made(pages)["x-lifecycle"]["moves"]["gone"] = ["new"]


def state_that_nothing_leads_to(pages):
    made(pages)["x-lifecycle"]["moves"] = {"new": ["gone"], "old": ["gone"], "gone": []}


def walk_that_jumps(pages):
    made(pages)["x-lifecycle"]["walk"] = ["new", "gone"]


def clause(id, says="It answers."):
    said = {"level": "MUST", "says": says, "basis": "stated", "source": "S4-001"}
    return {"id": id, **said}


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (unknown_key, "things/paths//things/post: Additional properties"),
        (unknown_key_deep_down, "low/anyOf/0: Additional properties"),
        (unknown_level, "'SHALL' is not one of"),
        (no_full_stop, "does not match"),
        (unknown_derivation, "'magic' is not one of"),
        (numbered_id, "'things.Numbered_3' does not match"),
        (foreign_id, "others.answers: expected an id that begins with 'things'"),
        (twice_said, "things.low-below-high: said on two pages"),
        (out_of_reach, "things.orphan: said where no operation reaches it"),
        (unknown_source, "things.low-below-high: unknown source 'S9-001'"),
        (unknown_operation, "api.answers: unknown operation 'destroyThing'"),
        (derived_for_all, "api.answers: a clause of all operations"),
        (unlawful_sample, "createThing: the sample is not lawful: 'two'"),
        (rule_without_clause, "things.low-below-high: expected a clause"),
        (rule_not_derived, "things.low-below-high: expected a clause"),
        (witness_against_the_schema, "{'low': 'three'} breaks the schema"),
        (witness_that_is_lawful, "{'low': 2} is on the wrong side"),
        (witness_that_is_not_lawful, "{'low': 3} is on the wrong side"),
        (no_refusal, "createThing: expected a refusal of the status 429"),
        (hole_without_sample, "expected {'id'} declared and in the sample"),
        (pages_by_nothing, "pages by 'after', which is no parameter"),
        (pages_by_nothing, "ordered by 'created', which no item has"),
        (state_that_is_no_value, "Made: the states differ from state's values"),
        (move_to_nowhere, "Made: moves to unknown states ['nowhere']"),
        (end_that_goes_on, "Made: gone is terminal or has moves, not both"),
        (state_that_nothing_leads_to, "Made: nothing leads to old"),
        (walk_that_jumps, "Made: the walk goes from new to gone"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_fault_of_a_page_is_told(pages, fault, told):
    before = deepcopy(pages)
    fault(pages)

    said = list(lint(read(pages), pages))

    assert pages != before
    assert any(told in sentence for sentence in said), said
