from conformance.fuzz import _cheap, _tame


def test_a_lawful_request_has_documented_properties_only(target_at):
    target = target_at("http://127.0.0.1:1/v1")
    chat = target.spec.operations["createChatCompletion"]
    message = {"role": "user", "content": "hi", "mood": "odd"}

    asked = {"messages": [message], "n": 9}
    tame = _tame(asked, chat, target.sample(chat.id))

    assert tame["messages"] == [{"role": "user", "content": "hi"}]
    assert (tame["n"], tame["max_tokens"]) == (2, 3)


def test_an_unlawful_request_asks_for_little(spec):
    chat = spec.operations["createChatCompletion"]
    lawful = [{"role": "user", "content": "hi"}]

    cheap = _cheap({"model": "m", "messages": 7, "n": 100}, chat)
    dear = _cheap({"model": "m", "messages": lawful, "n": 1000}, chat)

    assert cheap == {"model": "m", "messages": 7, "n": 2, "max_tokens": 3}
    assert dear == {"model": "m", "messages": lawful, "n": 1000, "max_tokens": 3}
