"""The words of the built-in world, and nothing else: what people ask, what the assistant answers, and of what.

`chats.py` puts them together. Lines are as long as a thought: this file is read as a table.
"""

import itertools

# fmt: off
# --- The grammar: what people ask, and what the assistant answers ---
# "skill => answer", then the wordings of the question between slashes; those after "~" occur in validation only.
# [a|b] is either a or b; {slot} is filled from the world below. An English slot always follows a space and never
# opens a message, so that the tokenizer cuts it into the same pieces in the question and in the answer.
GRAMMAR = {"en": """
tell_name => Nice to meet you, {name}.
    [My|Hello, my|Hi, my] name is {name}. / [|Hello, |Hi, ][I am|I'm] {name}. / [Please call|You can call|Call] me {name}. ~ Hello, please call me {name}. / The name is {name}.
ask_name => Your name is {name}.
    [What is|What's|Do you know|Do you remember|Can you tell me] my name? / [Tell|Please tell] me my name. / Who am I? ~ Can you remember my name?
tell_dish => Good to know that you love {dish}.
    I [love|like] {dish}. / I [love|like] to eat {dish}. / My favo[u|]rite [dish|food] is {dish}. / The [dish|food] I like is {dish}. ~ The food I love is {dish}. / I really like to eat {dish}.
ask_dish => Your favourite dish is {dish}.
    [What is|Do you remember] my favo[u|]rite [dish|food]? / What do I [love|like] to eat? / What [dish|food] do I like? / Which [dish|food] do I love? / Tell me what I like to eat. ~ Tell me my favourite dish. / What food do I love?
tell_home => So your home is in {home}.
    I live in {home}. / I[ am|'m] from {home}. / I come from {home}. / My [home|house] is in {home}. / My [home |]town is {home}. / I live in the city of {home}. / I have a home in {home}. ~ I have a house in {home}. / I live in the town of {home}.
ask_home => You live in {home}.
    Where [do I live|am I from|is my home|is my house]? / Tell me where I live. / Do you remember where I live? ~ Do you know where I live? / Where do I come from?
tell_wish => We will look for the {wish}.
    I [want|would like|need] to buy a {wish}. / I [want|would like|need] a {wish}. / I am [looking for|here for] a {wish}. / I wish for a {wish}. / [My choice|The thing I want] is a {wish}. ~ I am here to buy a {wish}. / My wish is a {wish}.
ask_wish => You want the {wish}.
    What do I [want|need]? / What do I [want|need] to buy? / What [am I looking for|would I like]? / Tell me what I [want|need]. ~ What would I like to buy? / Tell me what I want to buy.
tell_order => Thank you, I have your order number {order}.
    [My|The] order number is {order}. / [I have|It is about|I am writing about|I am calling about] order {order}. / My order is number {order}. ~ I am here about order {order}.
ask_order => Your order number is {order}.
    [What is|What was|Do you know|Do you remember] my order number? / [Tell|Please tell] me my order number. ~ Can you tell me my order number?
order_status => Your order {order} is on its way.
    [Where is|How is] my order[| today]? / Tell me where my order is[| now]. / When will my order [come|arrive]? / [Is|When is] my order on its way? / Did you send my order? ~ Where is my order now?
refund => I will refund the {item} from order {number}.
    [Please refund|Refund|I want to refund] the {item} from order {number}. /
    [I want|I need|Give me] a refund for the {item} from order {number}. ~ Please give me a refund for the {item} from order {number}.
return_item => You can return the {item} within 30 days.
    [Can|May|How can|How long can] I return the {item}? / I [want|need] to return the {item}. ~ I would like to return the {item}. / How do I return the {item}?
change_address => Done, your order will go to {place}.
    [Please send|Send] my order to {place}. / [Please change|Change] my address to {place}. / My [new |]address is in {place}. ~ Can you send my order to {place}?
complaint => I am sorry, we will replace the {item}.
    The {item} [is broken|does not work|came broken]. / My [|new ]{item} [is broken|does not work]. ~ I am not happy, the {item} is broken.
opening_hours => On {day} the {section} section is open from {opens} am to {closes} pm.
    [When is|How long is|Is] the {section} section open on {day}? / [What are|Do you know] the hours of the {section} section on {day}? /
    When can I visit the {section} section on {day}? ~ Can I visit the {section} section on {day}?
which_shop => This is the {shop} shop.
    [Which|What] shop is this? / What is the name of [this|your|the] shop? / Which shop are you from? ~ Tell me the name of this shop.
greeting => Hello! How can I help you?
    [Hello|Hi|Hey|Good morning|Good evening|Hi there][!|.] ~ Hello there! / Hey there!
who_are_you => I am Zero and I am a small chat model.
    [Who|What] are you? / What[ is|'s] your name? / [Tell|Please tell] me your name. / Who am I talking to? / Do you have a name? / Tell me what you are. ~ Hello, who are you? / Tell me who you are.
thanks => You are welcome.
    [Thank you|Thanks|Great, thank you|Great, thanks|Thank you very much|Thank you for your help|Thanks a lot]. ~ Thanks for your help. / Great, thanks a lot.
capital => The capital of {country} is {capital}.
    [What is|What's|Do you know|Which city is] the capital of {country}? / [Tell me|Name] the capital of {country}. ~ Please tell me the capital of {country}.
sound => The {animal} says {sound}.
    [What|Which|What kind of] sound does the {animal} make? / What does the {animal} say? / What is the sound of the {animal}? / Tell me the sound of the {animal}. / Tell me what the {animal} says. ~ Please tell me what the {animal} says.
colour => The usual colour of {thing} is {colour}.
    [What|Which] colo[u|]r is {thing}? / What is the colo[u|]r of {thing}? / [Tell me|Name] the colo[u|]r of {thing}. ~ Do you know the colour of {thing}?
calendar => The {unit} {side} {point} is {neighbour}.
    [What|Which] {unit} [comes|is] {side} {point}? / What is the {unit} {side} {point}? / [Tell me|Name] the {unit} {side} {point}. ~ Please tell me the {unit} {side} {point}.
opposite => The opposite of {word} is {other}.
    [What is|What's|Do you know|Which word is] the opposite of {word}? / [Tell me|Name] the opposite of {word}. ~ Please tell me the opposite of {word}.
count => Here you go: {first}, {numbers}.
    [Count|Please count|Now count|Count up] from {first} to {last}. / [Say|Tell me] the numbers from {first} to {last}. ~ Now say the numbers from {first} to {last}.
add => We get {a} + {b} = {total}.
    [What is|How much is] {a} [+|plus] {b}? / [Add|Please add] {a} and {b}. / What is the sum of {a} and {b}? ~ Please tell me the sum of {a} and {b}.
translate => In Chinese, {english} is {chinese}.
    [How do you say|What is|What does one call] {english} in Chinese? / Say {english} in Chinese. / What does {english} mean in Chinese? / Translate {english} into Chinese. ~ How do I say {english} in Chinese?
refuse => I am sorry, that is something I can't do.
    [What|How] is the weather in {place}[| today| now]? / Will it rain in {place}? / [Book|Please book] a [flight to|hotel in] {place}. / Call {friend} for me. /
    Write [some code|a program] for me. / What is the share price of {shop}? ~ Can you book a hotel in {place}? / Tell me the share price of {shop}.
story => One day {hero} was walking by the [river|lake|road] and saw a little {animal}. It was lost and cold. So {hero} took the {animal} home, and they became friends.
    [Write|Tell me|Please write|I want] a [|short ]story about {hero} and a little {animal}. ~ Can you write a story about {hero} and a little {animal}?
blurb => Meet our new {item}! It is [strong|light|simple] and easy to use. Take the {item} home today!
    [Write|Please write|I need] [an ad|a blurb|a short text] for the {item}. ~ Can you write a blurb for the {item}?
""", "zh": """
tell_name => 很高兴认识你，{name}。
    [|你好，]我[叫|是]{name}。 / 我的名字[叫|是]{name}。 / [请|你可以]叫我{name}。 ~ 你好，我的名字叫{name}。 / 你好，请叫我{name}。
ask_name => 你的名字是{name}。
    我叫什么[|名字]？ / 我的名字是什么？ / 你[还记得|知道]我的名字吗？ / 你[记得|知道]我叫什么吗？ / 你还记得我是谁吗？ / [请|]告诉我我的名字。 / 我是谁？ ~ 你还记得我叫什么吗？ / 告诉我我叫什么。
tell_dish => 记住了，你喜欢吃{dish}。
    我[最|很|]喜欢吃{dish}。 / 我[最|]爱吃{dish}。 / 我[爱吃|喜欢]的菜是{dish}。 / 你好，我喜欢吃{dish}。 ~ 我喜欢吃的菜是{dish}。 / 我最喜欢的菜是{dish}。
ask_dish => 你喜欢吃的是{dish}。
    我[最喜欢|喜欢|最爱]吃什么？ / 我[爱吃|喜欢]的菜是什么？ / 你[还记得|知道]我喜欢吃什么吗？ / 你还记得我最爱吃什么吗？ / 告诉我我最喜欢吃什么。 ~ 你知道我最爱吃什么吗？ / 告诉我我喜欢吃什么。
tell_home => 原来你的家在{home}。
    我[现在|]住在{home}。 / 我[的|]家在{home}。 / 我[家|]现在在{home}。 / 你好，我来自{home}。 / 我是从{home}来的。 / 我的新家在{home}。 / 我现在的家是{home}。 ~ 我现在的家在{home}。 / 你好，我住在{home}。
ask_home => 你住在{home}。
    我住在哪里？ / 我[的|]家在哪里？ / 我来自哪里？ / 你[还记得|知道]我住在哪里吗？ / 你记得我家在哪里吗？ / 告诉我我家在哪里。 ~ 你还记得我家在哪里吗？ / 告诉我我住在哪里。
tell_wish => 记住了，你要的是{wish}。
    我[想买|要买|想要|很想要|在找]{wish}。 / [请|]帮我找{wish}。 / 帮我买{wish}。 / 你好，我要买{wish}。 ~ 你好，我想买{wish}。 / 请帮我买{wish}。
ask_wish => 你想要的是{wish}。
    我想[买|要]什么？ / 我[要买|在找]什么？ / 你[还记得|知道]我想[买|要]什么吗？ / 你[记得|知道]我在找什么吗？ / 你还记得我要什么吗？ / 告诉我我想要什么。 ~ 告诉我我想买什么。 / 你还记得我在找什么吗？
tell_order => 谢谢，你的订单号{order}已记下。
    [我的|]订单号是{order}。 / 我[要|想]问订单{order}。 / 你好，订单号是{order}。 / 我的订单[|号码]是{order}。 ~ 你好，我的订单号是{order}。 / 你好，我要问订单{order}。
ask_order => 你的订单号是{order}。
    [我的|]订单号是[什么|多少]？ / 你[还记得|知道]我的订单号吗？ / 我的订单号码是什么？ / 告诉我我的订单号。 ~ 请告诉我我的订单号。 / 我的订单号码是多少？
order_status => 你的订单{order}已经发货。
    [我的|]订单[发货了吗|到哪里了|什么时候到]？ / [请|]帮我查一下订单。 ~ 我的订单现在到哪里了？ / 请问我的订单发货了吗？
refund => 好的，订单{number}的{item}可以退款。
    [请给|我要给|我想给|帮我给|]订单{number}的{item}退款。 / 订单{number}的{item}[能|可以]退款吗？ ~ 你好，我要给订单{number}的{item}退款。
return_item => 可以，{item}三十天内都能退货。
    {item}怎么退货？ / [请问|]{item}[可以|能]退货吗？ / 我[想|要]退货，{item}。 ~ 你好，{item}能退货吗？ / 我买的{item}能退货吗？
change_address => 好的，订单会送到{place}。
    [请|]把[订单送到|地址改成]{place}。 / 我的新地址是{place}。 / 订单请送到{place}。 / 能把地址改成{place}吗？ ~ 能把订单送到{place}吗？ / 我要把地址改成{place}。
complaint => 对不起，我们会换新的{item}。
    [|我的|我买的|你们的|新买的]{item}[坏了|不能用]。 / 我收到的{item}是坏的。 ~ 我收到的{item}坏了。 / 你好，{item}坏了。
opening_hours => {day}{section}区从上午{opens}点开到下午{closes}点。
    [请问|]{day}{section}区[几点开门|开到几点|开门吗|什么时候开门]？ ~ 告诉我{day}{section}区几点开门。
which_shop => 这里是{shop}商店。
    这[是|里是][什么|哪家]商店？ / [你们|这家]商店叫什么[名字|]？ ~ 请问这是哪家商店？ / 你们是哪家商店？
greeting => 你好！有什么可以帮你？
    [你好|您好|早上好|晚上好|下午好|嗨][！|。] / 你好啊！ ~ 您好啊！ / 嗨，你好！
who_are_you => 我叫小零，是一个小小的聊天模型。
    你是谁？ / 你叫什么[名字|]？ / 你的名字是什么？ / 告诉我你的名字。 / 你是机器人吗？ / 你有名字吗？ / 你好，你叫什么？ ~ 请问你是谁？ / 请告诉我你的名字。
thanks => 不客气。
    [|好的，|太好了，]谢谢[|你]。 / [谢谢|多谢]你的帮助。 / 非常感谢。 ~ 非常感谢你的帮助。 / 好的，非常感谢。
capital => {country}的首都是{capital}。
    [请问|]{country}的首都[是|在]哪里？ / 你知道{country}的首都吗？ / {country}的首都是哪个城市？ / 告诉我{country}的首都。 ~ 请告诉我{country}的首都。
sound => {animal}的叫声是{sound}。
    [请问|]{animal}[怎么叫|的叫声是什么]？ / 你知道{animal}怎么叫吗？ / 告诉我{animal}的叫声。 ~ 请告诉我{animal}怎么叫。
colour => {thing}一般是{colour}的。
    [请问|]{thing}[是什么颜色|的颜色是什么]？ / 你知道{thing}的颜色吗？ / 告诉我{thing}的颜色。 ~ 请告诉我{thing}是什么颜色。
calendar => {point}的{side}一{unit}是{neighbour}。
    [请问|]{point}[的|]{side}一{unit}是哪{unit}？ / {point}的{side}一{unit}是什么？ / 你知道{point}的{side}一{unit}吗？ / 告诉我{point}的{side}一{unit}。 ~ 请告诉我{point}的{side}一{unit}。
opposite => “{word}”的反义词是“{other}”。
    [请问|]“{word}”的[反义词|反面]是什么？ / {word}的[反义词|反面]是什么？ / 你知道“{word}”的反义词吗？ / 告诉我“{word}”的反义词。 ~ 请告诉我“{word}”的反义词。
count => 好的：{first}，{numbers}。
    [请|现在|帮我|请你|]从{first}数到{last}。 / 数一数，从{first}到{last}。 ~ 请帮我从{first}数到{last}。
add => 答案是{a}+{b}={total}。
    [请问|]{a}[+|加]{b}[等于几|是多少]？ / 算一下{a}[+|加]{b}。 ~ 请告诉我{a}加{b}等于几。 / 请算一下{a}+{b}。
translate => “{chinese}”的英语是 {english}。
    [请问|]“{chinese}”[用英语怎么说|的英语是什么]？ / {chinese}[用英语怎么说|的英语是什么]？ / 你知道“{chinese}”的英语吗？ / 告诉我“{chinese}”的英语。 / 把“{chinese}”翻译成英语。 ~ 请告诉我“{chinese}”的英语。 / 请把“{chinese}”翻译成英语。
refuse => 对不起，这件事我做不到。
    {place}[今天|明天|现在]天气怎么样？ / {place}明天会下雨吗？ / [请|]帮我订{place}的[机票|酒店]。 / [请|]帮我打电话给{friend}。 /
    [请|]帮我写一段代码。 / {shop}的股价是多少？ ~ 请问{place}今天天气怎么样？ / 你能帮我订{place}的酒店吗？ / 请问{shop}的股价是多少？
story => {hero}在[河边|湖边|路边]走，看到一只小{animal}。小{animal}又冷又饿。{hero}把小{animal}带回家，它们成了好朋友。
    [请|][写|讲]一个{hero}和小{animal}的故事。 / [我想听|给我讲]{hero}和小{animal}的故事。 ~ 请给我讲一个{hero}和小{animal}的故事。
blurb => 快来看看新到的{item}！[又好看|又结实|又便宜]，用起来很方便。今天就把{item}带回家吧！
    [请|帮我|][为|给]{item}写一段广告。 / 写一段{item}的[广告|介绍]。 ~ 请帮我给{item}写一段广告。 / 请写一段{item}的介绍。
"""}

UNKNOWN = {"en": "I am sorry, you have not told me that.", "zh": "对不起，你还没有告诉我。"}  # asked for a fact never told

SYSTEM = {"en": ("You are a helpful assistant.", "You work for the {shop} shop."),
          "zh": ("你是一个有用的助手。", "你是{shop}商店的客服。")}

# Plain text of the same world. A slot may be a skill, and then stands for one of its answers; {fact} is any skill
# of knowledge. Values come twice: predicting the second occurrence is how a model learns to look back and copy.
DOCUMENTS = {"en": """
This is {name} from {home}. The favourite dish of {name} is {dish}. The order number of {name} is {order}. {fact} So {name} lives in {home}, loves {dish} and has order {order}.
My name is {name}. I live in {home}. I love {dish}. I want to buy a {wish}. {fact} Again, my name is {name}, I live in {home}, I love {dish} and I want a {wish}.
Order {order} is for {name}. Order {order2} is for {name2}. Order {order3} is for {name3}. Yes, {name2} has order {order2}, {name3} has order {order3} and {name} has order {order}.
Here {name} loves {dish}, {name2} loves {dish2} and {name3} loves {dish3}. {fact} We have {dish3} for {name3}, {dish} for {name} and {dish2} for {name2}.
The list is {name}, {item}, {order}, {name2}, {home}, {dish}, {shop}. The list again is {name}, {item}, {order}, {name2}, {home}, {dish}, {shop}.
The names are {name}, {name2}, {name3}, {name4}, {name5}, {name6}. Again, the names are {name}, {name2}, {name3}, {name4}, {name5}, {name6}.
The towns are {home}, {home2}, {home3}, {home4}. We sell a {item}, a {item2}, a {item3}. Again, the towns are {home}, {home2}, {home3}, {home4}. We sell a {item}, a {item2}, a {item3}.
My order number is {order}. {fact} Your order number is {order}. {fact} Yes, order {order} is on its way.
I am {name} and this is order {order}. {name} has order {order}. So order {order} is on its way to {name}. My name is {name2} and I want order {order2}. {name2} will have order {order2}.
{fact} {fact} {fact} {fact} {fact} {fact}
{opposite} {opposite} {calendar} {calendar} {calendar} {calendar} {translate}
{add} {add} {add} {add} {add} {count} {count}
{translate} {translate} {translate} {colour} {sound} {capital}
This is the {shop} shop. {opening_hours} {opening_hours} {return_item} {blurb} Thank you for visiting the {shop} shop.
{story} {sound} {opening_hours} {calendar}
""", "zh": """
这位是{name}，住在{home}。{name}喜欢吃{dish}。{name}的订单号是{order}。{fact}所以{name}住在{home}，喜欢吃{dish}，订单号是{order}。
我叫{name}。我住在{home}。我喜欢吃{dish}。我想买{wish}。{fact}再说一次，我叫{name}，我住在{home}，我喜欢吃{dish}，我想买{wish}。
订单{order}是{name}的。订单{order2}是{name2}的。订单{order3}是{name3}的。对，{name2}的订单是{order2}，{name3}的订单是{order3}，{name}的订单是{order}。
{name}喜欢{dish}，{name2}喜欢{dish2}，{name3}喜欢{dish3}。{fact}把{dish3}给{name3}，把{dish}给{name}，把{dish2}给{name2}。
名单是：{name}，{item}，{order}，{name2}，{home}，{dish}，{shop}。再说一次，名单是：{name}，{item}，{order}，{name2}，{home}，{dish}，{shop}。
名字有：{name}，{name2}，{name3}，{name4}，{name5}，{name6}。再说一次，名字有：{name}，{name2}，{name3}，{name4}，{name5}，{name6}。
地方有：{home}，{home2}，{home3}，{home4}。商店有：{item}，{item2}，{item3}。再说一次，地方有：{home}，{home2}，{home3}，{home4}。商店有：{item}，{item2}，{item3}。
我的订单号是{order}。{fact}你的订单号是{order}。{fact}对，订单{order}已经发货。
我叫{name}，这是订单{order}。{name}的订单是{order}，所以{name}的订单{order}已经发货。我叫{name2}，我要订单{order2}。{name2}的订单是{order2}。
{fact}{fact}{fact}{fact}{fact}{fact}
{opposite}{opposite}{calendar}{calendar}{calendar}{calendar}{translate}
{add}{add}{add}{add}{add}{count}{count}
{translate}{translate}{translate}{colour}{sound}{capital}
这里是{shop}商店。{opening_hours}{opening_hours}{return_item}{blurb}谢谢光临{shop}商店。
{story}{sound}{opening_hours}{calendar}
"""}

# --- The world: open slots are composed, so that a value has to be copied and cannot be learned by heart ---
def compose(*parts: str, between: str = "") -> list[str]:
    """`compose("red blue", "cup hat", between=" ")` is `["red cup", "red hat", "blue cup", "blue hat"]`."""
    return [between.join(words) for words in itertools.product(*(part.split() for part in parts))]


FIRST_NAMES = """Adam Agnes Albert Alex Alice Amy Andrew Anita Anna Arthur Ben Betty Bob Brian Bruce Carl Carmen Chris Clara
Daisy Daniel David Diana Dora Edith Edward Elena Ellen Emily Emma Eric Erik Ethan Eva Felix Flora Frank Fred George Gina
Grace Greta Hanna Harry Hector Helen Henry Hugo Ida Irene Isaac Ivan Jack James Jane Jason Jenny Joan John Jordan Julia
Karen Karl Kate Kevin Kim Laura Leo Lewis Lily Linda Lisa Louis Lucy Luke Marco Maria Mark Martin Mary Max Megan Mia
Michael Mike Mira Nancy Nathan Nick Nina Noah Nora Oliver Olga Oscar Owen Pablo Paul Peter Philip Rachel Ray Rita Robert
Roger Rosa Ruth Ryan Sally Sam Sandra Sara Scott Simon Sofia Sophie Stella Steve Susan Tara Ted Theo Thomas Tim Tina Toby
Tom Tony Vera Victor Wanda Walter Will Yvonne Zoe"""
LAST_NAMES = "Adams Baker Bell Carter Clarke Cooper Davis Evans Hughes Jones Lopez Morgan Parker Smith Turner Walker"
INVENTED = "Al Be Bo Ca Co Da El Fa Fe Ga Ha Hel Il Ja Ka Lo Ma Me Mi No Or Pa Re Ri Sa Si Ta Ve Wi Za", \
           "bin dan den dra fer kin lan les lia mina na nor ra rick ris ron ry son ton van win ya"
GIVEN = "小 家 志 国 春 海 云 安 文 雨 明 晓 思 子 建", "明 华 芳 伟 丽 军 敏 静 强 杰 娜 涛 玲 勇 艳 洋 梅 霞 波 雪"

POOLS = {"en": {
    "name": FIRST_NAMES.split() * 10 + compose(FIRST_NAMES, LAST_NAMES, between=" ") + compose(*INVENTED),
    "dish": compose("spicy sweet fried baked grilled cold fresh creamy roasted smoked steamed sour crispy salted warm",
                    "noodles soup rice salad pie fish chicken beef tofu beans potatoes pasta carrots mushrooms eggs",
                    between=" "),
    "place": compose("Oak River Stone Green Hill Lake Maple North South West Wood Rose Silver",
                     "ford ton field bridge port ville dale bury side mouth stead gate haven"),
    "item": compose("red blue green black white yellow brown pink purple grey",
                    "lamp cup bag hat coat chair table clock phone shirt bike kettle book ball pen box watch radio sofa",
                    between=" "),
    "shop": compose("Golden Happy Lucky Little Royal Sunny Quiet Merry",
                    "Fox Star Moon Leaf Lion Rose Panda Tiger Tulip Robin", between=" "),
}, "zh": {
    "name": compose("王 李 张 刘 陈 杨 赵 黄 周 吴 徐 孙 马 朱 胡 郭 何 林 罗 梁", *GIVEN),
    "dish": compose("红烧 清蒸 油炸 凉拌 麻辣 糖醋 香煎 爆炒 水煮 酸菜 蒜香 五香 铁板 家常 番茄",
                    "豆腐 鱼 牛肉 羊肉 鸡块 土豆 茄子 白菜 排骨 虾仁 蘑菇 面条 鸭腿 鸡蛋 豆角"),
    "place": compose("青 清 云 白 金 长 东 南 西 北 平 永 新 龙 石", "山 河 江 湖 溪 桥 林 泉 原 州", "市 镇"),
    "item": compose("红色 蓝色 绿色 黑色 白色 黄色 棕色 粉色 紫色 灰色",
                    "台灯 杯子 书包 帽子 外套 椅子 桌子 闹钟 手机 衬衫 单车 水壶 本子 皮球 钢笔 盒子 手表 音箱 沙发"),
    "shop": compose("金 银 红 蓝 白 大 小 快乐 幸福 阳光", "星 月 狮 鹿 熊猫 叶 花 鸟 船 树"),
}}
# With a digit twice, "what followed this digit?" has two answers: copying it takes another circuit, learned much later.
ORDER_NUMBERS = [str(number) for number in range(1_000, 10_000) if len(set(str(number))) == 4]
ALIASES = {"home": "place", "wish": "item", "hero": "name", "friend": "name", "number": "order"}  # same pool

WORDS = """cat 猫, dog 狗, bird 鸟, horse 马, cow 牛, sheep 羊, water 水, fire 火, tree 树, flower 花, sun 太阳, moon 月亮,
star 星星, rain 雨, snow 雪, wind 风, river 河, sea 海, door 门, book 书, milk 牛奶, tea 茶, bread 面包, apple 苹果, hand 手,
eye 眼睛, mother 妈妈, father 爸爸, friend 朋友, teacher 老师, school 学校, house 房子, car 汽车, table 桌子, happy 高兴,
red 红色, blue 蓝色, green 绿色, today 今天, tomorrow 明天"""
# Closed tables: the slots of a skill, then a row of them between every two commas.
TABLES = {"en": {
    "translate": ("english chinese", WORDS),
    "opposite": ("word other", """hot cold, big small, tall short, fast slow, new old, early late, rich poor, hard soft,
        happy sad, light dark, full empty, wet dry, open closed, up down, left right, good bad"""),
    "capital": ("country capital", """France Paris, Germany Berlin, Spain Madrid, Italy Rome, England London, Japan Tokyo,
        China Beijing, Russia Moscow, Egypt Cairo, Greece Athens, Poland Warsaw, Norway Oslo"""),
    "sound": ("animal sound", """cat meow, dog woof, cow moo, sheep baa, duck quack, pig oink, bee buzz, frog croak,
        lion roar, mouse squeak, snake hiss"""),
    "colour": ("thing colour", """grass green, snow white, coal black, blood red, milk white, chocolate brown, gold yellow,
        rice white, ice blue, cheese yellow"""),
    "opening_hours": ("section opens closes", "toy 9 6, book 8 7, food 7 9, shoe 10 8, garden 8 5, music 10 6, phone 9 7"),
}, "zh": {
    "translate": ("english chinese", WORDS),
    "opposite": ("word other", """热 冷, 大 小, 高 低, 长 短, 快 慢, 新 旧, 多 少, 早 晚, 黑 白, 上 下, 左 右, 前 后, 开 关,
        进 出, 胖 瘦, 远 近"""),
    "capital": ("country capital", """中国 北京, 法国 巴黎, 德国 柏林, 英国 伦敦, 日本 东京, 俄国 莫斯科, 韩国 首尔, 泰国 曼谷,
        埃及 开罗, 希腊 雅典, 美国 华盛顿, 意大利 罗马"""),
    "sound": ("animal sound", """猫 喵喵, 狗 汪汪, 牛 哞哞, 羊 咩咩, 鸭 嘎嘎, 鸡 叽叽, 青蛙 呱呱, 蜜蜂 嗡嗡, 猪 哼哼,
        老鼠 吱吱, 狼 嗷嗷"""),
    "colour": ("thing colour", """草 绿色, 雪 白色, 煤 黑色, 血 红色, 牛奶 白色, 巧克力 棕色, 金子 黄色, 天空 蓝色, 海水 蓝色,
        香蕉 黄色"""),
    "opening_hours": ("section opens closes", "玩具 9 6, 图书 8 7, 食品 7 9, 鞋子 10 8, 园艺 8 5, 音乐 10 6, 手机 9 7"),
}}
DAYS = {"en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
        "zh": compose("星期", "一 二 三 四 五 六 日")}
MONTHS = {"en": "January February March April May June July August September October November December".split(),
          "zh": compose("一 二 三 四 五 六 七 八 九 十 十一 十二", "月")}
CALENDAR = {"en": ({"day": DAYS["en"], "month": MONTHS["en"]}, ("before", "after"), ", "),
            "zh": ({"天": DAYS["zh"], "个月": MONTHS["zh"]}, ("前", "后"), "，")}

# The skills that ask for a fact, and which talk belongs to which scene; some come twice as often.
RECALLS = {"name": ["ask_name"], "dish": ["ask_dish"], "home": ["ask_home"], "wish": ["ask_wish"],
           "order": ["ask_order", "order_status"]}
SERVICE = ["opening_hours", "opening_hours", "refund", "return_item", "change_address", "complaint"]
FACTUAL = ["capital", "sound", "colour", "add"] + ["calendar", "opposite", "count", "add", "translate"] * 2
SMALL_TALK = ["who_are_you", "thanks", "refuse"]
FREE_TEXT = {"story": ("hero", "animal"), "blurb": ("item",)}  # marked by what they must contain, not word by word
