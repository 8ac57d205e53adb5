"""Which questions are in English, the one language whose words the guard knows; and how any other is written plainly.

English is what has more of its small words than of any other language's, as a share of all words, and is written in its
letters. A question that is too short to tell is taken for another language: that costs a hit, and never an answer.

In any other language only questions of equal words say the same. Capitals count there ("Sie" is not "sie"), and so do
commas and points in numbers. Only a greeting, a please or thanks that stand apart, and the mark at the end of what is
plainly a question may differ.
"""

from __future__ import annotations

import re
import unicodedata

from proxy.semantic.words import ASKING, BE, DROPPED, MODAL, PAST, ROLES, TURNING

_LEAST = 0.2  # of all words are English ones
_MOST_FOREIGN = 0.25  # of all letters are none of English


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COMMON = (
    "the and or but there have has had get got give gives make makes let put take takes use used using find write "
    "translate sort rename list summarize summary compute calculate convert draw compare describe explain answer "
    "question show shows tell create delete remove add update fix build buy sell pay open close start stop send "
    "need needs want wants know mean means work works look help hello please thanks long far old many much price "
    "cost number word words name names year month week day days time people between best better into onto without "
    "because which should about pm plus minus it its say says does not yes file files order line lines city capital "
    "country company return returns reset set password check change run wrote written learn think"
)
_ENGLISH = ASKING | BE | DROPPED | MODAL | PAST | ROLES | TURNING | _words(_COMMON)
# Small words of other languages, among them all that are English words too.
_OTHERS = tuple(
    _words(text)
    for text in (
        # German
        "der die das den dem des ein eine einen einem einer eines und oder aber ich du er sie es wir ihr man mir "
        "mich dir dich uns euch ihm ihn mein meine meinen meinem meiner dein deine sein seine seinen seinem ihre "
        "ihren ihrem ihrer unser unsere ist sind war waren bin bist wird werden wurde hat haben habe hatte kann "
        "können darf dürfen muss müssen soll will wollen nicht kein keine keinen nie in im an am auf aus bei beim "
        "mit nach von vom vor zu zum zur über unter um für gegen ohne durch bis seit wie was wer wo wann warum "
        "welche welcher welches wem wen so also dass wenn als ob noch nur auch sehr mehr alle hier da dann bitte "
        "gibt all fall name her",
        # French
        "le la les l un une des du de d et ou mais je tu il elle on nous vous ils elles me te se moi toi lui leur "
        "leurs mon ma mes ton ta tes son sa ses notre nos votre vos est sont était être suis es a as ai avons avez "
        "ont peut peux pouvez puis dois doit faut ne n pas plus jamais aucun aucune sans en dans sur sous à au aux "
        "pour avec entre vers chez avant après depuis pendant que qu qui quoi quel quelle quels quelles comment "
        "quand où pourquoi combien c ce cet cette ces si y s j m t tout tous toute toutes long par",
        # Spanish
        "el la los las un una unos unas de del al y o u pero yo tú él ella nosotros ellos ellas me te se le les lo "
        "nos mi mis tu tus su sus nuestro nuestra es son era fue ser está están estoy soy hay ha he han puede puedo "
        "pueden debo debe tengo tiene no ni nunca sin en a ante con contra desde hasta para por según sobre entre "
        "antes después que qué quién cómo cuándo dónde cuál cuáles cuánto cuánta cuántos cuántas si más menos muy "
        "también todo todos toda todas este esta estos ese esa como",
        # Italian
        "il lo la i gli le l un uno una di del dello della dei degli delle al allo alla ai agli alle da dal dalla "
        "dai dalle nel nello nella nei nelle sul sulla e ed o ma io tu lui lei noi voi loro mi ti si ci vi ne mio "
        "mia miei mie tuo tua suo sua suoi sue è sono era sei siamo ha ho hai hanno può posso possono devo deve non "
        "mai nessuno senza in a con per su tra fra prima dopo che chi cosa come quando dove quale quali quanto "
        "quanta quanti quante perché se più meno molto anche tutto tutti tutte questo questa c me do male",
        # Portuguese
        "o a os as um uma uns umas de do da dos das no na nos nas ao aos à às pelo pela e ou mas eu tu ele ela nós "
        "eles elas você vocês me te se lhe meu minha meus minhas teu tua seu sua seus suas é são era foi ser está "
        "estão sou há tem tenho pode posso podem devo deve não nem nunca sem em com contra desde até para por sobre "
        "entre antes depois que quem como quando onde qual quais quanto quanta quantos quantas porque mais menos "
        "muito também todo todos toda todas este esta isso isto num numa",
        # Dutch
        "de het een en of maar ik jij je u hij zij ze we wij jullie mij me jou hem haar ons hen mijn jouw zijn uw "
        "onze hun is was waren ben bent wordt worden werd heeft heb hebben had kan kunnen mag mogen moet moeten zal "
        "wil willen niet geen nooit in op aan uit bij met naar van voor tot te over onder om door tegen zonder "
        "tussen sinds na hoe wat wie waar wanneer waarom welke welk hoeveel dat die dit deze als er ook nog meer "
        "minder alle alles hier daar dan zo per up man ten toe ver want",
        # Swedish, Danish, Norwegian
        "en ett et den det de och og eller men jag jeg du han hon hun vi ni dere i på om för for av af med till til "
        "från fra är er var har kan ska skal vill vil inte ikke ej hur hvordan vad hvad hva vem hvem när når hvor "
        "varför hvorfor som att at under over man min mit mitt din sin mig meg mej dig deg sig seg så her der hade "
        "havde",
        # Polish, Czech, Croatian
        "i a w we z ze na do od po za o u k s v ve se je jest to ten ta te jak jaki jaka jakie co kto kdo gdzie kde "
        "kiedy kdy nie ne się si czy by był jsem jsou są on ona ono oni my mi mu go ich jego dla pro przez ale lub "
        "nebo ili kako što gdje kada koliko ile kolik",
        # Romanian, Catalan, Latin
        "a al ale am ar are au ce cu cum care de din este eu fi in la mai nu o pe pot sa se si sunt un una unde "
        "cand el els les i amb com on quan quin quina per que no és et ad non est ut",
        # Turkish, Finnish, Hungarian, Estonian, Indonesian
        "bir bu ve mi mı ne nasıl on ben sen o ile için de da ja ei se mitä missä miten kuinka az és hogy nem van "
        "egy mit hol ma ta see mis kus kas yang di ke dan apa ini itu dari untuk dengan saya",
    )
)
_PLEASE = "bitte|s'il (?:vous|te) plaît|por favor|per (?:favore|piacere|cortesia)|alsjeblieft|alstublieft"
_THANKS = (
    "danke(?: schön| sehr)?|vielen dank|merci(?: beaucoup| bien)?|(?:muchas )?gracias|grazie(?: mille)?|"
    "(?:muito )?obrigad[oa]|bedankt|dank je(?: wel)?"
)
_HELLO = (
    "hallo|hi|hey|hoi|moin|guten (?:tag|morgen|abend)|bonjour|bonsoir|salut|hola|buen[oa]s (?:días|tardes|noches)|ciao|"
    "salve|buongiorno|buonasera|olá|oi|bom dia|boa (?:tarde|noite)|goede(?:morgen|middag|navond)"
)
_POLITE = re.compile(rf"(?:(?:{_HELLO}|{_PLEASE}|{_THANKS})\s*[,.:!]\s*)+", re.IGNORECASE)
_POLITE_END = re.compile(rf"(?:,?\s(?:{_PLEASE})(?=\s*[.?!]*$)|(?<=[.?!])\s(?:{_THANKS})\s*[.!]*$)", re.IGNORECASE)
# With these at its beginning it is a question, with a mark or without.
_ASKING = _words(
    "wie was wer wo wann warum wieso weshalb welche welcher welches wohin woher wieviel comment pourquoi combien "
    "quel quelle quels quelles où quand qui cómo qué quién dónde cuándo cuál cuáles cuánto cuántos cuántas chi "
    "dove quale quali quanto quanti quante quando perché come como quem onde qual quais quantos quantas hoe wat "
    "waar wanneer waarom welke hoeveel"
)
_END = re.compile(r"(?<!\s)\s*([.?!。．？！؟।…]*)\s*$")
_AS_ASKED = str.maketrans("。．？！؟।", "..?!?.")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_SHORT = ("n't", "'re", "'ve", "'ll", "'m", "'d")  # at the end of English words


def is_english(text: str) -> bool:
    """Whether ``text``, without what is quoted in it, is recognisably English."""
    letters = [letter for letter in text if letter.isalpha()]
    if sum(not letter.isascii() for letter in letters) > _MOST_FOREIGN * len(letters):
        return False
    found = [(word, word.removesuffix("'s")) for word in _WORD.findall(text.lower())]
    words = [shorter if shorter in _ENGLISH else word for word, shorter in found]
    english = sum(word in _ENGLISH or word.endswith(_SHORT) for word in words)
    if english < max(1, _LEAST * len(words)):
        return False
    pieces = [piece for word in words if not word.endswith(_SHORT) for piece in word.split("'")]
    return all(english > sum(piece in others for piece in pieces) for others in _OTHERS)


def plain(text: str) -> str:
    """``text`` in another language, as it is compared with others."""
    found = unicodedata.normalize("NFC", text).replace("’", "'").strip()
    found = _POLITE.sub("", found, count=1) if _POLITE.match(found) else found
    found = _POLITE_END.sub("", found)
    end = _END.search(found)
    mark = "" if end is None else end[1].translate(_AS_ASKED)
    found = found[: None if end is None else end.start()].lstrip("¿¡ ")
    first = _WORD.match(found)
    if first is not None and first[0].lower() in _ASKING:
        return found[0].lower() + found[1:] + (mark or "?")
    return found + ("" if mark == "." else mark)
