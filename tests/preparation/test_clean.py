"""Each cleaning rule on its own example, changed and untouched."""

import sys
import time

import pytest

from zerochat.preparation import clean

CLEAN = "if a < b: 你好，&c 1 > 0\n\tx"


def chat(*texts):
    return {"messages": [{"role": "assistant" if i % 2 else "user", "content": text} for i, text in enumerate(texts)]}


@pytest.mark.parametrize("rule, role, before, after", [
    ("characters", "user", "a \r\n\r\n\r\n\r\nb\u00a0c ", "a\n\nb c"), ("characters", "user", "a\x00b\x7f", "ab"),
    ("characters", "user", "a\rb\u2028c\t\u3000 \nd\u3000\u3000e\u202f!", "a\nb\nc\nd  e !"),
    ("characters", "user", "half \ud83d, whole \ud83d\ude00 and \ude00", "half , whole 😀 and"),
    ("characters", "user", "a\u200bb\x00\x1b[0m 👨\u200d👩", "ab[0m 👨\u200d👩"),
    ("html_leftovers", "user", "a &lt; b &amp;&amp; c<br/>d `&lt;p&gt;`", "a < b && c\nd `&lt;p&gt;`"),
    ("html_leftovers", "assistant", "see</div>here", "see\nhere"), ("html_leftovers", "text", "one<br>\ntwo<BR />three\n| a<br>b |", "one\ntwo\nthree\n| a<br>b |"),
    ("html_leftovers", "text", "10<sup>6</sup> m, H<sub>2</sub>O, log<sub>2</sub>8", "10^6 m, H_2O, log_2 8"),
    ("html_leftovers", "text", "the 4<sup>th</sup> of 2<sup>n+1</sup>", "the 4th of 2^(n+1)"),
    ("html_leftovers", "user", "It&#39;s &quot;R&amp;D&quot;: `&amp;`", "It's \"R&D\": `&amp;`"),
    *(("html_leftovers", "assistant", page, page) for page in ("<!DOCTYPE html><p>Hi</p>", "<ul><li>a</li></ul><br>", "`<p>`",
        "```\n<div>\n```", "Make it blue: <p>Hi</p>", "In HTML, <div> groups.",
        "Write <br> to begin a line, &amp;c.", "The tag <sup>2</sup> lifts.", 'print("<br>"); print("a<br>")', "Use &lt; to write <.",
        "The entity &lt; is less-than.", "用<br>换行", "In XML write &amp; for it.", 's.replace("&quot;", q)', "Type &quot; for one.",
        "```html\n<b>a</b><br>&amp;\n```", "A `<br>` and `&nbsp;`")),
    ("boilerplate", "text", "Licence\n*** START OF THE PROJECT GUTENBERG EBOOK PETER PAN ***\nAll children\n"
                            "*** END OF THE PROJECT GUTENBERG EBOOK PETER PAN ***\nMore licence", "All children"),
    ("boilerplate", "text", "".join(f"Licence\n*** START OF THE PROJECT GUTENBERG EBOOK {n} ***\nBook {n}\n"
                                    f"*** END OF THIS PROJECT GUTENBERG EBOOK {n} ***\nLicence" for n in "12"), "Book 1\n\nBook 2"),
    ("boilerplate", "text", "Its end\n*** END OF THE PROJECT GUTENBERG EBOOK A ***\n*** START OF THE PROJECT GUTENBERG EBOOK B ***\n"
                            "Its start", "Its end\n\nIts start"),
    ("characters", "assistant", "\n\n    return a\n", "    return a"), ("characters", "assistant", "  x:\n    y", "  x:\n    y"),
    ("characters", "assistant", " Sure.\nYes.", "Sure.\nYes."), ("characters", "assistant", "\tpass", "\tpass"),
    ("characters", "assistant", "a\n\n\nb\n```\nx\n\n\ny\n```\n\n\nc", "a\n\nb\n```\nx\n\n\ny\n```\n\nc"),
    *(("no_input_marker", "user", kept, kept) for kept in ("Which allergies?\nnone", "还有吗？\n无", "Your answer:\nN/A")),
    *(("no_input_marker", "assistant", kept, kept) for kept in ("It prints [no output].", "Put <noinput> there.", "<noinput> is a mark.")),
    ("no_input_marker", "user", "Sort this.\n<noinput>", "Sort this."), ("no_input_marker", "user", "排序。\n无输入", "排序。")])
def test_each_rule_of_a_text_changes_just_what_it_names_and_tags_that_are_the_subject_stay(rule, role, before, after):
    assert clean.TEXT_RULES[rule](before, role) == after
    assert [clean.TEXT_RULES[rule](CLEAN, who) for who in ("user", "assistant", "text")] == [CLEAN] * 3
    assert rule == "html_leftovers" or clean.TEXT_RULES[rule]("&lt;p&gt;", "user") == "&lt;p&gt;"


@pytest.mark.parametrize("rule, question, answer, reason", [
    ("mojibake", "Hi", "caf\ufffd", "mojibake"), ("mojibake", "Hi", "cafÃ©", "mojibake"),
    ("no_input_marker", "Hi", "<nooutput>", "no-output marker"), ("no_input_marker", "Hi", "<noinput>\nIt is.", "no-output marker"),
    ("answered_end", "Hi", "  ", "no answer"), ("too_long", "Hi", "x" * 200_001, "too long")])
def test_each_rule_drops_just_what_it_names(rule, question, answer, reason):
    sample = chat(question, answer)
    assert clean.clean(sample, {})[0] is None and clean.clean(sample, {})[1][0][0] == reason
    switched_off = {name: name == "empty_turns" for name in [*clean.TEXT_RULES, *clean.CHAT_RULES]}
    assert clean.clean(sample, switched_off)[0] is not None
    assert clean.clean(chat("Hi", "A good answer."), {})[0] == chat("Hi", "A good answer.")


@pytest.mark.parametrize("rule, before, after", [
    ("empty_turns", "user:a assistant: user:b assistant:c", "user:a user:b assistant:c"),
    ("empty_turns", "user:a assistant:b user: assistant:c user:d assistant:e", "user:a assistant:b"),
    ("empty_turns", "user:a assistant:b user: user:c assistant:d", "user:a assistant:b user:c assistant:d"),
    ("empty_turns", "user:\n assistant:b user:c assistant:d", "assistant:b user:c assistant:d"),
    ("system_first", "system:s user:a system:t assistant:b", "system:s user:a assistant:b"),
    ("user_first", "system:s assistant:a assistant:b user:c assistant:d", "system:s user:c assistant:d"),
    ("repeated_role", "user:a user:b assistant:c assistant:d", "user:a\nb assistant:c\nd"),
    ("answered_end", "user:a assistant:b user:c", "user:a assistant:b")])
def test_each_policy_for_turns_does_just_what_it_names(rule, before, after):
    def parse(text):
        return [dict(zip(("role", "content"), part.split(":"))) for part in text.split(" ")]
    assert clean.CHAT_RULES[rule](parse(before)) == parse(after)
    fine = parse("system:s user:a assistant:b user:c assistant:d")
    assert clean.CHAT_RULES[rule](fine) is fine


def test_policies_together_leave_alternating_turns_say_which_acted_and_are_switched_off_or_given_another_setting():
    roles = [("assistant", "a"), ("user", "b"), ("user", "c"), ("assistant", "d"), ("assistant", ""), ("assistant", "e"), ("user", "f")]
    sample, changed = clean.clean({"messages": [{"role": r, "content": c} for r, c in roles]}, {})
    assert [(m["role"], m["content"]) for m in sample["messages"]] == [("user", "b\nc"), ("assistant", "d\ne")]
    assert [rule for rule, *_ in changed] == ["empty_turns", "user_first", "repeated_role", "answered_end"]
    for unsupervised in ([], [{**m, "supervised": False} for m in chat("Hi", "Yes.")["messages"]]):
        assert clean.clean({"messages": unsupervised}, {})[1][0][0] == "no answer"
    assert clean.clean(chat("a &lt; b?", "Yes."), {"html_leftovers": False})[0]["messages"][0]["content"] == "a &lt; b?"
    for short, rules in ((chat("Hi", "Yes."), {"too_short": 5}), ({"text": "Yes."}, {"too_short": 5}), ({"text": "  "}, {})):
        assert clean.clean(short, rules)[1][0][0] == "too short"
    for wrong in ({"nonsense": True}, {"too_long": "5"}, {"language": True}, {"too_short": "3"}):
        with pytest.raises(ValueError, match="data.rules"):
            clean.check_rules(wrong)


def test_only_wanted_languages_are_kept():
    pytest.importorskip("py3langid")
    wanted = {"language": ["en", "zh"]}
    assert clean.clean(chat("What is the tallest mountain?", "Mount Everest, on the border of Nepal and China."), wanted)[0]
    assert clean.clean(chat("世界上最高的山是什么？", "珠穆朗玛峰，位于中国和尼泊尔边境。"), wanted)[0]
    for short in ("Name a genre.\nJazz", "Say a number.\n91466267", "反转字符串。\n你好世界！", "联合国有多少个国家？\n目前，联合国有193个会员国。"):
        assert clean.clean(chat(*short.split("\n")), wanted)[0], short
    assert clean.clean(chat("Welcher Berg ist der höchste?", "Der Mount Everest im Himalaya ist der höchste Berg."), wanted)[1][0][0] == "language de"


def test_a_missing_library_is_named_with_the_way_to_get_it(monkeypatch):
    clean.needed.cache_clear()
    for library, settings, by in (("rensa", ({}, 0.8), "data.near_duplicates"), ("py3langid", ({"language": ["en"]},), "data.rules.language")):
        monkeypatch.setitem(sys.modules, library, None)
        with pytest.raises(ValueError, match=rf'{by} needs {library}: pip install -e ".\[data\]"'):
            clean.check_rules(*settings)


def test_fingerprints_ignore_case_width_blanks_and_the_marks_at_the_end_alone():
    same = ["Hello, world 1", "hello, world １!", " HELLO，\tWorld\n1 ."]
    assert len({clean.fold(text) for text in same}) == 1 and clean.fold("Hello world 2") != clean.fold(same[0])
    assert clean.fold("你好，世界。") == clean.fold("你好,世界") and clean.fold("?!") == "?!" and clean.fold("？") != clean.fold("！")


@pytest.mark.parametrize("different", [
    ("2+2", "2-2", "2*2", "2/2", "22", "2%2", "2=2", "2<2", "2>2"), ("C++", "C#", "C"), ("1.5", "15", "1, 5"), ("1, 23", "12, 3"),
    ("-5", "5"), ("50%", "50"), ("(2+3)*4", "2+(3*4)"), ("a != b", "a = b"), ("😀", "😂"), ("कि", "की"), ("２＋２", "２－２")])
def test_signs_that_carry_meaning_are_part_of_a_fingerprint(different):
    assert len({clean.fold(text) for text in different}) == len(different)


def test_a_run_of_combining_marks_does_not_take_the_square_of_its_length():
    begun = time.process_time()
    text = "a" + "\u0301\u0327" * 50_000
    assert clean.clean(chat(text, text), {})[0] and clean.fold(text) and time.process_time() - begun < 1
