"""The chat page in a real Chromium, against a real server with a small random model."""

import json
import shutil
import time

import pytest
from test_app import alone, folder, serving, solo, until  # noqa: F401  folder and solo are fixtures

from zerochat.preparation import formats

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install -e '.[test]'")
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs a Chromium: apt-get install chromium")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update"]
# The strength of each span's colour, in percent.
SHADES = "nodes => nodes.map(node => Number(node.style.background.match(/([\\d.]+)%/)[1]))"


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server(folder):  # noqa: F811
    with serving(folder) as (address, service):
        yield address, service


@pytest.fixture
def page(browser, server):
    """The page in a browser that has never seen it; no error on its console, no request to anybody else."""
    context = browser.new_context(viewport={"width": 1100, "height": 750}, locale="en-US")
    page, wrong = context.new_page(), []
    page.set_default_timeout(15_000)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    ours = (server[0], "data:", "blob:")
    page.on("request", lambda request: request.url.startswith(ours) or wrong.append(request.url))
    page.goto(server[0])
    # Short greedy answers; the settings are the page's own.
    page.evaluate("settings.sampling = {temperature: 0, max_tokens: 12}; saveSettings()")
    yield page
    context.close()
    assert not wrong


def say(page, text):
    page.fill("#input", text)
    page.press("#input", "Enter")
    page.wait_for_selector("#send", state="visible")


def texts(page):
    return page.locator(".message .text").all_text_contents()


def canned(page, *pieces):
    """Let the server seem to answer with these texts."""
    events = [{"choices": [{"index": 0, "delta": {"content": piece}, "logprobs": None, "finish_reason": None}]} for piece in pieces]
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
    page.route("**/v1/chat/completions", lambda route: route.fulfill(status=200, content_type="text/event-stream", body=body))


def test_an_answer_is_the_engines_and_survives_a_reload(page, solo):  # noqa: F811
    say(page, "Hello")
    expected = alone(solo, [{"role": "user", "content": "Hello"}], temperature=0, max_new_tokens=12).text
    assert texts(page) == ["Hello", expected]
    figures = page.text_content(".assistant .foot")
    assert "12 tokens · " in figures and "tokens/s" in figures
    page.reload()
    assert texts(page) == ["Hello", expected] and page.locator(".entry").count() == 1


def test_the_conversation_the_system_prompt_and_the_settings_are_what_is_sent(page):
    say(page, "One")
    page.click("#openSettings")
    page.fill("[name=system]", "Be kind.")
    page.fill("[name=top_k]", "5")
    page.fill("[name=temperature]", "")
    page.keyboard.press("Escape")
    with page.expect_request("**/v1/chat/completions") as sent:
        say(page, "Two")
    body = sent.value.post_data_json
    assert [m["role"] for m in body["messages"]] == ["system", "user", "assistant", "user"]
    assert page.evaluate("chat.system") == body["messages"][0]["content"] == "Be kind."
    assert body["top_k"] == 5 and "temperature" not in body
    page.click("#new")
    assert page.evaluate("chat.system") == "", "the system prompt belongs to its chat"


@pytest.mark.parametrize("by", ["click", "Escape", "edit"])
def test_stop_keeps_what_was_said_and_frees_the_slot(page, server, monkeypatch, by):
    service = server[1]
    step = service.engine.step
    monkeypatch.setattr(service.engine, "step", lambda: (time.sleep(0.03), step())[1])
    page.evaluate("settings.sampling.max_tokens = 200")
    page.fill("#input", "Hello")
    page.press("#input", "Enter")
    assert until(lambda: page.locator(".assistant .text").count() and len(texts(page)[1]) > 5, 10)
    if by == "edit":  # what is being answered is asked in other words
        page.locator(".user").get_by_text("Edit").click()
        page.locator(".user textarea").fill("Other")
        page.evaluate("settings.sampling.max_tokens = 3")
        page.locator(".user textarea").press("Enter")
        assert until(lambda: "3 tokens" in page.text_content(".assistant .foot"), 10)
        assert texts(page)[0] == "Other" and len(texts(page)) == 2 and until(lambda: service.worker.open == 0, 1)
        return
    page.click("#stop") if by == "click" else page.press("#input", "Escape")
    page.wait_for_selector("#send", state="visible")
    assert "stopped" in page.text_content(".assistant .foot") and len(texts(page)[1]) > 5
    assert until(lambda: service.worker.open == 0, 1)


def test_retry_answers_again_and_edit_starts_over_from_that_message(page):
    say(page, "One")
    say(page, "Two")
    first = texts(page)
    page.locator(".assistant").nth(0).get_by_text("Retry").click()
    page.wait_for_selector("#send", state="visible")
    assert texts(page) == first[:2], "greedy: the same answer, and what came after it is gone"
    say(page, "Three")
    page.locator(".user").nth(1).get_by_text("Edit").click()
    page.locator(".user textarea").fill("Four")
    page.locator(".user textarea").press("Enter")
    page.wait_for_selector("#send", state="visible")
    assert texts(page)[:3] == [*first[:2], "Four"] and len(texts(page)) == 4


def test_tokens_are_shaded_by_probability_and_show_their_alternatives(page):
    say(page, "你好")
    plain = texts(page)[1]
    page.click("#probabilities")
    tokens = page.locator(".token")
    assert "".join(tokens.all_text_contents()) == plain
    stored = page.evaluate("groups(chat.messages[1].tokens).map(g => [g.text, g.tokens.map(x => x[1]), g.tokens[0][3]])")
    tokens.nth(2).hover()
    _, logprobs, others = stored[2]
    if len(logprobs) == 1:
        shown = page.locator("#tip code").all_text_contents()
        assert len(shown) == len(others) == 5 and page.locator("#tip .taken").count() == 1
    shades = tokens.evaluate_all(SHADES)
    likely = page.evaluate("groups(chat.messages[1].tokens).map(g => Math.exp(g.tokens.reduce((s, x) => s + x[1], 0)))")
    assert shades == pytest.approx([round(75 * (1 - p)) for p in likely], abs=1.01)


def test_tokens_that_make_up_one_character_are_one_span(page):
    made = page.evaluate("""groups([[97], [0xe4], [0xbd], [0xa0], [0xf0, 0x9f], [0x99, 0x88, 33]]
        .map((bytes, id) => [id, -0.1, bytes, []])).map(g => [g.text, g.begin, g.tokens.length])""")
    assert made == [["a", 0, 1], ["你", 1, 3], ["🙈!", 4, 2]]


def test_keys_do_what_hands_expect(page):
    page.fill("#input", "one")
    page.press("#input", "Shift+Enter")
    page.keyboard.type("two")
    assert page.input_value("#input") == "one\ntwo" and not texts(page), "Shift+Enter is a new line"
    page.evaluate("""document.getElementById("input").dispatchEvent(new KeyboardEvent("keydown",
        {key: "Enter", isComposing: true, bubbles: true, cancelable: true}))""")
    assert not texts(page), "Enter that chooses a Chinese word does not send"
    page.press("#input", "Enter")
    page.wait_for_selector("#send", state="visible")
    assert texts(page)[0] == "one\ntwo" and page.input_value("#input") == ""
    page.click("#probabilities")
    page.locator(".token").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement === document.querySelectorAll('.token')[1]") and page.locator("#tip").is_visible()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "input" and page.input_value("#input") == ""
    page.press("#input", "ArrowUp")
    assert page.evaluate("document.activeElement.value") == "one\ntwo", "the last message again"
    page.keyboard.press("Escape")
    page.keyboard.press("Control+Shift+O")
    assert not texts(page)


def test_what_a_model_or_a_person_writes_never_becomes_markup(page):
    nasty = "<img src=x onerror=alert(1)><script>alert(2)</script><b>bold</b> & &amp;"
    canned(page, nasty[:9], nasty[9:])
    page.on("dialog", lambda dialog: pytest.fail("a script ran"))
    say(page, nasty)
    assert texts(page) == [nasty, nasty] and page.locator("#log img, #log script, #log b, nav img").count() == 0
    # Should a later change forget it, the policy still keeps such a handler from running.
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran = true\">')")
    page.wait_for_timeout(200)
    assert page.evaluate("window.ran") is None


def test_both_languages_have_every_word_and_themes_change(page):
    assert page.evaluate("Object.keys(WORDS.en).sort().join() === Object.keys(WORDS.zh).sort().join()")
    for name in ("#send", "#new", "#openSettings"):
        assert page.text_content(name).isascii()
    page.click("#language")
    assert page.text_content("#send") == "发送" and page.evaluate("document.documentElement.lang") == "zh-CN"
    assert page.get_attribute("#input", "placeholder") == "输入消息"
    page.click("#theme")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#theme")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    page.reload()
    assert page.text_content("#send") == "发送" and page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_on_a_phone_nothing_is_cut_off(page):
    page.set_viewport_size({"width": 360, "height": 640})
    say(page, "Hello " * 60 + "x" * 300)
    page.click("#probabilities")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.evaluate("document.getElementById('log').scrollWidth") <= 360
    box = page.locator("#send").bounding_box()
    assert box["x"] + box["width"] <= 360 and box["y"] + box["height"] <= 640 and not page.locator("#new").is_visible()
    page.click("#menu")
    page.click("#new")
    assert not page.locator("#new").is_visible() and not texts(page)


def test_export_is_a_source_that_training_reads(page, tmp_path):
    say(page, "你好 <b>")
    page.click("#new")
    say(page, "Hello")
    with page.expect_download() as download:
        page.click("#exportAll")
    download.value.save_as(tmp_path / "chats.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "chats.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["messages"][0]["content"] for row in rows] == ["Hello", "你好 <b>"]
    for row in rows:
        assert [m["role"] for m in formats.to_sample(row, "auto")["messages"]] == ["user", "assistant"]


def test_a_refusal_is_shown_and_can_be_retried(page):
    page.route("**/v1/chat/completions", lambda route: route.fulfill(
        status=503, content_type="application/json", body='{"error": {"message": "the queue is full"}}'))
    say(page, "Hello")
    assert "the queue is full" in page.text_content(".assistant .foot")
    page.unroute("**/v1/chat/completions")
    page.get_by_text("Retry").click()
    page.wait_for_selector("#send", state="visible")
    assert "queue" not in page.text_content(".assistant .foot") and texts(page)[1]


def test_a_chat_that_exceeds_the_storage_gives_its_own_probabilities_then_the_oldest_chats_go_and_it_is_said(page):
    page.evaluate("""() => {
        window.filled = (id, words, tokens) => ({ id, changed: Number(id), system: "", messages: [
            { role: "user", content: "x".repeat(words) }, { role: "assistant", content: "y", tokens: ["z".repeat(tokens)] }] });
        window.stand = () => { save(); return [notice, conversations().map(one => [one.id, Boolean(one.messages[1].tokens)])]; };
        for (const id of ["1", "2"]) put("zerochat:" + id, filled(id, 1e6, 1e6)); }""")
    full, dropped, unsaved = page.evaluate("['full', 'dropped', 'unsaved'].map(word => t(word))")
    page.evaluate("chat = filled('3', 10, 9e6)")  # more figures than there is room for, after those of all others have gone
    assert page.evaluate("stand()") == [full, [["3", False], ["2", False], ["1", False]]]
    page.evaluate("chat = filled('4', 3.5e6, 10)")
    assert page.evaluate("stand()") == [dropped, [["4", False], ["3", False], ["2", False]]]
    page.evaluate("chat = filled('5', 9e6, 10)")
    assert page.evaluate("stand()") == [unsaved, [["4", False], ["3", False], ["2", False]]], "nothing would make room for it"
    page.click("#new")
    say(page, "Hello")
    assert texts(page)[0] == "Hello" and page.evaluate("conversations().length") == 4, "and the page goes on"
    page.evaluate("for (let size = 2 ** 22; size; size >>= 1) for (let i = 0; put('junk' + size + i, 'x'.repeat(size)); i++);")
    say(page, "Again")
    assert texts(page)[2] == "Again" and texts(page)[3], "an answer comes though nothing of it can be kept"


def test_two_tabs_do_not_lose_each_others_chats(page, server):
    other = page.context.new_page()
    other.goto(server[0])
    say(page, "Hello")
    other.click("#new")
    say(other, "World")
    assert page.locator(".entry").all_text_contents() == ["World×", "Hello×"]
    page.locator(".entry").nth(1).hover()
    page.locator(".entry").nth(1).get_by_role("button").nth(1).click()
    assert other.locator(".entry").count() == 1
