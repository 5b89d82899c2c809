"""The words and phrases that the corpus is put together from."""


def _listed(text: str) -> tuple[str, ...]:
    """Items between semicolons."""
    return tuple(" ".join(item.split()) for item in text.split(";"))


def _paired(text: str) -> tuple[tuple[str, str], ...]:
    """Items of the form "one: other"."""
    halves = (item.partition(": ") for item in _listed(text))
    return tuple((one, other) for one, _, other in halves)


PEOPLE = _listed("""
Anna; Ben; Clara; David; Elena; Farid; Grace; Hugo; Ines; Jonas; Karim; Lena; Maria;
Noah; Olga; Peter; Rosa; Sam; Tara; Victor; Wendy; Yusuf; Zoe; Emma; Leo; Mila;
Oscar; Paul; Ruth; Simon; Thomas; Sarah
""")
TRADES = _listed("""
baker; teacher; farmer; sailor; doctor; painter; gardener; cook; driver; writer;
musician; carpenter; engineer; nurse; fisherman; librarian; potter; tailor; student;
postman; miller; shepherd; builder; singer; dancer; lawyer; scientist; pilot;
mechanic; clockmaker; traveller; neighbour
""")
ANIMALS = _listed("""
dog; cat; horse; cow; sheep; goat; duck; hen; fox; bear; wolf; rabbit; mouse; owl;
eagle; frog; fish; whale; bee; butterfly; hedgehog; donkey; squirrel; swan; turtle;
elephant; tiger; lion; monkey; penguin; spider; ant; otter; deer; snail; crow;
sparrow
""")
FOODS = _listed("""
bread; cheese; apples; pears; soup; rice; milk; butter; honey; tomatoes; potatoes;
onions; carrots; eggs; tea; coffee; cake; salad; beans; oranges; lemons; plums;
cherries; pepper; salt; sugar; noodles; chocolate; mushrooms; garlic
""")
THINGS = _listed("""
the table; the lamp; the window; the clock; the letter; the bicycle; the piano; the
boat; the bridge; the mountain; the library; the kitchen; the computer; the
telephone; the umbrella; the mirror; the basket; the blanket; the candle; the
ladder; the hammer; the bottle; the picture; the door; the book; the paper; the
machine; the engine; the question; the answer; the idea; the problem
""")
ADJECTIVES = _listed("""
small; big; old; new; red; blue; green; yellow; white; black; warm; cold; soft;
heavy; light; quiet; bright; beautiful; broken; clean; strange; simple; round;
wooden; empty; full; long; short; dark; golden; silver; wonderful; important;
different; little; great; special
""")
FEELINGS = _listed("""
happy; sad; tired; glad; angry; curious; calm; hungry; thirsty; proud; surprised; a
little afraid; very pleased; worried; excited; grateful; lonely; bored; hopeful
""")
PLACES = _listed("""
by the river; in the garden; at the market; in the kitchen; near the station; on the
hill; under the old tree; beside the lake; in the village; at the school; behind the
house; in the forest; on the bridge; at the harbour; in the library; along the road;
in the square; near the window; on the beach; in the mountains; at home; in the
city; across the field; between two houses; outside the shop; above the valley
""")
TIMES = _listed("""
in the morning; in the evening; at noon; at night; every day; after lunch; before
breakfast; on Sunday; on Monday; last week; yesterday; in spring; in summer; in
autumn; in winter; for three hours; all afternoon; before the rain came; when the
bell rang; a year ago; once a month; while the children slept
""")
WEATHER = _listed("""
the sun was shining; it was raining; the wind was strong; snow was falling; the sky
was grey; it was very hot; a storm was coming; the air was fresh; fog covered the
fields; the stars were bright; the clouds were low; the night was clear
""")
SIGHTS = _listed("""
stopped to look; smiled; walked on; waited without a sound; wrote it down; took a
picture; laughed; told everyone about it; sat down to rest; thought about home;
wondered why
""")
PHRASES = _listed("""
this is a test; hello world; good morning; good night; thank you very much; see you
tomorrow; I am here; all is well; the sky is blue; the quick answer; once more; yes;
no; maybe; hello; one two three; nothing is lost; we are ready; it is time to go;
come back soon; I would like some tea; where is my hat; what a beautiful day; this
should work; let us begin again; please close the door; I have never seen that
before; the train is late; how much does it cost; everybody can learn; be careful on
the stairs; it could have been worse; nobody knows; today is a good day; the end
""")
NUMBERS = _listed("""
zero; one; two; three; four; five; six; seven; eight; nine; ten; eleven; twelve;
thirteen; fourteen; fifteen; sixteen; seventeen; eighteen; nineteen; twenty
""")
DAYS = _listed("""
Monday; Tuesday; Wednesday; Thursday; Friday; Saturday; Sunday
""")
MONTHS = _listed("""
January; February; March; April; May; June; July; August; September; October;
November; December
""")

CAPITALS = _paired("""
France: Paris; Germany: Berlin; Italy: Rome; Spain: Madrid; Portugal: Lisbon; Japan:
Tokyo; Egypt: Cairo; Norway: Oslo; Greece: Athens; Poland: Warsaw; Austria: Vienna;
Ireland: Dublin; Sweden: Stockholm; Finland: Helsinki; Kenya: Nairobi; Peru: Lima;
Canada: Ottawa; India: New Delhi; Cuba: Havana; England: London
""")
COLOURS = _paired("""
the sky: blue; grass: green; snow: white; the sun: yellow; a lemon: yellow; coal:
black; blood: red; a tomato: red; chocolate: brown; a carrot: orange; milk: white;
the sea: blue; the night: black; a mouse: grey; a flamingo: pink
""")
OPPOSITES = _paired("""
hot: cold; big: small; old: young; light: dark; fast: slow; good: bad; happy: sad;
open: closed; high: low; near: far; full: empty; left: right; up: down; early: late;
rich: poor; day: night; true: false; begin: end; strong: weak; yes: no
""")
SOUNDS = _paired("""
dog: woof; cat: meow; cow: moo; duck: quack; sheep: baa; bee: buzz; frog: ribbit;
mouse: squeak; hen: cluck
""")
DEFINITIONS = _paired("""
a computer: a machine that follows instructions;
a library: a place where people can read and borrow books;
an island: a piece of land with water all around it;
a language model: a program that predicts the next word of a text;
a test: a way to find out whether something works;
music: sound that people arrange with care;
rain: water that falls from the clouds;
a river: water that flows through the land to the sea;
a bridge: a way across a river or a road;
winter: the coldest season of the year;
summer: the warmest season of the year;
the moon: a round body of rock that travels around the earth;
the sun: the star that gives us light and warmth;
a server: a computer that answers requests from other computers;
an assistant: someone who helps another person with their work;
bread: food that is made from flour, water and salt;
science: a careful way to learn how the world works;
history: the story of what happened before us;
mathematics: the study of numbers, shapes and patterns;
a haiku: a very short poem in three lines;
time: what clocks measure;
love: a deep feeling of care for somebody;
an API: a set of rules by which programs talk to each other;
a token: a small piece of text that a model reads at once;
water: a clear liquid that every living thing needs
""")
DEEDS = tuple(
    (verb, tuple(objects.split(" / ")))
    for verb, objects in _paired("""
baked: some bread / a cake / some pies / the rolls / an apple tart;
cooked: some soup / the rice / a good meal / some beans / dinner for everyone;
planted: some seeds / the trees / some roses / three rows of beans;
read: a book / the letter / the newspaper / an old map / a long poem;
wrote: a letter / some notes / the report / a song / an answer;
painted: the door / a picture of the sea / the fence / some chairs / the wall;
carried: the basket / some water / a box of tools / the bags / two lamps;
repaired: the roof / a clock / the engine / an old bicycle / the bridge;
bought: some cheese / a new coat / two tickets / some flowers / the blue vase;
found: a coin / the key / some money / an empty bottle / a way through;
watched: the birds / a film / the ships / the clouds / some children play;
opened: the window / a shop / the door / the box / an umbrella;
built: a house / the wall / some shelves / a boat / the tower;
learned: a new word / some French / to swim / the rules / how to dance;
taught: the children / a class / some friends to sing / history / mathematics;
cleaned: the kitchen / the windows / some plates / the floor / the machine;
lost: a glove / the ticket / some time / an earring / the way home;
remembered: the old song / a dream / the promise / every name / that summer;
counted: the sheep / the stars / some coins / the days / all the steps;
sent: a message / the parcel / some pictures / a card to a friend;
sold: some eggs / the horse / a basket of apples / the last newspaper;
played: the piano / a game / the violin / football / chess with a friend;
studied: the map / biology / the language / the question / the night sky;
made: some tea / a plan / a mistake / the beds / a small fire
""")
)
KINDS = (
    ("fruits", _listed("apples; pears; oranges; lemons; plums; cherries; bananas")),
    ("animals", ANIMALS),
    ("colours", _listed("red; blue; green; yellow; white; black; orange; brown")),
    ("cities", tuple(city for _, city in CAPITALS)),
    ("numbers", NUMBERS),
    ("names", PEOPLE),
    ("days of the week", DAYS),
)
MANNERS = (
    ("Thank you!", "You are welcome!"),
    ("Thanks", "You are welcome!"),
    ("How are you?", "I am well, thank you. How are you?"),
    ("Who are you?", "I am a small language model made for tests."),
    ("What is your name?", "I have no name. I am a small language model."),
    (
        "What can you do?",
        "I can repeat and repair words, call functions, "
        "answer small questions and tell stories.",
    ),
    ("Goodbye", "Goodbye! Have a good day."),
    ("Tell me a joke.", "Why did the clock go to school? It wanted to pass the time."),
    (
        "Write a haiku.",
        "Rain on the garden,\nthe cat sleeps beside the door,\nsoon the sun returns.",
    ),
    ("Say hello in French.", "Bonjour ! Ça va ?"),
    ("Say hello in Spanish.", "¡Hola! ¿Qué tal?"),
    ("Say hello in German.", "Guten Tag, schöne Grüße!"),
    ("Say hello in Japanese.", "こんにちは。"),
    ("Say hello in Russian.", "Привет!"),
    ("Show me a smile.", "Here is a smile: 😀"),
    ("Is water wet?", "Yes, water is wet."),
    ("Is fire cold?", "No, fire is hot."),
    ("Can you help me?", "Yes, of course. What do you need?"),
    ("Are you human?", "No, I am a small language model."),
    ("What is the meaning of life?", "I am too small to know, but tea helps."),
    ("Sorry", "No problem!"),
    ("OK", "Good. What would you like to do next?"),
    ("Yes", "Good. What would you like to do next?"),
    ("No", "That is fine. What would you like to do instead?"),
    ("Why?", "I do not know why. I am a small language model."),
    ("Help", "Yes, of course. What do you need?"),
    ("See you tomorrow.", "See you tomorrow!"),
    ("Good night", "Good night! Sleep well."),
    ("ping", "pong"),
    ("test", "This is a test."),
)
OPERATIONS = (
    ("add", "+", "adds"),
    ("subtract", "-", "subtracts"),
    ("multiply", "*", "multiplies"),
    ("divide", "/", "divides"),
)
SAID = (
    *ADJECTIVES, *ANIMALS, *FEELINGS, *FOODS, *PEOPLE, *PHRASES, *PLACES, *SIGHTS,
    *THINGS, *TIMES, *TRADES, *WEATHER, *(verb for verb, _ in DEEDS),
    *(thing for _, objects in DEEDS for thing in objects),
)  # fmt: skip
"""What sentences and stories are put together from."""
