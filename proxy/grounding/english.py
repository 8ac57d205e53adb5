"""Words by which it is told what a sentence states. English for the most part; other languages have but a few here."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# They state nothing: function words, and what is said about sources.
DROPPED = _words(
    """
    a about above according across after again against all almost along already also although always am among an and
    any anything are around as at available back based be because been before being below between both but by called
    can cannot case certain could currently did do does doing done down due during each either else etc even every find
    following for found from further furthermore get given gives had has have having he hence her here hers him his how
    however i if in include included includes including indicate indicates indeed into is it its itself just know let
    like made make makes many may me mean means mention mentioned mentions might more moreover most much must my namely
    need note noted now of off on once only onto or other otherwise our out over overall own per please provide
    provided provides regarding reply s same say says see shall she should show shown shows since so some specific
    specifically specified state stated states still such summary than that the their them then there therefore these
    they thing this those though through thus to together too toward towards under until up upon us using very via was
    we well were what when where whereas whether which while who whom whose why will with within would yes yet you your
    answer answers context contexts document documents doc docs excerpt information passage passages question section
    source sources text
    aber als am an auch auf aus bei bis das dass dem den der des die dies diese dieser dieses durch ein eine einem
    einen einer eines er es für hat haben ich im in ist kann mit nach noch nur oder sein sich sie sind so um und vom
    von vor war werden wie wird zu zum zur über
    au aux avec ce ces cette dans de des du elle en est et il ils la le les leur mais ou par pas pour que qui sa se ses
    son sont sur un une
    con como del el ella en es está este esta la las lo los más para pero por que se sin su sus un una y
    """
)
TITLES = _words("i mr mrs ms dr prof sir inc ltd corp co llc plc gmbh ag")
DENYING = _words(
    """
    not no never none nobody nothing neither nor cannot without unable nicht kein keine keinen keiner nie niemals ohne
    ne pas jamais sans nunca sin
    """
)
# A sentence that begins so speaks of what was named before.
ANAPHORA = _words("it its they their them he she his her this these that those such there here both each who which")
# Verbs with these after them tell somebody to do something.
PARTICLES = _words(
    """
    the a an your you my our any all it them us me to in by up back out off for that this these on with
    """
)
# Function words of languages that write every noun with a capital.
CAPITALISING = _words(
    """
    der die das und ist nicht mit für ein eine den dem von zu auf im sich werden wird sind oder auch
    """
)
# Words that begin sentences, are no names, and do not look like it.
COMMON = _words(
    """
    access account adult air amount animal anybody anyone april area art baby bank beach bed beer bike bird boat body
    book boy bread breakfast bus camera car card care cash cat chair change check child children choice city class
    client club coffee cold cost country couple course credit crew customer damage data date day deal death debt delay
    demand device dinner dog door driver earth email employee engine error event everybody everyone everything evidence
    example exchange expert export eye failure family farm fee field file film fire fish flight floor food foot friend
    fruit fuel full fund game garden gas gift girl glass goal gold good group growth guest guide half hand head health
    heat heavy help high home hospital hotel house ice image import income industry item job kid kitchen land language
    law leader less level library life light line list little loan local long loss low lunch machine mail main man
    manager map market match material max maximum meat medicine meeting member men menu message method milk min minimum
    model money month morning most music name network new news next night noise none number nurse offer office oil old
    online open operator order owner page paper parent part partner party past patient pay people person pet phone
    photo plan plant plastic player point police policy pool power practice price product profit program project
    property purchase purchaser quality rain rate reader record refund release rent repair report request research rest
    result return revenue rice risk river road room rule safety sale school sea seat second security seller service
    shipping shop short show size small snow software soil someone somebody song space speed sport staff stage standard
    start station steel stock storage store street student subject sugar sun support surface system table tax team test
    third ticket time today tomorrow tool top total tour town trade traffic train travel tree trial trip truck two type
    update upgrade usage use user value vehicle version view village visitor voice wage waste watch water way weather
    week weight wind wine winter woman women wood word work worker world year yesterday young
    add apply ask book bring buy call check choose clean click close come complete confirm contact copy create cut
    delete do download drink drive eat enter fill follow give go hold insert install join keep learn leave log look
    make move open pack park pay place press print pull push put read register remove replace report restart return run
    save scan search select send set sign stop store submit take tell track try turn type upload use visit wait wash
    wear write
    first last finally instead later maybe often perhaps rather sometimes soon then today usually when
    """
)
_UNITS = (
    "second seconds sec secs; minute minutes min mins; hour hours hr hrs h; day days; week weeks; month months; "
    "year years yr yrs; kg kilogram kilograms kilogramme kilogrammes; g gram grams; mg milligram milligrams; "
    "tonne tonnes ton tons; lb lbs pound-weight; m meter meters metre metres; km kilometer kilometers kilometre "
    "kilometres; cm centimeter centimeters centimetre centimetres; mm millimeter millimeters millimetre millimetres; "
    "mile miles; inch inches; foot feet ft; l liter liters litre litres; ml milliliter milliliters millilitre "
    "millilitres; kb kilobyte kilobytes; mb megabyte megabytes; gb gigabyte gigabytes; tb terabyte terabytes; "
    "w watt watts; kw kilowatt kilowatts; mw megawatt megawatts; kwh; mwh; gwh; v volt volts; hz hertz; ghz; mhz; "
    "% percent pct; $ usd dollar dollars; € eur euro euros; £ gbp pound pounds; ¥ jpy yen; chf franc francs; "
    "celsius; fahrenheit"
)
UNITS = {word: group.split()[0] for group in _UNITS.split(";") for word in group.split()}
CURRENCIES = frozenset("$€£¥")

_PAST = """
    became become; began begin; brought bring; came come; did do; fell fall; flew fly; fought fight; got get; went go;
    left leave; lent lend; lit light; met meet; rode ride; rose rise; saw see; seen see; shook shake; shot shoot;
    slept sleep; stood stand; swam swim; thought think; threw throw; thrown throw; understood understand; woke wake;
    began begin; begun begin; bore bear; born bear; caught catch; felt feel; fed feed; forgot forget; hit hit;
    hurt hurt; laid lay; lain lie; meant mean; ran run; sang sing; sank sink; sat sit; sought seek; spread spread;
    struck strike; swore swear; tore tear; won win; wrote write; chose choose; gave give; took take; knew know;
    grew grow; drew draw; drove drive; broke break; spoke speak; stole steal; wore wear
"""
PAST = dict(pair.split() for pair in _PAST.split(";"))

# Means nearly the same in what passages tell and answers say again: the first word is written for all.
_ALIKE = """
    item product good merchandise article; customer buyer client shopper purchaser consumer; buy purchase acquire
    order; employ staff workforce personnel worker; start begin commence launch; end finish conclude expire; found
    establish create start-up; big large; free complimentary; price cost fee charge; refund reimburse repay; ship
    deliver dispatch send; company firm business enterprise corporation; allow permit let; prohibit forbid ban; show
    display; build construct erect; home house residence; doctor physician; child kid; help assist aid support; job
    position role; near close; near nearby; fix repair mend; maximum most; minimum least; manage lead head;
    chief head; need require; keep retain; replace exchange swap; broken defective faulty damaged; discount reduction;
    meet gather; whole entire full; total overall; often frequent; yearly annual; make produce manufacture; contain
    include comprise; guest visitor; pupil student; teacher instructor; car vehicle automobile; ill sick; quick fast
    rapid; author writer; write pen; speak talk; answer respond reply; choose select pick; get receive obtain; give
    provide supply offer; use utilise utilize; weigh weight; high height tall; long length; wide width; open unlock;
    shut close; situated located based; headquarter base seat; return send-back bring-back
"""
ALIKE = {word: group.split()[0] for group in reversed(_ALIKE.split(";")) for word in group.split()}
