"""Values to draw: what a schema of our pages admits, and what it bars."""

from math import ceil, floor

from hypothesis import strategies as st

from spec.schema import Schema

SMALL = 3  # items or keys of what is drawn, where the schema asks for no more

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-9, 9) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=SMALL)
        | st.dictionaries(st.text(max_size=9), inner, max_size=SMALL)
    ),
    max_leaves=5,
)


def lawful(node):
    """Values that the schema admits."""
    if "const" in node:
        return st.just(node["const"])
    if "enum" in node:
        return st.sampled_from(node["enum"]).filter(Schema(node).valid)
    branches = node.get("anyOf") or node.get("oneOf")
    if branches:
        return st.one_of([lawful(b) for b in branches]).filter(Schema(node).valid)
    kinds = node.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if not kinds:
        return anything
    return st.one_of([DRAWN[kind](node) for kind in kinds])


def unlawful(node):
    """Values that the schema bars: of a wrong type, or just beyond a bound."""
    return st.one_of(anything, beyond(node)).filter(lambda v: not Schema(node).valid(v))


def beyond(node):
    """Values that are not far from the lawful ones."""
    edges = [node[key] - 1 for key in ("minimum",) if key in node]
    edges += [node[key] + 1 for key in ("maximum",) if key in node]
    edges += ["a" * (node["maxLength"] + 1)] if "maxLength" in node else []
    edges += [[]] if "minItems" in node else []
    edges += [f"{value}x" for value in node.get("enum", ())]
    return st.sampled_from([*edges, {}, [], "", None, True, 1.5])


def _text(node):
    least, most = node.get("minLength", 0), node.get("maxLength")
    if "pattern" in node:
        return st.from_regex(node["pattern"].replace("$", r"\Z")).filter(
            Schema(node).valid
        )
    return st.text(min_size=least, max_size=min(least + 20, most or least + 20))


def _number(node):
    least, most = node.get("minimum", -1e6), node.get("maximum", 1e6)
    return st.floats(least, most, allow_nan=False) | _integer(node)


def _integer(node):
    least, most = node.get("minimum", -(10**6)), node.get("maximum", 10**6)
    return st.integers(ceil(least), floor(most))


def _array(node):
    least = node.get("minItems", 0)
    most = min(least + SMALL, node.get("maxItems", least + SMALL))
    return st.lists(lawful(node.get("items", {})), min_size=least, max_size=most)


def _object(node):
    known, needed = node.get("properties", {}), set(node.get("required", ()))
    fields = st.fixed_dictionaries(
        {name: lawful(known.get(name, {})) for name in sorted(needed)},
        optional={name: lawful(known[name]) for name in known.keys() - needed},
    )
    rest = node.get("additionalProperties", False)
    if rest is False or known:
        return fields
    names = lawful({"type": "string", **node.get("propertyNames", {})})
    extra = st.dictionaries(
        names, lawful(rest if isinstance(rest, dict) else {}), max_size=SMALL
    )
    return st.builds(lambda one, other: {**other, **one}, fields, extra)


DRAWN = {
    "null": lambda node: st.none(),
    "boolean": lambda node: st.booleans(),
    "string": _text,
    "number": _number,
    "integer": _integer,
    "array": _array,
    "object": _object,
}
