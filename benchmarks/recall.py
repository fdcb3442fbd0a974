"""Whether the built-in model repeats any value: told in a trained wording and asked back, for each slot and language.

    python benchmarks/recall.py --model out/small [--misses]

The values are in none of the grammar's lists: *real* ones are names, dishes, towns and things that exist (below);
*random* ones are letters drawn at random, in turns with vowels (in Chinese, characters of the vocabulary; numbers:
digits); and some have a character that the vocabulary lacks, which the tokenizer *spells in bytes*. Greedy; an answer is
right when it is the grammar's, word for word. The model's own answer to the first turn stands in between."""

import argparse
import os
import random
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT)

from model import LanguageModel
from tokenizer import Tokenizer
from zerochat.demo import chats, world
from zerochat.generation.engine import Engine, Sampling
from zerochat.text import markdown

REAL = {
    "en": {
        "name": "Priyanka Thandiwe Oluwaseun Zbigniew Saoirse Niamh Eoghan Xiomara Ngozi Kwabena Ifeoma Jaroslav Vytautas "
        "Anneliese Giuseppina Rajeshwari Tomasz Svetlana Yevgeny Siobhan O'Neil Thaddeus Montgomery Persephone Zuleikha",
        "dish": "bouillabaisse|jambalaya|sauerbraten|pho|ceviche|baklava|shakshuka|moussaka|pierogi|borscht|gumbo|ratatouille|"
        "tiramisu|gazpacho|kimchi|tamales|biryani|goulash|haggis|poutine|laksa|feijoada|bibimbap|empanadas|okonomiyaki",
        "home": "Ljubljana Reykjavik Ouagadougou Tegucigalpa Albuquerque Chattanooga Wolverhampton Szeged Gdynia Bydgoszcz "
        "Thessaloniki Kathmandu Ulaanbaatar Antananarivo Saskatoon Poughkeepsie Eindhoven Groningen Tromso Timisoara Jyvaskyla",
        "wish": "theremin|didgeridoo|gyroscope|sextant|oboe|harmonium|bassinet|sundial|metronome|astrolabe|barometer|loom|"
        "trebuchet|hookah|samovar|bidet|periscope|sarong|zither|unicycle|dulcimer|spirograph|centrifuge|sarcophagus|kaleidoscope",
    },
    "zh": {
        "name": "慕容雪 司马懿 诸葛瑾 令狐冲 郗鉴 褚遂良 宇文拓 端木蕻 轩辕剑 澹台明 呼延灼 夏侯渊 尉迟恭 皇甫嵩 上官婉 长孙无 公孙胜 百里奚 东方朔 南宫适",
        "dish": "佛跳墙 夫妻肺片 羊肉泡馍 螺蛳粉 锅包肉 豆汁 驴打滚 地三鲜 毛血旺 剁椒鱼头 煲仔饭 蚵仔煎 担担面 醪糟 艇仔粥 叫花鸡 臭鳜鱼 胡辣汤 糍粑 白切鸡",
        "home": "呼和浩特 齐齐哈尔 乌鲁木齐 石河子 景德镇 张家界 攀枝花 驻马店 连云港 秦皇岛 嘉峪关 六盘水 克拉玛依 葫芦岛 鄂尔多斯 亳州 儋州 衢州 泸州 漯河",
        "wish": "琵琶 唢呐 二胡 古筝 显微镜 望远镜 指南针 万花筒 打蛋器 缝纫机 滑翔伞 脚手架 水平仪 榨汁机 烘干机 咖啡豆 瑜伽砖 血压计 地球仪 算盘",
    },
}
VOWELS = "aeiou"


def values(lang: str, slot: str, alphabet: str, rng: random.Random) -> tuple[list[str], list[str]]:
    """Real values, and random ones of an alphabet (letters in turns with vowels), in none of the grammar's lists."""
    known = {value.lower() for pool in world.POOLS[lang].values() for value in pool}
    text = REAL[lang].get(slot, "")
    real = text.split("|") if "|" in text else text.split()
    if slot == "order":
        made = [str(rng.randint(1000, 9999)) for _ in range(100)]
    elif lang == "zh":
        made = ["".join(rng.choices(alphabet, k=rng.choice((2, 3)))) for _ in range(20)]
    else:
        kinds = ([c for c in alphabet if c not in VOWELS], VOWELS)
        made = ["".join(rng.choice(kinds[i % 2]) for i in range(rng.randint(4, 8))) for _ in range(20)]
        made = [value.capitalize() for value in made] if slot in ("name", "home") else made
    return [value for value in real if value.lower() not in known], [
        value for value in made if value.lower() not in known
    ][:20]


def ask(engine: Engine, lang: str, slot: str, told: list[str], rng: random.Random) -> list[tuple[bool, list[str]]]:
    """For each value, whether it came back, and the four turns."""
    tell, recall = (chats.SKILLS[lang][name] for name in (f"tell_{slot}", world.RECALLS[slot][0]))
    wordings = [[rng.choice(rng.choice(skill.wordings)) for skill in (tell, recall)] for _ in told]
    going = [[] for _ in told]
    for turn in range(2):
        for chat, value, wording in zip(going, told, wordings):
            chat.append({"role": "user", "content": wording[turn].format(**{slot: value})})
        prompts = [engine.fit(chat, 48)[1] for chat in going]
        for chat, request in zip(going, engine.answer_all(prompts, Sampling(temperature=0, max_new_tokens=48))):
            chat.append({"role": "assistant", "content": request.text})
    texts = [[message["content"] for message in chat] for chat in going]
    return [(text[3] == recall.answers[0].format(**{slot: value}), text) for text, value in zip(texts, told)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="out/small")
    parser.add_argument("--misses", action="store_true", help="print them")
    args = parser.parse_args()
    tokenizer, rng = Tokenizer(args.model), random.Random(0)
    engine, rows, misses = Engine(LanguageModel.load(args.model), tokenizer, 16), [], []

    def spelled(text: str) -> bool:
        return any(tokenizer.name_of(token).startswith("<0x") for token in tokenizer.encode(text))

    han = [chr(code) for code in range(0x4E00, 0x9FA6)]
    whole, rare = ([char for char in han if spelled(char) == in_bytes] for in_bytes in (False, True))
    alphabets = {"en": "abcdefghijklmnopqrstuvwxyz", "zh": "".join(whole)}
    for lang in REAL:
        for slot in ("name", "dish", "home", "wish", "order"):
            real, made = values(lang, slot, alphabets[lang], rng)
            odd = [value for value in real if spelled(value)]
            if slot != "order":
                odd += [value[:-1] + rng.choice(rare if lang == "zh" else "ðœŵżķ") for value in made[: 20 - len(odd)]]
            cells = []
            for told in (
                [value for value in real if not spelled(value)],
                made,
                [value for value in odd if spelled(value)],
            ):
                found = ask(engine, lang, slot, told, rng) if told else []
                cells.append(f"{sum(right for right, _ in found)} of {len(found)}" if found else "")
                misses += [" | ".join(text) for right, text in found if not right]
            rows.append([f"{slot}, {lang}", *cells])
    print("\n".join(markdown("slot | real | random | spelled in bytes", rows)))
    print("\n".join(misses) if args.misses else "", end="")


if __name__ == "__main__":
    main()
