"""The built-in conversations: a seeded grammar of English and Chinese chats and plain documents, so that
the default run needs no download.

    python demo_data.py --count 5                          # print some training conversations
    python demo_data.py --count 5 --split validation --lang zh
    python demo_data.py --count 5 --documents --json       # pretraining text, one JSON object per line

Three scenes: customer service, everyday chat, text generation. The answer is a function of the history
(one phrasing per skill), so a held-out conversation can be marked right or wrong. Left out on purpose: real
knowledge, arithmetic beyond small sums, facts that are corrected later, and any choice among phrasings of an
answer except in stories and blurbs. It tests the pipeline, not intelligence.
"""
import argparse
import itertools
import json
import random
import re
import zlib
from collections.abc import Iterator
from typing import NamedTuple

# --- The grammar: what people ask, what the assistant answers -------------------------------------------
# "skill => answer", then the wordings of the question between slashes; "~" lines are wordings that occur in
# validation only. [a|b] is either a or b; {slot} is filled from the world below. An English slot always
# follows a space and never opens a message, so that it is cut into the same pieces in question and answer.
GRAMMAR = {"en": """
tell_name => Nice to meet you, {name}.
    My name is {name}. / I am {name}. / I'm {name}. / Call me {name}. / [You can|Please] call me {name}.
    [Hello|Hi], [my name is|I am|I'm] {name}. / The name is {name}.
  ~ Hello, you can call me {name}. / Hello, the name is {name}.
ask_name => Your name is {name}.
    What is my name? / What's my name? / Do you [know|remember] my name? / Tell me my name.
    [Can you|Please] tell me my name. / Who am I?
  ~ Can you remember my name? / Please say my name.
tell_dish => Good to know that you love {dish}.
    I [love|like] {dish}. / My favo[u|]rite [dish|food] is {dish}. / I [love|like] to eat {dish}.
    The [dish|food] I [like|love] best is {dish}.
  ~ The food I love to eat is {dish}. / Best of all I love {dish}.
ask_dish => Your favourite dish is {dish}.
    What is my favo[u|]rite [dish|food]? / What do I [love|like] to eat? / Do you [know|remember] what I [love|like] to eat?
    Tell me my favo[u|]rite [dish|food]. / Which [dish|food] do I [like|love] best?
  ~ Do you remember my favourite dish? / What food do I love?
tell_home => So your home is in {home}.
    I live in {home}. / I am from {home}. / I come from {home}. / My home is in {home}. / My home town is {home}.
    I live in a house in {home}. / I'm from {home}.
  ~ I have a home in {home}. / The town I live in is {home}.
ask_home => You live in {home}.
    Where do I live? / Where am I from? / Where is my home? / Do you [know|remember] where I live?
    Which town do I live in? / Tell me where I live. / What is my home town?
  ~ Can you tell me where I live? / Which town am I from?
tell_wish => We will look for the {wish}.
    I want to buy a {wish}. / I would like to buy a {wish}. / I want a {wish}. / I wish for a {wish}.
    I am looking for a {wish}. / My wish is a {wish}. / I'd like to have a {wish}.
  ~ I would like to have a {wish}. / I am here to buy a {wish}.
ask_wish => You want the {wish}.
    What do I want[| to buy]? / What did I want to buy? / What is my wish? / What am I looking for?
    Do you [know|remember] what I want? / Tell me what I want to buy. / Which thing do I want?
  ~ Do you remember my wish? / What would I like to buy?
tell_order => Thank you, I have your order number {order}.
    My order number is {order}. / The number of my order is {order}. / My order has the number {order}.
    It is about order {order}. / I [have a question|am writing] about order {order}. / My order is number {order}.
  ~ I am here about order {order}. / The order number is {order}.
ask_order => Your order number is {order}.
    What is my order number? / What was my order number? / Do you [know|remember] my order number?
    Tell me my order number. / What is the number of my order? / Can you tell me my order number?
  ~ Which number does my order have? / Please tell me the number of my order.
order_status => Your order {order} is on its way.
    Where is my order? / Is my order on its way? / When will my order [come|arrive]? / What is the status of my order?
    Has my order been sent? / How is my order doing? / Did you send my order?
  ~ Where is my order now? / What about the status of my order?
refund => I will refund the {item} from order {number}.
    I want a refund for the {item} from order {number}. / Please refund the {item} from order {number}.
    Can I get a refund for the {item} from order {number}? / I want my money back for the {item} from order {number}.
    [Please give|Give] me my money back for the {item} from order {number}. / Refund the {item} from order {number}.
  ~ I would like a refund for the {item} from order {number}. / Can you refund the {item} from order {number}?
return_item => You can return the {item} within 30 days.
    Can I return the {item}? / May I [return|bring back] the {item}? / How can I return the {item}?
    How long can I return the {item}? / I do not like the {item}, can I return it? / I want to return the {item}.
  ~ How do I return the {item}? / I would like to return the {item}.
change_address => Done, your order will go to {place}.
    Please send my order to {place}. / Send my order to {place}. / My new address is in {place}.
    Please change my address to {place}. / I want my order to go to {place}. / Can you send my order to {place}?
  ~ Change the address of my order to {place}. / My order must go to {place}.
complaint => I am sorry, we will replace the {item}.
    The {item} is broken. / The {item} I got is broken. / The {item} does not work. / My new {item} is broken.
    I am not happy with the {item}. / The {item} arrived broken. / There is something wrong with the {item}.
  ~ I am sad, the {item} is broken. / My new {item} does not work.
opening_hours => On {day} the {section} section is open from {opens} am to {closes} pm.
    When is the {section} section open on {day}? / When can I visit the {section} section on {day}?
    What are the hours of the {section} section on {day}? / How long is the {section} section open on {day}?
    Is the {section} section open on {day}? / Tell me the hours of the {section} section on {day}.
  ~ On {day}, when is the {section} section open? / Can I visit the {section} section on {day}?
which_shop => This is the {shop} shop.
    Which shop is this? / What is this shop called? / What is the name of this shop? / Which shop are you from?
    Where am I shopping? / Which shop am I talking to? / What is the name of your shop?
  ~ What is your shop called? / Tell me the name of this shop.
greeting => Hello! How can I help you?
    Hello! / Hi! / Hello. / Hi. / Hi there! / Good morning! / Good evening! / Good afternoon! / Hey! / Hello, how are you?
  ~ Hello there! / Hey there!
who_are_you => I am Zero, a small chat model.
    Who are you? / What is your name? / What are you? / What are you called? / Tell me your name.
    Who am I talking to? / Are you a robot? / Do you have a name?
  ~ Tell me who you are. / Please tell me your name.
thanks => You are welcome.
    Thank you. / Thanks. / Thank you very much. / Thanks a lot. / Great, thank you. / Thank you for your help. / Many thanks.
  ~ Great, thanks. / Thanks for your help.
capital => The capital of {country} is {capital}.
    What is the capital of {country}? / What's the capital of {country}? / Which city is the capital of {country}?
    Tell me the capital of {country}. / Name the capital of {country}. / Do you know the capital of {country}?
  ~ What city is the capital of {country}? / Please tell me the capital of {country}.
sound => The {animal} says {sound}.
    What does the {animal} say? / What sound does the {animal} make? / Which sound does the {animal} make?
    How does the {animal} sound? / Tell me the sound of the {animal}. / What is the sound of the {animal}?
  ~ Do you know what the {animal} says? / Which sound is made by the {animal}?
colour => The usual colour of {thing} is {colour}.
    What colo[u|]r is {thing}? / Which colo[u|]r is {thing}? / Which colo[u|]r does {thing} have? / Tell me the colo[u|]r of {thing}.
    What is the colo[u|]r of {thing}? / Do you know the colo[u|]r of {thing}?
  ~ Name the colour of {thing}. / What colour does {thing} have?
calendar => The {unit} {side} {point} is {neighbour}.
    Which {unit} comes {side} {point}? / What {unit} comes {side} {point}? / What is the {unit} {side} {point}?
    Which {unit} is {side} {point}? / Tell me the {unit} {side} {point}. / Name the {unit} {side} {point}.
  ~ What {unit} is {side} {point}? / Do you know the {unit} {side} {point}?
opposite => The opposite of {word} is {other}.
    What is the opposite of {word}? / What's the opposite of {word}? / Which word is the opposite of {word}?
    Tell me the opposite of {word}. / Name the opposite of {word}. / Do you know the opposite of {word}?
  ~ What word is the opposite of {word}? / Please tell me the opposite of {word}.
count => Here you go: {first}, {numbers}.
    Count from {first} to {last}. / Please count from {first} to {last}. / Can you count from {first} to {last}?
    Count up from {first} to {last}. / Say the numbers from {first} to {last}. / Which numbers go from {first} to {last}?
  ~ Tell me the numbers from {first} to {last}. / Please say the numbers from {first} to {last}.
add => We get {a} + {b} = {total}.
    What is {a} + {b}? / What is {a} plus {b}? / How much is {a} + {b}? / How much is {a} plus {b}?
    Add {a} and {b}. / Tell me {a} + {b}. / What is the sum of {a} and {b}?
  ~ Please add {a} and {b}. / Tell me the sum of {a} and {b}.
translate => In Chinese, {english} is {chinese}.
    How do you say {english} in Chinese? / What is {english} in Chinese? / Say {english} in Chinese.
    What does {english} mean in Chinese? / Translate {english} into Chinese. / Tell me the Chinese word for {english}.
  ~ How do I say {english} in Chinese? / What is the Chinese word for {english}?
refuse => I am sorry, that is something I can't do.
    What is the weather in {place}[| today| now]? / Will it rain in {place}[| today| tomorrow]? / How is the weather today?
    Book a [flight|hotel] in {place}[| for me]. / [Please|Can you] book me a flight to {place}? / Call {friend} for me.
    Write [me some code|a program for me]. / What is the share price of {shop}? / What is the news in {place} today?
  ~ Please book a hotel in {place}. / How is the weather in {place}? / Tell me the share price of {shop}.
story => {hero} was walking by the [river|lake|road] and saw a little {animal}. The {animal} was lost and cold. So {hero} took the {animal} home, and they became friends.
    Write a [|short ]story about {hero} and a little {animal}. / Tell me a [|short ]story about {hero} and a little {animal}.
    I want [to hear |]a story about {hero} and a little {animal}.
  ~ Please tell me a story about {hero} and a little {animal}. / Can you write a story about {hero} and a little {animal}?
blurb => Meet our new {item}! It is [strong|light|simple] and easy to use. Take the {item} home today!
    Write [an ad|a blurb|a short text] for the {item}. / Please write [an ad|a blurb|a short text] for the {item}.
    How would you sell the {item}? / Help me sell the {item}.
  ~ I want an ad for the {item}. / Can you write a blurb for the {item}?
""", "zh": """
tell_name => 很高兴认识你，{name}。
    我叫{name}。 / 我是{name}。 / 我的名字叫{name}。 / 我的名字是{name}。 / 你好，我[叫|是]{name}。 / 请叫我{name}。 / 你可以叫我{name}。
  ~ 你好，我的名字叫{name}。 / 你好，请叫我{name}。
ask_name => 你的名字是{name}。
    我叫什么？ / 我叫什么名字？ / 我的名字是什么？ / 你[记得|知道]我的名字吗？ / 你[记得|知道]我叫什么吗？ / 告诉我我的名字。 / 我是谁？
  ~ 你还记得我叫什么名字吗？ / 请告诉我我的名字。
tell_dish => 记住了，你喜欢吃{dish}。
    我[最|很|]喜欢吃{dish}。 / 我最喜欢的菜是{dish}。 / 我最爱吃{dish}。 / 我爱吃的菜是{dish}。 / 我喜欢的食物是{dish}。
  ~ 我喜欢吃的菜是{dish}。 / 我最爱吃的食物是{dish}。
ask_dish => 你最喜欢的菜是{dish}。
    我[最喜欢|喜欢|最爱]吃什么？ / 我最喜欢的[菜|食物]是什么？ / 你[还记得|知道]我喜欢吃什么吗？ / 告诉我我最喜欢的菜。 / 我爱吃什么菜？
  ~ 你还记得我最爱吃什么吗？ / 请告诉我我最喜欢的菜。
tell_home => 原来你的家在{home}。
    我住在{home}。 / 我家在{home}。 / 我来自{home}。 / 我的家在{home}。 / 我的家乡是{home}。 / 我现在住在{home}。 / 我是从{home}来的。
  ~ 我现在的家在{home}。 / 我的家乡在{home}。
ask_home => 你住在{home}。
    我住在哪里？ / 我家在哪里？ / 我来自哪里？ / 我的家乡是哪里？ / 你[记得|知道]我住在哪里吗？ / 告诉我我住在哪里。 / 我是从哪里来的？
  ~ 你还记得我家在哪里吗？ / 请告诉我我住在哪里。
tell_wish => 好的，我们帮你找{wish}。
    我想买{wish}。 / 我要买{wish}。 / 我想要{wish}。 / 我的愿望是{wish}。 / 我在找{wish}。 / 我很想要{wish}。 / 请帮我找{wish}。
  ~ 你好，我想买{wish}。 / 请帮我买{wish}。
ask_wish => 你想要的是{wish}。
    我想[买|要]什么？ / 我要买什么？ / 我的愿望是什么？ / 我在找什么？ / 你[记得|知道]我想[买|要]什么吗？ / 告诉我我想买什么。
  ~ 你还记得我的愿望吗？ / 请告诉我我要买什么。
tell_order => 谢谢，订单号{order}已记下。
    我的订单号是{order}。 / 我的订单号码是{order}。 / 我要问订单{order}。 / 我的订单是{order}。 / 订单号是{order}。 / 你好，我的订单号是{order}。 / 我想问订单{order}。
  ~ 你好，我要问订单{order}。 / 订单号码是{order}。
ask_order => 你的订单号是{order}。
    我的订单号是什么？ / 我的订单号是多少？ / 我的订单号码是多少？ / 你[还记得|知道]我的订单号吗？ / 告诉我我的订单号。 / 订单号是多少？
  ~ 你记得我的订单号吗？ / 请告诉我我的订单号。
order_status => 你的订单{order}已经发货。
    我的订单发货了吗？ / 我的订单到哪里了？ / 订单现在到哪里了？ / 我的订单怎么样了？ / 我的订单什么时候到？ / 请查一下我的订单。 / 订单发货了吗？
  ~ 我的订单现在怎么样了？ / 请问我的订单发货了吗？
refund => 好的，订单{number}的{item}可以退款。
    订单{number}的{item}我要退款。 / 我要退款，订单{number}的{item}。 / 请给订单{number}的{item}退款。 / 订单{number}的{item}能退款吗？
    我想给订单{number}的{item}退款。 / 请退款，订单{number}的{item}。
  ~ 你好，订单{number}的{item}我要退款。 / 请问订单{number}的{item}能退款吗？
return_item => 可以，{item}三十天内都能退货。
    {item}可以退货吗？ / {item}能退货吗？ / 我想退货，{item}。 / 请问{item}可以退货吗？ / {item}怎么退货？ / 我不喜欢{item}，可以退货吗？
  ~ 请问{item}怎么退货？ / 你好，{item}能退货吗？
change_address => 好的，订单会送到{place}。
    请把订单送到{place}。 / 请把地址改成{place}。 / 我的新地址是{place}。 / 我要把地址改成{place}。 / 订单请送到{place}。 / 能把订单送到{place}吗？
  ~ 能把地址改成{place}吗？ / 我想把订单送到{place}。
complaint => 对不起，我们会换新的{item}。
    {item}坏了。 / 我的{item}坏了。 / 我买的{item}坏了。 / 你们的{item}不能用。 / 收到的{item}是坏的。 / 我对{item}不满意。 / 新买的{item}不能用。
  ~ 我收到的{item}坏了。 / 我买的{item}不能用。
opening_hours => {day}{section}区从上午{opens}点开到下午{closes}点。
    {day}{section}区几点开门？ / {day}{section}区开到几点？ / 请问{day}{section}区几点开门？ / {day}{section}区的营业时间是什么？
    {day}{section}区开门吗？ / 请说出{day}{section}区的营业时间。
  ~ 请问{day}{section}区开到几点？ / 请告诉我{day}{section}区的营业时间。
which_shop => 这里是{shop}商店。
    这是什么商店？ / 这是哪家商店？ / 这家商店叫什么？ / 你是哪家商店的？ / 你们商店叫什么名字？ / 这里是哪家商店？ / 商店的名字是什么？
  ~ 请问这是哪家商店？ / 你们是哪家商店？
greeting => 你好！有什么可以帮你？
    你好！ / 你好。 / 您好！ / 早上好！ / 晚上好！ / 下午好！ / 嗨！ / 你好，你好吗？ / 你好啊！
  ~ 您好啊！ / 嗨，你好！
who_are_you => 我叫小零，是一个小小的聊天模型。
    你是谁？ / 你叫什么？ / 你叫什么名字？ / 你的名字是什么？ / 请介绍一下你自己。 / 你是机器人吗？ / 你有名字吗？
  ~ 请问你是谁？ / 请问你叫什么名字？
thanks => 不客气。
    谢谢。 / 谢谢你。 / 谢谢你的帮助。 / 多谢。 / 非常感谢。 / 好的，谢谢。 / 太好了，谢谢你。
  ~ 好的，谢谢你。 / 非常感谢你的帮助。
capital => {country}的首都是{capital}。
    {country}的首都是哪里？ / {country}的首都在哪里？ / {country}的首都是哪个城市？ / 告诉我{country}的首都。 / 你知道{country}的首都吗？ / {country}首都是哪里？
  ~ 请问{country}的首都是哪里？ / 请告诉我{country}的首都。
sound => {animal}的叫声是{sound}。
    {animal}怎么叫？ / {animal}的叫声是什么？ / {animal}是怎么叫的？ / 请说出{animal}的叫声。 / 你知道{animal}怎么叫吗？ / 你知道{animal}的叫声吗？
  ~ 请问{animal}怎么叫？ / 请告诉我{animal}的叫声。
colour => {thing}一般是{colour}的。
    {thing}是什么颜色的？ / {thing}是什么颜色？ / {thing}的颜色是什么？ / 请说出{thing}的颜色。 / 你知道{thing}的颜色吗？ / {thing}有什么颜色？
  ~ 请问{thing}是什么颜色的？ / 请告诉我{thing}的颜色。
calendar => {point}的{side}一{unit}是{neighbour}。
    {point}的{side}一{unit}是什么？ / {point}的{side}一{unit}是哪{unit}？ / 告诉我{point}的{side}一{unit}。 / 请说出{point}的{side}一{unit}。 / 你知道{point}的{side}一{unit}吗？ / {point}{side}一{unit}是什么？
  ~ 请问{point}的{side}一{unit}是什么？ / 请告诉我{point}的{side}一{unit}。
opposite => “{word}”的反义词是“{other}”。
    “{word}”的反义词是什么？ / “{word}”的反义词是哪个？ / 告诉我“{word}”的反义词。 / 你知道“{word}”的反义词吗？ / “{word}”的反面是什么？ / 哪个词和“{word}”相反？
  ~ 请问“{word}”的反义词是什么？ / 请告诉我“{word}”的反义词。
count => 好的：{first}，{numbers}。
    从{first}数到{last}。 / 请从{first}数到{last}。 / 你能从{first}数到{last}吗？ / 请你从{first}数到{last}。 / 帮我从{first}数到{last}。 / 数一数，从{first}到{last}。
  ~ 请帮我从{first}数到{last}。 / 你会从{first}数到{last}吗？
add => 答案是{a}+{b}={total}。
    {a}+{b}等于几？ / {a}+{b}是多少？ / {a}加{b}等于几？ / {a}加{b}是多少？ / {a}+{b}=？ / 请算一下{a}+{b}。 / {a}和{b}加起来是多少？
  ~ 请问{a}加{b}等于几？ / 请算一下{a}加{b}。
translate => “{chinese}”的英语是 {english}。
    “{chinese}”用英语怎么说？ / “{chinese}”的英语是什么？ / “{chinese}”的英文怎么说？ / 请把“{chinese}”翻译成英语。 / 用英语说“{chinese}”。 / 你知道“{chinese}”的英语吗？
  ~ 请问“{chinese}”用英语怎么说？ / 请告诉我“{chinese}”的英语。
refuse => 对不起，这件事我做不到。
    {place}[今天|明天|现在]天气怎么样？ / {place}明天会下雨吗？ / 今天天气怎么样？ / 帮我订一张去{place}的机票。 / 请帮我订{place}的酒店。 / 帮我打电话给{friend}。
    [帮我|请]写一段代码。 / {shop}的股价是多少？ / {place}今天有什么新闻？
  ~ 请问{place}今天天气怎么样？ / 请帮我订一张去{place}的机票。 / 请问{shop}的股价是多少？
story => {hero}在[河边|湖边|路边]走，看到一只小{animal}。小{animal}又冷又饿。{hero}把小{animal}带回家，它们成了好朋友。
    写一个{hero}和小{animal}的故事。 / 讲一个{hero}和小{animal}的故事。 / 请[写|讲]一个{hero}和小{animal}的故事。 / 我想听{hero}和小{animal}的故事。 / 给我讲讲{hero}和小{animal}的故事。
  ~ 请给我讲一个{hero}和小{animal}的故事。 / 帮我写一个{hero}和小{animal}的故事。
blurb => 快来看看新到的{item}！[又好看|又结实|又便宜]，用起来很方便。今天就把{item}带回家吧！
    为{item}写一段广告。 / 请为{item}写一段广告。 / 写一段{item}的广告。 / 给{item}写一句广告。 / 帮我介绍一下{item}。 / 请写一段{item}的介绍。
  ~ 请帮我为{item}写一段广告。 / 帮我写一段{item}的介绍。
"""}

SYSTEM = {"en": ("You are a helpful assistant.", "You work for the {shop} shop."),
          "zh": ("你是一个有用的助手。", "你是{shop}商店的客服。")}

# Plain text of the same world. A slot may be a skill, and then stands for one of its answers; {fact} is any
# skill of knowledge. Each value comes twice, because repeating is what recalling is later made of.
DOCUMENTS = {"en": """
This is {name} from {home}. The favourite dish of {name} is {dish}. The order number of {name} is {order}. {fact} So {name} lives in {home}, loves {dish} and has the order number {order}.
My name is {name}. I live in {home} and I love {dish}. I want to buy a {wish}. {fact} My home is in {home}, my name is {name}, my wish is a {wish} and my favourite dish is {dish}.
We have order {order} for {name}, a {wish}. We have order {number} for {friend}, a {item}. {fact} We send the {wish}, order {order}, to {name} and the {item}, order {number}, to {friend}.
The list says {name}, {dish}, {order}, {friend}, {home}, {item}. The list again: {name}, {dish}, {order}, {friend}, {home}, {item}.
{fact} {fact} {fact} {fact} {fact} {fact}
{opposite} {opposite} {calendar} {calendar} {calendar} {translate} {translate}
{add} {add} {add} {add} {add} {add} {count}
{translate} {translate} {translate} {translate} {colour} {sound}
{story} {sound} {fact}
This is the {shop} shop. {opening_hours} {return_item} {blurb} Thank you for visiting the {shop} shop.
""", "zh": """
这位是{name}，住在{home}。{name}最喜欢的菜是{dish}。{name}的订单号是{order}。{fact}住在{home}的{name}喜欢吃{dish}，订单号是{order}。
我叫{name}。我住在{home}，我最喜欢吃{dish}。我想买{wish}。{fact}我的家在{home}，我的名字是{name}，我想要的是{wish}，我最喜欢的菜是{dish}。
订单{order}是{name}的{wish}。订单{number}是{friend}的{item}。{fact}我们把订单{order}的{wish}送给{name}，把订单{number}的{item}送给{friend}。
名单：{name}，{dish}，{order}，{friend}，{home}，{item}。再说一次：{name}，{dish}，{order}，{friend}，{home}，{item}。
{fact}{fact}{fact}{fact}{fact}{fact}
{opposite}{opposite}{calendar}{calendar}{calendar}{translate}{translate}
{add}{add}{add}{add}{add}{add}{count}
{translate}{translate}{translate}{translate}{colour}{sound}
{story}{sound}{fact}
这里是{shop}商店。{opening_hours}{return_item}{blurb}谢谢光临{shop}商店。
"""}

# --- The world: open slots are composed, so that a value has to be copied and cannot be learned by heart ---
def compose(*parts: str, between: str = "") -> list[str]:
    """`compose("red blue", "cup hat", between=" ")` is `["red cup", "red hat", "blue cup", "blue hat"]`."""
    return [between.join(words) for words in itertools.product(*(part.split() for part in parts))]


REAL_NAMES = """Alice Amy Andrew Anna Ben Carl Clara Daniel David Dora Emma Eric Eva Felix Frank George Grace Greta Hanna
Harry Helen Henry Hugo Ida Jack James Jane Jenny John Julia Karl Kate Kevin Laura Leo Lily Linda Lisa Lucy Luke Maria
Mark Martin Mary Max Mia Mike Nina Nora Olga Oscar Paul Peter Rita Robert Rosa Ruth Sam Sara Simon Sofia Sophie Stella
Steve Susan Tara Theo Thomas Tim Tina Tom Vera Victor Walter Will Zoe"""
REAL_PLACES = {"en": "London Paris Berlin Madrid Rome Boston Chicago Beijing Shanghai Tokyo",
               "zh": "北京 上海 广州 深圳 杭州 南京 成都 武汉 西安 重庆"}
GIVEN = "明 华 芳 伟 丽 军 敏 静 强 杰 娜 涛 玲 勇 艳 洋 梅 霞 波 雪 文 雨 小 家 志 国 春 海 云 安"

POOLS = {"en": {
    "name": REAL_NAMES.split() + compose("Al Bel Cor Da El Fa Ga Ha Jo Ka La Lo Mi Ne Or Pe Ra Ro Sa Se Ta To Va Vi",
                                         "bin dan den dra ger lan lia lin mina na nor ra rian ron sa ton van ven"),
    "dish": compose("spicy sweet fried baked grilled cold fresh creamy roasted smoked steamed sour crispy salted warm",
                    "noodles soup rice salad pie fish chicken beef tofu beans potatoes pasta carrots mushrooms eggs",
                    between=" "),
    "place": REAL_PLACES["en"].split() + compose("Oak River Stone Green Hill Lake Maple North South West Wood Rose Silver",
                                                 "ford ton field bridge port ville dale bury side mouth stead gate haven"),
    "item": compose("red blue green black white yellow brown pink purple grey",
                    "lamp cup bag hat coat chair table clock phone shirt bike kettle book ball pen box watch radio sofa",
                    between=" "),
    "shop": compose("Golden Happy Lucky Little Royal Sunny Quiet Merry",
                    "Fox Star Moon Leaf Lion Rose Panda Tiger Tulip Robin", between=" "),
}, "zh": {
    "name": compose("王 李 张 刘 陈 杨 赵 黄 周 吴 徐 孙 马 朱 胡 郭 何 林 罗 梁", GIVEN, GIVEN),
    "dish": compose("红烧 清蒸 油炸 凉拌 麻辣 糖醋 香煎 爆炒 水煮 酸菜 蒜香 五香 铁板 家常 番茄",
                    "豆腐 鱼 牛肉 羊肉 鸡块 土豆 茄子 白菜 排骨 虾仁 蘑菇 面条 鸭腿 鸡蛋 豆角"),
    "place": REAL_PLACES["zh"].split() + compose("青 清 云 白 金 长 东 南 西 北 平 永 新 龙 石", "山 河 江 湖 溪 桥 林 泉 原 州", "市 镇"),
    "item": compose("红色 蓝色 绿色 黑色 白色 黄色 棕色 粉色 紫色 灰色",
                    "台灯 杯子 书包 帽子 外套 椅子 桌子 闹钟 手机 衬衫 单车 水壶 本子 皮球 钢笔 盒子 手表 音箱 沙发"),
    "shop": compose("金 银 红 蓝 白 大 小 快乐 幸福 阳光", "星 月 狮 鹿 熊猫 叶 花 鸟 船 树"),
}}
ALIASES = {"home": "place", "wish": "item", "hero": "name", "friend": "name", "number": "order"}  # drawn from the same pool

# Closed tables: "English Chinese" or "question answer" pairs between commas.
WORDS = """cat 猫, dog 狗, bird 鸟, horse 马, cow 牛, sheep 羊, water 水, fire 火, tree 树, flower 花, sun 太阳, moon 月亮,
star 星星, rain 雨, snow 雪, wind 风, river 河, sea 海, door 门, book 书, milk 牛奶, tea 茶, bread 面包, apple 苹果, hand 手,
eye 眼睛, mother 妈妈, father 爸爸, friend 朋友, teacher 老师, school 学校, house 房子, car 汽车, table 桌子, happy 高兴,
red 红色, blue 蓝色, green 绿色, today 今天, tomorrow 明天"""
OPPOSITES = {
    "en": """hot cold, big small, tall short, fast slow, new old, early late, rich poor, hard soft, happy sad, light dark,
             full empty, wet dry, open closed, up down, left right, good bad""",
    "zh": "热 冷, 大 小, 高 低, 长 短, 快 慢, 新 旧, 多 少, 早 晚, 黑 白, 上 下, 左 右, 前 后, 开 关, 进 出, 胖 瘦, 远 近"}
CAPITALS = {
    "en": """France Paris, Germany Berlin, Spain Madrid, Italy Rome, England London, China Beijing, Japan Tokyo, Russia Moscow,
             Egypt Cairo, Greece Athens, Poland Warsaw, Norway Oslo""",
    "zh": "中国 北京, 法国 巴黎, 德国 柏林, 英国 伦敦, 日本 东京, 俄国 莫斯科, 韩国 首尔, 泰国 曼谷, 埃及 开罗, 希腊 雅典, 美国 华盛顿, 意大利 罗马"}
SOUNDS = {
    "en": "cat meow, dog woof, cow moo, sheep baa, duck quack, pig oink, bee buzz, frog croak, lion roar, mouse squeak, snake hiss",
    "zh": "猫 喵喵, 狗 汪汪, 牛 哞哞, 羊 咩咩, 鸭 嘎嘎, 鸡 叽叽, 青蛙 呱呱, 蜜蜂 嗡嗡, 猪 哼哼, 老鼠 吱吱, 狼 嗷嗷"}
COLOURS = {
    "en": "grass green, snow white, coal black, blood red, milk white, chocolate brown, gold yellow, rice white, ice blue, cheese yellow",
    "zh": "草 绿色, 雪 白色, 煤 黑色, 血 红色, 牛奶 白色, 巧克力 棕色, 金子 黄色, 天空 蓝色, 海水 蓝色, 香蕉 黄色"}
DAYS = {"en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
        "zh": compose("星期", "一 二 三 四 五 六 日")}
MONTHS = {"en": "January February March April May June July August September October November December".split(),
          "zh": compose("一 二 三 四 五 六 七 八 九 十 十一 十二", "月")}
SECTIONS = "toy 玩具 9 6, book 图书 8 7, food 食品 7 9, shoe 鞋子 10 8, garden 园艺 8 5, music 音乐 10 6, phone 手机 9 7, sports 运动 9 8"


def table(text: str, *columns: str) -> list[dict[str, str]]:
    """`table("hot cold, big small", "word", "other")` is one dict of slots per row."""
    return [dict(zip(columns, row.split())) for row in text.split(",")]


def knowledge(lang: str) -> dict[str, list[dict[str, str]]]:
    """The skills whose slots come from a closed table, with every row of it."""
    units, sides = {"en": (("day", "month"), ("before", "after")), "zh": (("天", "个月"), ("前", "后"))}[lang]
    return {
        "capital": table(CAPITALS[lang], "country", "capital"),
        "sound": table(SOUNDS[lang], "animal", "sound"),
        "colour": table(COLOURS[lang], "thing", "colour"),
        "opposite": table(OPPOSITES[lang], "word", "other") + table(OPPOSITES[lang], "other", "word"),
        "calendar": [{"unit": unit, "side": side, "point": point, "neighbour": circle[(i + step) % len(circle)]}
                     for unit, circle in zip(units, (DAYS[lang], MONTHS[lang])) for i, point in enumerate(circle)
                     for side, step in zip(sides, (-1, 1))],
        "count": [{"first": str(a), "last": str(b), "numbers": {"en": ", ", "zh": "，"}[lang].join(map(str, range(a + 1, b + 1)))}
                  for a in range(1, 13) for b in range(a + 2, a + 8)],
        "add": [{"a": str(a), "b": str(b), "total": str(a + b)} for a in range(1, 11) for b in range(1, 11)],
        "translate": table(WORDS, "english", "chinese"),
        "opening_hours": [{**row, "day": day, "section": row[lang]} for row in table(SECTIONS, "en", "zh", "opens", "closes")
                          for day in DAYS[lang]],
        "story": [{"animal": row["animal"]} for row in table(SOUNDS[lang], "animal", "sound")],
    }


# --- How exchanges become conversations ------------------------------------------------------------------
FACTS = {"name": "ask_name", "dish": "ask_dish", "home": "ask_home", "wish": "ask_wish", "order": "ask_order order_status"}
FREE_TEXT = {"story": ("hero", "animal"), "blurb": ("item",)}  # marked by what they must contain, not word by word
SERVICE = ["refund", "return_item", "change_address", "complaint", "opening_hours"]
SMALL_TALK = ["who_are_you", "thanks", "refuse"]
FACTUAL = ["capital", "sound", "colour", "calendar", "calendar", "opposite", "opposite", "count", "add", "add", "translate", "translate"]
HELD_OUT_ONLY = 12  # one in so many names, dishes, places, items, shops and numbers occurs in validation only
HELD_OUT = 6        # one in so many slot combinations, and one in so many first prompts, is held out


class Skill(NamedTuple):
    answers: list[str]
    wordings: list[str]
    held_out_wordings: list[str]


def alternatives(pattern: str) -> list[str]:
    """`alternatives("[a|b] c")` is `["a c", "b c"]`."""
    pieces = [piece.split("|") for piece in re.split(r"[\[\]]", pattern)]
    return ["".join(choice) for choice in itertools.product(*pieces)]


def parse(grammar: str) -> dict[str, Skill]:
    skills = {}
    for line in grammar.strip().splitlines():
        if " => " in line:
            name, answer = line.split(" => ")
            skill = skills[name] = Skill(alternatives(answer), [], [])
        else:
            wordings = skill.held_out_wordings if line.startswith("  ~ ") else skill.wordings
            wordings += [wording for pattern in line[4:].split(" / ") for wording in alternatives(pattern.strip())]
    return skills


SKILLS = {lang: parse(grammar) for lang, grammar in GRAMMAR.items()}
KNOWLEDGE = {lang: knowledge(lang) for lang in GRAMMAR}


def one_in(n: int, text: str) -> bool:
    """True for one text in n: the same ones in every process, unlike `hash`."""
    return zlib.crc32(text.encode()) % n == 0


# Held-out values and wordings never occur in training, so train and validation draw from disjoint pools.
HELD_OUT_VALUES = {value for pools in POOLS.values() for pool in pools.values() for value in pool
                   if one_in(HELD_OUT_ONLY, value)}


def held_out_only(value: str) -> bool:
    is_number = len(value) == 5 and value.isdigit()
    return value in HELD_OUT_VALUES or is_number and one_in(HELD_OUT_ONLY, value)


def draw(slot: str, lang: str, rng: random.Random, novel: bool) -> str:
    """A value for an open slot; `novel` asks for one that training never sees."""
    pool = ALIASES.get(slot, slot)
    while True:
        value = str(rng.randrange(10_000, 100_000)) if pool == "order" else rng.choice(POOLS[lang][pool])
        if held_out_only(value) == novel:
            return value


def exchange(skill: str, lang: str, rng: random.Random, memory: dict, novel_values=False, novel_wording=False):
    """One question and its answer: (wording, answer template, slots). Slots in `memory` come from earlier turns."""
    answers, wordings, held_out_wordings = SKILLS[lang][skill]
    wording = rng.choice(held_out_wordings if novel_wording else wordings)
    answer = rng.choice(answers)
    known = memory | rng.choice(KNOWLEDGE[lang].get(skill, [{}]))
    names = dict.fromkeys(re.findall(r"{(\w+)}", wording + answer))  # ordered, each once
    return wording, answer, {name: known.get(name) or draw(name, lang, rng, novel_values) for name in names}


def plan(rng: random.Random, in_shop: bool) -> list[str]:
    """The skills of one conversation, in order."""
    if rng.random() < 0.5:  # facts, other talk, then questions about the facts, the farthest 6 turns back
        facts = rng.sample(sorted(FACTS), rng.choice((1, 1, 2, 3)))
        questions = rng.sample(facts, min(len(facts), rng.choice((1, 2))))
        between = rng.randint(0, rng.randint(0, 7 - len(facts) - len(questions)))
        skills = (["tell_" + fact for fact in facts] + rng.choices(FACTUAL + SMALL_TALK, k=between)
                  + [rng.choice(FACTS[fact].split()) for fact in questions])
    else:
        skills = rng.choices(SERVICE + FACTUAL + SMALL_TALK + list(FREE_TEXT), k=rng.choice((1, 1, 2, 2, 3)))
    if in_shop:
        skills.insert(rng.choice((0, len(skills))), "which_shop")
    if rng.random() < 0.1:
        skills.insert(0, "greeting")
    return skills


def side(key: str, is_new: bool, has_slots: bool) -> str:
    """Where a slot combination or a first prompt belongs; one without slots has to be learned, so it is training."""
    return "validation" if is_new or has_slots and one_in(HELD_OUT, key) else "train"


def converse(lang: str, rng: random.Random, novel_values: bool, novel_wordings: bool) -> tuple[dict, set[str]]:
    """A conversation, and the splits its slot combination and its first prompt belong to."""
    messages, slots, memory, told = [], [], {}, {}
    system = rng.choice(SYSTEM[lang]) if rng.random() < 0.1 else ""
    if system:
        memory = {"shop": draw("shop", lang, rng, novel_values)} if "{shop}" in system else {}
        messages.append({"role": "system", "content": system.format(**memory)})
    skills = plan(rng, in_shop="shop" in memory)
    for turn, skill in enumerate(skills):
        novel_wording = novel_wordings and rng.random() < 0.7
        wording, answer, values = exchange(skill, lang, rng, memory, novel_values, novel_wording)
        question = wording.format(**values)
        if turn == 0:
            opening_side = side(question, novel_wording or any(map(held_out_only, values.values())), bool(values))
        reply = {"role": "assistant", "content": answer.format(**values), "skill": skill}
        for slot in values:
            if skill.startswith("tell_"):
                memory[slot], told[slot] = values[slot], turn
            elif slot in told:
                reply["back"] = turn - told[slot]
        if skill in FREE_TEXT:
            reply["check"] = {"contains": [values[slot] for slot in FREE_TEXT[skill]],
                              "min_chars": {"en": 60, "zh": 20}[lang]}
        messages += [{"role": "user", "content": question}, reply]
        slots.append([skill, *values.values()])
    everything = [value for row in slots for value in row[1:]]
    combination_side = side(repr(sorted(slots)), any(map(held_out_only, everything)), bool(everything))
    chat = {"messages": messages, "lang": lang, "skill": "+".join(dict.fromkeys(skills)), "slots": slots}
    return chat, {opening_side, combination_side}


def conversations(count: int, seed: int = 0, split: str = "train", lang: str | None = None) -> Iterator[dict]:
    """Conversations `{"messages", "lang", "skill", "slots"}`; number i depends on (seed, split, lang, i) alone.

    An assistant message also has `skill`; `back`, where it recalls a fact, the number of turns since that was told;
    and `check` where the text is free: it must contain each of `contains` and have `min_chars` characters.
    """
    assert split in ("train", "validation"), split
    for i in range(count):
        rng = random.Random(f"{seed}-{split}-{i}")
        language = lang or ("en", "zh")[i % 2]
        # Half of the held-out conversations combine what training has seen; the others have new values or wordings.
        novel_values, novel_wordings = rng.choice([(False, False)] * 3 + [(True, False), (False, True), (True, True)])
        novel = (novel_values, novel_wordings) if split == "validation" else (False, False)
        sides = None
        while sides != {split}:
            chat, sides = converse(language, rng, *novel)
        yield chat


def documents(count: int, seed: int = 0, split: str = "train", lang: str | None = None) -> Iterator[dict]:
    """Plain text `{"text", "lang"}`; number i depends on (seed, split, lang, i) alone."""
    assert split in ("train", "validation"), split
    for i in range(count):
        rng = random.Random(f"document-{seed}-{split}-{i}")
        language = lang or ("en", "zh")[i % 2]
        novel = split == "validation" and rng.random() < 0.5
        values = {}

        def fill(match: re.Match) -> str:
            slot = rng.choice(FACTUAL) if match[1] == "fact" else match[1]
            if slot in SKILLS[language]:
                _, answer, slots = exchange(slot, language, rng, values, novel)
                return answer.format(**slots)
            return values.setdefault(slot, draw(slot, language, rng, novel))

        while True:
            values.clear()
            text = re.sub(r"{(\w+)}", fill, rng.choice(DOCUMENTS[language].strip().splitlines()))
            if one_in(HELD_OUT, text) == (split == "validation"):
                break
        yield {"text": text, "lang": language}


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Print built-in conversations or documents.")
    parser.add_argument("--count", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--split", choices=("train", "validation"), default="train")
    parser.add_argument("--lang", choices=("en", "zh"))
    parser.add_argument("--documents", action="store_true", help="plain documents instead of conversations")
    parser.add_argument("--json", action="store_true", help="one JSON object per line, with everything in it")
    args = parser.parse_args(argv)
    generate = documents if args.documents else conversations
    for item in generate(args.count, args.seed, args.split, args.lang):
        if args.json:
            print(json.dumps(item, ensure_ascii=False))
        elif args.documents:
            print(item["text"], end="\n\n")
        else:
            print(*(f"{message['role']:>9}: {message['content']}" for message in item["messages"]), sep="\n", end="\n\n")


if __name__ == "__main__":
    main()
