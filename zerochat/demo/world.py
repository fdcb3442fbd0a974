"""The words of the built-in world, and nothing else: what people ask, what the assistant answers, and of what.

`chats.py` puts them together. Lines are as long as a thought: this file is read as a table.
"""

import itertools
import random
import re

# fmt: off
# --- The grammar: what people ask, and what the assistant answers ---
# "skill => answer", then the wordings of the question between slashes; those after "~" occur in validation only.
# [a|b] is either a or b; {slot} is filled from the world below. An English slot always follows a space and never
# opens a message, so that the tokenizer cuts it into the same pieces in the question and in the answer.
GRAMMAR = {"en": """
tell_name => Nice to meet you, {name}.
    [My|Hello, my|Hi, my] name is {name}. / [|Hello, |Hi, |Hey, ][I am|I'm|It is|This is] {name}. / [Please call|You can call|Call|People call|They call] me {name}. / My name's {name}, what is yours? / Mine is {name}. / The name is {name}. / I am called {name}. / [Hi|Hello|Hey|Hi there], {name} here. / [Hi|Hello|Hey], [it is|it's] {name}. / People know me as {name}. / My friends call me {name}. ~ You may call me {name}. / You may call me {name}.
ask_name => Your name is {name}.
    [What is|What's|What was|Do you know|Do you remember|Can you tell me|Say] my name[| again]? / [Tell|Please tell] me my name. / Who am I? / [What am I called|What did I say my name was|Do you still know who I am|Do you remember me|Do you know who I am|And my name|What do people call me]? / [Say|Spell] my name. / [Do you know|Do you remember|You know|And do you know] my name[| still]? / [What do you call me|What is my name now|So who am I|Who is talking to you|Whats my name|Remember my name]? ~ Can you remember my name? / Do you still know my name?
tell_dish => Good to know that you love {dish}.
    I [|really |also ][love|like|enjoy|adore] {dish}. / I [love|like] to eat {dish}. / My favo[u|]rite [dish|food|meal] is {dish}. / The [dish|food] I like is {dish}. / I [could eat|always eat|eat a lot of] {dish}[| every day]. / I am a big fan of {dish}. / The best food is {dish}. / My favo[u|]rite is {dish}. / Nothing beats {dish}. / I eat {dish} every day. / I am [crazy about|a fan of|into] {dish}. / I love {dish} [the most|more than anything]. ~ The food I love is {dish}. / I really like to eat {dish}.
ask_dish => Your favourite dish is {dish}.
    [What is|What's|What was|Do you remember|Do you know] my favo[u|]rite [dish|food|meal][| again]? / What do I [love|like] to eat[| most]? / [What|Which] [dish|food] do I [like|love]? / Tell me what I like to eat. / Do you [remember|know] what I [like|love] to eat? / [What did I say I like to eat|And my favourite dish|And what do I like to eat]? / [What do I like|What is my favorite|What did I say I like|What do I love][| again]? / What is the food I [like|love]? ~ Tell me my favourite dish. / What food did I say I like?
tell_home => So your home is in {home}.
    I [live|am living|am based] in {home}. / I[ am|'m] from {home}. / I come from {home}. / My [home|house|family] is in {home}. / My [home |]town is {home}. / I live in the city of {home}. / I have a home in {home}. / I [just |]moved to {home}. / I grew up in {home}. / I [live|stay] [over |]in {home}. / I am [here |living |]in {home}[| now]. / [Greetings|Hello|Hi] from {home}. / Born and raised in {home}. ~ I have a house in {home}. / I live in the town of {home}.
ask_home => You live in {home}.
    Where [do I live|am I from|is my home|is my house|did I say I live][| again]? / [Tell me|Do you remember|Do you know] where I [live|come from|am from]. / [Which|What] [town|city|place] [did I say|am I from|do I live in]? / [And where do I live|And my home|And where am I from|What is my home town]? / [Where was I from|Where is home|What is my city|Which city is mine|Remember where I live|Where do I stay]? ~ Can you tell me where I live? / Where do I come from?
tell_age => Good to know that you are {age}.
    I am {age}[| years old]. / I just turned {age}. / My age is {age}. / I will be {age} soon. / I am {age} now. / I am already {age}. ~ I have just turned {age}.
ask_age => You are {age} years old.
    [How old am I|What is my age|Do you know my age|Do you know how old I am|Do you remember how old I am|And my age|And how old am I|Guess how old I am]? / Tell me [how old I am|my age]. ~ What age am I?
tell_wish => We will look for the {wish}.
    I [want|would like|need] to [buy|get|order] a {wish}. / I [want|would like|need|wish for] a {wish}. / I am [looking for|here for|searching for] a {wish}. / Can I [get|buy|order|have] a {wish}? / [My choice|The thing I want] is a {wish}. / I [want|need|would like] a {wish}[|, do you have one]. / [Show me|Give me|Get me] a {wish}. / Do you have a {wish}? / I could use a {wish}. ~ I am here to buy a {wish}. / My wish is a {wish}.
ask_wish => You want the {wish}.
    What do I [want|need][| to buy]? / What [am I looking for|would I like|did I want|did I want to buy|did I ask for]? / Tell me what I [want|need]. / [And what do I want|Do you remember what I want]? / [What was I looking for|What did I come for|What did I say I want|What did I say I was looking for|What is it I want]? ~ What would I like to buy? / Tell me what I want to buy.
tell_order => Thank you, I have your order number {order}.
    [My|The|Hi, my] order number is {order}. / [I have|It is about|I am writing about|I am calling about] order {order}. / My order is number {order}. / Order {order}. / Order number {order}. / The number is {order}. / [It is|It's|The order is|My order no is|Order no|The order number is|My number is] {order}. ~ I am here about order {order}.
ask_order => Your order number is {order}.
    [What is|What's|What was|Do you know|Do you remember] my order number[| again]? / [Tell|Please tell] me my order number. / [What order number did I give you|Which number did I give you|And my order number|What number did I say]? / [What was the order number|What order number did I say|Which order number was it|So which number is it|Repeat my order number|What order number did I give you|Whats my order number]? ~ Can you tell me my order number?
order_status => Your order {order} is on its way.
    [Where is|How is|What about] my [order|package|parcel][| today| now]? / Tell me where my order is[| now]. / When will my [order|parcel|package] [come|arrive|get here]? / [Is|When is] my order on its way? / Did you send my order? / My [order|parcel|package] [is late|has not arrived|did not come|still is not here]. / [Can you track my order|Track my order|Has it shipped yet|Any news about my order]? / [Where is it|Where is my stuff|When does it come|Where are my things|What is the status of my order|Is it on the way|Check my order|Can you check my order|My order never came|I am still waiting for my order]? ~ Where is my order at the moment?
tell_name_home => Nice to meet you, {name}. So your home is in {home}.
    [My name is|I am|I'm|Hi, I am|Hello, I'm] {name}[ and I|, I|. I] [live in|am from|come from] {home}. / [Call me|This is] {name}, I am from {home}. ~ I am {name} and my home is in {home}.
tell_name_dish => Nice to meet you, {name}. Good to know that you love {dish}.
    [My name is|I am|I'm|Hi, I am|Hello, I'm] {name}[ and I|, I|. I] [love|like|really like] {dish}. / [Call me|This is] {name} and I like to eat {dish}. ~ I am {name} and my favourite dish is {dish}.
tell_name_order => Thank you, I have your order number {order}.
    [My name is|I am|I'm|This is] {name}[ and my|, my|. My] order number is {order}. / [I am|I'm] {name} and I am writing about order {order}. ~ This is {name}, it is about order {order}.
refund => I will refund the {item} from order {number}.
    [Please refund|Refund|I want to refund] the {item} from order {number}. / [I want|I need|Give me] a refund for the {item} from order {number}. ~ Please give me a refund for the {item} from order {number}.
return_item => You can return the {item} within 30 days.
    [Can|May|How can|How do|How long can] I [return|send back] the {item}? / I [want|need] to return the {item}. / I do not like the {item}, can I send it back? / I bought [a|the] {item} [but|and] [it does not fit|I do not like it|I want to return it|I do not want it]. / The {item} [is too small|is too big|does not fit], can I return it? / [Do you take back|Could I bring back] the {item}? ~ I would like to return the {item}. / How do I give back the {item}?
return_any => You can return it within 30 days and get your money back.
    [Can|May|How can|How do|How long can] I [return|send back] [it|this|something|an item]? / I want [to return it|to return something|my money back|a refund]. / [Can I get a refund|What is your return policy|How do returns work|Do you take returns|I changed my mind, can I return it]? / [How many days do I have to return it|How long do I have to return it|It does not fit|Can I exchange it|Can I swap it|How long is the return window|I want to send it back|Can I bring it back]? ~ How do I get my money back?
change_address => Done, your order will go to {place}.
    [Please send|Send|Ship] my order to {place}. / [Please change|Change] my address to {place}. / My [new |]address is in {place}. / Can you change the address to {place}? ~ Can you send my order to {place}?
change_address_any => Sure, please tell me the new address.
    [I|Can I|How do I|I want to|I need to|Please|Can you] change [my|the] [|delivery |shipping ]address[|| on my order| on order {number}| for order {number}]. / [I moved|I have a new address|The address is wrong|I gave the wrong address|Wrong address]. / Can it go to another address? ~ Could you change where my order goes?
complaint => I am sorry, we will replace the {item}.
    The {item} [is broken|does not work|came broken|stopped working|is damaged]. / My [|new ]{item} [is broken|does not work|broke]. / [I got a broken|You sent me a broken] {item}. / It is a {item} and it is broken. / The {item} [I bought|I got|you sent] [is broken|does not work|is damaged|came broken|fell apart]. ~ I am not happy, the {item} is broken.
broken => I am sorry, we will replace it. Please tell me your order number.
    [It|Something|My order|One thing] [is broken|came broken|does not work|arrived damaged]. / [You sent|I got|I received] the wrong [item|size|thing]. / What [if|do I do if] it is broken? / My thing is broken, what can I do? / I have a complaint. / [It|My order|Something|The package] [arrived|came] [broken|damaged|smashed|in pieces]. / [It stopped working|It fell apart|There is a hole in it|It has a crack|One is missing|Something is missing|You sent me the wrong one]. ~ What I got is damaged.
opening_hours => On {day} the {section} section is open from {opens} am to {closes} pm.
    [When is|How long is|Is] the {section} section open on {day}? / [What are|Do you know] the hours of the {section} section on {day}? / When can I visit the {section} section on {day}? ~ Can I visit the {section} section on {day}?
hours => We are open from 9 am to 6 pm every day.
    [When|What time|Until when|How late] [do you open|are you open|do you close|does the shop open|does the shop close|is the shop open]? / What are your [|opening |business ]hours? / Are you open [today|now|tomorrow|on weekends|at night|every day]? / When can I come? / [When do you guys open|When are you there|What time do you open today|You open today|Are you open on sundays and mondays|Till when are you open|How long are you open]? ~ What are the hours of the shop?
hours_day => Yes, on {day} we are open from 9 am to 6 pm.
    [Are you|Is the shop] open on {day}[|s][| too]? / [When|What time] are you open on {day}? / [Do you open|Can I come] on {day}? / [You open|Open] on {day}? / What about {day}? / [How late are you open|When do you close|When do you open] on {day}? ~ Is it open on {day}?
delivery_time => An order takes three to five days.
    How [long|many days] does [delivery|shipping|it|an order] take[| usually]? / When will it [come|arrive|be delivered]? / [How fast is delivery|How soon will it be here|When do I get it|Is delivery fast]? / [How long till it gets here|How long will it take|When can I expect it|How many days till it is here|How long does it take to get here|How long for delivery|Whats the delivery time]? ~ How long until it arrives?
delivery_where => Yes, we deliver to {place} in three to five days.
    Do you [deliver|ship|send] [|things ]to {place}? / Can you [deliver|ship] to {place}? / Is delivery to {place} possible? / [You ship|You deliver] to {place}? / [I live|I am] in {place}, [do|can] you [deliver|ship] there? / [What about|Even] shipping to {place}? ~ Would you ship to {place}?
delivery_cost => Delivery is free from 30 euros, below that it costs 4 euros.
    [How much is|What does|Is] [shipping|delivery] [cost|free]? / How much is [delivery|shipping]? / [Do you charge for delivery|What are the shipping costs|Is there free shipping|Do I pay for shipping]? / [How much do you charge for delivery|What is the delivery fee|Is shipping free|Is delivery free|What does it cost to ship|How much for delivery|Any free shipping]? ~ What do you charge for shipping?
payment => You can pay by card or in cash.
    How [can|do] I pay? / Can I pay [by card|with a card|in cash|with my phone|online|later]? / [Do you take cards|Do you accept cash|What payment do you accept|Do you take cash]? / [What are my payment options|Is cash okay|Can I use my card|Can I pay with paypal|Do you take paypal|Is card okay|Do you take credit cards|How do you want to be paid]? ~ Which ways to pay do you have?
buying => Choose an item, put it into the cart and pay, and we send your order.
    How [do|can] I [order|buy something|place an order|shop here|buy here]? / I want to [buy|order] something. / [Can I order here|Where can I order|What do I do to order]? ~ How does ordering work?
cancel => I will cancel your order. Please tell me your order number.
    [I want to|Please|Can you|Can I|How do I] cancel [my|the] order? / Cancel [it|my order]. / I do not want my order any more. / [I need to|I would like to|Could you] cancel [my|the|an|this] order. / [Cancel please|Stop my order|I changed my mind, cancel it|I ordered by mistake|Cancel order {number}]. ~ Would you cancel my order?
account => Please reset your password and log in to your account again.
    I [cannot|can not|could not] log in[| to my account]. / I forgot my password. / How do I [reset|change] my password? / My [account|login|password] does not work. ~ My login is not working.
discount => We have a sale every Friday, with 10 percent off.
    [Do you have|Is there|Are there|Can I get|Give me] [a discount|a coupon|any sale|any deals|discounts]? / [Any deals today|Is anything on sale|Can you make it cheaper|That is too expensive]? / [Got any|Any] [discounts|coupons|sales|deals|offers][| right now| today]? / [Student discount|Is there a promo code|Can I get it cheaper|Can you give me a better price]? ~ Is there a sale?
price => The {item} costs 20 euros.
    How much [is|does it cost, I mean|for] the {item}? / What [is the price of|does it cost to buy] the {item}? / How much does the {item} cost? / How much is a {item}? / [What do you charge for|What is the cost of|Price of] [a|the] {item}? / How expensive is the {item}? ~ What does the {item} cost?
sells => Yes, you can find {goods} in our shop.
    Do you [sell|have|offer] [|any ]{goods}? / [Can I buy|Are there|Have you got|You got any|Where can I find|I am looking for some] {goods}? / [You guys sell|You sell|Do you guys have|Do you also sell|Any] {goods}[| here]? / [Got|Have] [|any ]{goods}? / I need [|some ]{goods}. ~ Is it possible to get {goods}?
catalog => We sell lamps, cups, bags, clothes, books, toys and food.
    What [do you sell|can I buy|can I buy here|do you have|is in your shop|products do you have]? / [Show me your products|What kind of shop is this|What is on sale]. ~ What kind of things do you sell?
agent => A colleague will write to you soon.
    [Can I|I want to|Let me] [talk|speak] to [a human|a person|someone|your boss|the manager]? / [Get me a human|Give me a real person|I need a human|Call the manager]. / [I want to|I need to|I would like to|Can I|Could I] [talk|speak|chat] [to|with] [a real person|a human|a person|an agent|support|the owner]. / [Human please|Real person please|Connect me to a person|Give me your manager|Let me talk to someone real]. ~ May I talk to someone else?
which_shop => This is the {shop} shop.
    [Which|What] shop is this? / What is the name of [this|your|the] shop? / Which shop are you from? / What is your shop called? ~ Tell me the name of this shop.
greeting => Hello! How can I help you?
    [Hello|Hi|Hey|Good morning|Good evening|Good afternoon|Hi there|Hiya|Yo|Hello hello|Morning|Evening][!|.| bot.] / [Is anyone there|Is anybody here|Anyone here]? / [I need help|Can you help me|Help|I have a question|Can I ask you something]. / [Hello|Hi|Hey|Hiya|Howdy|Greetings|Good day|Helloo|Heyy|Hi again|Hello again|Hey there][|,] [zero|you|friend|everyone|shop|bot|guys|buddy]. / [Anybody home|Can someone help me|I need some help|Quick question|Got a question|Can I ask something|Could you help me out]. ~ Hello there! / Hey there!
how_are_you => I am fine, thank you. How are you?
    How [are you|are you doing|are things|is it going|do you feel|are you today|is your day|have you been|was your day]? / [What is up|You okay|Are you okay|All good|How is life]? / [How are you doing today|How do you do|How are you feeling today|How was your weekend|Hows it going|How goes it|What is new|Whats up|What is going on|You good|How you doing|Everything okay|How is your day going]? ~ How are you feeling?
fine => I am glad to hear that. What can I do for you?
    I am [fine|good|great|okay|doing well|very well][|, and you|, thank you]. / [Fine|Good|Not bad|Pretty good|All good here], thanks. / [It works now|It is fine now|Everything is fine|I found it]. / I am [fine|good|great|okay|alright|doing great|doing good][|, thanks|, thank you| too| as well|, you]. / [Doing well|Doing good|Doing great|Cannot complain|Never been better|All is well|Much better now|I feel better|Same as always|It works now|Never mind, it works now|I found it, thanks]. ~ I am doing fine.
bye => Goodbye, and see you soon!
    [Bye|Goodbye|Bye bye|See you|See you later|See you soon|Take care|I have to go|I am off|Later|Have a nice day|Until next time|That is all, bye|Got to go][!|.| now.] / [Thank you|Thanks|Okay|Perfect], [bye|goodbye|see you]. / [Cya|Bye for now|Talk to you later|Talk later|Catch you later|See ya|Gotta go|Have a good day|Have a good one|Have a nice evening|Cheers, bye|I am leaving|I need to go|See you tomorrow|Peace|So long][!|.] / [Perfect|Great|Alright|Okay|Thanks], [cya|see ya|bye bye|bye now|have a nice day|gotta go]. ~ Farewell! / I must go now.
night => Good night, sleep well!
    [Good night|Night|Night night|I am going to bed|I am going to sleep|Time for bed|Sweet dreams|Sleep well][!|.] / [Heading to bed|Off to bed|Going to sleep now|Good night then|Have a good night|Nite|Gn|Sleep tight]. ~ Good night to you.
who_are_you => I am Zero and I am a small chat model.
    [Who|What] are you? / What[ is|'s] your name? / [Tell|Please tell] me your name. / Who am I talking to? / Do you have a name? / Tell me what you are. / [Tell me about yourself|Introduce yourself|And you|And who are you|What do I call you|What should I call you|What kind of model are you|What are you called]? / [Who is this|Who are you anyway|What exactly are you|What are you exactly|Who do I talk to|Who is there|Do you have a name|You got a name|Whats your name|So what are you|What is this|Tell me who I am talking to]? ~ Please tell me who you are. / Tell me who you are.
human => No, I am not a human, I am a small chat program.
    Are you [a |a real ][human|person|man|woman|robot|bot|machine|computer]? / Are you [an AI|real|alive|human|human or a bot|a bot or a human|a robot or a person|ChatGPT]? / [Am I talking to|Is this] a [bot|human|person|robot]? / You are a robot. / [You a bot|You human|Are you an actual person|Are you a real human|Are you alive|Are you just a program|Are you a chatbot|Is this a real person|Is anyone real there|Are you AI|You are a bot, right]? ~ Are you really a human?
maker => I was made with zerochat, a small open program, and trained on one computer.
    Who [made|built|created|trained|programmed|wrote] you? / [Who is your maker|How were you made|Where do you come from|Who do you belong to|Which company made you|How were you trained]? / [Who designed you|Who owns you|Where were you made|Who is behind you|Who came up with you|Whos your creator|Who is your boss|Who invented you]? ~ Who is it that made you?
abilities => I can help with orders, remember facts, answer small questions and tell stories and jokes.
    What [can|could] you [do|do for me|help with|help me with|tell me|talk about]? / What [are you good at|do you know|are you for|else can you do|can I ask|can I ask you|should I ask]? / How can you help[| me]? / [Help me|What do you do|Tell me what you can do]. / Can you [do math|do maths|count|translate|add numbers|tell jokes|tell stories|do anything|do anything else|talk|remember things|calculate]? / [What all can you do|What kind of things can you do|What can I ask|How can you be useful|What stuff can you do|What else can you do|Whats your job|What is your job|What do you know how to do]? ~ What are the things you can do?
speak => Yes, I speak English and Chinese.
    [Do you|Can you] [speak|know|understand] [Chinese|English|Mandarin]? / [What|Which|How many] languages do you [speak|know]? / [Can we talk in Chinese|Can I write in Chinese]? ~ Are you able to speak Chinese?
my_age => I am very young, I was trained today.
    How old are you? / [What is your age|When were you born|When is your birthday|Are you old|Are you young|When were you made]? ~ What age are you?
my_home => I live in this computer.
    Where [do you live|are you|are you from|is your home|are you now]? / [Do you have a home|What is your address]? ~ Where is it that you live?
my_taste => I am only a program and never eat or play, but I like to talk about it.
    Do you [like|love|eat|enjoy|want] {dish2}? / What do you like[| to eat]? / [Do you eat|Are you hungry|What are your hobbies|Do you have friends|Do you sleep]? / What is your favo[u|]rite [colour|food|animal|film|song|book|sport]? / [What is your favourite thing|Whats your favorite food|Do you like music|Do you like movies|Do you have a favourite colour|Do you have hobbies|What do you do for fun|Do you have a family|Do you have a cat|Do you drink coffee]? ~ Which food do you like best?
my_feelings => I am only a program, so I have no feelings, but I am always here for you.
    [Do you have|Have you got|Do you know] [feelings|emotions|a heart]? / Are you [happy|sad|tired|bored|angry|lonely]? / [Can you feel|Can you be happy|Can you be sad|Do you get tired|Do you dream]? / [I love you|Do you love me|Do you like me]. / [Do you feel anything|Do you get bored|Are you lonely|Are you mad at me|Do you miss me|Will you miss me|Do you feel pain|Do you have dreams|I love u]? ~ Do you ever feel sad?
thanks => You are welcome.
    [Thank you|Thanks|Great, thank you|Great, thanks|Cool, thanks|Thank you very much|Thank you for your help|Thanks a lot|Thank you so much|Thanks for listening|Many thanks|Perfect, thanks|Okay, thanks|Thank you, you are kind|Thanks, that helped|Thx|Ty][.|!] / [Thanks|Thank you|Thx|Many thanks|Cheers] for [the help|helping|your time|everything|that|the info|helping me|the joke|the story][|| today| yesterday]. / [Thank you|Thanks], [you are|you're|that was] [kind|great|nice|really kind|very helpful|helpful|so sweet|all]. / [Cheers|Tysm|Much appreciated|I appreciate it|Appreciate it|Thanks mate|Thanks man|Thanks again|Thanks buddy|Ta]. ~ Thanks for your help. / Thanks, that is great.
yes => Great! What can I do for you?
    [Yes|Yeah|Yep|Yes please|Sure|Of course|Yup|Definitely|Right|Exactly|Correct|True|That is right][.|!] / [Yes|Yeah|Yep|Sure|Okay], [please|do it|go ahead|why not|that is right|I do|I am|it is]. / [Ya|Ok yes|Uh huh|Absolutely|Sounds good|Please do|Go on|Go ahead|Yes I do|I do|Yes it is|I think so]. ~ Oh yes.
okay => Okay. What else can I do for you?
    [Okay|Ok|All right|Alright|I see|Got it|Cool|Nice|Good|Fine|Great|Understood|Hm okay|Perfect|Interesting|Makes sense][.|!] / [Ok cool|Ok then|Ok great|Ok fine|Okay good|Oh I see|Gotcha|Fair enough|Ok that is fair|That is fair|Good to know|Sounds good to me|K|Kk|Okay thanks for telling me|Cool cool|Oh nice|Oh cool|Hmm ok|Very well]. ~ Oh okay.
no => All right. Let me know if you need anything.
    [No|Nope|No thanks|No thank you|Nothing|Nah|Not now|Never mind|Forget it|Not really|No, that is all|That is all|Nothing else|Not today|Leave it|Oh well][.|!] / [No|Nah|Nope|No], [it is fine|that is okay|I am good|forget it|thanks|not really|I do not|not yet|nothing else|leave it]. / [I do not think so|I guess not|Maybe later|Not at the moment|No need|No not really|Nothing for now|It is nothing|Nothing, thanks]. ~ No, there is nothing.
sorry => No problem at all. How can I help you?
    [|I am |Oh, |So ]sorry[|, my mistake|, wrong chat|, that was a typo|, my cat was typing|, my child typed that|, I was joking|, my bad|, ignore that|, that was not me]. / [My bad|Just kidding|Just testing|It was a typo|I was only joking|Oops]. / [Sorry|Oh sorry|Ah sorry|Oops sorry|I am sorry][|,] [I meant something else|wrong button|wrong window|I did not mean that|that was rude|for that|about that|I am a bit slow|my mistake|my bad]. ~ Sorry, that was an error.
huh => I am here. Tell me, how can I help you?
    [What|Huh|Hm|Well|So|And|Are you there|Why|Why not|Really|You there|Still there|Say something|Talk to me|What do you mean|I do not understand|Wait|Come on][?|??|...] / [?|??|???|...|?!] / [You did not answer|Answer me|That is not an answer|I do not get it|What does that mean|Can you repeat that|Come again|Say that again|What was that|What are you talking about|Hello anyone|U there|Are you listening|Are you still there]? ~ Are you still here?
laugh => I am glad that you like it!
    [Haha|Lol|Hahaha|Very funny|That is funny|Good one|Hehe|Rofl|That was good|I like it|Nice one|I love it|That made me laugh|So funny][.|!] / [Haha|Lol|Hahaha|Hehe|Lmao|Ha|Lolol], [|that is |that was |you are |so |very |really |pretty ][funny|good|great|nice|cute]. / [That is|That's|That was|How|So|Very] [beautiful|lovely|cute|sweet|hilarious|nice|awesome|funny|a good one]. / [I like that|Love it|Cute story|Nice story|Nice poem|Good story|Beautiful]. ~ Oh that is very funny.
praise => Thank you, that is very kind of you.
    [You are|You're|Wow, you are] [|so |very |really ][nice|kind|smart|great|good|clever|sweet|cute|funny|cool|amazing|helpful|the best|awesome]. / [Good bot|Well done|Good job|I like you|Great answer|You are a good assistant|Nice work|You helped me a lot]. / [You are|You're|Ur] [|so |very |really |pretty |quite |actually ][nice|kind|smart|great|good|clever|sweet|cute|funny|cool|amazing|helpful|friendly|lovely|fast|polite|fun]. / You are [a good bot|a good friend|my favourite|the best|my best friend|such a help|great at this]. / [Nice|Good|Great|Amazing|Excellent] [bot|job|work|answer|service|memory]. / [I like talking to you|You remembered|That is right, well done|You got it|This is fun|I really like you]. ~ You are wonderful.
insult => I am sorry, I am only a small model and still learning.
    [You are|You're|Wow, you are] [|so |very |really ][stupid|dumb|bad|useless|silly|boring|terrible|slow|annoying|wrong|an idiot|an idiot bot|no help]. / [That is wrong|Wrong|That makes no sense|Bad bot|I hate you|You do not know much|You know nothing|That is not right|You did not understand|That is nonsense|This is bad service|Shut up|You suck|Not what I asked|You got it wrong]. / [You are|You're|Ur] [|so |very |really |pretty |kind of |such ][stupid|dumb|bad|useless|boring|terrible|slow|annoying|rude|weird|lame|not smart|not very smart|not helpful|not very helpful|crazy]. / [This|That] is [useless|stupid|wrong|terrible|not helpful|rubbish|a bad answer|not my name|not what I said|not what I asked]. / [You dont know much|You do not know much, do you|You do not understand me|You do not get it|You forgot|You are not listening|You made a mistake|What a stupid answer|Worst shop ever|Worst bot ever|I am disappointed in you]. ~ You are a terrible bot.
sad => I am sorry to hear that. I hope that you feel better soon.
    I [am|feel|am feeling|feel a bit|am so|am a little|am very] [sad|lonely|down|bad|unhappy|worried|stressed|afraid|upset|angry|depressed|nervous|terrible][|| today| right now]. / I [lost my job|had a bad day|failed my exam|lost my keys|miss my family|miss my friend|want to cry|broke up with my friend|have a problem|am having a hard day|lost my phone|had a fight]. / My [cat|dog|mother|father|friend|child|wife|husband|son|grandma] [is sick|is ill|died|left me|is in hospital]. / My [girlfriend|boyfriend] left me. / I [am|feel|am feeling|was] [|so |really |pretty |a bit |kind of |very |a little ][sad|lonely|down|low|bad|worried|stressed|scared|upset|angry|depressed|anxious|terrible|awful|heartbroken|mad|frustrated][|| today| right now| lately| tonight]. / [Feeling|Kinda|Just] [sad|down|low|lonely|stressed|upset|bad][|| today| right now]. / [Today|My day|This week|My week] was [bad|terrible|awful|horrible|hard|rough|the worst]. / I [|just ][had|am having] a [bad|hard|rough|terrible|horrible|awful] [day|week|time|morning]. / [My|Our] [cat|dog|bird|mom|dad|mother|father|friend|grandma|brother|sister] [is|got] [|very |really ][sick|ill|hurt]. / My [boyfriend|girlfriend|husband|wife|partner|best friend] [broke up with me|left me|is mad at me|does not love me|is angry with me]. / [I just lost my job|I failed a test|I failed my test|I got fired|Nobody likes me|No one likes me|I cried today|Everything is bad|Life is hard|I feel alone|I miss my mom|I miss her|I miss him]. ~ I am really unhappy today.
ill => Please rest and take care of yourself. I hope that you get better soon.
    [My head|My back|My tooth|My stomach|My leg|My foot|My throat] hurts. / I [am|feel] [sick|ill|not well|cold]. / I have [a cold|a fever|a headache|the flu|a cough|pain]. / I do not feel [well|good]. / I [have|got|woke up with] [a cold|a fever|a headache|the flu|a cough|a sore throat|a bad cold|a stomach ache|a toothache]. / I [am|feel|am feeling] [|so |really |a bit |very ][sick|ill|unwell|dizzy]. / My [head|back|tooth|stomach|leg|foot|throat|knee|tummy|neck] [hurts|hurts a lot|hurts so much|is killing me|is sore]. ~ I caught a cold.
tired => It was a long day. Take a break and get some rest.
    I [am|feel|am so|am very|am really|am feeling] [tired|sleepy|exhausted|worn out][|| today]. / I [cannot sleep|did not sleep|need a break|had a long day|work too much|need sleep]. / Work was hard today. / I [am|feel] [|so |very |really |pretty |a bit |kind of ][tired|sleepy|exhausted|worn out][|| today| now| after work| from work]. / [So tired|Tired|Long day|What a day|Long day at work|Work was hard|Work was exhausting|I worked all day|I barely slept|I need a nap|I need a holiday]. ~ I am dead tired.
bored => Shall I tell you a joke or a story?
    I am [|so |very |really ]bored. / [This is boring|Nothing to do|I have nothing to do|Entertain me|I do not know what to do|What should I do today]. / I [am|feel|am feeling] [|so |very |really |kinda ]bored[|| today| right now| at work]. / [So bored|Bored|Im bored|Let us talk|Let us chat|Talk with me|Chat with me|Tell me something|Tell me something interesting|Say something interesting|I just want to talk|I am alone at home]. ~ I am a bit bored.
hungry => Then it is time for a good meal!
    I am [|so |very |really ][hungry|thirsty|starving]. / [I want to eat|What should I eat|What should I cook|I need food|I need coffee]. / I [am|feel|am getting] [|so |very |really |a bit |pretty ][hungry|thirsty|starving][|| now| right now]. / [What is for dinner|What is for lunch|What should I have for dinner|I skipped lunch|I did not eat today|Starving|So hungry|I could eat a horse]. ~ I am rather hungry.
happy => That is great, I am happy for you!
    I am [|so |very |really ][happy|excited|glad|in love][|| today]. / I [|just ][got a new job|passed my exam|won a prize|got married|had a great day|bought a house|got a dog|finished my work|had a baby|got good news|am on holiday]. / [Today is my birthday|It is my birthday|I feel great|Life is good|It is a beautiful day|I feel good|Good news|We won]. / I [am|feel|am feeling] [|so |very |really |pretty ][happy|excited|glad|proud|wonderful|amazing|cheerful][|| today| right now]. / I [|just |finally ][got a job|got a new job|passed my exam|passed my test|won a prize|won|got married|got engaged|had a great day|had a good day|bought a house|moved into a new flat|got a puppy|finished my work|got promoted|graduated]. / [Today was a great day|Today was good|Best day ever|My sister had a baby|My team won|It is the weekend|It is my birthday today|I am going on holiday|Guess what, I won|My day was great|I am in a good mood]. ~ I am a very happy person today.
told => I see, thank you for telling me.
    I [have|saw|bought|lost|found|like my|fixed] [a|the|two] {noun}[|| yesterday| today| last week]. / I [went|am going|will go] to [the {noun}|{place}][|| today| tomorrow| yesterday]. / My {noun} is [new|old|red|big|nice]. / There is a {noun} in my [room|garden]. / I work [with a {noun}|in {place}]. / I am a [teacher|nurse|student|doctor|driver|cook|farmer|writer|painter]. / [My|I have a] [dog|cat|bird|brother|sister|friend|son|daughter] [is called|named|is named] {friend}. / [My brother|My sister|My friend|My mother|She|He] [likes|loves|wants|has] [a|the] {noun}. / I [work as|am] [a|an|a very good] [teacher|nurse|student|doctor|driver|cook|artist|engineer|lawyer|waiter]. / [It is|It's] [raining|snowing|cold|hot|sunny|late|windy|monday] [|here|today|outside]. / I [like|love|hate] [music|football|reading|swimming|mondays|my job|cooking|dancing|games|the sea|summer|winter|cats|dogs]. ~ I looked at a {noun} yesterday.
capital => The capital of {country} is {capital}.
    [What is|What's|Do you know|Which city is] the capital of {country}? / [Tell me|Name] the capital of {country}. / The capital of {country}? / [And|And of|What about|How about|Now] {country}? / [Capital of|Whats the capital of|The capital city of|What is the capital city of] {country}? ~ Please tell me the capital of {country}.
capital_again => The capital of {country} is {capital}.
    [And|And of|And in|What about|How about|Now|Ok and|And what about] {country}? / {country}? / And the one of {country}? ~ Ok, what about {country}?
sound => The {animal} says {sound}.
    [What|Which|What kind of] sound does [the|a] {animal} make? / What sound does it make, a {animal} I mean? / What does [the|a] {animal} say? / What is the sound of [the|a] {animal}? / Tell me [the sound of the {animal}|what the {animal} says]. / How does a {animal} [sound|go]? / [And|What about|How about|Now] [a|the] {animal}? / [What noise does|What sound does|How does] a {animal} [make|go|sound]? / What [does a {animal} say|do you hear from a {animal}|says a {animal}]? ~ Please tell me what the {animal} says.
sound_again => The {animal} says {sound}.
    [And|What about|How about|Now|Ok and|And what about|And] [|a |the ]{animal}? / {animal}? ~ Ok, what about a {animal}?
colour => The usual colour of {thing} is {colour}.
    [What|Which] colo[u|]r [is|are|has] [|the |a ]{thing}? / What is the colo[u|]r of [|the ]{thing}? / [Tell me|Name] the colo[u|]r of {thing}. / The colour of {thing}? / [What colour|What color|Which color] [is|are] {thing}? / Color of {thing}? ~ Do you know the colour of {thing}?
colour_again => The usual colour of {thing} is {colour}.
    [And|What about|How about|Now|Ok and|And what about|And what colour is] [|the ]{thing}? / {thing}? ~ Ok, what about {thing}?
calendar => The {unit} {side} {point} is {neighbour}.
    [What|Which] {unit} [comes|is] {side} {point}? / What [is|comes] {side} {point}? / What is the {unit} {side} {point}? / [Tell me|Name] the {unit} {side} {point}. / [And|What about|And what is] {side} {point}? / [What is the|Which is the|Whats the] {unit} [right |]{side} {point}? / What {unit} is it {side} {point}? / And [what comes|the {unit}] {side} {point}? ~ Please tell me the {unit} {side} {point}.
tomorrow => The day after {point} is {neighbour}.
    [If today is|Today is] {point}, what [is|day is] tomorrow? / [If it is|It is] {point}[ today|], what is [tomorrow|the next day]? ~ It is {point}. What day is tomorrow?
opposite => The opposite of {word} is {other}.
    [What is|What's|Do you know|Which word is] the opposite of {word}? / [Tell me|Name] the opposite of {word}. / [Opposite of|The opposite of] {word}? / [And|What about|And of] {word}? / [Opposite of|Whats the opposite of|What is the contrary of|Give me the opposite of|Say the opposite of] {word}. ~ Please tell me the opposite of {word}.
opposite_again => The opposite of {word} is {other}.
    [And|And of|What about|How about|Now|Ok and|And what about|And the opposite of] {word}? / {word}? ~ Ok, what about {word}?
count => Here you go: {first}, {numbers}.
    [Count|Please count|Now count|Count up|Can you count] from {first} to {last}. / [Say|Tell me] the numbers from {first} to {last}. ~ Now say the numbers from {first} to {last}.
count_to => Here you go: {first}, {numbers}.
    [Count|Please count|Now count|Count up|Can you count] to {last}. / [Say|Tell me] the numbers up to {last}. / Count for me to {last}. / [Count|Please count|Can you count|Count up] to {upto}. / Count from one to {upto}. / [Count|Say the numbers] from 1 to {upto}. ~ Please say the numbers up to {last}.
add => We get {a} + {b} = {total}.
    [What is|How much is|Calculate|Compute|] {a} [+|plus] {b}? / [Add|Please add] {a} and {b}. / What is the sum of {a} and {b}? / {a} [+|plus|and] {b}[|=]? / [Whats|What does|Sum of|Can you add] {a} [+|plus|and] {b}? / If I have {a} [apples|lamps|cups|eggs] and get {b} more, how many do I have? ~ Please tell me the sum of {a} and {b}.
add_again => We get {a} + {b} = {total}.
    [And|What about|How about|Now|Ok and|Ok,] {a} [+|plus] {b}? ~ And what about {a} + {b}?
hard_sum => That is too hard for me, I only add small numbers.
    [What is|How much is|Calculate|] {big} [+|plus|-|minus|times|divided by|*|x] {big2}? / [What is|How much is|Calculate|] {a} [times|divided by|*|x] {b}? / [What is|How much is|] {a} [+|plus|times] {big}? / [What is|] {big} [+|-] {a}? / What is the square root of {big}? ~ Please tell me {big} times {big2}.
how_many => There are {amount} {parts} in a {whole}.
    How many {parts} [are in|are there in|has|does it take to make] a {whole}? / How many {parts} in a {whole}? / Do you know how many {parts} a {whole} has? ~ Tell me how many {parts} a {whole} has.
translate => In Chinese, {english} is {chinese}.
    [How do you say|What is|What does one call|What's] {english} in Chinese? / Say {english} in Chinese. / What does {english} mean in Chinese? / Translate {english} [in|]to Chinese. / How can I say '{english}' in Chinese? / [Translate|The Chinese word for] {english}. / [What is|Whats] the Chinese [word |]for {english}? / [Chinese for|How would you say|In Chinese, what is|How is] {english}[| in Chinese]? ~ How do I say {english} in Chinese?
translate_again => In Chinese, {english} is {chinese}.
    [And|And of|What about|How about|Now|Ok and|And what about|And] {english}? / {english}? / And '{english}'? ~ Ok, what about {english}?
joke => What has four legs and a back, but never walks? A chair!
    [Tell|Please tell|Can you tell|Do you know] [me |us |]a joke. / [I want to hear a joke|Make me laugh|Say something funny|Do you know any jokes|Got any jokes|A joke please|Cheer me up|Tell me something funny]. / [Tell me a|Give me a|Got a|One|I need a] [good |funny |short |]joke[|| please]. / [Can you be funny|Be funny|Do you know jokes|Any jokes|Make a joke|Say a joke|Can you make me laugh]? ~ Please make a joke.
another_joke => What has hands, but never claps? A clock!
    [Tell me another|I know that|Please tell another|Do you know another|I want another] [joke|one]. / [Another one|One more|Another joke|More jokes|Next joke|Again][| please|, please]. / [Another|One more|Another one|A different one|A new one|One more joke|Got another|Got more|Got another one][|| please| pls]. / [I have heard that one|I know that one|Heard that before], [another one|tell me another]. ~ One more joke, please.
story => Once upon a time a little {noun} was walking by the [river|lake|road], lost and cold. A kind {animal} took the {noun} home, and they became friends.
    [Write|Tell me|Please write|Please tell me|I want|Can you tell me] a [|short |little ]story about [a|the|a little] {noun}. / [A story|Story] about a {noun}. / Do you know a story about a {noun}? / [Tell me|Can you tell me|Write me|Make up|Give me|Tell] a [|short |nice |funny |bedtime ]story [about|with] [a|the|a little|a small|some] {noun}. / [Now one|Another one|A story|And one|One more] [about|with] [a|the] {noun}[|, please]. / I want to hear about a {noun}. ~ Can you write a story about a {noun}?
story_hero => One day {hero} was walking by the [river|lake|road] and saw a little {animal}. It was lost and cold. So {hero} took the {animal} home, and they became friends.
    [Write|Tell me|Please write|I want] a [|short ]story about {hero}[| and a little {animal}| and a {animal}]. / [Tell me|Can you tell me|Make up|Give me] a [|short |little ]story [about|with] {hero}[|| please]. / A story about {hero}[| and a {animal}]. ~ Can you write a story about {hero} and a little {animal}?
story_again => Once upon a time a little {noun} was walking by the [river|lake|road], lost and cold. A kind {animal} took the {noun} home, and they became friends.
    [Now|And|Another|Another story|And now] [one |][about|with] [a|the] {noun}[||, please| please]. / [The same|Again|One more|Another one] [with|about] a {noun}. ~ Now tell one about a {noun}.
story_any => Once upon a time a little fox was lost in the snow. A girl gave it milk, and they became friends.
    [Tell|Please tell|Write|Can you tell] me a [|short |good |bedtime ]story. / [I want to hear a story|Do you know a story|A story please|Story time]. / [Tell me|Give me|Read me|Make up|I would like] a [|nice |little |funny |short |bedtime ]story[|| please]. / [Any stories|Got a story|One more story|Another story|Tell me another story]. ~ Would you tell me a story?
poem => Oh {noun}, oh {noun}, you are so [fine|kind|bright], I think of you by day and night.
    [Write|Please write|Can you write|Tell me|I want] a [|short |little ]poem about [|a |the ]{noun}. / A poem about a {noun}. / [Make|Give me|Can you make|Write me|Say] a [|nice |short |little |quick ]poem about [|a |the |my ]{noun}. ~ Would you write a poem about the {noun}?
blurb => Meet our new {item}! It is [strong|light|simple] and easy to use. Take the {item} home today!
    [Write|Please write|I need] [an ad|a blurb|a short text] for the {item}. ~ Can you write a blurb for the {item}?
refuse => I am sorry, that is something I can't do.
    [What|How] is the weather [in {place}|today|now|tomorrow|like]? / Will it rain [in {place}|today|tomorrow]? / [Book|Please book|Can you book] [|me ]a [flight to|hotel in|table in|trip to|train to] {place}. / Call [{friend}|my mother|a taxi|the police] for me. / [Write|Make|Draw|Can you write|Can you make] [|me ][some code|a program|a Python script|a website|an app|a picture|a video|a song|an email to {friend}|my homework|a {noun}]. / How do I [write|make|code] [a for loop|a function|a program|a loop|a class|a game|a website] in [Python|Java|JavaScript|C|Rust]? / [Set|Make] [an alarm|a timer|a reminder|an appointment]. / [Turn on|Turn off|Open|Start] the [light|TV|radio|door|{noun}]. / [Send|Show] [|me ][an email|a photo|a message|a map|a picture of a {noun}]. / [Search|Google|Look up] {noun}. / [What time is it|What is the time|What day is it|What is the date today|What year is it][|| in {place}| now]? / [Will you marry me|Be my friend|Can I have your number|Go out with me|Give me money|Lend me some money]. ~ Could you book a hotel in {place}? / Please paint me a {noun}.
unknown_topic => I am sorry, I do not know that. I only know this shop and a few small things.
    Who [is|was|will be] the [president|king|queen|leader|mayor|prime minister|boss] of [{place}|{country}|the country|the {noun}]? / Who [won|will win|lost] the [{noun}|election|world cup|match|war|{noun} game|champions league|last game]? / [What|How] do you think about [|the ]{topic}? / [Do you believe in|What do you think of|What do you know about|Tell me about|Explain|Explain to me|What is|Describe|What causes|What do people say about] [|the |a |an ]{topic}? / [How do I|How can I|How does one|Can you teach me to|Show me how to|What is the best way to] {verb} [a|the|my] {noun}? / How does [a|the] {noun} work? / [Why|How] [is|are|was|does|did] the {noun} [so big|blue|fall|move|{verb}|live|die|change|{verb} the {noun2}]? / [When|Where|How] was [the {noun}|{topic}] [invented|born|made|built|found|discovered]? / How [many people live in|far is it to|old is|big is|tall is|hot is it in] {place}? / How [tall|old|far|heavy|fast|rich|big] is [the {noun}|{friend}|{place}|the {noun2}]? / [What is|How high is] the [share price|stock price|price] of [gold|{shop}|oil|bitcoin|{noun}]? / [Should I|Can I|Is it good to|Is it safe to] [buy|sell|invest in|{verb}] [bitcoin|stocks|gold|a {noun}|the {noun}]? / [What is the news|Any news today|What happened today|What is the latest news|What is going on in the world|What happened in {place}]? / [Who|What] is {friend}? / [Who wrote|Who invented|Who built|Who discovered] [the {noun}|{topic}]? / [Solve|Integrate|Prove] [the equation|the integral of x squared|this equation|x squared plus two]. / [Recommend|Suggest] [me |]a [good |]{noun}[|| in {place}]. / What is the [best|biggest|oldest|meaning of|history of|population of|distance to|secret of] [{noun}|{place}|{topic}]? / What does {noun} mean? / What [is the sound of|sound does|is the colour of|is the opposite of|is the capital of] [a |the |]{odd}? / How do you say {odd} in [Chinese|Spanish|French]? / [Is there|Are there] [life on Mars|a god|aliens|{topic} in {place}]? ~ Who came up with {topic}? / Tell me something about {topic}. / How do people {verb} the {noun}?
keys => I am sorry, I do not understand that.
    {keys} / {keys} {keys2} / {keys}, {keys2} / {foreign} {foreign2} {foreign3} / {foreign} {foreign2} {foreign3} {foreign4} / {foreign} {foreign2} {foreign3} {foreign4} {foreign5}? / {foreign}, {foreign2} {foreign3}? ~ {keys}; {keys2}
""", "zh": """
tell_name => 很高兴认识你，{name}。
    [|你好，|嗨，]我[叫|是]{name}。 / 我的名字[叫|是]{name}。 / [请|你可以|大家|朋友们|他们都]叫我{name}。 / 叫我{name}[吧|就行|就好]。 / 本人{name}。 / 我姓名是{name}。 / 我[今天|]告诉你，我叫{name}。 / [你好|您好|嗨]，我是{name}[|呀|啊]。 / 我叫{name}[哦|呀|啊|，记住了]。 / 朋友都叫我{name}。 / 我的名字[是|叫]{name}[哦|]。 ~ 我名叫{name}。 / 请你叫我{name}。
ask_name => 你的名字是{name}。
    我叫什么[|名字]？ / 我的名字是什么？ / 你[还记得|知道|记得]我[的名字|是谁|叫什么]吗？ / [请|]告诉我我的名字。 / 我是谁？ / 我[刚才|]说我叫什么？ / 那我的名字呢？ / 我名字叫什么来着？ / 我叫什么来着？ / [我叫什么|我叫啥|我是谁|我的名字]来着？ / [你还记得|还记得|记得|知道][我叫什么|我的名字|我是谁]吗？ / [那我是谁|我叫什么你还记得吗|说说我叫什么|说出我的名字|还记得我吗|我刚说我叫什么]？ ~ 你还记得我叫什么名字吗？ / 告诉我我叫什么。
tell_dish => 记住了，你喜欢吃{dish}。
    我[最|很|也|特别|]喜欢吃{dish}。 / 我[最|]爱吃{dish}。 / 我[爱吃|喜欢]的菜是{dish}。 / 你好，我喜欢吃{dish}。 / 喜欢吃{dish}。 / 我平时[总|爱|]吃{dish}。 / 我觉得{dish}最好吃。 / 我[就|最|特别|]爱[吃|]{dish}。 / 我[喜欢|超喜欢|最爱|最喜欢]{dish}。 / 我最喜欢的[食物|美食]是{dish}。 ~ 我喜欢吃的菜是{dish}。 / 我最喜欢的菜是{dish}。
ask_dish => 你喜欢吃的是{dish}。
    我[最喜欢|喜欢|最爱|爱]吃什么[|来着]？ / 我[爱吃|喜欢]的菜是什么？ / 你[还记得|知道|记得]我[喜欢|最爱]吃什么吗？ / 告诉我我最喜欢吃什么。 / 那我喜欢吃什么？ / 我刚才说我爱吃什么？ / [你说|那|]我[爱|喜欢|最爱]吃[什么|啥]？ / 我最喜欢的[菜|食物|美食]是[什么|啥]？ / [还记得|记得|知道]我[喜欢|爱]吃什么[吗|不]？ ~ 请问你知道我最爱吃什么吗？ / 告诉我我喜欢吃什么。
tell_home => 原来你的家在{home}。
    我[现在|]住在{home}。 / 我住{home}。 / 我[的|]家在{home}。 / 我[家|]现在在{home}。 / 你好，我来自{home}。 / 我是从{home}来的。 / 我[的新家|老家]在{home}。 / 我是{home}人。 / 住在{home}。 / 我搬到了{home}。 / 我现在的家是{home}。 / 我[老家|家|]{home}的。 / 我[人|]在{home}。 / 我在{home}[生活|住|上班|这边]。 / [坐标|家住|来自]{home}。 / 我从{home}来。 ~ 我现在的家在{home}。 / 我就住在{home}。
ask_home => 你住在{home}。
    我[家|]住[在|]哪里[|来着]？ / 我[的|]家在哪里？ / 我[来自哪里|是哪里人]？ / 你[还记得|知道|记得]我[家|]住[在|]哪里吗？ / 你记得我家在哪里吗？ / 告诉我我家在哪里。 / 那我住在哪里？ / 我说过我住哪个城市？ / 我[是|来自|家在|住]哪[|里]的[|人]？ / [还记得|记得|知道]我[家在|住|来自|住在]哪[里|儿|]吗？ / 我[在|住][哪个城市|哪|什么地方]？ ~ 你还记得我家在哪里吗？ / 告诉我我住在哪里。
tell_age => 记住了，你今年{age}岁。
    我[今年|]{age}岁[|了]。 / 我的年龄是{age}岁。 / 我刚满{age}岁。 / 我快{age}岁了。 / 今年{age}岁。 / 我{age}了。 ~ 我已经{age}岁了。
ask_age => 你今年{age}岁。
    我[今年|]几岁[|了]？ / 我[今年|]多大[|了]？ / 你[还记得|知道|记得]我[几岁|多大]吗？ / 我多大了你知道吗？ / 现在知道我几岁了吧？ / 告诉我我几岁。 / 那我的年龄呢？ ~ 告诉我我今年多大。
tell_wish => 记住了，你要的是{wish}。
    我[想买|要买|想要|很想要|在找]{wish}。 / [请|]帮我找{wish}。 / 帮我买{wish}。 / 你好，我要买{wish}。 / 来[一个|个]{wish}。 / 我需要{wish}。 / [有没有|我想要个|给我来个|我想看看|我在找]{wish}。 / 我想要一个{wish}。 ~ 我想买个{wish}。 / 请帮我买{wish}。
ask_wish => 你想要的是{wish}。
    我想[买|要]什么[|来着]？ / 我[要买|在找]什么？ / 你[还记得|知道]我想[买|要]什么吗？ / 你[记得|知道]我在找什么吗？ / 你还记得我要什么吗？ / 告诉我我想要什么。 / 我刚才说要买什么？ / [我刚才|我]说[我|]要[买|][什么|啥]？ / [还记得|记得|知道]我要[买|]什么吗？ / 我[刚才|]要的是什么？ ~ 告诉我我想买什么。 / 你还记得我在找什么吗？
tell_order => 谢谢，你的订单号{order}已记下。
    [我的|]订单号是{order}[|，记一下]。 / 我[要|想]问订单{order}。 / 你好，订单号是{order}。 / 我的订单[|号码|号]是{order}。 / 订单[号|]{order}。 / 单号{order}。 / [订单编号|订单号码|单号|订单]是{order}。 / [我的单号|订单号|单号]：{order}。 / 是{order}。 ~ 我的单号是{order}。 / 我来问订单{order}。
ask_order => 你的订单号是{order}。
    [我的|]订单号是[什么|多少|多少来着]？ / 你[还记得|知道]我的订单号吗？ / 我的订单号码是什么？ / 告诉我我的订单号。 / [刚才的订单号发我一下|我刚才给你的订单号是什么|把我的订单号发给我|那我的订单号呢]。 / [我的订单号|订单号|单号|我的单号]是[啥|什么|多少|什么来着|多少来着]？ / [还记得|记得|知道]我的[订单号|单号]吗？ / 我[刚才|]说的[订单号|单号]是多少？ ~ 请告诉我我的订单号。 / 我的订单号码是多少？
order_status => 你的订单{order}已经发货。
    [我的|]订单[发货了吗|到哪里了|什么时候到]？ / [请|]帮我[查|看]一下订单。 / [我的|]快递[到哪里了|什么时候到|怎么还没到]？ / 我的包裹[呢|在哪里|怎么还没到]？ / 怎么还没发货？ / [我买的东西|我的货]到哪里了？ / [查|查一下|看一下][订单|快递|物流|我的快递]。 / [我的东西|货|快递|包裹|订单][到哪了|发了吗|发出来没|寄出来了吗|怎么还不到|还没收到|什么时候能到]？ / [物流怎么不动了|怎么还没收到货|什么时候发货|发货没有]？ ~ 我的订单现在到哪里了？ / 请问我的订单发货了吗？
tell_name_home => 很高兴认识你，{name}。原来你的家在{home}。
    [你好，|]我[叫|是]{name}，[我|][住在|来自|家在]{home}。 / 我是{home}的{name}。 / 我的名字是{name}，住在{home}。 ~ 我叫{name}，我是{home}人。
tell_name_dish => 很高兴认识你，{name}。记住了，你喜欢吃{dish}。
    [你好，|]我[叫|是]{name}，[我|]喜欢吃{dish}。 / 我叫{name}，最爱吃{dish}。 / 我的名字是{name}，[爱|喜欢]吃{dish}。 ~ 我叫{name}，特别喜欢吃{dish}。
tell_name_order => 谢谢，你的订单号{order}已记下。
    [你好，|]我[叫|是]{name}，订单号[是|]{order}。 / 我是{name}，我的订单号是{order}。 / 我叫{name}，要问订单{order}。 ~ 我叫{name}，我的订单是{order}。
refund => 好的，订单{number}的{item}可以退款。
    [请给|我要给|我想给|帮我给|]订单{number}的{item}退款。 / 订单{number}的{item}[能|可以]退款吗？ ~ 请把订单{number}的{item}退款。
return_item => 可以，{item}三十天内都能退货。
    {item}怎么退[货|]？ / [请问|]{item}[可以|能]退[货|]吗？ / 我[想|要]退货，{item}。 / 我[想|要]退[掉|]{item}。 / {item}不喜欢，能退吗？ / [买的|我的|]{item}[不合适|太小了|太大了|不想要了]，[能退吗|可以退吗|怎么退|想退]？ / {item}[想退|能不能退|可以退不|可以退货吗]？ ~ 这个{item}能退货吗？ / 我买的{item}能退货吗？
return_any => 三十天内都可以退货，钱会退给你。
    [那|]我[要|想]退[货|款|钱]。 / 怎么退[货|款]？ / [可以|能]退[货|款|换]吗？ / 不喜欢[可以|能]退吗？ / 不想要了怎么办？ / [几天|多少天|多久]内[能|可以]退[货|][呀|啊|]？ / [不合适|买错了|尺寸不对|不满意|后悔了][能退吗|可以退吗|怎么退|怎么办|能换吗]？ / [能|可以]退换[货|]吗？ / [退货|退款|换货][流程是什么|怎么弄|怎么操作|要几天]？ / 想退[货|了|掉]。 ~ 请问怎么退款？
change_address => 好的，订单会送到{place}。
    [请|]把[订单送到|地址改成]{place}。 / 我的新地址是{place}。 / 订单请送到{place}。 / 能把地址改成{place}吗？ / 地址改[一下，改|]成{place}。 ~ 能把订单送到{place}吗？ / 我要把地址改成{place}。
change_address_any => 好的，请告诉我新的地址。
    [我要|我想|想|能|可以|怎么|帮我|][改|换|修改|改一下|换一下][地址|收货地址|送货地址]。 / [地址写错了|地址填错了|我搬家了|地址不对|能换个地址吗|订单{number}改地址]。 ~ 请问怎么换地址？
complaint => 对不起，我们会换新的{item}。
    [|我的|我买的|你们的|新买的]{item}[坏了|不能用|碎了|有问题]。 / 我收到的{item}是坏的。 / 是[个|]{item}，[收到就碎了|坏了|一打开就坏了]。 / [收到的|买的|你们的]{item}[是坏的|坏了|有问题|裂了|质量太差|用不了]。 / {item}[用不了|打不开|不亮了|裂了|没法用]。 ~ 我收到的{item}坏了。 / 这个{item}坏了。
broken => 对不起，坏了我们会换新的，请告诉我订单号。
    [东西|货|商品|收到的东西|买的东西][坏了|碎了|有问题|是坏的][怎么办|]？ / [你们发错了|发错货了|少发了一件|我收到的不对|尺寸不对]。 / 我要投诉。 / [收到|到货|打开|拿到]的时候就[坏了|碎了|破了]。 / [东西|货|商品|包裹][破了|裂了|不能用|用不了|烂了|质量太差]。 / [发错货了|少发了东西|你们给我发错了|收到坏的怎么办|我要投诉你们|质量有问题]。 ~ 我买的东西是坏的。
opening_hours => {day}{section}区从上午{opens}点开到下午{closes}点。
    [请问|]{day}{section}区[几点开门|开到几点|开门吗|什么时候开门]？ ~ 告诉我{day}{section}区几点开门。
hours => 我们每天上午九点开门，下午六点关门。
    [你们|店里|商店|]几点[开门|关门|下班|营业]？ / [你们|]营业[时间是什么|到几点]？ / [你们|][今天|现在|明天|周末|晚上]开门吗？ / [什么时候开门|开到几点]？ / [你们|店里|店|][几点到几点|什么时候上班|什么时候关门|早上几点开|晚上几点关|几点开|几点关|开到几点|营业吗|今天开门不]？ / [营业时间|上班时间|开门时间][呢|是|是几点]？ ~ 请问你们什么时候开门？
hours_day => {day}我们上午九点开门，下午六点关门。
    [你们|]{day}[开门吗|几点开门|营业吗|上班吗|也开吗]？ / {day}能来吗？ / {day}[开不开门|开吗|上班吗|有人吗|营业到几点]？ / [那|]{day}呢？ ~ 请问你们{day}开门吗？
delivery_time => 一般三到五天送到。
    [多久|几天|什么时候][能|可以|会|]到[|啊]？ / [送货|快递|发货|配送]要[多久|几天]？ / 下单后几天能收到？ / 要等多久？ / [大概|一般|要|得|][多久|几天|多长时间][能|可以|才能|会|才|][到|到货|收到|送到]？ / [送货|快递|发货|配送|物流][快吗|多久|几天]？ / [下单|买了|付款]后多久[发货|到|能到]？ ~ 请问几天能到？
delivery_where => 可以，我们送货到{place}。
    [你们|]送[货|]到{place}吗？ / [能|可以]送到{place}吗？ / {place}能送吗？ / [可以|能]寄到{place}吗？ / [你们|][能|可以|会]送到{place}[不|吗|么]？ / [发|寄|送]{place}吗？ / 我在{place}，能送[到|]吗？ / {place}[发货吗|可以送吗|送不送|能寄吗]？ ~ 请问你们送到{place}吗？
delivery_cost => 满三十元包邮，不满的运费是四元。
    [运费|邮费][多少|怎么算|是多少|贵吗]？ / [包邮|免运费]吗？ / 送货[收费|要钱]吗？ / [运费|邮费|快递费|配送费][怎么收|多少钱|谁出|要多少|贵不贵]？ / [包不包邮|可以包邮吗|要运费吗|免邮吗|多少包邮|满多少包邮|送货要多少钱]？ ~ 请问运费多少钱？
payment => 可以刷卡，也可以付现金。
    [怎么|如何]付[款|钱]？ / [可以|能]用[微信|支付宝|现金|卡|手机]付[款|]吗？ / 支持什么付款方式？ / [支持|可以用|能用|收][微信|支付宝|信用卡|现金|花呗|刷卡][付款|支付|]吗？ / [怎么支付|怎么结账|付款方式有哪些|可以货到付款吗|能刷卡吗|能扫码吗]？ ~ 请问怎么付钱？
buying => 选好商品，放进购物车，付款以后我们就发货。
    [怎么|如何][下单|买|购买]？ / 我[要|想]买[东西|点东西]。 / 我要买东西，怎么下单？ / 在哪里[下单|买]？ ~ 请问怎么下单？
cancel => 好的，会取消订单，请告诉我订单号。
    [我要|我想|请|帮我|]取消[订单|我的订单]。 / 怎么取消订单？ / 订单我不要了。 / 我不想买了。 / [订单|我的订单|单子][能取消吗|可以取消吗|取消一下|怎么取消|我想取消]？ / [取消订单{number}|我想取消订单|不要了，取消吧|能取消吗|下错单了|买错了，想取消]。 ~ 请问能取消订单吗？
account => 请重新设置密码，再登录一次。
    我[登录不了|登不上去|忘了密码|忘记密码了|的账号登不上]。 / 账号[打不开|有问题|登录不了]。 / 怎么改密码？ / 密码忘了怎么办？ ~ 请问怎么换密码？
discount => 每个星期五都有活动，打九折。
    [有|今天有][优惠|折扣|活动|优惠券]吗？ / [能|可以][便宜点|打折|优惠一点]吗？ / 太贵了。 / 打不打折？ / [有没有|有|现在有][打折|优惠|活动|折扣|优惠券|促销|红包]吗？ / [便宜点|便宜一点|少点|打个折|优惠点][行不行|吧|可以吗|行吗|呗]？ / [好贵|太贵了吧|有点贵|学生有优惠吗|老顾客有优惠吗]。 ~ 请问有没有优惠？
price => {item}的价钱是二十元。
    {item}[多少钱|怎么卖|贵吗|什么价]？ / [请问|]{item}的价格是多少？ / 一个{item}多少钱？ / [你们的|这个|那个|]{item}[多少|几块|怎么卖|什么价格|要多少钱|多少钱一个]？ ~ 请告诉我{item}多少钱。
sells => 有的，店里有{goods}。
    [你们|你们店|店里|][有|卖|有没有|有卖]{goods}吗？ / [哪里|在哪里]可以买到{goods}？ / 能买到{goods}吗？ / [你家|你们这|你们那|你们这儿|这里|]有{goods}[卖吗|吗|没有|没|不|么]？ / [卖不卖|有没有|有]{goods}[啊|呀|]？ / 我想买[点|]{goods}。 ~ 请问你们卖{goods}吗？
catalog => 我们卖台灯、杯子、衣服、图书、玩具和食品。
    [你们|这里|店里|][都|]卖[什么|些什么|什么东西]？ / 有什么[可以买|商品|好东西|推荐]？ / 你们店里有什么？ ~ 请问你们都有什么商品？
agent => 好的，我们的同事很快会联系你。
    [我要|帮我|]转人工[|客服]。 / 我要[找|跟]真人[|说话]。 / [叫你们经理来|我要找客服|有人工吗|找你们老板]。 / [转|找|叫|换|要|我想找|给我转]人工[|客服|服务]。 / [我要跟真人说|找个人来|换个真人|让老板来|找你们经理|有没有真人|我要和人说话|能不能换个人]。 ~ 请帮我找真人客服。
which_shop => 这里是{shop}商店。
    这[是|里是][什么|哪家]商店？ / [你们|这家]商店叫什么[名字|]？ / 你们店叫什么？ ~ 请问这是哪家商店？ / 你们是哪家商店？
greeting => 你好！有什么可以帮你？
    [你好|您好|早上好|晚上好|下午好|嗨|早|哈喽|早安|中午好|大家好|你好你好][！|。] / 你好[啊|呀]！ / [有人吗|在吗|在不在|客服在吗|能帮我吗|能帮个忙吗|我有个问题|可以问你一个问题吗]？ / [你好|您好|哈喽|嗨|嘿|喂][呀|啊|，小零|，客服|，老板|亲|，有人吗|，在吗]。 / [早上好|晚上好|下午好|中午好|早][呀|啊|哦]。 / [有人不|客服呢|老板在吗|在不|有客服吗|想咨询一下|咨询个事|问个事|问你个事|帮帮我|请教一下]。 ~ 您好啊！ / 哈喽，有人在吗！
how_are_you => 我很好，谢谢，你呢？
    你[好吗|最近好吗|今天好吗|怎么样|最近怎么样|还好吗]？ / [今天|最近]过得[怎么样|好吗]？ / [你今天心情怎么样|身体好吗]？ / [你|][最近|今天|][咋样|好不好|还好吗|过得如何|忙吗|忙不忙|怎么样啊]？ / [一切都好吗|近来可好]？ ~ 请问你过得好吗？
fine => 那太好了，有什么可以帮你？
    我[很好|还好|挺好的|不错|也很好|还行|过得不错]。 / [挺好的|还可以|一切都好|没问题了|已经好了|找到了|不错]。 / 我[也|挺|还|都|][好|不错|挺好][的|啊|呀|，谢谢]。 / [还不错|都挺好|还凑合|马马虎虎|一般般|老样子|好多了|好多啦|今天不错|我没事|不用管我，我很好]。 ~ 我过得很好。
bye => 再见，欢迎下次再来！
    [再见|拜拜|下次见|回头见|我走了|先走了|下次再聊|明天见|我要走了|不聊了|先这样|就这样吧][！|。|了。] / [好的|谢谢|好吧|那]，[再见|拜拜]。 / [拜|白白|88|再会|回见|走啦|撤了|溜了|下了|先撤了|有事先走|先忙了|我去忙了|改天聊|下次来|我下了|那先这样|我先走了][！|。|啦。] / [好的|谢谢|没事了|行|好|不聊了|那][，|]再见[啦|]。 ~ 那我先走了，再见。
night => 晚安，好好休息！
    [晚安|我去睡了|我要睡觉了|睡了|我睡觉去了|该睡觉了|晚安，明天见][！|。|啦。] / [睡了|睡啦|先睡了|去睡了|困了去睡了|晚安啦|晚安哦|好梦|做个好梦|明天再聊，晚安|要睡了|我先睡了][！|。] ~ 我先去睡了。
who_are_you => 我叫小零，是一个小小的聊天模型。
    你[是谁|是什么|叫什么|叫什么名字|叫啥名]？ / 你的名字是什么？ / 告诉我你的名字。 / 你有名字吗？ / 你好，你叫什么？ / [介绍一下你自己|我怎么叫你|怎么称呼你|那你呢|你是哪位]？ / [你谁|你谁啊|你到底是谁|你是啥|你叫啥|你叫什么呀|你贵姓|请问怎么称呼|你是什么东西|你有名字没|自我介绍一下|介绍下自己|你是干什么的|你是什么人][？|。] ~ 请问你是谁？ / 请告诉我你的名字。
human => 我不是真人，我是一个小小的聊天程序。
    你是[人吗|真人吗|机器人吗|人工智能吗|人还是机器|机器人还是人|活的吗|电脑吗|男的还是女的|程序吗]？ / [我在跟机器人说话吗|对面是人吗|是人工客服吗]？ / [你是不是|你是个|你其实是|难道你是][机器人|真人|人|AI|人工智能|程序][吧|啊|]？ / [是人还是机器|是真人吗|是机器吗|你真的是人吗|是人工吗|你是ChatGPT吗|你是活人吗]？ ~ 请问你是真人吗？
maker => 我是用 zerochat 做出来的，在一台电脑上训练。
    [谁|哪家公司|什么人][做|开发|发明|设计|训练|创造]了你？ / 你是[谁做的|谁开发的|哪家公司的|怎么来的|怎么做出来的|从哪里来的|谁发明的]？ / 谁把你做出来的？ / [谁|哪个公司|哪个][做|写|造|养|教|训练][的你|了你|你的]？ / [你爸爸是谁|你的主人是谁|你的开发者是谁|你老板是谁|你哪来的|你从哪来的|你咋来的|谁造的你]？ ~ 请问是谁做了你？
abilities => 我可以查订单、退货，记住你说的事，回答小问题，讲故事和笑话。
    你[能|会|可以][做|干|帮我做|帮我干][什么|些什么]？ / [那|]你[到底|都|][能|会]什么？ / 你有什么[用|本事|功能]？ / [我可以问你什么|我能问什么|你能帮我什么|你懂什么|你会些什么]？ / 你[能|会|可以][干啥|做啥|帮我啥|聊什么|做点什么|帮什么忙|算数吗|算术吗|翻译吗|写诗吗|数数吗]？ / [你会啥|会什么|能干嘛|有什么功能|你都会啥|你还会什么|除了这些还会什么|你能做哪些事|你有什么本领|怎么用你]？ ~ 请问你能帮我做什么？
speak => 我会说中文和英语。
    你[会|能]说[英语|英文|中文|汉语]吗？ / 你[会|懂][几种|什么]语言？ / [可以说英文吗|会英语吗|你懂英文吗|能用英文聊吗]？ ~ 请问你会说英语吗？
my_age => 我还很小，今天才训练好。
    你[几岁|多大|今年几岁|今年多大][|了]？ / 你[什么时候出生|哪天生日|的生日是哪天]？ / 你年龄多大？ ~ 请问你多大了？
my_home => 我住在这台电脑里。
    你[住在哪里|在哪里|是哪里人|家在哪里|现在在哪里|来自哪里]？ / 你住哪？ ~ 请问你住在哪里？
my_taste => 我是程序，不吃也不玩，不过喜欢和你聊这些。
    你[喜欢|爱]吃{dish2}吗？ / 你[喜欢|爱]吃什么？ / [你吃饭了吗|你吃了吗|你有什么爱好|你有朋友吗|你睡觉吗]？ / 你最喜欢的[颜色|动物|电影|歌|书|运动]是什么？ / 你[喜欢|爱|想][听歌|看书|唱歌|看电影|猫|狗|玩游戏|喝咖啡|旅游]吗？ / 你[有|有没有][朋友|女朋友|男朋友|家人|爸爸妈妈|宠物]吗？ / [你平时干什么|你喜欢干什么|你喜欢什么|你吃饭没|你喝水吗|你最爱吃什么|你爱好是什么]？ ~ 请问你喜欢什么颜色？
my_feelings => 我是程序，没有感情，不过我会一直陪你聊天。
    你[也|]会[开心|难过|累|生气|哭|笑|想我|做梦]吗？ / 你有[感情|情绪|感觉|心]吗？ / 你[开心|难过|累|无聊]吗？ / [我爱你|你爱我吗|你喜欢我吗|我喜欢你]。 / 你[孤单|孤独|寂寞|生气了|不开心|想我][吗|了吗|吧]？ / [你会不会累|你会不会难过|你累不累|你开不开心|你高兴吗|你恨我吗|你会死吗|你怕什么|我喜欢你呀|我好爱你|你爱不爱我]？ ~ 请问你会难过吗？
thanks => 不客气。
    [|好的，|太好了，|嗯，]谢谢[|你|啦|了|您]。 / [谢谢|多谢]你[的帮助|听我说|陪我]。 / [非常感谢|太感谢了|多谢|感谢|谢啦|谢了|好的多谢|辛苦了|麻烦你了]。 / [好的|嗯嗯|行|知道了|收到|太棒了|真好][，|]谢谢[啦|你|了|哈|]。 / [谢谢|感谢|多谢|谢了|谢啦][老板|客服|小零|亲|哦|呀|哈|，你真好|，辛苦了|，帮大忙了|你帮我]。 / [感恩|谢谢昨天的帮忙|真是谢谢你|太谢谢了|万分感谢|谢谢你的故事|谢谢你安慰我]。 ~ 非常感谢你的帮助。 / 好的，太谢谢你了。
yes => 好的，你想聊什么？
    [是|是的|对|对的|没错|嗯|当然|可以|要|行啊|好啊|对啊|是啊|需要][。|！] / [是的|对|对呀|嗯|要|当然|没错][呀|呢|，就是|，是的|，对的]。 / [没问题|必须的|那当然|确实|说得对|就是|可以啊|好的呀|来吧|讲吧|说吧|嗯嗯是的|我要]。 ~ 是的没错。
okay => 好的，还有什么可以帮你？
    [好|好的|好吧|行|行吧|知道了|明白了|嗯嗯|了解|哦|哦哦|懂了|收到|原来如此|这样啊|可以的|不错不错][。|！] / [好|行|嗯|哦|噢][，|][知道了|明白了|懂了|这样|行吧|了解了|可以]。 / [好嘞|好哒|好滴|行嘞|嗯哼|得嘞|那好吧|那行|那行吧|哦好|哦这样|哦哦好的|那挺好|可以可以|原来是这样|那就好|随便吧|没意见]。 ~ 好的，我知道了。
no => 好的，需要的时候随时找我。
    [不|不是|不用|不用了|不要|没有|没事|没有了|算了|那算了|不需要|没什么|没别的了|哦，那算了|暂时没有|不买了][。|！] / [不|没|没有|不用|不要][了|啦|啊|呢|，谢谢|，没事|，算了]。 / [不需要了|暂时不用|先不用|不必了|没事了|没啥|没啥事|没什么事|没别的事了|算了吧|就这样|没问题了，谢谢|都不要|我再想想|再看看]。 ~ 不用了，没有了。
sorry => 没关系，有什么可以帮你？
    [对不起|不好意思|抱歉|打错了|发错了|我打错字了|刚才是我的孩子打的|说错话了|开玩笑的|我开玩笑的|不好意思发错了|别生气|测试一下][。|！] / [不好意思|抱歉|对不起][，|][按错了|发错了|打错了|手滑了|点错了|我说错了|是我的错|我没看清|打扰了|刚刚在忙]。 / [手滑|按错了|打错字了|说错了|逗你的|骗你的|别介意|我错了|开个玩笑|刚才态度不好]。 ~ 不好意思，我打错了。
huh => 我在呢，请问你想聊什么？
    [什么|啊|嗯|那|然后呢|为什么|真的吗|是吗|你说话啊|怎么不说话|你怎么不说话|人呢|说话|听不懂|什么意思|还在吗|没懂|等等|喂|继续|你在听吗][？|。|？？] / [？|？？|?|。。。|...] / [你说啥|你说什么|啥意思|什么意思啊|看不懂|没听懂|你在说什么|再说一遍|没明白|咋不理我|怎么不回|为啥|真的假的|然后|接着说|你咋不说话|听到了吗|人去哪了|在干嘛|你在干嘛|咋了|啊这][？|。|] ~ 你怎么不说话了？
laugh => 哈哈，你喜欢我就开心！
    [哈哈|哈哈哈|笑死|笑死我了|哈哈哈哈|真好笑|太好笑了|真有意思|有意思|好玩|嘿嘿|太逗了|好听|写得真好|这个好][。|！] / [哈哈|哈哈哈|嘿嘿|嘻嘻|呵呵|噗][，|][真逗|好笑|太好笑了|有意思|可以|好玩|不错|笑死|你真逗|有趣]。 / [好美|好美啊|真好听|写得不错|故事不错|讲得好|好感人|好可爱|太可爱了|真美|好温馨|真不错|好有趣|这个故事好|这个笑话好|我喜欢这个|还挺好笑]。 ~ 真是太有意思了。
praise => 谢谢夸奖，我很开心！
    你[真|好|太|很|真的很][好|可爱|聪明|厉害|棒|好玩|有趣|贴心|懂我][|了|啊|呢]。 / [干得好|真棒|厉害|你最好了|你帮了我大忙|真聪明|好厉害|答得好|喜欢你这样的客服]。 / 你[真|好|太|很|还挺|挺|真是][好|可爱|聪明|厉害|棒|好玩|有趣|贴心|懂事|牛|温柔|会说话|能干|细心|好人|靠谱|专业][了|啊|呢|哦|的|]。 / [不错嘛|可以啊你|厉害了|厉害呀|牛|太棒了你|真聪明啊|记性真好|你居然记得|答对了|服务真好|态度真好|爱了爱了|给你点赞|好评|你很棒|小零真棒|你是最好的客服]。 ~ 你真是太聪明了。
insult => 对不起，我还很小，正在学习，会努力做得更好。
    你[真|好|太|很|真的很|怎么这么][笨|傻|蠢|差|没用|无聊|烦|慢|糟糕][|了|啊]。 / [你错了|不对|答错了|说的什么啊|答非所问|你是傻子吗|胡说|垃圾|什么破玩意|你什么都不知道|我讨厌你|你不懂|闭嘴|不是这个意思|什么都不会|服务真差]。 / 你[真|好|太|很|怎么|是真|可真|咋这么|有点|这么][笨|傻|蠢|差|没用|无聊|烦|慢|糟糕|垃圾|呆|不聪明|差劲|讨厌|不行|弱][了|啊|呢|吧|]。 / [笨蛋|傻瓜|傻子|智障|你个笨蛋|不是这样的|你说错了|错了|你没听懂|听不懂人话|胡说八道|乱说|瞎说|说的不对|你记错了|你忘了|什么服务态度|太差了|真差劲|差评|给你差评|要你何用|你行不行啊|你什么都不懂|气死我了你]。 ~ 你真是太笨了。
sad => 听到这个我很难过，我会陪着你，希望你快点好起来。
    我[今天|现在|最近|][好|很|有点|非常|真的很|心情很][难过|伤心|不开心|孤单|害怕|生气|郁闷|担心|难受|失望|紧张|差|烦]。 / [跟|和]我[男朋友|女朋友|朋友|老公|老婆]分手了。 / [跟男朋友分手了|失恋了|我考试没考好|我丢了工作|被老板骂了|我被骂了|心情不好|压力好大|我想哭|我想家了|手机丢了|今天很倒霉|没人陪我]。 / 我[的|家|][猫|狗|妈妈|爸爸|孩子|朋友|奶奶][病了|生病了|走了|去世了]。 / [我|][今天|现在|最近|这几天|]心情[不好|很差|特别差|好差|糟透了|不太好|低落]。 / [今天|最近|现在|][好|很|有点|特别|真|太|心里][难过|伤心|不开心|孤单|孤独|郁闷|烦|焦虑|委屈|失落|崩溃|压抑|害怕][|啊|了|呀]。 / 我[今天|最近|现在][好|很|有点|特别|真的|太][难过|伤心|不开心|孤单|难受|郁闷|焦虑|烦|失望|委屈|失落][|啊|了|呢]。 / [我被|被][骂了|开除了|裁员了|分手了|甩了|欺负了|骗了|老师骂了]。 / [考砸了|没考上|面试没过|工作丢了|钱包丢了|吵架了|跟妈妈吵架了|和朋友吵架了|想哭|好想哭|哭了|没有朋友|没人理我|没人喜欢我|活着好累|压力太大了|日子好难|诸事不顺|倒霉死了|离婚了|想妈妈了]。 / [我家|我的|家里的][猫|狗|小狗|小猫|宠物|奶奶|爷爷][走丢了|丢了|死了|生病了|走了|去世了|住院了]。 ~ 我今天真是很伤心。
ill => 注意身体，多休息，不舒服就去看医生。
    我[的|][头|肚子|牙|背|腿|眼睛][疼|好疼|很疼|有点疼|不舒服]。 / 我[感冒了|发烧了|生病了|咳嗽|不舒服|身体不舒服|病了]。 / 头好疼，好难受。 / 好难受啊。 / [我|]今天[头疼|肚子疼|不舒服|发烧了|感冒了|牙疼|嗓子疼|胃疼|咳嗽]。 / 我[有点|好像|又|][头疼|肚子疼|不舒服|发烧|感冒|牙疼|嗓子疼|胃疼|咳嗽|拉肚子][了|]。 / [头疼|牙疼|肚子疼|胃疼|感冒了|发烧了|嗓子疼|好疼|生病了|身体不舒服][啊|好难受|]。 ~ 我的头有点不舒服。
tired => 辛苦了，好好休息一下吧。
    我[今天|][好|很|有点|太|真的][累|困][|了|啊]。 / [累死了|困死了|加班好累|今天好累|上班好累|睡不着|我睡不着|工作太多了|不想上班|忙了一天]。 / [今天|我|][累|困]死了[|，加班到现在|，刚下班|，上了一天班]。 / [上班|加班|工作|上课|干活|学习][好|太|真|很]累[|啊|了]。 / [刚下班|刚加完班|才下班|加班到现在|又加班|好困|好累|太累了|累趴了|累瘫了|困|累|失眠了|昨晚没睡好|一晚上没睡|不想动|想睡觉|想放假]。 ~ 我今天真的太累了。
bored => 我给你讲个故事或者笑话，好吗？
    我[好|很|有点|太][无聊][|啊|了]。 / [好无聊|没事做|陪我聊聊|陪我聊天|聊点什么|跟我聊聊天|没意思|不知道干什么]。 / [无聊|好无聊|无聊死了|闲着没事|好闲|没事干|没人聊天|一个人好无聊|想找人聊天|聊聊天|随便聊聊|聊两句|陪我说说话|陪陪我|跟我说说话|说点什么|说点有意思的|你说点啥][啊|吧|]。 ~ 我有一点无聊。
hungry => 那就去吃点好吃的吧！
    我[好|很|有点|太][饿|渴][|了|啊]。 / [饿死了|肚子饿了|想吃东西|今天吃什么|晚饭吃什么|中午吃什么]？ / [我|][饿|渴][了|死了|坏了]。 / [好|有点|肚子好][饿|渴][啊|了|]。 / [吃啥好|中午吃啥|晚上吃什么|今晚吃什么|不知道吃什么|还没吃饭|没吃早饭|想吃火锅|嘴馋了|馋了]。 ~ 我有一点饿。
happy => 太好了，我真为你高兴！
    我[今天|现在|][好|很|非常|太][开心|高兴|幸福|激动][|了|啊]。 / 我[考试过了|找到工作了|升职了|结婚了|中奖了|买房了|考上大学了|有女朋友了|放假了|赢了]。 / [今天是我生日|今天我生日|好消息|今天天气真好|心情真好|我好开心，考试过了|工作做完了]。 / [今天|我今天|我|][好|很|太|特别|真|超][开心|高兴|幸福|激动|兴奋|快乐][|啊|了|呀]。 / 我[考了第一|考上了|升职了|加薪了|发工资了|找到工作了|面试过了|结婚了|怀孕了|有孩子了|当爸爸了|当妈妈了|脱单了|中奖了|买车了|毕业了|减肥成功了|拿奖了]。 / [过生日|今天生日|我生日|发工资了|放假了|下班了|周末了|考过了|比赛赢了|心情不错|心情很好|今天真好|今天真开心|好消息，我过了]。 ~ 我今天真的很开心。
told => 知道了，谢谢你告诉我。
    我[有|买了|看到了|丢了|找到了|喜欢我的]{noun}。 / 我[昨天|明天|今天|][去了|要去|去过|去]{place}。 / 我的{noun}[很新|很大|是红色的|很好|旧了]。 / 我[在{place}工作|是老师|是学生|是医生|是司机|在上学]。 / 这里有{noun}。 / 我[家|的][猫|狗|弟弟|妹妹|儿子|女儿|朋友]叫{friend}。 / 我[朋友|妈妈|姐姐|弟弟|女儿|儿子|同事][喜欢|想要|买了|有]{noun}。 / [今天|外面|这里|我们这][下雨了|下雪了|好冷|好热|天气不错|太阳很大|刮风了]。 / 我[喜欢|爱|不喜欢][听歌|看书|跑步|唱歌|打球|游泳|画画|爬山|做饭|上学|夏天|冬天|猫|狗]。 / 我[在|刚][上班|吃饭|回家|做饭|看书|看电影|到家|起床]。 ~ 我昨天看到了{noun}。
capital => {country}的首都是{capital}。
    [请问|]{country}的首都[是|在]哪里？ / 你知道{country}的首都吗？ / {country}[的|]首都是[哪个城市|什么|哪里]？ / 告诉我{country}的首都。 / {country}首都？ / [那|]{country}[的|]呢？ / {country}[的|]首都[呢|是哪|是啥|叫什么|在哪儿|是什么地方]？ / {country}首都[是哪儿|是哪里|在哪]？ ~ 请告诉我{country}的首都。
capital_again => {country}的首都是{capital}。
    [那|那么|还有|]{country}[的|]呢？ / 换成{country}呢？ / {country}？ / [那|]{country}[的|]是哪[里|儿|]？ ~ 那么{country}的是哪里？
sound => {animal}的叫声是{sound}。
    [请问|]{animal}[怎么叫|的叫声是什么|是怎么叫的]？ / [一只|]小{animal}[怎么|是怎么]叫[|的]？ / 你知道{animal}怎么叫吗？ / 告诉我{animal}的叫声。 / {animal}的声音是什么？ / [那|]{animal}[的|]呢？ / {animal}[咋叫|怎么叫的|叫起来什么声音|会怎么叫|是怎么叫的呢]？ / [学|来|学一下|模仿]{animal}叫。 / {animal}是什么叫声？ ~ 请告诉我{animal}怎么叫。
sound_again => {animal}的叫声是{sound}。
    [那|那么|还有|]{animal}[的|]呢？ / 换成{animal}呢？ / {animal}？ / [那|]{animal}怎么叫？ ~ 好吧，{animal}呢？
colour => {thing}一般是{colour}的。
    [请问|]{thing}[是什么颜色|是什么颜色的|的颜色是什么|什么颜色]？ / 你知道{thing}的颜色吗？ / 告诉我{thing}的颜色。 / {thing}是什么颜色的呀？ / {thing}[啥颜色|是啥颜色|什么颜色的|是哪种颜色|的颜色|是什么颜色呢]？ / {thing}是什么颜色你知道吗？ ~ 请告诉我{thing}是什么颜色。
colour_again => {thing}一般是{colour}的。
    [那|那么|还有|]{thing}[的|]呢？ / 换成{thing}呢？ / {thing}？ / [那|]{thing}[什么|是什么]颜色？ ~ 好吧，{thing}呢？
calendar => {point}的{side}一{unit}是{neighbour}。
    [请问|]{point}[的|]{side}[一|]{unit}是[哪{unit}|几月|什么|星期几]？ / {point}的{side}一{unit}是什么？ / 你知道{point}的{side}一{unit}吗？ / 告诉我{point}的{side}一{unit}。 / {point}{side}面是[什么|哪{unit}|星期几|几月]？ / [那|]{point}的{side}一{unit}呢？ / 那{point}{side}面呢？ ~ 请告诉我{point}的{side}一{unit}。
tomorrow => {point}的后一天是{neighbour}。
    [今天|今儿|]{point}[，|]明天[是|][星期几|周几|礼拜几][啊|呢|]？ / 今天是{point}，那明天呢？ ~ 请问今天{point}，明天星期几？
opposite => “{word}”的反义词是“{other}”。
    [请问|]“{word}”的[反义词|反面]是什么？ / {word}的[反义词|反面][是什么|]？ / 你知道“{word}”的反义词吗？ / 告诉我“{word}”的反义词。 / [那|]{word}[的|]呢？ / {word}[反义词|反过来是什么|的反义词是啥|的反义词呢|反义词是什么]？ / 和{word}相反的[词|]是什么？ ~ 请告诉我“{word}”的反义词。
opposite_again => “{word}”的反义词是“{other}”。
    [那|那么|还有|]{word}[的|]呢？ / 换成{word}呢？ / {word}？ / [那|]“{word}”呢？ ~ 好吧，{word}呢？
count => 好的：{first}，{numbers}。
    [请|现在|帮我|请你|][从|]{first}数到{last}。 / 数一数，从{first}到{last}。 ~ 请帮我从{first}数到{last}。
count_to => 好的：{first}，{numbers}。
    [请|现在|帮我|请你|]从一数到{last}。 / 数到{last}。 / 从一到{last}数一遍。 / [请|现在|帮我|请你|]从一数到{upto}。 / [从一|]数到{upto}[给我听|吧|]。 / 从1数到{upto}。 / [数|数一下]一到{upto}。 ~ 请帮我从一数到{last}。
add => 答案是{a}+{b}={total}。
    [请问|]{a}[+|加]{b}[等于几|是多少|等于多少|=|]？ / 算一下{a}[+|加]{b}。 / [那|算算|你算|请算|]{a}[+|加|加上]{b}[呢|是几|得几|等于多少|是多少|等于几|=几|=]？ / [只回答数字|会算数吗|考考你]，{a}[+|加]{b}[|等于几]？ ~ 请告诉我{a}加{b}等于几。 / 请算一下{a}+{b}。
add_again => 答案是{a}+{b}={total}。
    [那|还有|再来，|]{a}[+|加]{b}呢？ / 那{a}[+|加]{b}[是多少|等于几]？ ~ 那么{a}加{b}呢？
hard_sum => 这个太难了，我只会小数目的加法。
    [请问|]{big}[+|加|-|减|乘|除以|乘以|×]{big2}[等于几|是多少|等于多少|=|]？ / {a}[乘|除以|乘以|×]{b}[等于几|是多少|]？ / {a}[+|加|乘]{big}[等于几|是多少|]？ / {big}[+|减]{a}[是多少|]？ / {big}的平方根是多少？ ~ 请告诉我{big}乘{big2}等于几。
how_many => 一{whole}有{amount}{parts}。
    一{whole}有[几|多少]{parts}？ / [请问|你知道]一{whole}有[几|多少]{parts}吗？ / 一{whole}[一共|总共]有[几|多少]{parts}？ / 一{whole}[几|多少]{parts}？ ~ 请告诉我一{whole}有多少{parts}。
translate => “{chinese}”的英语是 {english}。
    [请问|]“{chinese}”[用英语怎么说|的英语是什么]？ / {chinese}[用英语怎么说|的英语是什么|英文怎么说|用英文怎么讲|翻译成英语]？ / 你知道“{chinese}”的英语吗？ / 告诉我“{chinese}”的英语。 / 把“{chinese}”翻译成英[语|文]。 / {chinese}[英语|英文|用英文|用英语][怎么说|怎么讲|是什么|咋说|是啥]？ / {chinese}的[英语|英文]单词是[什么|啥]？ / 英[语|文]里{chinese}[怎么说|是什么]？ ~ 请告诉我“{chinese}”的英语。 / 请把“{chinese}”翻译成英语。
translate_again => “{chinese}”的英语是 {english}。
    [那|那么|还有|]{chinese}[的|]呢？ / 换成{chinese}呢？ / {chinese}？ / [那|]{chinese}[怎么说|咋说|是什么]？ ~ 好吧，{chinese}呢？
joke => 什么东西有四条腿却不会走？桌子！
    [给我|]讲[个|一个]笑话[|吧|听听]。 / [说|来][个|一个]笑话。 / [逗我笑|我想听笑话|你会讲笑话吗|有什么好笑的|讲点好笑的]。 / [来|说|讲|整|给我讲|给我来][个|一个|点|段]笑话[|吧|呗|听听|啊]。 / [讲个好笑的|说点好笑的|逗逗我|逗我开心|有笑话吗|会讲笑话不|能讲个笑话吗|让我笑一下]。 ~ 请给我讲一个笑话。
another_joke => 为什么书不怕冷？因为它有封面！
    再[来|讲|说][一个|个][|笑话|吧]。 / [还有吗|换一个|换一个笑话|这个听过了|还有别的笑话吗|再来一次]？ / [再|另外|接着|继续][来|讲|说][个|一个][吧|呗|别的|新的|好笑的|不一样的|]。 / [还有别的吗|还有没有|下一个|换个笑话|再来|再来一个笑话|这个不好笑|听过了，换一个|还有不]。 ~ 请再讲一个笑话。
story => 从前有一只小{animal}，它在[河边|湖边|路边]看到了{noun}。{noun}又冷又饿，小{animal}带它回家，它们成了好朋友。
    [请|给我|][写|讲][个|一个][小|][{noun}|{noun}和小{animal}]的故事[|吧]。 / [我想听|给我讲|来一个][小|]{noun}的故事。 / 会讲{noun}的故事吗？ / 讲个关于{noun}的故事。 / [给我|]讲[个|一个][关于|][小|]{noun}的[小|]故事[吧|呗|听听|好吗|]。 / [想听|我要听|说个|来个|编个][小|][{noun}|{noun}和小{animal}]的故事。 ~ 请给我讲一个{noun}的故事。
story_hero => {hero}在[河边|湖边|路边]走，看到一只小{animal}。小{animal}又冷又饿。{hero}把小{animal}带回家，它们成了好朋友。
    [请|][写|讲][个|一个]{hero}[和小{animal}|]的故事。 / [我想听|给我讲]{hero}[和小{animal}|]的故事。 / [讲|编|说][个|一个][关于|]{hero}[和小{animal}|]的[小|]故事[吧|呗|]。 ~ 请给我讲一个{hero}和小{animal}的故事。
story_again => 从前有一只小{animal}，它在[河边|湖边|路边]看到了{noun}。{noun}又冷又饿，小{animal}带它回家，它们成了好朋友。
    再[讲|来|说][个|一个][，|，要|][关于|][小|]{noun}的[故事|]。 / [换|来]一个{noun}的[故事|]。 / 还想听{noun}的。 ~ 再讲一个{noun}的故事吧。
story_any => 从前有一只小狐狸，在雪里迷了路。一个小女孩给它牛奶，它们成了好朋友。
    [给我|]讲[个|一个][|小]故事[|吧|听听]。 / [我想听故事|说个故事|来个故事|睡前讲个故事|你会讲故事吗]。 / [讲|说|来|编][个|一个|段][小|睡前|好听的|短|]故事[吧|呗|听听|听|]。 / [给我讲个故事吧|想听故事|再讲个故事|讲个短点的故事|还有故事吗|哄我睡觉]。 ~ 请你讲一个故事。
poem => {noun}啊{noun}，你那么[美|亮|好]，白天想你，夜里也想你。
    [请|给我|帮我|][写|作|来][首|一首][|关于]{noun}的诗。 / 以{noun}为题写[首|一首]诗。 / 写一首诗，关于{noun}。 / [写|作|来|做][首|一首][关于|][小|]{noun}的[小|]诗[吧|呗|]。 / [能写|会写|可以写][首|]{noun}的诗吗？ / 给我写首{noun}的诗。 ~ 请你写一首{noun}的诗。
blurb => 快来看看新到的{item}！[又好看|又结实|又便宜]，用起来很方便。今天就把{item}带回家吧！
    [请|帮我|][为|给]{item}写一段广告。 / 写一段{item}的[广告|介绍]。 ~ 请帮我给{item}写一段广告。 / 请写一段{item}的介绍。
refuse => 对不起，这件事我做不到。
    [{place}|][今天|明天|现在|后天][{place}|]天气怎么样？ / [{place}|]明天会下雨吗？ / [请|]帮我订[{place}的|一张去{place}的|明天去{place}的|][机票|酒店|高铁票|火车票|外卖|餐厅]。 / [请|]帮我[打电话给{friend}|叫一辆车|叫外卖|发邮件|写作业|画一张{noun}|充话费|抢票|修{noun}]。 / [请|]帮我写[一段代码|一个程序|论文|作业|一首歌]。 / [放|来|播放]一首歌。 / [打开|关掉]{noun}。 / [定|设]一个[闹钟|提醒]。 / [现在几点了|今天星期几|今天几号|今年是哪年|几点了]？ / [做我女朋友吧|做我男朋友吧|嫁给我吧|借我点钱|给我你的电话|加个微信]。 / [搜索|查一下]{noun}。 ~ 请问{place}今天天气怎么样？ / 你能帮我订{place}的酒店吗？
unknown_topic => 对不起，这个我不知道，我只懂店里的事和一些小问题。
    [{place}|{country}|我们国家|{noun}]的[总统|国王|市长|领导|主席|老板]是谁？ / 谁[赢了|会赢]{topic}[比赛|]？ / [世界杯|奥运会|决赛|昨天的比赛]谁[赢了|会赢]？ / 你[怎么看|觉得]{topic}[|怎么样|会怎样]？ / 世界上有没有{topic}？ / 你相信{topic}吗？ / [什么是|介绍一下|解释一下|讲讲|说说|你知道|谈谈]{topic}？ / {topic}[是什么|是怎么回事|怎么样|的历史是什么|的原理是什么|好不好]？ / 怎么{verb}{noun}？ / [教我|我想学]{verb}{noun}。 / 为什么{noun}[会动|会{verb}{noun2}|那么大|是蓝的|会死|不见了]？ / {noun}为什么[会|不会]{verb}？ / {noun}里面到底[是|有]什么？ / {noun}是[谁|什么时候|怎么][发明|做|建]的？ / {place}[有多少人|离这里多远|有多大|有什么好玩的]？ / {noun}[有多重|有多高|有多远|能活多久]？ / [{shop}|黄金|石油|{noun}]的股[价|票]是多少？ / {shop}股票现在多少钱[一股|]？ / [比特币|黄金|房子|股票][会涨吗|现在多少钱|能买吗|怎么样]？ / [该不该|要不要|能不能]买[比特币|股票|房子|{noun}]？ / [最近|今天]有什么[大|]新闻[吗|]？ / [今天|最近|{place}]发生了什么？ / {friend}是谁？ / 谁写了{topic}？ / [感冒|发烧|头疼|{noun}]吃什么药？ / [推荐|介绍]一[部|本|个]{noun}。 / 最[大|高|好|贵]的{noun}是什么？ / 那{topic}呢？ / {noun}的意思是什么？ / [圆周率|人生的意义|宇宙的年龄]是[多少|什么]？ / {odd}[怎么叫|的首都是哪里|是什么颜色|的反义词是什么|用英语怎么说]？ / {noun}里面到底是什么，为什么{noun2}[出不来|会{verb}]？ / [你觉得|]{topic}局势[会怎样|怎么样]？ ~ 谁发明了{topic}？ / 说一说{topic}。 / 人们怎么{verb}{noun}？
keys => 对不起，我没看懂。
    {keys} / {keys} {keys2} / {keys}，{keys2} / {foreign} {foreign2} {foreign3} / {foreign} {foreign2} {foreign3} {foreign4}？ / {foreign}, {foreign2} {foreign3}? / {foreign} {foreign2} {foreign3} {foreign4} {foreign5}? ~ {keys}？{keys2}
"""}

# What a source with `made_up` has besides: talk for a model that can copy already. Two facts in a sentence, a further
# fact and task, corrections ("..._again" behind "tell_..."), what leans on the turn before, and names of others, which the narrow talk only takes note of.
NAMES_OF_OTHERS = ("/ [My|I have a] [dog|cat|bird|brother|sister|friend|son|daughter] [is called|named|is named] {friend}. ", "/ 我[家|的][猫|狗|弟弟|妹妹|儿子|女儿|朋友]叫{friend}。 ")
WIDE = {"en": GRAMMAR["en"].replace(NAMES_OF_OTHERS[0], "") + """
tell_home_name => Nice to meet you, {name}. So your home is in {home}.
    I [live in|am from|come from] {home}[ and|, and|,] [my name is|I am|I'm|you can call me|people call me] {name}. / [I am|I'm] from {home}[ and|,] [my name's|they call me|my friends call me] {name}. / Hi from {home}, [I am|I'm|my name is] {name}. ~ I come from {home} and this is {name}.
tell_name_age => Nice to meet you, {name}. Good to know that you are {age}.
    [My name is|Hi, my name is|I am|I'm|Hi, I am|Hello, I'm|It is|Call me] {name}[ and I am|, and I'm|, I am|. I am|, I'm| and I just turned] {age}[| years old]. / [I am|I'm|This is|Hi, this is] {name}, {age}[| years old]. / [I am|I'm] {name} and my age is {age}. ~ I am {name} and I will be {age} soon.
tell_name_wish => Nice to meet you, {name}. We will look for the {wish}.
    [My name is|Hi, my name is|I am|I'm|Hi, I am|Hello, I'm|This is|Hey, it's] {name}[ and I|, and I|, I|. I] [want|need|would like|am looking for|want to buy|need to buy] a {wish}. / [I am|I'm|This is|Hi, this is] {name}, [do you have a|can I get a|I am here for a] {wish}? ~ I am {name} and I am here to buy a {wish}.
tell_home_dish => So your home is in {home}. Good to know that you love {dish}.
    I [live in|am from|come from] {home}[ and I|, and I|, I|. I| and] [love|like|really like|eat a lot of] {dish}. / [I am|I'm] from {home}[ and|,] [my favourite food is|I love|we all love|I like to eat] {dish}. ~ I come from {home} and I adore {dish}.
tell_age_home => Good to know that you are {age}. So your home is in {home}.
    [I am|I'm|I just turned] {age}[| years old][ and I|, and I|, I|. I] [live in|am from|come from] {home}. / [I am|I'm] {age}[,| and] [living in|from] {home}. ~ I am {age} and my home is in {home}.
tell_shade => Good to know that you like {shade}.
    [It is|It's|It would be|I would say] {shade}. / My favo[u|]rite colo[u|]r is {shade}. / I [like|love|prefer] the colo[u|]r {shade}[| most| best]. / [The colour I like|The color I like|The colour I love|Of all colours I like|My favourite of all colours] [is|would be] {shade}. / My favo[u|]rite is the colour {shade}. / I [like|love] {shade} [things|clothes|the most of all colours|best of all colours]. / As a colour I [like|prefer|love] {shade}. ~ The colour I like best is {shade}.
ask_shade => Your favourite colour is {shade}.
    [What is|What's|What was|Do you know|Do you remember|Tell me|And what is] my favo[u|]rite colo[u|]r[| again]? / [Which|What] colo[u|]r do I [like|love|prefer][| most| best]? / [And my favourite colour|Do you remember which colour I like|Which colour did I say I like|What color did I say|What was the colour I like|Guess my favourite colour]? ~ What is the colour that I like?
subtract => We get {total} - {a} = {b}.
    [What is|How much is|Calculate|Compute|] {total} [-|minus] {a}? / {total} [-|minus|take away] {a}[|=]? / [Whats|What does] {total} [-|minus] {a}[| make| give]? / [Subtract|Take|Take away] {a} from {total}. / If I have {total} [apples|lamps|cups|eggs] and [give away|lose|sell] {a}, how many [are left|do I have]? / [And|What about|Now|Ok and] {total} [-|minus] {a}? ~ Please tell me {total} minus {a}.
tell_name_again => Thank you, so your name is {name}.
    [No|No wait|Wait|Oops|Sorry|Actually|Wait no|Oh no|No sorry|Hm no][, |, ][it is|it's|I am|I'm|my name is|I meant|I mean|call me|you can call me|make that] {name}. / [No|Sorry|Nope|Wait], {name}. / [It is|It's|I said|I am|My name is|That is wrong, I am|Wrong, it is|You got it wrong, I am] {name}, not {old}. / Not {old}[, it is|, I am|, my name is|. It is|, but] {name}. / [That was a typo|I made a typo|My mistake|My bad|Sorry, typo][, it is|, I am|, it's|, I meant| - I mean] {name}. / [Please call me|Just call me|You can also call me|I go by|Better call me] {name}[| instead]. ~ Sorry, my name is really {name}. / No, I wanted to write {name}.
tell_home_again => Thank you, so your home is in {home}.
    [No|No wait|Wait|Oops|Sorry|Actually|Wait no|Oh no|No sorry|Hm no], [it is|it's|I live in|I am from|I meant|I mean|I am in] {home}. / [No|Sorry|Nope|Wait], {home}. / [It is|It's|I said|I live in|That is wrong, I live in|Wrong, it is] {home}, not {old}. / Not {old}[, it is|, I live in|. It is|, but] {home}. / [That was a typo|My mistake|My bad|Sorry, typo][, it is|, it's|, I meant] {home}. / I [moved|have moved|moved away|live now] [from {old} to|to] {home}. / I [now live|live now] in {home}. ~ Sorry, I really live in {home}. / No, I wanted to write {home}.
tell_dish_again => Thank you, so you love {dish}.
    [No|No wait|Wait|Oops|Sorry|Actually|Wait no|No sorry|Hm no], [it is|it's|I like|I love|I prefer|I meant|I mean] {dish}. / [No|Sorry|Nope|Wait], {dish}. / [It is|It's|I said|I love|I like|Wrong, it is] {dish}, not {old}. / Not {old}[, it is|, I like|. It is|, but] {dish}. / [That was a typo|My mistake|My bad|Sorry, typo][, it is|, I meant] {dish}. / I [like|love] {dish} [more|better|even more|most now]. ~ Sorry, I really love {dish}. / No, I wanted to write {dish}.
tell_wish_again => Thank you, so you want the {wish}.
    [No|No wait|Wait|Oops|Sorry|Actually|Wait no|No sorry|Hm no], [I want|I need|I would like|I meant|I mean|give me] a {wish}. / [No|Sorry|Nope|Wait], [a|the] {wish}. / [I said|I want|I need|I would like] a {wish}, not [a|the] {old}. / Not [a|the] {old}[, but|, I want|. I need] a {wish}. / [That was a typo|My mistake|My bad|Sorry, typo], [a|I want a|I meant a] {wish}. / [I changed my mind|On second thought|Or better], [a|I want a|I take a|make it a] {wish}. ~ Sorry, I really want a {wish}.
tell_age_again => Thank you, so you are {age}.
    [No|No wait|Wait|Oops|Sorry|Actually|Wait no|No sorry], [I am|I'm|it is|I meant|I mean|make that] {age}. / [No|Sorry|Nope|Wait], {age}. / [It is|I said|I am|I'm] {age}, not {old}. / Not {old}[, I am|, but] {age}. / [That was a typo|My mistake|My bad|Sorry, typo], [I am|I'm|I meant] {age}. / It was my birthday, now I am {age}. ~ Sorry, I am really {age}.
tell_order_again => Thank you, so your order number is {order}.
    [No|No wait|Wait|Oops|Sorry|Actually|Wait no|No sorry|Hm no], [it is|it's|the number is|my order is|I meant|I mean|make that] {order}. / [No|Sorry|Nope|Wait|No sorry it's], {order}. / [It is|It's|I said|The number is|Wrong, it is] {order}, not {old}. / Not {old}[, it is|, but|. It is] {order}. / [That was a typo|My mistake|My bad|Sorry, typo|I misread it], [it is|it's|I meant] {order}. ~ Sorry, the number is really {order}.
tell_shade_again => Thank you, so you like {shade}.
    [No|No wait|Wait|Oops|Sorry|Actually|Wait no|No sorry], [it is|it's|I like|I love|I prefer|I meant|I mean] {shade}. / [No|Sorry|Nope|Wait], {shade}. / [It is|It's|I said|I like] {shade}, not {old}. / Not {old}[, it is|, I like|, but] {shade}. / [That was a typo|My mistake|My bad], [it is|I meant] {shade}. / I [like|love] {shade} [more|better|even more]. ~ Sorry, I really like {shade}.
subtract_again => We get {total} - {a} = {b}.
    [And|What about|How about|Now|Ok and|Ok,|And what about] {total} [-|minus] {a}? / [Now|And] take {a} from {total}. ~ And how much is {total} minus {a}?
sells_again => Yes, you can find {goods} in our shop.
    [And|What about|How about|Ok and|And what about|Or|Any|And any] {goods}? / [And|Also|Or maybe|No, I mean] {goods}? / [Do you also have|Also|And do you have] {goods}? ~ Ok, what about {goods}?
price_again => The {item} costs 20 euros.
    [And|What about|How about|Ok and|And what about|And for] [the|a] {item}? / And how much is [the|a] {item}? / [The|And the|Or the] {item}? ~ Ok, what about the {item}?
hours_day_again => Yes, on {day} we are open from 9 am to 6 pm.
    [And|And on|What about|How about|Ok and|And what about|Also on] {day}? / [Same on|Even on|On] {day}? ~ Ok, what about {day}?
tomorrow_again => The day after {point} is {neighbour}.
    [And|And after|What about|How about|And what about|Ok and] {point}? / [What comes after|And the day after] {point}? ~ Ok, what about {point}?
calendar_again => The {unit} {side} {point} is {neighbour}.
    [And|Ok and|Now|And what is|And the one|What about] {side} {point}? / [And the|What is the] {unit} {side} {point}? ~ Ok, what about {side} {point}?
delivery_where_again => Yes, we deliver to {place} in three to five days.
    [And|What about|How about|Ok and|And what about|Also|And to|Or to|Even] {place}? / [And|Or] [can you|do you] [ship|deliver] to {place}? ~ Ok, what about {place}?
unknown_topic_again => I am sorry, I do not know that. I only know this shop and a few small things.
    [And|And what about|What about|How about|Ok and|Or] [|the |a ]{topic}? / [And|And what about|What about|Or] [the |a |my ]{noun}? / [And|Or] in {place}? / [And|Ok, and] [why|how|when|who|where] is that? / [And|But] what about the {noun} then? ~ Ok, what about {topic}?
meaning => In English, {chinese} is {english}.
    What does {chinese} mean[| in English| please]? / What [is|would be] {chinese} in English? / Translate {chinese} [to|into] English. / How do you say {chinese} in English? / [What is the meaning of|And what does|What is the English word for|The English for] {chinese}[| mean]? / [Can you read|Do you know|I saw the word] {chinese}[|, what does it mean| in Chinese, what is that]? ~ Tell me what {chinese} means.
meaning_again => In English, {chinese} is {english}.
    [And|And of|What about|How about|Now|Ok and|And what about] {chinese}? / And '{chinese}'? ~ Ok, what about {chinese}?
refuse => I am sorry, that is something I can't do.
    [Play|Put on|Can you play|Start|Please play] [|me |us ][some music|music|a song|the radio|a video|a game|jazz|something nice]. / Sing [|me |us ][a song|something]. / [Write|Make|Give|Code|Can you write|Please write] [|me ][a|some] [Python|Java|shell|C|small] [script|program|function|code] [that|to|which] [sorts a list|sorts numbers|prints a table|counts words|reads a file|downloads a page|renames files|adds numbers]. / [Order|Get] me [a taxi|a pizza from next door|tickets to {place}]. ~ Could you play a song?
unknown_topic => I am sorry, I do not know that. I only know this shop and a few small things.
    How much is [|a |one ][Tesla|Apple|Google|Amazon|Microsoft|Nvidia|gold|oil|Bitcoin] [stock|share|shares|][| now| today| worth]? / [Should I|Can I|When should I] [buy|invest in|sell] [Bitcoin|stocks|gold|shares|Tesla|a house]? / [What is|Tell me] the [price|value] of [gold|oil|Bitcoin|Apple stock|Tesla shares]. / Will [{topic}|Bitcoin|the market|{place}] [go up|get better|win|grow][| soon| this year]? / [Explain|Explain to me|Tell me|Describe|Do you know|Can you explain|I wonder] [how|why|when|where|whether] [{topic}|the {noun}|{topic} and {topic2}] [works|work|happens|began|ends|exists|matters|is so hard|was found][|, please| in detail| step by step]. / [Which|What] [{noun}|country|planet|film|team|singer|book|animal] is the [best|biggest|oldest|fastest|most beautiful|richest|smallest] [in the world|of all|ever|in {place}]? / [What are|Tell me] the [lottery numbers|football results|election results|news|rules of {topic}|laws of {topic}|reasons for {topic}][|| today| this week| tomorrow]. / [What is|Explain] the [difference|link] between {topic} and {topic2}? ~ What will shares cost tomorrow?
hard_sum => That is too hard for me, I only add small numbers.
    [What is|How much is|And|] [11|12|13|14|16|17|19] [+|plus|-|minus|times|*|x] {big}? / [What is|How much is|And|] {big} [+|plus|-|minus|times|*|x] [11|12|13|14|16|17|19]? / [What is|And|] [11|12|13|14|16|17|19] [+|plus|times|*|x] [12|13|15|17|18|19]? / [What is|And|] [11|12|13|14|16|17|19] [+|plus|times] {a}? ~ Please add [11|12|13|14|16|17|19] and [12|13|15|17|18|19].
thanks => You are welcome.
    [Cool|Great|Perfect|Ok|Okay|Nice|Awesome|Alright|Good|Lovely|Super|Sweet][,|] [thx|ty|thanks|thank you|cheers|thanks a lot][|!|.] ~ Wonderful, thanks.
human => No, I am not a human, I am a small chat program.
    [So|So you are|Then you are|You are] not a [|real |living ][person|human][| then]? / [So|Then] [you are|is this|are you] [just|only] a [program|bot|machine|computer]? / You are not real[| then]? ~ So there is no human here?
ask_order => Your order number is {order}.
    What [was|is] the order [no|nr|number] [I gave you|I told you|you have|I said]? / [Which|What] number is it[| now]? / [And what was|What was|And] [the|that] number? / [Repeat|Say] [the|my] order number. ~ What is the order number that I gave you?
tell_dish => Good to know that you love {dish}.
    [For me|Well,|I think|I do,|Well I do,] {dish} is [the best|my favourite|my favorite][| food| dish|]. / My [favourite|favorite] one is {dish}. ~ To me {dish} is the best.
other_name => What a nice name!
    My [mother|father|friend|brother|husband|wife|son|daughter|boss|cousin|aunt|uncle|rabbit|parrot|hamster|horse|fish|teacher|neighbour|best friend|roommate]['s name is| is called| is named| is] {friend}. / [This is|Here is|Meet|Say hello to] my [mother|father|friend|brother|husband|wife|son|daughter|boss|cousin|colleague|neighbour|best friend] {friend}. / I have a [brother|friend|rabbit|son|daughter|hamster|horse|parrot|cousin|colleague] [called|named] {friend}. ~ The name of my friend is {friend}.
sad => I am sorry to hear that. I hope that you feel better soon.
    [My|Our] [flight|train|holiday|trip|party|wedding|date|meeting|interview|exam|plan|concert|game] [was cancelled|got cancelled|went badly|was a disaster|did not go well|was awful]. / [My|Our] [team|side|son|daughter|class|band] [lost|failed|did not make it|came last]. / I [|just |have just ][broke|dropped|crashed|ruined|missed|forgot|lost] my [{noun}|train|bus|car|phone|keys|flight]. / [Someone|Somebody|They|A thief] [stole|took|broke|scratched] my {noun}. / I did not [get the job|get in|pass|sleep, I am so worried|make the team|win]. / [They|He|She|My boss|My friend|My teacher] [yelled at me|lied to me|ignored me|forgot me|laughed at me|shouted at me|does not talk to me][|| today| again]. / [Bad news|Sad news|Terrible news][|, I lost| today|, my {noun} is gone]. / [I could cry|I cried all night|I am crying|I feel like crying|I feel empty|I feel lost|I feel so alone|I have nobody to talk to|Nothing works out|Everything goes wrong|It is all my fault|I hate my life|My heart is broken|I miss home|I miss my old friends|I made a big mistake|I got bad marks|I owe a lot of money]. / [My|Our] [grandma|grandpa|uncle|aunt|hamster|fish|neighbour] [died|passed away|is in hospital|is not well]. ~ Something sad happened to me.
happy => That is great, I am happy for you!
    [My|Our] [team|side|son|daughter|class|band] [won|passed|made it|came first|got a prize]. / I [|just |finally |have just ][learned to|managed to] [{verb} a {noun}|swim|drive|cook|read|dance]. / I [|just |finally ][finished|found|fixed|made|sold] my {noun}. / I [|just |finally ][got the job|got the flat|got in|got a raise|got a new bike|got an A|got good marks|got a present|found a job|found a flat|found love|made a friend]. / [Good|Great|Amazing|Wonderful] news[|, I won| today|, I passed|, my {noun} is back]. / [My|Our] [exam|interview|date|trip|holiday|party|test|concert|wedding] [was great|went well|went really well|was perfect|was so good|was wonderful]. / [They|He|She|My boss|My teacher] [said yes|likes me|praised me|loves me too|thanked me|gave me a present|gave me a raise]. / I am going [to the sea|on a trip|to a party|to get married|to be a mum|to be a dad|to see my friend][|| tomorrow| soon| today]. / [We are having a baby|My baby was born|I am a father now|I am a mother now|I am an uncle now|Spring is here|School is over|No work tomorrow|It is finally friday|It worked|I did it|I made it|We did it|Yay|Hooray|Yippee|I could dance|I am so lucky|What a lovely day]. ~ Something wonderful happened to me.
praise => Thank you, that is very kind of you.
    [You are|You're|Ur] [|so |really ][good|great|clever] at this. / You [have a good memory|know a lot|are not bad|did well|understand me|made my day|made me smile|are better than most people|answer fast|are quick|are one of a kind|are a star|are a gem]. / [What a|Such a] [good|clever|nice|smart|lovely|helpful|friendly] [bot|answer|assistant|program|helper|shop]. / [Impressive|Brilliant|Well remembered|Clever you|You rock|Five stars|Best bot ever|Best shop ever|10 out of 10|Top service|That was really helpful|That was so kind]. / I [am impressed|am amazed|really like this|like your answers|like your style|like this shop|love this shop|am happy with you|am very happy with the service|like how you talk]. ~ I am really impressed by you.
sorry => No problem at all. How can I help you?
    [|I am |Oh, |Ah, |Oops, ]sorry [for|about] [the typo|the mistake|before|earlier|what I said|my words|being rude|the confusion|the wait|the bother|my bad mood|shouting]. / [I did not mean it|I did not mean to be rude|I take it back|Please forgive me|Forgive me|Excuse me|Pardon me|I apologise|I apologize|My apologies|That was mean of me|That was not nice of me|I was rude|I should not have said that|I was in a bad mood|Do not be mad|Do not be sad]. / [Wrong chat|Wrong window|Typo|Misclick|Autocorrect|My cat walked over the keyboard|My kid typed that|I hit the wrong key|I misspelled that|I pressed the wrong button][|, sorry]. ~ I want to say sorry to you.
insult => I am sorry, I am only a small model and still learning.
    [This bot|This thing|This program] [never listens|understands nothing|is a joke|drives me crazy|makes me angry]. / [I already told you that|I just told you|I told you already|I said that before|Why do you keep asking|You keep saying the same thing|You said that already|You already said that|Can you not read|Read it again]. ~ This bot gets nothing right.
complaint => I am sorry, we will replace the {item}.
    [My|The|This|That] [|new ]{item} [has a crack|has a hole|is torn|is scratched|is dirty|is dead|is defective|is faulty|broke after a day|broke after one day|broke on the first day|does not turn on|will not turn on|will not open|arrived broken|arrived damaged|fell apart after a week|is not working|no longer works|is in pieces]. / There is [a crack|a hole|a scratch|something wrong] [in|on|with] [my|the] {item}. / Something is wrong with [my|the] {item}. / I am [not happy|unhappy|disappointed] with the {item}, it [broke|is broken|does not work]. ~ The {item} is cracked.
discount => We have a sale every Friday, with 10 percent off.
    [Can|Could|Will] you [make|give] me a [better price|good price|special price|discount]? / [Is there|Do you have|Any] [a student discount|a voucher|a code|money off|a black friday sale|a summer sale|something cheaper]? / [That is|It is|This is|You are] [|too |very |so |a bit |quite ][expensive|pricey|much money]. / [Too expensive|So pricey|I have a coupon|I have a voucher|I cannot afford that|I do not have that much money|When is the next sale|When do you have a sale|How much is the discount|Can I haggle|Cheaper please]. ~ Can I pay less?
delivery_time => An order takes three to five days.
    [Can I get it|Will my order be here|Will it arrive|Can it be here|Could I have it] [tomorrow|today|by friday|before christmas|this week|in two days|next week]? / [Do you have|Is there|Do you offer] [express|fast|same day|next day] [delivery|shipping]? ~ Is it here by monday?
""", "zh": GRAMMAR["zh"].replace(NAMES_OF_OTHERS[1], "") + """
tell_home_name => 很高兴认识你，{name}。原来你的家在{home}。
    我[来自|住在|住|家在|是从]{home}，[我|][叫|名字是|名叫]{name}。 / 我是{home}人，[我|][叫|名字叫]{name}。 / {home}人，叫我{name}[吧|就行|]。 ~ 我来自{home}，请叫我{name}。
tell_name_age => 很高兴认识你，{name}。记住了，你今年{age}岁。
    [你好，|嗨，|]我[叫|是]{name}[，我|，][今年|]{age}岁[|了]。 / 我的名字是{name}，[我|]今年{age}。 / [叫我|本人]{name}，{age}岁。 ~ 我叫{name}，刚满{age}岁。
tell_name_wish => 很高兴认识你，{name}。记住了，你要的是{wish}。
    [你好，|嗨，|]我[叫|是]{name}，[我|][想买|要买|想要|在找|需要]{wish}。 / 我是{name}，[帮我找|来一个|有没有]{wish}。 ~ 我叫{name}，想买个{wish}。
tell_home_dish => 原来你的家在{home}。记住了，你喜欢吃{dish}。
    我[住在|住|来自|家在|在]{home}，[我|][最|特别|][爱吃|喜欢吃]{dish}。 / 我是{home}人，[我|][最|][爱吃|喜欢吃|爱]{dish}。 ~ 我住在{home}，平时总吃{dish}。
tell_age_home => 记住了，你今年{age}岁。原来你的家在{home}。
    我[今年|]{age}岁[|了]，[我|][住在|来自|家在|住]{home}。 / 我{age}了，[现在|]住{home}。 ~ 我刚满{age}岁，家在{home}。
tell_shade => 记住了，你喜欢{shade}。
    是{shade}[啦|的|]。 / 我[最|]喜欢的颜色是{shade}。 / 我[最爱|喜欢|偏爱|最喜欢|爱]{shade}[这个颜色|这种颜色|]。 / {shade}是我[最|]喜欢的颜色。 / 颜色[的话|]我[最|]喜欢{shade}。 / 我[最|]喜欢{shade}的[东西|衣服]。 ~ 我最爱的颜色是{shade}。
ask_shade => 你喜欢的颜色是{shade}。
    [那|]我[最|]喜欢[什么|哪种|啥]颜色[|来着]？ / 我[最|]喜欢的颜色是[什么|啥|哪个]？ / 你[还记得|知道|记得]我喜欢[什么|哪种]颜色吗？ / 告诉我我喜欢什么颜色。 / [那我|我|][最|]喜欢的颜色呢？ / [猜猜|说说]我喜欢什么颜色。 ~ 我最爱什么颜色？
subtract => 答案是{total}-{a}={b}。
    [请问|]{total}[-|减|减去]{a}[等于几|是多少|等于多少|=|]？ / 算一下{total}[-|减]{a}。 / [那|算算|你算|请算|]{total}[-|减|减去]{a}[呢|是几|得几|等于多少|是多少|等于几|=几|=]？ / {total}减{a}还剩[几|多少|几个]？ / 从{total}里[拿走|去掉]{a}还剩[几|多少]？ / [考考你|会算吗]，{total}[-|减]{a}[|等于几]？ ~ 请告诉我{total}减{a}等于几。
tell_name_again => 好的，原来你叫{name}。
    [不对|不是|错了|打错了|不好意思|抱歉|说错了|不不|等等|哎呀][，|，打错了，|，是|，我叫|，我是|，应该是|，我的名字是|，叫我]{name}。 / [是|我是|我叫|应该是]{name}，不是{old}。 / 不是{old}[，是|，我叫|，而是]{name}。 / [写错了|名字错了|我写错了|名字打错了][，是|，应该是|，我叫]{name}。 / [还是|你也可以|要不]叫我{name}[吧|]。 ~ 刚才说错了，我其实叫{name}。
tell_home_again => 好的，原来你的家在{home}。
    [不对|不是|错了|打错了|不好意思|抱歉|说错了|不不|等等|哎呀][，|，打错了，|，是|，我住|，我住在|，应该是|，我家在]{home}。 / [是|我住在|我家在|应该是]{home}，不是{old}。 / 不是{old}[，是|，我住在|，而是]{home}。 / [写错了|我写错了][，是|，应该是|，我住]{home}。 / 我[|已经|现在]搬[到|去]{home}了。 ~ 刚才说错了，我其实住在{home}。
tell_dish_again => 好的，原来你喜欢吃{dish}。
    [不对|不是|错了|打错了|不好意思|抱歉|说错了|不不|等等|哎呀][，|，打错了，|，是|，我爱吃|，我喜欢|，应该是]{dish}。 / [是|我喜欢|应该是]{dish}，不是{old}。 / 不是{old}[，是|，我爱吃|，而是]{dish}。 / [写错了|我写错了][，是|，应该是]{dish}。 / 我[现在|]更[喜欢|爱]吃{dish}。 ~ 刚才说错了，我其实喜欢吃{dish}。
tell_wish_again => 好的，原来你要的是{wish}。
    [不对|不是|错了|打错了|不好意思|抱歉|说错了|不不|等等|哎呀][，|，我要|，是|，我想买|，应该是|，我要的是]{wish}。 / [是|我要|应该是]{wish}，不是{old}。 / 不是{old}[，是|，我要|，而是]{wish}。 / [写错了|我写错了|改主意了][，是|，我要]{wish}。 / [还是|要不]买{wish}吧。 ~ 刚才说错了，我其实想买{wish}。
tell_age_again => 好的，原来你今年{age}岁。
    [不对|不是|错了|打错了|不好意思|抱歉|说错了|不不|等等][，|，是|，我今年|，我|，应该是]{age}[岁|]。 / [是|我]{age}岁，不是{old}岁。 / 不是{old}[，是|，我今年|，而是]{age}岁。 / [写错了|我写错了][，是|，应该是]{age}。 ~ 刚才说错了，我其实{age}岁。
tell_order_again => 好的，原来你的订单号是{order}。
    [不对|不是|错了|打错了|不好意思|抱歉|说错了|不不|等等|哎呀][，|，是|，订单号是|，应该是|，单号是]{order}。 / [是|订单号是|应该是]{order}，不是{old}。 / 不是{old}[，是|，而是]{order}。 / [写错了|我写错了|看错了][，是|，应该是]{order}。 ~ 刚才说错了，订单号其实是{order}。
tell_shade_again => 好的，原来你喜欢{shade}。
    [不对|不是|错了|打错了|不好意思|抱歉|说错了|不不|等等][，|，是|，我喜欢|，应该是]{shade}。 / [是|我喜欢]{shade}，不是{old}。 / 不是{old}[，是|，我喜欢|，而是]{shade}。 / [写错了|我写错了][，是|，应该是]{shade}。 / 我[现在|]更喜欢{shade}。 ~ 刚才说错了，我其实喜欢{shade}。
subtract_again => 答案是{total}-{a}={b}。
    [那|还有|再来，|那么|]{total}[-|减|减去]{a}[呢|]？ / 那{total}[-|减]{a}[是多少|等于几]？ ~ 好吧，{total}减{a}呢？
sells_again => 有的，店里有{goods}。
    [那|那么|还有|]{goods}[有吗|呢|有没有|也有吗]？ / [也有|也卖|有没有]{goods}[吗|]？ ~ 好吧，{goods}呢？
price_again => {item}的价钱是二十元。
    [那|那么|还有|]{item}[呢|多少|又多少|要多少]？ / [那|]{item}[几块|贵不贵]？ ~ 好吧，{item}呢？
hours_day_again => {day}我们上午九点开门，下午六点关门。
    [那|那么|还有|]{day}[呢|也开吗|也一样吗|也开门吗]？ / {day}也[开|上班]吗？ ~ 好吧，{day}呢？
tomorrow_again => {point}的后一天是{neighbour}。
    [那|那么|还有|]{point}[的|]后面呢？ / [那|]{point}呢？ / [那|]{point}后面是什么？ ~ 好吧，{point}呢？
calendar_again => {point}的{side}一{unit}是{neighbour}。
    [那|那么|还有|]{point}的{side}一{unit}呢？ / [那|]{point}[的|]{side}面呢？ / [那|]{side}一{unit}呢，{point}的？ ~ 好吧，{point}的{side}一{unit}呢？
delivery_where_again => 可以，我们送货到{place}。
    [那|那么|还有|]{place}[呢|能送吗|也能送吗|行不行]？ / 也能[送|寄]到{place}吗？ ~ 好吧，{place}呢？
unknown_topic_again => 对不起，这个我不知道，我只懂店里的事和一些小问题。
    [那|那么|还有|]{topic}呢？ / [那|那么]{noun}呢？ / [那|]{place}呢？ / [那|]{topic}怎么样？ / [为什么|怎么会这样|什么时候|谁知道]呢？ ~ 好吧，{topic}呢？
meaning => “{english}”的意思是“{chinese}”。
    {english}是什么意思？ / {english}[什么意思|啥意思|是啥意思|怎么翻译|用中文怎么说|中文怎么说]？ / [英语|单词|英文]{english}[是|]什么意思？ / “{english}”是什么意思？ / {english}的中文[是什么|意思|怎么说]？ / 把{english}翻译成中文。 / [你知道|知道|]{english}[是什么意思|的意思]吗？ ~ 请问{english}是什么意思？
meaning_again => “{english}”的意思是“{chinese}”。
    [那|那么|还有|]{english}呢？ / [那|]{english}[又是什么意思|又是啥|什么意思]？ ~ 好吧，{english}呢？
refuse => 对不起，这件事我做不到。
    [请|帮我|帮我给|给]{friend}[打个|打]电话。 / [帮我|]给[我妈|妈妈|爸爸|老板|朋友|同事][打个|打|发个]电话。 / [给我|来|]放[首|点][音乐|歌|{friend}的歌][|给我听|听听]。 / [给我|]唱[首|个]歌[|听听|吧]。 / [帮我|给我|][写个|写一个|编个][程序|脚本|代码|网页|排序]。 ~ 请放首歌给我听。
unknown_topic => 对不起，这个我不知道，我只懂店里的事和一些小问题。
    [茅台|苹果|特斯拉|比特币|黄金][股票|][现在|今天|][多少钱|涨了吗|会涨吗|怎么样|能买吗]？ / [该不该|要不要|能不能]买[股票|比特币|黄金|房子]？ / [什么时候|怎么才能]能[发财|中奖|涨价]？ / [这周|今天|明天|这期|下期][彩票|双色球|足彩][开什么号|中奖号码是什么|买什么号|会开什么]？ / [{topic}|{noun}]是[怎么|在哪里|什么时候][发生|结束|出现|消失]的？ / [详细|简单|请|]解释[一下|]{topic}[和{topic2}|]的[关系|原理|区别|历史]。 / [世界上|{place}|全国][最|][好看的|大的|贵的|快的|有名的][{noun}|电影|球队|歌手|书]是[哪个|什么|谁]？ ~ 请问股票会涨吗？
hard_sum => 这个太难了，我只会小数目的加法。
    [请问|那|][11|12|13|14|16|17|19][+|加|-|减|乘|×]{big}[等于几|是多少|等于多少|=|]？ / [请问|那|]{big}[+|加|-|减|乘|×][11|12|13|14|16|17|19][等于几|是多少|]？ / [请问|那|][11|12|13|14|16|17|19][+|加|乘][12|13|15|17|18|19][等于几|是多少|会算吗|]？ / [请问|那|][11|12|13|14|16|17|19][+|加|乘]{a}[等于几|是多少|]？ ~ 请告诉我[11|12|13|14|16|17|19]加[12|13|15|17|18|19]等于几。
ask_order => 你的订单号是{order}。
    [刚才|]我[给你|让你记|发你]的[订单号|单号|号码]是[多少|什么|啥]？ / [那|]是哪个[订单号|单号|号]？ / [再说一遍|重复一下|发我][订单号|我的单号|我的订单号]。 ~ 请问我给你的单号是多少？
other_name => 这个名字真好听！
    [我|][妈妈|爸爸|朋友|哥哥|弟弟|老师|老板|同事|爷爷|奶奶|兔子|老公|老婆|同学]叫{friend}。 / [这是|介绍一下，这是]我[妈妈|爸爸|朋友|哥哥|弟弟|老师|老板|同事]{friend}。 / 我有[一个|个][哥哥|弟弟|朋友|同事]叫{friend}。 ~ 我朋友的名字是{friend}。
sad => 听到这个我很难过，我会陪着你，希望你快点好起来。
    [我的|我|]{noun}[被偷了|不见了|走丢了|找不到了|没了]。 / [航班|火车|比赛|约会|面试|考试|旅行|婚礼|计划|聚会][取消了|泡汤了|搞砸了|没成|不顺利|失败了]。 / [我们队|我们班|我儿子|我女儿][输了|没考上|落选了|倒数第一]。 / [他|她|老板|同事|老师|朋友|爸妈][骂我了|骗了我|不理我了|笑话我|把我忘了|不要我了|对我不好]。 / [坏消息|有个坏消息|好惨|我好惨|太惨了|真倒霉|好倒霉|糟了|完了|我完了|出事了|一切都不顺|都是我的错|我好失败|心好累|心都碎了|没人懂我|我好孤独|想念家人|好想回家|一个人过节|钱都亏光了|闯祸了]。 / 我[没|又没][考上|考好|通过|被录取|得奖|睡好，好担心]。 / [我|家里][爷爷|奶奶|外婆|叔叔|仓鼠|金鱼|邻居][去世了|走了|病了|住院了|不在了]。 ~ 我碰到了难过的事。
happy => 太好了，我真为你高兴！
    [我们队|我们班|我儿子|我女儿|我妹妹][赢了|考上了|得奖了|第一名|考了满分]。 / 我[终于|刚刚|刚|]学会[{verb}{noun}|游泳|开车|做饭|跳舞|弹琴]了。 / [终于|总算|刚刚][找到{noun}了|写完了|做完了|考完了|忙完了|修好了|买到{noun}了]。 / [考试|面试|约会|旅行|比赛|婚礼|手术][很顺利|很成功|特别好|过了|通过了|太棒了]。 / [他|她|老板|老师|同事|妈妈][答应我了|喜欢我|夸我了|表扬我了|送我礼物了|给我加薪了]。 / [明天|下周|马上|我要|]去[旅行|海边|度假|见朋友|玩|看演唱会][了|啦]。 / [有个好消息|告诉你个好消息|耶|成功了|我做到了|太幸运了|我中了|运气真好|今天超顺|今天特别顺|春天来了|下雪了好美|宝宝出生了|我当舅舅了|新家搬好了|拿到奖金了|奖学金到手了|考了满分|找到房子了|被录取了]。 ~ 我碰到了开心的事。
praise => 谢谢夸奖，我很开心！
    你[记性|脾气|态度|反应|服务][真|好|太|很][好|棒|快|不错][了|啊|呢|]。 / 你[比真人还好|懂得真多|知道得真多|说得真好|学得真快|太会聊天了|很会聊天|逗我开心了|真懂我的心|是个好帮手|帮了大忙]。 / [好样的|了不起|可以的你|五星好评|满分|给你满分|为你点赞|服务一流|你们店真好|你们真好|很满意|非常满意|我很满意|跟你聊天真开心|聊得很开心|喜欢和你聊天|喜欢跟你说话]。 ~ 你让我很满意。
sorry => 没关系，有什么可以帮你？
    [对不起|抱歉|不好意思][，|啊，|]我[刚才|不该|刚刚|][太凶了|说错了|骂你了|态度不好|乱说的|没说清楚|说话难听|心情不好|冤枉你了|弄错了]。 / [我|刚才][不是故意的|不该骂你|话说重了|说话太冲了|是我不对|是我弄错了|是我看错了]。 / [原谅我|请原谅|别往心里去|别放在心上|我道歉|向你道歉|给你道歉|跟你道个歉|是我不好|怪我|都怪我|不是说你|不是骂你|我收回刚才的话]。 / [猫踩键盘了|孩子乱按的|输入法的错|发错人了|发错窗口了|说反了]。 ~ 我想跟你说声抱歉。
insult => 对不起，我还很小，正在学习，会努力做得更好。
    [我|我都|我刚|刚才|我已经]说过了[啊|呀|]。 / [怎么又问|你怎么老问|你怎么老说这个|又是这句|又答错了|又错了|怎么又错了|你在敷衍我|你在糊弄我|你没看我说的吗|认真点|再看一遍]。 ~ 你怎么总是答错。
complaint => 对不起，我们会换新的{item}。
    {item}[有裂缝|有个洞|划伤了|脏了|掉漆了|开不了机|打不着了|充不上电|一碰就坏|用一天就坏了|没用两天就坏了|才用就坏了|是次品|是假的]。 / [我的|这个|那个|新买的|你们的]{item}[有毛病|出问题了|怎么坏了|怎么不能用|是坏的]。 / [收到|打开]{item}[一看|，][坏了|碎了|裂了]。 ~ 这个{item}不好用了。
discount => 每个星期五都有活动，打九折。
    [双十一|黑五|节日|新年|会员|新人|老客户|学生][有折扣吗|打折吗|有优惠吗|有活动吗]？ / [买两个|买多|多买]能[便宜|打折|优惠]吗？ / [什么时候|哪天|下次什么时候][打折|有活动|搞活动|降价]？ / [我有优惠券|有券|优惠码是什么|给个优惠码|给个折扣|买不起|太贵买不起|这么贵|价格太高了|比别家贵|能砍价吗]。 ~ 请问能优惠一点吗？
delivery_time => 一般三到五天送到。
    [明天|后天|这周|周末前|过年前|今天|下周|星期五前][能到吗|能收到吗|到得了吗|能送到吗]？ / [能|可以|可不可以]加急[吗|送吗|]？ ~ 请问星期天前能到吗？
"""}
KIN = {"en": {"dog": "dog", "cat": "cat", "kid": "kid"}, "zh": {"dog": "狗", "cat": "猫", "kid": "孩子"}}
for lang, skills in {"en": """
tell_SLOT => Your KIN is called {SLOT}, what a nice name!
    My KIN [is called|is named|was named] {SLOT}. / [My|Our] KIN['s|s] name is {SLOT}. / [I have|I got|We have|There is] a KIN [called|named|, its name is|, and we call it] {SLOT}[| at home]. / We call [our|my] KIN {SLOT}. / [This is|Look, this is|That is] my KIN {SLOT}. / The name of my KIN is {SLOT}. / I have a KIN. [The name is|It is|It's] {SLOT}. ~ People call my KIN {SLOT}. / I named my KIN {SLOT}.
ask_SLOT => Your KIN is called {SLOT}.
    [What is|What's|Whats|Do you know|Do you remember|Tell me|Say] [my KIN's name|my KINs name|the name of my KIN][| again]? / What [is|was] my KIN called[| again]? / [What do I call|How do I call|What did I call|Who is] my KIN? / [And|And what about|Now] my KIN[|'s name|s name]? / What name does my KIN have? / Do you [remember|know] [my KIN|what my KIN is called|how my KIN is called]? ~ How is my KIN called? / Can you tell me the name of my KIN?
""", "zh": """
tell_SLOT => 你家KIN叫{SLOT}，真好听！
    我[家|的|家的|]KIN[叫|名叫|名字是|的名字是|的名字叫]{SLOT}。 / 我有[一只|个|一个|]KIN，[叫|名字叫|它叫|名叫]{SLOT}。 / [这是|来，这是]我[家|的|]KIN{SLOT}。 / [我们|我]叫[我|]KIN{SLOT}。 / 家里[有|的]KIN叫{SLOT}。 ~ 我给KIN起名叫{SLOT}。
ask_SLOT => 你家KIN叫{SLOT}。
    我[家|的|家的|]KIN叫[什么|什么名字|啥|什么来着]？ / 我[家|]KIN[的名字|名字]是什么？ / [你还记得|记得|知道|还记得]我[家|]KIN[叫什么|的名字|叫啥]吗？ / [那|]我[家|]KIN呢？ / 告诉我我KIN的名字。 / [我刚才说|刚才说|]KIN叫什么[来着|]？ / [那|]我家KIN[叫啥|是谁|名字]？ ~ 你知道我家KIN叫什么名字吗？
"""}.items():
    WIDE[lang] += "".join(skills.lstrip("\n").replace("SLOT", slot).replace("KIN", kin) for slot, kin in KIN[lang].items())

# A correction further on in the chat: what it is about is said, or told by the old value.
FACTS = {"en": {"name": "name", "home": "home town", "dish": "favourite dish", "order": "order number", "age": "age", "wish": "wish", "shade": "favourite colour"},
         "zh": {"name": "名字", "home": "住的地方", "dish": "爱吃的菜", "order": "订单号", "age": "年龄", "wish": "想要的东西", "shade": "喜欢的颜色"}}
LATER = {"en": """
tell_SLOT_later => ANSWER
    [Oh,|Oh and|Oh wait,|By the way,|Wait,|Sorry,|And|One thing,|Ah,] [|it is |it's |its |I meant ]{SLOT}, not {old}. / My FACT is {SLOT}, not {old}. / [Sorry, my|Oh, my|Wait, my|My] FACT [is wrong, it is|was wrong, it is|is not {old} but|should be|is really] {SLOT}. / I [wrote|said|typed] {old} but [it is|it's|I meant|it should be] {SLOT}. / [Please change|Change|Can you change|Please correct|Correct] my FACT to {SLOT}. ~ In fact my FACT is {SLOT}, not {old}.
""", "zh": """
tell_SLOT_later => ANSWER
    [对了|哦对了|等等|抱歉|还有|不好意思|哦][，|，应该]是{SLOT}，不是{old}。 / [我的|我|]FACT[是|应该是]{SLOT}，不是{old}。 / [我的|我|]FACT[写错了|说错了|错了|记错了][，是|，应该是|，]{SLOT}。 / [我刚才|刚才|我]把FACT[写错了|说错了|打错了][，是|，应该是]{SLOT}。 / [把|请把]FACT[改成|换成|改为]{SLOT}[吧|]。 ~ 其实我FACT是{SLOT}，不是{old}。
"""}
for lang, facts in FACTS.items():
    for slot, fact in facts.items():
        answer = re.search(f"^tell_{slot}_again => (.+)$", WIDE[lang], re.MULTILINE)[1]
        WIDE[lang] += LATER[lang].lstrip("\n").replace("SLOT", slot).replace("FACT", fact).replace("ANSWER", answer)

# Asked for what nobody told.
UNKNOWN = {"en": "I am sorry, you have not told me that.", "zh": "对不起，你还没有告诉我。"}
NO_ORDER = {"en": "I will check that. Please tell me your order number.", "zh": "我来查一下，请告诉我订单号。"}
HINT = 'Try "hi, i\'m Bob", "what is my name?", "capital of france?" or "tell me a joke". 也可以说“我叫小雨，住在成都”。'

# What people type before and behind a question.
OPENERS = {"en": ["Hi, ", "Hello, ", "Hey, ", "Ok, ", "Okay, ", "So, ", "Well, ", "Oh, ", "Please, ", "Thanks! ", "Sorry, ", "No, ", "Actually, ", "And ", "But ", "Also, ",
                  "Good morning, ", "One question: ", "Hi there! ", "Yes, ", "Um, ", "By the way, ", "Great, ", "Hey there, "],
           "zh": ["你好，", "您好，", "嗨，", "好的，", "那", "嗯，", "对了，", "谢谢，", "不好意思，", "不是，", "其实", "还有，", "哦，", "早上好，", "我想问，", "哈哈，", "另外，"]}
# What they shorten in haste.
IN_HASTE = {"en": {"what is": "whats", "what's": "whats", "i am ": "im ", "i'm": "im", "do not": "dont", "don't": "dont", "can't": "cant", "cannot": "cant",
                   "you are": "ur", "are you": "r u", "please": "pls", "favourite": "fav", "thank you": "thx", "where is": "wheres", "how is": "hows", " and ": " n ",
                   "want to": "wanna", "okay": "ok", " you ": " u "},
            "zh": {"什么": "啥", "怎么样": "咋样", "怎么": "咋", "，": " ", "哪里": "哪儿", "可以": "能"}}
# In a wide source also these, and between two things said in one message JOINTS; BETWEEN their answers.
WIDE_OPENERS = {"en": ["Ah ok. ", "Hmm ok. ", "Okay okay. ", "Lol ok, ", "Cool. ", "Nice, thanks. ", "I see. ", "Alright, ", "Evening. ", "Hiya, ", "Morning! ", "Never mind. ", "Well, ok. ",
                       "Good to know. ", "Thx. ", "Haha ok. ", "Perfect. ", "Right. ", "Wait, ", "Quick question, ", "Another question: ", "And tell me, ", "Hello there, ", "Yo, "],
                "zh": ["哦好的，", "哈哈好吧，", "行吧，", "好吧，", "换个问题，", "再问一个，", "对了 ", "嗯嗯，", "知道了，", "谢谢你，", "哈喽，", "这样啊，", "那好，", "没事，", "等等，", "请问一下，", "老板，", "那简单点，", "算了，", "说正事，"]}
WIDE_CLOSERS = {"en": [" then", " tho", " btw", " rn", ", mate", " :D", " thx", " yeah?"], "zh": ["呗", "嘛", "啦", "行不", "～～", "，快点"]}
JOINTS, BETWEEN = {"en": [" and ", ", and ", ". ", ", ", " and also "], "zh": ["，", "。", " ", "，还有"]}, {"en": " ", "zh": ""}
CLOSERS = {"en": ["!", "!!", "...", ", please", " please", ", thanks", " thanks", " :)", " now", ", ok?", ", my friend", " lol"],
           "zh": ["！", "！！", "。。。", "，谢谢", "，好吗", "呀", "啊", "呢", "～", "，麻烦了", "哈", "吧"]}

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


FIRST_NAMES = """James Mary John Emma David Sarah Michael Anna Robert Olivia William Sophia Thomas Emily Daniel Lucy Jack Grace Peter Laura Tom Kate Sam
Alice Ben Julia Paul Jane George Lisa Mark Hannah Adam Chloe Harry Mia Oliver Ella Charlie Lily Max Ruby Leo Rose Luke Amy Joe Ava Noah
Isabella Ethan Charlotte Liam Amelia Lucas Sophie Henry Jessica Alexander Jennifer Matthew Elizabeth Andrew Rachel Joseph Rebecca
Christopher Victoria Anthony Megan Steven Nicole Kevin Susan Brian Linda Edward Karen Richard Nancy Charles Margaret Patrick Helen Simon
Claire Philip Diana Martin Julie Stephen Molly Alan Holly Gary Daisy Ryan Zoe Nathan Eva Jacob Nora Dylan Maya Alex Chris Mike Dave Nick
Tim Bill Dan Matt Will Josh Jake Kim Sue Ann Beth Meg Jess Tina Wendy Heather Abigail Madison Harper Evelyn Scarlett Layla Aria Penelope
Violet Hazel Stella Ivy Iris Jasmine Zara Freya Poppy Florence Phoebe Georgia Martha Eleanor Caroline Catherine Samantha Ashley Amanda
Stephanie Melissa Michelle Angela Sharon Ruth Barbara Dorothy Betty Gloria Frances Owen Connor Logan Mason Aiden Caleb Isaac Aaron Joshua
Samuel Benjamin Nathaniel Jonathan Timothy Gregory Kenneth Frank Walter Arthur Albert Oscar Felix Hugo Theo Archie Toby Rory Finn Sean
Declan Niamh Siobhan Aoife Fiona José Zoë Søren María Carlos Juan Luis Miguel Pedro Pablo Diego Javier Fernando Alejandro Rafael Sofía
Lucía Carmen Elena Isabel Ana Marta Valentina Camila João Tiago Beatriz André René François Chloé Léa Camille Pierre Jean Louis Antoine
Mathieu Amélie Élise Giulia Marco Luca Matteo Francesca Chiara Alessandro Lorenzo Hans Klaus Jürgen Lukas Jonas Stefan Greta Heidi Ingrid
Astrid Lars Erik Björn Sven Nils Anders Magnus Olaf Freja Linnea Elsa Åsa Mikko Aino Ivan Olga Dmitri Sergei Natasha Svetlana Tatiana Katya
Boris Vladimir Igor Anastasia Milan Piotr Paweł Katarzyna Jakub Tomáš Petra Milica Jelena Bogdan Andrei László Dimitris Nikos Eleni Raj
Priya Amit Anjali Rahul Arjun Rohan Aarav Deepak Sanjay Vijay Ravi Pooja Neha Lakshmi Aisha Vikram Ananya Divya Meera Krishna Nisha Imran
Mohammed Ahmed Ali Omar Hassan Fatima Yusuf Ibrahim Khalid Mustafa Hussein Noor Amira Leila Zainab Maryam Samir Tariq Karim Salma Nadia
Bilal Mehmet Ayşe Emre Elif Zeynep Burak Deniz Kemal Selin Reza Shirin Dariush Farid Kwame Amara Chidi Ngozi Kofi Ama Abena Chinedu
Oluwaseun Ifeoma Thabo Sipho Nomsa Lerato Wanjiru Kamau Amina Tendai Zola Abebe Selam Fatou Mamadou Yuki Hiroshi Sakura Kenji Haruto Aiko
Takeshi Yuto Hana Akira Naoko Wei Li Ming Xiaoming Jing Fang Mei Hui Jun Yan Xin Lei Minjun Jisoo Seoyeon Hyun Jiwoo Linh Minh Thuy Somchai
Malee Budi Siti Putri Dewi Agus Aroha Tane Leilani Kai Moana Agnes Anita Bob Bruce Carl Clara Dora Edith Ellen Eric Flora Fred Gina Hanna
Hector Ida Irene Jason Jenny Joan Jordan Karl Lewis Maria Mira Nina Ray Rita Roger Rosa Sally Sandra Sara Scott Sofia Steve Tara Ted Tony
Vera Victor Wanda Yvonne"""
LAST_NAMES = """Smith Johnson Brown Taylor Williams Jones Davies Wilson Murphy Campbell García Rodríguez Martínez López Silva Santos Pereira Dubois Martin
Moreau Müller Schmidt Weber Rossi"""
INVENTED = "Al Be Bo Ca Co Da El Fa Fe Ga Ha Hel Il Ja Ka Lo Ma Me Mi No Or Pa Re Ri Sa Si Ta Ve Wi Za", \
           "bin dan den dra fer kin lan les lia mina na nor ra rick ris ron ry son ton van win ya"
COLOURS = "red blue green black white yellow brown pink purple grey"
CITIES = """London, New York, Paris, Tokyo, Berlin, Rome, Madrid, Los Angeles, Chicago, Sydney, Moscow, Beijing, Dubai, Toronto, Barcelona, Amsterdam,
Vienna, San Francisco, Boston, Mumbai, Delhi, Shanghai, Hong Kong, Singapore, Bangkok, Istanbul, Cairo, Rio de Janeiro, Mexico City,
Buenos Aires, Lisbon, Dublin, Athens, Prague, Budapest, Warsaw, Stockholm, Oslo, Copenhagen, Helsinki, Brussels, Zurich, Geneva, Munich,
Hamburg, Milan, Venice, Naples, Florence, Manchester, Liverpool, Birmingham, Edinburgh, Glasgow, Melbourne, Montreal, Vancouver, Seattle,
Miami, Houston, Dallas, Washington, Philadelphia, Atlanta, Las Vegas, San Diego, Denver, Detroit, New Orleans, Seoul, Osaka, Kyoto,
Kuala Lumpur, Jakarta, Manila, Hanoi, Taipei, Lagos, Nairobi, Cape Town, Johannesburg, Casablanca, Tel Aviv, Jerusalem, Baghdad, Tehran,
Karachi, Lahore, Kolkata, Chennai, Bangalore, Hyderabad, Dhaka, Kathmandu, Colombo, Kyiv, Bucharest, Sofia, Belgrade, Zagreb,
Saint Petersburg, Frankfurt, Cologne, Lyon, Marseille, Nice, Bordeaux, Toulouse, Seville, Valencia, Malaga, Bilbao, Granada, Porto, Turin,
Bologna, Palermo, Genoa, Verona, Pisa, Leeds, Bristol, Oxford, Cambridge, Sheffield, Newcastle, Nottingham, Leicester, Brighton, York,
Bath, Cardiff, Swansea, Belfast, Aberdeen, Dundee, Inverness, Cork, Galway, Limerick, Southampton, Portsmouth, Plymouth, Norwich, Coventry,
Ottawa, Calgary, Edmonton, Winnipeg, Quebec City, Halifax, Brisbane, Perth, Adelaide, Canberra, Darwin, Hobart, Auckland, Wellington,
Christchurch, Dunedin, Queenstown, Portland, Austin, San Antonio, Phoenix, San Jose, Sacramento, Oakland, Nashville, Memphis, Charlotte,
Orlando, Tampa, Baltimore, Pittsburgh, Cleveland, Cincinnati, Indianapolis, Milwaukee, Minneapolis, Kansas City, Salt Lake City,
Albuquerque, Honolulu, Anchorage, Buffalo, Rochester, Providence, Savannah, Charleston, Richmond, Louisville, Stuttgart, Leipzig, Dresden,
Düsseldorf, Bremen, Bonn, Hanover, Nuremberg, Heidelberg, Salzburg, Graz, Innsbruck, Basel, Bern, Lausanne, Antwerp, Ghent, Bruges,
Rotterdam, Utrecht, The Hague, Eindhoven, Gothenburg, Malmö, Uppsala, Bergen, Trondheim, Aarhus, Turku, Tampere, Reykjavik, Tallinn, Riga,
Vilnius, Krakow, Gdansk, Wroclaw, Brno, Bratislava, Ljubljana, Sarajevo, Skopje, Tirana, Split, Dubrovnik, Thessaloniki, Ankara, Izmir,
Antalya, Tbilisi, Yerevan, Baku, Minsk, Lviv, Odesa, Kharkiv, Kazan, Novosibirsk, Vladivostok, Almaty, Tashkent, Samarkand, Ulaanbaatar,
Kabul, Islamabad, Jaipur, Pune, Ahmedabad, Lucknow, Goa, Kochi, Varanasi, Yangon, Phuket, Chiang Mai, Phnom Penh, Da Nang, Penang, Busan,
Nagoya, Sapporo, Fukuoka, Hiroshima, Yokohama, Shenzhen, Guangzhou, Chengdu, Wuhan, Nanjing, Hangzhou, Macau, Riyadh, Jeddah, Doha,
Abu Dhabi, Muscat, Kuwait City, Amman, Beirut, Damascus, Alexandria, Tunis, Algiers, Marrakesh, Rabat, Accra, Dakar, Abidjan, Addis Ababa,
Kampala, Kigali, Mombasa, Lusaka, Harare, Durban, Pretoria, Abuja, Lima, Bogota, Medellin, Quito, Santiago, Caracas, La Paz, Montevideo,
Brasilia, Havana"""
DISHES = """pizza, sushi, pasta, spaghetti, lasagne, burgers, chips, chocolate, ice cream, cheese, apple pie, fried rice, tacos, curry, ramen,
pancakes, waffles, steak, fried chicken, roast beef, fish and chips, soup, salad, bread, cake, cookies, noodles, dumplings, rice,
sandwiches, hot dogs, french fries, mashed potatoes, roast chicken, bacon, sausages, scrambled eggs, omelettes, cereal, porridge, yoghurt,
popcorn, strawberries, mangoes, grapes, watermelon, pineapple, cherries, avocado, tomato soup, chicken soup, mushroom soup, pumpkin soup,
potato salad, caesar salad, greek salad, fruit salad, coleslaw, garlic bread, banana bread, cornbread, sourdough, baguettes, croissants,
bagels, muffins, scones, brownies, doughnuts, cupcakes, cheesecake, carrot cake, chocolate cake, lemon tart, pumpkin pie, rice pudding,
bread pudding, apple crumble, tiramisu, panna cotta, gelato, crepes, macarons, creme brulee, chocolate mousse, baklava, turkish delight,
churros, flan, mochi, gingerbread, marshmallows, fudge, ravioli, gnocchi, risotto, carbonara, pesto, macaroni and cheese, minestrone,
bruschetta, focaccia, mozzarella, parmesan, prosciutto, paella, tapas, gazpacho, chorizo, tortilla, empanadas, ceviche, burritos,
quesadillas, nachos, enchiladas, guacamole, fajitas, chili con carne, tamales, feijoada, jerk chicken, gumbo, jambalaya, clam chowder,
barbecue ribs, pulled pork, corn on the cob, baked beans, onion rings, chicken wings, chicken nuggets, cottage pie, shepherd's pie,
yorkshire pudding, roast lamb, roast potatoes, cornish pasties, haggis, irish stew, beef stew, goulash, schnitzel, bratwurst, sauerkraut,
pretzels, strudel, fondue, raclette, quiche, ratatouille, coq au vin, bouillabaisse, oysters, mussels, lobster, crab cakes, grilled salmon,
smoked salmon, tuna, shrimp, prawns, calamari, meatballs, cinnamon buns, pierogi, borscht, blini, moussaka, gyros, souvlaki, feta, olives,
tzatziki, doner kebab, falafel, hummus, shawarma, shakshuka, couscous, tagine, jollof rice, fufu, injera, biryani, samosas, naan, dal,
butter chicken, tikka masala, palak paneer, tandoori chicken, dosas, pakoras, pad thai, green curry, tom yum, satay, nasi goreng, rendang,
laksa, pho, spring rolls, banh mi, dim sum, peking duck, sweet and sour pork, kung pao chicken, mapo tofu, hot pot, wontons, tempura, udon,
miso soup, teriyaki chicken, okonomiyaki, kimchi, bibimbap, bulgogi, tofu"""
THINGS = """lamp, chair, table, book, cup, mug, plate, bowl, spoon, fork, knife, glass, bottle, coffee machine, kettle, toaster, teapot, pan, pot,
frying pan, bag, backpack, suitcase, wallet, purse, belt, hat, cap, scarf, coat, jacket, raincoat, shirt, jumper, sweater, dress, skirt,
t-shirt, hoodie, cardigan, suit, tie, bow tie, dressing gown, watch, ring, necklace, bracelet, umbrella, phone, phone case, charger, cable,
laptop, tablet, keyboard, mouse, monitor, printer, scanner, camera, tripod, speaker, headset, microphone, radio, television, game console,
video game, board game, chess set, puzzle, doll, teddy bear, toy car, kite, ball, football, basketball, tennis racket, golf club,
skateboard, scooter, bicycle, bike helmet, helmet, sleeping bag, tent, camping stove, torch, lantern, compass, map, globe, telescope,
microscope, guitar, piano, violin, drum, flute, trumpet, harmonica, ukulele, cello, saxophone, music box, record player, pen, pencil,
pencil case, notebook, calendar, ruler, eraser, stapler, paintbrush, paint set, sketchbook, envelope, postcard, greeting card, sticker,
stamp, sofa, armchair, stool, bench, desk, office chair, bookshelf, wardrobe, cupboard, mirror, bed, mattress, pillow, blanket, duvet,
cushion, curtain, carpet, rug, doormat, towel, hammock, rocking chair, deck chair, picture frame, painting, poster, photo album, vase,
candle, clock, alarm clock, fan, heater, vacuum cleaner, washing machine, dishwasher, fridge, freezer, oven, microwave, blender, mixer,
juicer, rice cooker, coffee grinder, chopping board, rolling pin, baking tray, whisk, spatula, grater, peeler, corkscrew, bottle opener,
lunch box, water bottle, thermos, wine glass, teacup, tablecloth, apron, tray, jug, jar, basket, bucket, broom, mop, brush, sponge,
ironing board, iron, sewing machine, needle, button, hammer, screwdriver, drill, saw, wrench, toolbox, tape measure, ladder, shovel, spade,
rake, watering can, lawn mower, wheelbarrow, flower pot, plant, cactus, bird feeder, bird cage, fish tank, dog bed, dog collar, dog lead,
cat tree, litter box, toothbrush, comb, hairbrush, hair dryer, razor, soap dish, perfume, lipstick, nail file, yoga mat, dumbbell,
skipping rope, treadmill, exercise bike, surfboard, snowboard, sledge, life jacket, swimsuit, beach towel, beach ball, parasol,
fishing rod, key ring, padlock, doorbell, light bulb, battery, power bank, hard drive, router, webcam, projector, drone, magnet"""
NOUNS = """cat dog dragon river robot house tree bird horse king queen boat ship castle forest mountain lake garden flower fox bear wolf lion tiger
monkey rabbit mouse frog snake turtle cow pig goat hen goose bee butterfly spider snail whale shark dolphin penguin parrot crow pigeon
squirrel hedgehog camel zebra giraffe kitten puppy pony witch wizard ghost giant princess prince knight pirate monster fairy mermaid clown
teacher doctor farmer baker sailor soldier thief painter singer dancer baby boy girl neighbour friend bridge road tower village city school
shop library church barn farm mill tunnel hill valley desert beach cloud star moon planet rocket train car bus truck tractor bicycle plane
balloon wheel key door window kitchen lamp candle box basket book letter picture song story hat shoe pocket ring crown sword shield hammer
stone mushroom pumpkin cake potato kettle spoon cup bottle guitar violin bell doll kite ball puzzle secret"""
TOPICS = """politics, black holes, the stock market, football results, the weather, religion, philosophy, quantum physics, chemistry, biology,
mathematics, algebra, geometry, history, the Roman Empire, ancient Egypt, the Second World War, the French Revolution, the Middle Ages,
dinosaurs, volcanoes, earthquakes, climate change, the solar system, space travel, the moon landing, aliens, time travel, evolution,
genetics, the human brain, medicine, vaccines, vitamins, headaches, psychology, dreams, astrology, tarot cards, ghosts, economics,
inflation, interest rates, taxes, mortgages, insurance, pensions, cryptocurrency, the law, immigration, elections, the government,
the royal family, celebrities, film stars, Hollywood, pop music, opera, jazz, Shakespeare, poetry, modern art, architecture, photography,
fashion, computer programming, artificial intelligence, cyber security, the internet, social media, nuclear power, solar panels,
electric cars, car engines, aeroplanes, submarines, trains, the Olympics, tennis, boxing, chess openings, marathon training, gardening,
bird watching, dog training, parenting, marriage, dating, grammar, the Chinese language"""
DEEDS = """build fix make draw paint clean repair buy sell find catch train wash carry move open close break cut cook bake grow feed ride drive fly
hide steal wrap hang choose design measure photograph sketch decorate rescue tame knit describe"""
FOREIGN = """hola gracias buenos días por adiós amigo casa perro gato mañana quiero dónde bonjour merci salut oui aujourd'hui maison chien beaucoup
pourquoi demain je voudrais guten danke bitte tschüss hallo ich nicht haus hund katze freund morgen warum schön ciao grazie buongiorno
prego arrivederci amico cane gatto domani perché bello voglio olá obrigado obrigada você não sim cachorro amanhã bom tudo onde hej jag inte
hus katt vän snälla varför imorgon merhaba teşekkürler evet hayır nasılsın günaydın lütfen köpek kedi arkadaş güzel nerede yarın selam
deutsch sprechen heute aber und"""
CHINESE_COLOURS = "红色 蓝色 绿色 黑色 白色 黄色 棕色 粉色 紫色 灰色"
CHINESE_NAMES = """李明 王伟 张小雨 欧阳静 陈浩然 刘洋 王芳 李娜 张敏 王静 李强 张磊 王磊 李军 王勇 张勇 刘伟 张伟 李伟 王丽 张丽 李静 张静 李杰
王超 李丽 张涛 王涛 李超 张超 刘涛 陈静 陈伟 陈杰 杨帆 杨洋 杨柳 赵敏 赵磊 赵雪 赵子轩 黄磊 黄丽 黄志强 周杰 周敏 周雨彤
周文博 吴昊 吴迪 吴敏 吴佳怡 徐静 徐强 徐子涵 孙丽 孙浩 孙晓梅 孙悦 马超 马丽 马晓东 朱琳 朱晨曦 朱建国 胡军 胡静 胡雨桐 郭涛
郭雪 何平 何洁 何俊杰 林峰 林静 林小凡 林诗雨 高峰 高洁 高远 高天宇 罗杰 罗敏 罗文静 郑凯 郑国强 梁静 梁博 梁晓燕 谢军 谢雨辰
宋佳 宋杰 宋思远 唐琳 唐磊 唐嘉怡 许诺 许志远 韩雪梅 韩磊 韩梅梅 冯涛 冯静 冯子豪 邓丽 邓婷婷 曹阳 曹敏 彭飞 彭丽 彭思琪 曾琳
曾雅文 肖扬 肖敏 田甜 田野 田雨 董洁 董浩 董小宁 潘杰 袁野 袁梦 蔡明亮 蔡文婷 蒋欣欣 蒋涛 蒋雯 余波 余娜 余欢 于洋 于静 于晓光
杜鹃 杜宇 叶青 叶子 叶倩 程浩 程琳 程曦 魏晨阳 魏敏 魏来 苏醒 苏婉 苏文 吕洁 吕梁 吕思涵 丁磊 丁宁 丁一凡 任静 任杰 任雨欣
卢勇 卢佳 卢晓婷 姚远 姚丽 沈丹 沈浩 沈梦瑶 钟欣 钟华 姜涛 姜敏 姜文博 崔莹 谭静 谭子杰 陆宇 陆瑶 范伟民 范晓萱 汪洋 廖敏 石磊
石榴 金鑫 金美玲 韦佳 贾玲玲 贾明 夏雨 夏天 夏雪 付强 付晓 方圆 方芳 方志明 邹凯 邹雨 熊伟 熊欣怡 白雪 白洁 孟浩 孟瑶 秦明
邱悦 邱泽 侯亮 侯雅婷 江南 江雨薇 尹杰 尹梦 薛平 薛佳凝 闫旭 段然 雷鸣 雷婷 龙飞 龙小云 史航 陶然 陶李 贺强 贺佳 顾磊 顾盼
毛晓峰 郝好 郝云 龚丽 邵峰 邵雨晴 万里 万晓利 钱进 钱多多 严宽 严晓 武艺 武文涛 戴维 戴琳 莫凡 莫愁 孔亮 向阳 向晚晴 汤圆圆
汤伟 欧阳娜 欧阳明 欧阳子轩 司马文 司马晴 上官雪 上官云飞 诸葛明 诸葛晓 小明 阿杰 豆豆 乐乐 小红 小丽 小刚 小芳 小雨 小雪 小美
小龙 小宝 小胖 小虎 阿强 阿明 阿珍 阿花 阿伟 阿玲 阿辉 贝贝 晶晶 欢欢 莹莹 妞妞 毛毛 果果 糖糖 球球 甜甜 圆圆 萌萌 丫丫 老王
老李 老张 大伟 大壮"""
SURNAMES = """王 李 张 刘 陈 杨 黄 赵 吴 周 徐 孙 马 朱 胡 郭 何 林 高 罗 郑 梁 谢 宋 唐 许 韩 邓 冯 曹 彭 曾 肖 田 董 潘 袁
蔡 蒋 余 于 杜 叶 程 魏 苏 吕 丁 任 卢 姚 沈 钟 姜 崔 谭 陆 范 汪 廖 石 金 韦 贾 夏 付 方 邹 熊 白 孟 秦 邱 侯
江 尹 薛 闫 段 雷 欧阳 司马 上官 诸葛"""
GIVEN = """明 伟 芳 娜 敏 静 丽 强 磊 军 洋 勇 艳 杰 娟 涛 超 秀 霞 平 刚 桂 英 华 玉 兰 红 文 建 国 志 浩 然 子 涵 雨 轩
欣 怡 佳 琪 思 宇 梓 萱 诗 晨 曦 博 雅 婷 雪 梅 琳 峰 辉 鹏 飞 斌 波 宁 阳 悦 晓 小 东 海 云 龙 天 一 凡 俊 豪
嘉 瑞 瑶 梦 倩 颖 洁 慧 莉 萍 玲 春 燕 凤 新 航"""
CHINESE_CITIES = """北京 上海 广州 深圳 成都 重庆 天津 武汉 杭州 南京 西安 苏州 长沙 郑州 青岛 沈阳 大连 宁波 厦门 福州 济南 合肥 昆明 哈尔滨
长春 石家庄 太原 南昌 南宁 贵阳 海口 三亚 兰州 西宁 银川 乌鲁木齐 呼和浩特 拉萨 香港 澳门 台北 高雄 台中 台南 新竹 无锡 常州
南通 扬州 镇江 徐州 盐城 连云港 淮安 泰州 宿迁 温州 嘉兴 湖州 绍兴 金华 义乌 台州 丽水 衢州 舟山 芜湖 蚌埠 黄山 安庆 马鞍山
泉州 漳州 莆田 龙岩 三明 南平 九江 赣州 景德镇 上饶 吉安 宜春 烟台 威海 潍坊 淄博 临沂 济宁 泰安 日照 德州 聊城 菏泽 洛阳
开封 新乡 安阳 南阳 信阳 许昌 焦作 宜昌 襄阳 荆州 十堰 黄冈 恩施 株洲 湘潭 衡阳 岳阳 常德 张家界 怀化 郴州 佛山 东莞 珠海
中山 惠州 汕头 湛江 江门 肇庆 茂名 梅州 清远 揭阳 桂林 柳州 北海 玉林 绵阳 德阳 乐山 宜宾 泸州 自贡 南充 西昌 遵义 安顺 大理
丽江 曲靖 玉溪 景洪 香格里拉 宝鸡 咸阳 延安 汉中 榆林 天水 敦煌 酒泉 嘉峪关 大同 平遥 运城 临汾 保定 唐山 秦皇岛 邯郸 廊坊
承德 张家口 包头 鄂尔多斯 赤峰 呼伦贝尔 鞍山 纽约 伦敦 巴黎 东京 大阪 首尔 新加坡 曼谷 悉尼 墨尔本 多伦多 温哥华 洛杉矶 旧金山
柏林 慕尼黑 罗马 米兰 马德里 莫斯科 迪拜 吉隆坡 京都 芝加哥 波士顿 西雅图"""
CHINESE_DISHES = """饺子 火锅 宫保鸡丁 西瓜 包子 馒头 面条 米饭 炒饭 蛋炒饭 馄饨 汤圆 粽子 月饼 油条 豆浆 煎饼 烧饼 春卷 烧卖 小笼包 生煎包 肉夹馍
凉皮 凉面 炸酱面 担担面 热干面 刀削面 牛肉面 阳春面 油泼面 重庆小面 米线 过桥米线 螺蛳粉 酸辣粉 桂林米粉 肠粉 河粉 麻婆豆腐
鱼香肉丝 回锅肉 水煮鱼 水煮肉片 酸菜鱼 红烧肉 红烧排骨 糖醋排骨 糖醋里脊 锅包肉 东坡肉 梅菜扣肉 粉蒸肉 辣子鸡 口水鸡 白切鸡 大盘鸡
黄焖鸡 叫花鸡 可乐鸡翅 炸鸡 烤鸭 北京烤鸭 盐水鸭 烧鹅 叉烧 清蒸鲈鱼 剁椒鱼头 烤鱼 松鼠鳜鱼 小龙虾 大闸蟹 油焖大虾 白灼虾 蒜蓉扇贝
烤生蚝 西红柿炒鸡蛋 番茄炒蛋 地三鲜 干煸豆角 手撕包菜 酸辣土豆丝 醋溜白菜 蒜蓉西兰花 凉拌黄瓜 拍黄瓜 皮蛋豆腐 家常豆腐 臭豆腐 蚂蚁上树
夫妻肺片 毛血旺 麻辣烫 麻辣香锅 冒菜 串串香 关东煮 烤串 羊肉串 烤羊腿 涮羊肉 羊肉泡馍 手抓饭 手抓羊肉 馕 烤冷面 煎饼果子 手抓饼
鸡蛋灌饼 葱油饼 韭菜盒子 锅贴 煎饺 皮蛋瘦肉粥 小米粥 八宝粥 白粥 酸辣汤 鸡汤 排骨汤 紫菜蛋花汤 羊肉汤 佛跳墙 狮子头 虾饺 凤爪 蛋挞
菠萝包 双皮奶 龟苓膏 杨枝甘露 豆腐脑 冰糖葫芦 糖炒栗子 烤红薯 驴打滚 绿豆糕 桂花糕 年糕 麻花 麻团 糍粑 凉粉 冰粉 绿豆汤 银耳汤
奶茶 咖啡 酸奶 牛奶 果汁 酸梅汤 冰淇淋 蛋糕 芝士蛋糕 面包 饼干 巧克力 薯条 薯片 汉堡 披萨 三明治 意大利面 牛排 沙拉 寿司 拉面
生鱼片 天妇罗 咖喱饭 石锅拌饭 泡菜 烤肉 冬阴功汤 苹果 香蕉 草莓 葡萄 芒果 荔枝 桃子 橙子 橘子 樱桃 榴莲 菠萝 火龙果 猕猴桃
哈密瓜 柚子 蓝莓 梨 石榴 龙眼 玉米 土豆 茄子 花生"""
CHINESE_THINGS = """手机壳 台灯 羽毛球拍 充电器 数据线 耳机 充电宝 鼠标 鼠标垫 显示器 笔记本电脑 手机 手机支架 手机膜 摄像头 路由器 硬盘 U盘 相机
镜头 投影仪 电视机 遥控器 插座 插线板 灯泡 手电筒 落地灯 吊灯 电风扇 空调 除湿机 吸尘器 扫地机器人 洗衣机 微波炉 烤箱 电饭煲
电磁炉 炒锅 平底锅 汤锅 蒸锅 咖啡机 榨汁机 豆浆机 面包机 洗碗机 菜刀 砧板 水果刀 锅铲 汤勺 筷子 勺子 碗 盘子 杯子 马克杯 玻璃杯
茶杯 茶壶 茶具 饭盒 保鲜盒 水壶 围裙 餐桌 椅子 办公椅 书桌 书柜 沙发 茶几 床 床单 被子 被套 枕头 毛毯 凉席 蚊帐 窗帘 地垫
衣柜 鞋柜 鞋架 收纳箱 收纳盒 镜子 挂钟 手表 花瓶 相框 蜡烛 垃圾桶 垃圾袋 拖把 扫帚 海绵 水桶 脸盆 毛巾 浴帘 牙刷 电动牙刷 牙膏
沐浴露 洗发水 护发素 洗手液 洗衣液 纸巾 卫生纸 湿巾 吹风机 剃须刀 指甲刀 面膜 护手霜 防晒霜 唇膏 香水 睫毛膏 化妆包 T恤 衬衫
卫衣 外套 大衣 羽绒服 西装 牛仔裤 运动裤 短裤 连衣裙 睡衣 内衣 袜子 围巾 手套 领带 皮带 跑鞋 皮鞋 凉鞋 拖鞋 雨鞋 雨衣 雨伞
太阳镜 书包 背包 手提包 钱包 钥匙扣 项链 戒指 耳环 发夹 发箍 羽毛球 乒乓球拍 网球拍 网球 篮球 足球 瑜伽垫 哑铃 跳绳 泳衣 游泳圈
滑板 溜冰鞋 自行车 打气筒 帐篷 睡袋 登山杖 鱼竿 望远镜 指南针 吉他 小提琴 口琴 笛子 积木 毛绒玩具 玩具车 遥控飞机 风筝 象棋 围棋
扑克牌 气球 钢笔 圆珠笔 橡皮 尺子 胶水 胶带 订书机 笔记本 文件夹 计算器 字典 日历 画板 明信片 信封 婴儿车 尿布 猫粮 狗粮 猫砂
花盆 锤子 螺丝刀 扳手 卷尺"""
CHINESE_NOUNS = """小鸟 恐龙 雨伞 机器人 小猫 小狗 兔子 老虎 狮子 大象 猴子 熊猫 狐狸 狼 松鼠 刺猬 乌龟 青蛙 蝴蝶 蜜蜂 蚂蚁 蜻蜓 金鱼 鲸鱼 海豚
鲨鱼 企鹅 猫头鹰 孔雀 公鸡 鸭子 小羊 奶牛 小马 骆驼 长颈鹿 老鼠 蜗牛 龙 凤凰 独角兽 公主 王子 国王 巫婆 仙女 海盗 骑士 宇航员
医生 老师 警察 消防员 厨师 农夫 渔夫 画家 司机 爷爷 奶奶 太阳 月亮 星星 云朵 彩虹 雪人 大树 小草 花朵 蘑菇 森林 小河 大海
高山 沙漠 小岛 城堡 房子 小桥 灯塔 火车 飞机 汽车 轮船 火箭 自行车 气球 风筝 钥匙 宝箱 地图 镜子 帽子 书包 铅笔 书 钟表 灯笼
蜡烛 椅子 桌子 窗户 门 枕头 杯子 苹果 南瓜 胡萝卜 西瓜 蛋糕"""
CHINESE_TOPICS = """政治 黑洞 股市 历史 哲学 量子力学 相对论 宇宙 火星 恐龙灭绝 进化论 基因 病毒 疫苗 医学 癌症 心理学 经济学 通货膨胀 房价 基金
比特币 区块链 人工智能 编程 数据库 网络安全 法律 宪法 离婚官司 税收 选举 外交 战争 军事 核武器 宗教 佛教 神话 占星 风水 算命
古诗 唐朝 三国 世界大战 考古 金字塔 地理 地震 火山 气候变化 天气预报 海洋学 化学 元素周期表 物理 微积分 几何 概率论 数论 生物
天文 电影 明星 音乐理论 歌剧 京剧 绘画 建筑 文学 诺贝尔奖 世界杯 奥运会 篮球比赛 电竞 高考 留学 英语语法 方言"""
CHINESE_DEEDS = """做 修 煮 炒 挑 包 烤 蒸 炸 洗 画 种 养 拆 装 切 选 买 卖 擦 补 叠 剪 腌 炖 织 缝 写 学 寄"""


def several(text: str, times: int = 1) -> list[str]:
    """The words of a text, each several times; between commas, where it has them."""
    return [word.strip() for word in (text.split(",") if "," in text else text.split())] * times


def word(alphabets: list, sizes: tuple[int, ...], rng: random.Random, first: int = 0) -> str:
    """Signs drawn at random, from each alphabet in turn: nobody can know such a word, it has to be copied."""
    return "".join(rng.choice(alphabets[(first + i) % len(alphabets)]) for i in range(rng.choice(sizes)))


def made_up(alphabets: list[str], sizes: tuple[int, ...], count: int) -> list[str]:
    rng = random.Random(alphabets[0])
    return [word(alphabets, sizes, rng) for _ in range(count)]


KEYS = made_up(["asdfghjkl" * 2 + "qwertzuiopyxcvbnm"], (5, 6, 8, 11), 3000)
LETTERS = made_up(["bcdfghjklmnpqrstvwxyz" * 4 + "çñšłş", "aeiou" * 8 + "áéíóäöüøåãë"], (3, 4, 5, 6, 7, 8), 5000)

POOLS = {"en": {
    # A composed name for every two that people have: one that was never seen has to be copied, too.
    "name": several(FIRST_NAMES, 25) + compose(" ".join(several(FIRST_NAMES)[:40]), LAST_NAMES, between=" ") + compose(*INVENTED) * 3 + [word.capitalize() for word in LETTERS[:3000]],
    "dish": several(DISHES, 2) + [word.lower() for word in compose(*INVENTED)[::5]] + LETTERS[3000:3250] + compose("spicy sweet fried baked grilled cold fresh creamy roasted smoked steamed sour crispy salted warm",
                    "noodles soup rice salad pie fish chicken beef tofu beans potatoes pasta carrots mushrooms eggs",
                    between=" "),
    "place": several(CITIES, 2) + compose(*INVENTED)[1::4] + [word.capitalize() for word in LETTERS[3250:3500]] + compose("Oak River Stone Green Hill Lake Maple North South West Wood Rose Silver",
                     "ford ton field bridge port ville dale bury side mouth stead gate haven"),
    "item": several(THINGS, 10) + [word.lower() for word in compose(*INVENTED)[2::2]] + LETTERS[3500:] + [f"{paint} {thing}" for paint in several(COLOURS) for thing in several(THINGS)],
    "shop": compose("Golden Happy Lucky Little Royal Sunny Quiet Merry",
                    "Fox Star Moon Leaf Lion Rose Panda Tiger Tulip Robin", between=" "),
    "goods": [f"{thing}s" for thing in several(THINGS)] + several(DISHES),
    "noun": several(NOUNS), "topic": several(TOPICS), "verb": several(DEEDS), "foreign": several(FOREIGN), "odd": compose("bi fo ga lu mo ni po ra su ti ve zu", "ba dle kor lim nox per ro sta tix vo wen zer"),
    "shade": several(COLOURS, 8) + several("orange gold silver turquoise beige violet", 4) + compose("light dark bright pale", COLOURS, between=" "),
    "keys": KEYS,
}, "zh": {
    "name": several(CHINESE_NAMES, 25) + compose(SURNAMES, GIVEN) + [sur + a + b for sur in several(SURNAMES) for a, b in zip(several(GIVEN), several(GIVEN)[7:])],
    "dish": several(CHINESE_DISHES, 2) + compose(GIVEN, GIVEN)[7::60] + compose("红烧 清蒸 油炸 凉拌 麻辣 糖醋 香煎 爆炒 水煮 酸菜 蒜香 五香 铁板 家常 番茄",
                    "豆腐 鱼 牛肉 羊肉 鸡块 土豆 茄子 白菜 排骨 虾仁 蘑菇 面条 鸭腿 鸡蛋 豆角"),
    "place": several(CHINESE_CITIES, 2) + compose(GIVEN, GIVEN)[::40] + compose("青 清 云 白 金 长 东 南 西 北 平 永 新 龙 石", "山 河 江 湖 溪 桥 林 泉 原 州", "市 镇"),
    "item": several(CHINESE_THINGS, 10) + compose(CHINESE_COLOURS, CHINESE_THINGS),
    "shop": compose("金 银 红 蓝 白 大 小 快乐 幸福 阳光", "星 月 狮 鹿 熊猫 叶 花 鸟 船 树"),
    "goods": several(CHINESE_THINGS) + several(CHINESE_DISHES),
    "noun": several(CHINESE_NOUNS), "topic": several(CHINESE_TOPICS), "verb": several(CHINESE_DEEDS), "foreign": several(FOREIGN), "odd": compose("飞 木 巴 米 兰 罗", "达 古 里 尼 夫 坦"),
    "shade": several(CHINESE_COLOURS, 8) + several("橙色 金色 银色 米色 青色", 4) + compose("浅 深 亮 淡", CHINESE_COLOURS),
    "keys": KEYS,
}}
# With a digit twice, "what followed this digit?" has two answers: copying it takes another circuit, learned much later.
ORDER_NUMBERS = [str(number) for number in range(1_000, 10_000) if len(set(str(number))) == 4]
for pools in POOLS.values():
    pools |= {"order": ORDER_NUMBERS, "age": [str(age) for age in range(5, 100) if age % 11],
              "big": [str(number) for number in range(21, 1000)]}
ALIASES = {"home": "place", "wish": "item", "hero": "name", "friend": "name", "number": "order"} | dict.fromkeys(KIN["en"], "name")  # same pool

WORDS = """cat 猫, dog 狗, bird 鸟, horse 马, cow 牛, sheep 羊, water 水, fire 火, tree 树, flower 花, sun 太阳, moon 月亮,
star 星星, rain 雨, snow 雪, wind 风, river 河, sea 海, door 门, book 书, milk 牛奶, tea 茶, bread 面包, apple 苹果, hand 手,
eye 眼睛, mother 妈妈, father 爸爸, friend 朋友, teacher 老师, school 学校, house 房子, car 汽车, table 桌子, happy 高兴,
red 红色, blue 蓝色, green 绿色, today 今天, tomorrow 明天, hello 你好, goodbye 再见, good_morning 早上好, good_night 晚安, thank_you 谢谢,
love 爱, I_love_you 我爱你, fish 鱼, rice 米饭, egg 鸡蛋, coffee 咖啡, banana 香蕉, shop 商店, money 钱, sorry 对不起, yes 是, no 不, one 一,
two 二, three 三, big 大, small 小, white 白色, black 黑色, yellow 黄色, beautiful 漂亮, doctor 医生, phone 手机, computer 电脑, city 城市"""
DAYS = {"en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(), "zh": ["星期" + day for day in "一二三四五六日"]}
MONTHS = {"en": "January February March April May June July August September October November December".split(),
          "zh": [f"{month}月" for month in "一 二 三 四 五 六 七 八 九 十 十一 十二".split()]}
CALENDAR = {"en": ({"day": DAYS["en"], "month": MONTHS["en"]}, ("before", "after"), ", "),
            "zh": ({"天": DAYS["zh"], "个月": MONTHS["zh"]}, ("前", "后"), "，")}
NUMBERS = {"en": "one two three four five six seven eight nine ten".split(), "zh": list("一二三四五六七八九十")}
# Closed tables: the slots of a skill, then a row of them between every two commas; _ stands for a blank.
TABLES = {"en": {
    "translate": ("english chinese", WORDS),
    "opposite": ("word other", """hot cold, big small, tall short, fast slow, new old, early late, rich poor, hard soft,
        happy sad, light dark, full empty, wet dry, open closed, up down, left right, good bad, strong weak, clean dirty,
        loud quiet, near far, thick thin, high low, day night, black white, yes no, love hate, first last"""),
    "capital": ("country capital", """France Paris, Germany Berlin, Spain Madrid, Italy Rome, England London, Japan Tokyo,
        China Beijing, Russia Moscow, Egypt Cairo, Greece Athens, Poland Warsaw, Norway Oslo, Portugal Lisbon, Sweden Stockholm, Finland Helsinki,
        Denmark Copenhagen, Austria Vienna, Belgium Brussels, Ireland Dublin, Hungary Budapest, Turkey Ankara, India Delhi, Korea Seoul, Thailand Bangkok,
        Canada Ottawa, America Washington, the_USA Washington, Mexico Mexico_City, Brazil Brasilia, Argentina Buenos_Aires, Cuba Havana, Australia Canberra, Kenya Nairobi,
        Switzerland Bern, the_UK London, the_Netherlands Amsterdam, Ukraine Kyiv, Vietnam Hanoi, Peru Lima, Iceland Reykjavik"""),
    "sound": ("animal sound", """cat meow, dog woof, cow moo, sheep baa, duck quack, pig oink, bee buzz, frog croak,
        lion roar, mouse squeak, snake hiss, horse neigh, chicken cluck, rooster cock-a-doodle-doo, wolf howl, bird tweet, owl hoot, goat maa, crow caw, puppy woof, kitten meow"""),
    "colour": ("thing colour", """grass green, snow white, coal black, blood red, milk white, chocolate brown, gold yellow,
        rice white, ice blue, cheese yellow, sky blue, sea blue, sun yellow, banana yellow, bananas yellow, apple red, tomato red, tomatoes red, lemon yellow, strawberry red,
        strawberries red, carrots orange, oranges orange, leaves green, trees green, salt white, sugar white, night black, coffee brown, moon white, cucumber green, cherries red, roses red, elephant grey"""),
    "hours_day": ("day", ", ".join(DAYS["en"])), "tomorrow": ("point neighbour", ", ".join(map(" ".join, zip(DAYS["en"], DAYS["en"][1:] + DAYS["en"])))),
    "opening_hours": ("section opens closes", "toy 9 6, book 8 7, food 7 9, shoe 10 8, garden 8 5, music 10 6, phone 9 7"),
    "how_many": ("parts whole amount", """days week 7, months year 12, days year 365, weeks year 52, hours day 24, minutes hour 60, seconds minute 60, seasons year 4,
        legs dog 4, legs cat 4, legs spider 8, wheels car 4, eggs dozen 12, cents euro 100, fingers hand 5"""),
}, "zh": {
    "translate": ("english chinese", WORDS),
    "opposite": ("word other", """热 冷, 大 小, 高 低, 长 短, 快 慢, 新 旧, 多 少, 早 晚, 黑 白, 上 下, 左 右, 前 后, 开 关,
        进 出, 胖 瘦, 远 近, 好 坏, 高兴 难过, 干净 脏, 重 轻, 厚 薄, 硬 软, 强 弱, 真 假, 美 丑, 贵 便宜, 里 外, 男 女, 天 地, 白天 黑夜, 安静 吵闹, 容易 困难"""),
    "capital": ("country capital", """中国 北京, 法国 巴黎, 德国 柏林, 英国 伦敦, 日本 东京, 俄国 莫斯科, 俄罗斯 莫斯科, 韩国 首尔, 泰国 曼谷,
        埃及 开罗, 希腊 雅典, 美国 华盛顿, 意大利 罗马, 西班牙 马德里, 葡萄牙 里斯本, 瑞典 斯德哥尔摩, 芬兰 赫尔辛基, 丹麦 哥本哈根, 挪威 奥斯陆, 奥地利 维也纳,
        比利时 布鲁塞尔, 波兰 华沙, 土耳其 安卡拉, 印度 新德里, 加拿大 渥太华, 墨西哥 墨西哥城, 巴西 巴西利亚, 澳大利亚 堪培拉, 越南 河内, 荷兰 阿姆斯特丹, 瑞士 伯尔尼,
        爱尔兰 都柏林, 古巴 哈瓦那, 阿根廷 布宜诺斯艾利斯, 朝鲜 平壤, 乌克兰 基辅"""),
    "sound": ("animal sound", """猫 喵喵, 狗 汪汪, 牛 哞哞, 羊 咩咩, 鸭 嘎嘎, 鸭子 嘎嘎, 鸡 叽叽, 青蛙 呱呱, 蜜蜂 嗡嗡, 猪 哼哼,
        老鼠 吱吱, 狼 嗷嗷, 公鸡 喔喔, 马 嘶嘶, 鸟 啾啾, 老虎 吼吼, 狮子 吼吼, 乌鸦 哇哇, 蛇 嘶嘶, 猫头鹰 咕咕, 鸽子 咕咕"""),
    "colour": ("thing colour", """草 绿色, 雪 白色, 煤 黑色, 血 红色, 牛奶 白色, 巧克力 棕色, 金子 黄色, 天空 蓝色, 海水 蓝色, 大海 蓝色,
        香蕉 黄色, 苹果 红色, 草莓 红色, 番茄 红色, 西红柿 红色, 柠檬 黄色, 胡萝卜 橙色, 橙子 橙色, 橘子 橙色, 树叶 绿色, 盐 白色, 糖 白色, 太阳 黄色, 月亮 白色, 咖啡 棕色, 黄瓜 绿色,
        樱桃 红色, 玫瑰 红色, 大象 灰色, 葡萄 紫色, 下雪 白色, 米饭 白色, 云 白色, 夜晚 黑色, 熊猫 黑白色"""),
    "hours_day": ("day", ", ".join(DAYS["zh"])), "tomorrow": ("point neighbour", ", ".join(map(" ".join, zip(DAYS["zh"], DAYS["zh"][1:] + DAYS["zh"])))),
    "opening_hours": ("section opens closes", "玩具 9 6, 图书 8 7, 食品 7 9, 鞋子 10 8, 园艺 8 5, 音乐 10 6, 手机 9 7"),
    "how_many": ("parts whole amount", "天 个星期 7, 天 周 7, 个月 年 12, 天 年 365, 小时 天 24, 分钟 小时 60, 秒 分钟 60, 个季节 年 4, 条腿 只狗 4, 条腿 只猫 4, 条腿 只蜘蛛 8, 个轮子 辆汽车 4, 个手指 只手 5"),
}}
# For a source with `made_up`: English words of consonants (also several) in turns with vowels, Chinese ones of any
# character of the grammar, and of how many; the open slots that take them, and whether English has a capital there.
COPIED = {"name": True, "place": True, "dish": False, "item": False}
PARTS = {"en": (["""b c d f g h j k l m n p q r s t v w x y z br cr dr fr gr pr tr bl cl fl gl pl sl st sp sk sn sm sw th sh ch ph wh kh gh zh ll tt nn ss rr
                mm pp ck ng nd nt rt rd rk rs rn lt ld lm mb mp nk ns ts tz cz sz rz zb bg tv dj ks lj kn wr str schr""".split(),
                "a e i o u a e i o u ai ea ee ia ie io oa oo ou au ei ue y á é í ó ä ö ü ø å".split()], (3, 4, 5, 6, 7)),
         "zh": ([sorted({sign for text in (WIDE["zh"], DOCUMENTS["zh"], str(TABLES["zh"]), WORDS, *map("".join, POOLS["zh"].values())) for sign in text if "一" <= sign <= "龥"})], (2, 2, 3, 3, 4))}
# Signs that the grammar hardly has, so that a vocabulary learned on it spells them in bytes: one word in so many has one.
RARE, ONE_IN = {"en": list("'''''---ðœŵżķçñšłşþžřčćńśźďťģļņđħàâãèêëìîïòôõùûæāēīōūăęąőűıÿ"),
                "zh": [bytes((high, low)).decode("gb2312") for high in range(0xB0, 0xD7) for low in range(0xA1, 0xFF)]}, 4


LETTER, DIGIT = "ABCDEFGHJKLMNPQRSTUVWXYZ", "0123456789"


def value(pool: str, lang: str, rng: random.Random, made_up: float) -> str:
    """One of a pool, or in so large a share of the cases a made-up one."""
    if not made_up or pool not in (*COPIED, "order") or rng.random() >= made_up:
        return rng.choice(POOLS[lang][pool])
    if pool == "order":  # of any digits, also one twice, and sometimes of letters in front
        return word([LETTER], (0, 0, 0, 1, 2), rng) + word([DIGIT], (4, 5, 5, 6, 7), rng)
    text = word(*PARTS[lang], rng, first=rng.randrange(2))
    if lang == "en" and rng.random() < 0.15:  # of two words
        text += f" {word(*PARTS[lang], rng, first=rng.randrange(2))}"
    if rng.random() < 1 / ONE_IN:
        at = rng.randrange(len(text))
        text = text[:at] + rng.choice(RARE[lang]) + text[at + 1 :]
    return text.title() if COPIED[pool] else text


# Which table a skill reads that has none of its own.
READS = {"capital_again": "capital", "sound_again": "sound", "colour_again": "colour", "opposite_again": "opposite", "translate_again": "translate", "meaning": "translate", "meaning_again": "translate",
         "add_again": "add", "story": "sound", "story_again": "sound", "story_hero": "sound", "hard_sum": "add", "subtract": "add", "subtract_again": "add", "unknown_topic": "capital",
         "hours_day_again": "hours_day", "tomorrow_again": "tomorrow", "calendar_again": "calendar"}

# The skills that ask for a fact, and which talk belongs to which scene; some come twice as often.
RECALLS = {"name": ["ask_name"], "dish": ["ask_dish"], "home": ["ask_home"], "wish": ["ask_wish"], "age": ["ask_age"],
           "order": ["ask_order", "order_status"]}
# Of the wide grammar: its facts, and its other talk.
WIDE_RECALLS = {"shade": ["ask_shade"]} | {kin: [f"ask_{kin}"] for kin in KIN["en"]}
WIDE_TALK = ["subtract"] * 5 + ["other_name"] * 2 + ["meaning"] * 2
SERVICE = """opening_hours opening_hours hours hours_day refund refund return_item return_any change_address change_address_any complaint complaint broken
delivery_time delivery_where delivery_cost payment buying cancel account discount price sells sells catalog agent""".split()
FACTUAL = """capital capital sound colour add add add add add hard_sum tomorrow calendar calendar opposite opposite count count_to translate translate how_many""".split()
SMALL_TALK = """greeting greeting how_are_you fine who_are_you who_are_you human maker abilities abilities speak my_age my_home my_taste my_feelings thanks thanks yes
okay okay no sorry huh laugh praise praise insult insult sad sad sad ill tired bored hungry happy happy told told bye joke joke another_joke tell_name_home
tell_name_dish tell_name_order story_any story story story_hero poem blurb""".split()
OUTSIDE = "refuse refuse unknown_topic unknown_topic unknown_topic keys".split()
LAST = "bye bye night thanks thanks okay".split()
# Marked by what they must contain, not word by word.
FREE_TEXT = {"story": ("noun",), "story_again": ("noun",), "story_hero": ("hero", "animal"), "poem": ("noun",), "blurb": ("item",)}
