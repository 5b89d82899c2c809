"""Common words of our own choosing, some of which training never shows."""

from zlib import crc32

_WORDS = """
able accept account across action active actor address admire adult advice affair
afford agree airport alarm album alley allow almond almost alone already amount anchor
ancient angle ankle annual answer anybody apart appear apple apron arch area argue
arise armour army arrange arrive arrow article artist ashes aside asleep atlas attach
attempt attic author autumn avenue average avoid awake award awful awkward baby
bacon badge badly bagel balance balcony ball balloon bamboo banana bandage banjo banker
barber bare bargain bark barn barrel basic basin basket bath battery battle beach
beacon beads beam beard beast beaver become bedroom beetle before beggar begin behave
behind belief bell belong below belt bench bend benefit berry better beyond bicycle
bind biscuit bishop bitter blade blame blank blast blaze blend bless blind block
blossom blouse board boast body boil bold bone bonus border borrow boss bottom bounce
bowl brain brake branch brass brave breath breeze brick bride brief bring broad brook
broom brother brush bubble bucket budget buffalo bugle bulb bullet bundle burden burger
burn bush business busy button buyer cabbage cabin cable cactus cage calendar camel
camera camp canal cancel candy cannon canoe canvas canyon captain caravan carbon career
careful cargo carpet carrot cart carve case cash castle casual catch cattle cause
cave ceiling cellar cement centre century cereal certain chain chair chalk chamber
champion chance change channel chapel chapter charge charm chart chase cheap cheek
cheerful cherry chess chest chicken chief chimney chin choice choir choose chorus
circle circus citizen civil claim clap clever client cliff climate climb cloak close
cloth cloud clover clown club clumsy coach coal coast cobweb cocoa coconut coffee
coin collar collect college colony column comb comfort comic command common company
compass complain concert concrete confess connect consider contain contest control
convince copper coral cord corner correct cosmos costume cottage cotton couch cough
council country couple courage course court cousin cover cradle crane crash crater
crayon cream create credit creek crew cricket crime crisp cross crowd crown cruel
crust crystal cube cucumber culture cupboard cure curious curl curry curtain curve
cushion custom cycle daily dairy daisy damage damp danger daring dark dawn deaf debate
decade decide deck declare deep defend degree delay delicate delight deliver demand
dense dentist depend desert design desk dessert detail develop device diamond diary
dictionary differ dig dinner direct dirty discover disease dish display distance divide
doctor dolphin domino donkey double doubt dough dove dragon drama drawer dream dress
drift drill drink drum dry dust duty dwarf eager early earn earth ease east easy echo
edge editor effect effort eight elbow elder elect electric elephant eleven empire empty
enemy energy enjoy enough enter entire envelope equal equip error escape essay evening
event evil exact example excellent except excuse exercise exist exit expect explore
express extra eye fabric face factory faint fair faith false family famous fancy
fashion father fault favour feast feather federal fellow female fence ferry fever
fiction fiddle figure film filter final finger finish firm first flag flame flash flat
flavour flight float flock flood flour flow flute foam focus fold follow forest forget
fork formal fortune fossil frame freedom freeze frequent fresh friend fringe frost
fruit fuel funny fur furniture future gallery gallop garage garden garlic garment gate
gather gaze general gentle genuine ghost giant ginger giraffe girl give glacier glad
glance glass globe glory glove glue goal gold golden gossip govern grain grammar grand
grape grass grateful gravel gravity grease great greedy greet grey grief grin grip
ground group grow guard guess guest guide guilty guitar habit hair half hall hammer
hand handle happen harbour hard harm harp harvest haste hat hawk hazel head health heap
hear heart heat heaven heavy heel height helmet help herb hero hesitate hidden hike
hint hire hobby hold hole holiday hollow honest honour hood hook hope horizon horn
hospital host hotel hour huge human humble hunger hunt hurry hurt ice icon ideal idle
image imagine improve inch include income infant inform ink inn insect inside inspire
install instant invent invite iron island item ivory jacket jaguar jam jar jaw jealous
jelly jersey jewel join joke journal journey joy judge juice jump jungle junior jury
keen keep kettle key kick kind kingdom kiss kite kitten knee knife knight knit knock
knot know label labour lace ladder lake lamb lamp land lantern large last late laugh
laundry lavender law lawn layer lazy leader leaf league lean leap leather lecture
legend lemon lend length lens leopard lesson letter level liberty lift lily limit linen
link lion liquid listen little lizard load loaf lobby local lock log long loose lotion
loud love lovely lower loyal luck luggage lumber lunch lung luxury magic magnet maid
main major mango manner maple marble march margin marine mark market marry marvel mask
master match mate matter mature meadow meal measure medal medicine medium melody melon
melt member memory mention menu mercy merge merit merry message metal method middle
midnight mild million mind mineral minute miracle mirror misty mixture mobile model
modern modest moment monkey monster month mood moral morning moss moth mother motion
motor mount mouth move muffin muscle museum mustard mystery nail napkin narrow nation
native nature navy neat neck needle neighbour nephew nerve nest net neutral niece nine
noble nod noise normal north nose note notice novel number nurse nut oak oar object
observe obvious ocean october offer office olive onion open opera opinion orange
orbit orchard order organ origin ostrich other outfit outside oval oven owner oxygen
oyster pack paddle page paint pair palace pale palm panda panel panic paper parade
parent park parrot part partner party pass past pasta pastry path patience pattern
pause peace peach peacock peanut pearl pebble pencil pepper perfect perfume perhaps
period permit person phone phrase piano picnic picture piece pigeon pillow pine pink
pioneer pipe pirate pistol pitch pizza place plain planet plant plastic plate platform
please pleasure plenty plot plum plural pocket poem poet point polar police polish
polite pond pony pool poor popular porch port possible potato pottery powder power
praise prayer prefer prepare present pretty prevent price pride priest prince print
prison private prize problem produce profit promise proper protect proud provide public
pudding pull pulse pump pumpkin punish pupil puppet puppy pure purple purpose puzzle
pyramid quality quarter queen quest quick quiet quilt quiver rabbit race radar radio
radish raft rail rainbow raise ranch random range rapid rare raven reach ready real
reason rebel recall receive recipe record recover reduce refuse region regret regular
relax relief rely remain remark remind remote remove rent repair repeat reply report
request rescue resist respect rest result retire return reveal reward rhythm ribbon
rice rich riddle ridge right ring ripe rise risk rival river road roast robin robot
rocket roof root rope rose rotten rough round route royal rubber ruby rude ruin rule
rumour rural sack sacred saddle safety sail salad salmon salt sample sand sandal
sandwich satin satisfy sauce sausage save scale scarf scatter scene school science
scissors score scout scrap screen search season seat second secret section seed select
senior sense sentence separate serious servant seven shade shadow shake shallow shape
share shark sharp shelf shell shelter shield shine ship shirt shock shoe shop short
shoulder shout shovel shower shrimp shrink shut shy side sight signal silence silk
silly silver similar simple singer sister skate sketch skill skirt slave sleep slice
slide slipper slope smart smell smoke smooth snack snake soap soccer social sock soda
soft soil soldier solid solve sonnet sorrow sound soup south space spare spark speak
special speech speed spell spice spider spike spin spirit splash spoon sport spread
spring square stable stadium staff stage stain stair stamp stand staple star state
statue steady steal steam steel steep stem step stick stitch stock stomach stone stool
storage storm story stove strange straw stream street strict string stripe strong
student studio stupid subject submit subway succeed sudden suffer sugar suggest suit
summit sunny sunset supper supply support supreme sure surface surgeon surprise swamp
sweater sweet swift swim swing sword symbol syrup system table tackle tail talent
tame tank target task taste teach team temper temple tennis tent term terrace terrible
texture theatre theory thick thief thin thirty thorn thread throat throne thumb thunder
ticket tide tidy tiger timber tiny tissue title toad toast today together token tomato
tongue tooth topic torch total touch tough tourist towel tower town track trade
traffic train transfer travel treasure treat tree tribe trick trip tropical trouble
trousers truck trumpet trunk trust truth tulip tunnel turkey turnip twelve twin twist
umbrella uncle under uniform unique united unusual upper urban useful usual vacant
valley value vanilla vapour velvet venture verse vessel veteran victim victory video
view village vinegar violet violin virtue vision visit visitor vital vivid volcano
volume voyage wagon waist walnut walrus wander warm warning wash waste water wave
wealth weapon weather weave wedding week weigh welcome west wheat wheel whisker
whisper whistle wicked wide width wild willow window wing winner winter wire wisdom
wise wish witness wolf wonder wooden wool word workshop world worm worth wrap wreck
wrist yacht yard yarn yawn year yellow yesterday yield yogurt young zebra zipper zone
"""

# The grammar itself says these, so training has to show them.
_NEEDED = """
behind beyond case chance choice close decide device donkey echo elephant empty
evening exist false fence harbour improve item monkey morning order other pattern
piano pink please problem rich seven soup star table target total water weather wooden
"""


def held_out(text: str) -> bool:
    """One text in ten is kept from training, whatever the seed."""
    return crc32(text.encode()) % 10 == 0


WORDS = tuple(dict.fromkeys(_WORDS.split()))
UNSEEN = frozenset(filter(held_out, WORDS)) - {*_NEEDED.split()}
SEEN = tuple(word for word in WORDS if word not in UNSEEN)
