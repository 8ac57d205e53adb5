"""What the guard knows of English. Other languages have no entries here: there, only equal words are equal.

The tables are short on purpose. A word that is missing costs a hit; a wrong one costs a wrong answer.
"""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Said before a question without being part of it; matched at the beginning, again and again. On text in small letters
# without contractions, as all patterns are but the contractions themselves.
POLITE = re.compile(
    r"(?:(?:hi|hello|hey|good (?:morning|evening|afternoon))(?: there| all| everyone)?\b(?=[,.!:]| \w)[,.!:]*"
    r"|(?:please|kindly|well|ok|okay|um|(?:quick|one|a) question|thanks|thank you|many thanks)\b(?: in advance)?[,.:!]*"
    r"|(?:excuse me|sorry to bother you|i have a (?:quick )?question)\b[,.:!]*"
    r"|i (?:would |just )*(?:like|want|need|love|wish) to (?:know|find out|learn|understand|ask(?: you)?)\b[,:]?"
    r"|i (?:would like|want|need) (?:you )?to\b"
    r"|i (?:am |was )?(?:wondering|curious|asking|wonder)\b[,:]?"
    r"|(?:can|could|would|will) (?:you|someone|anyone) (?:please |kindly |possibly )?"
    r"(?:tell|explain to|let|remind|help) (?:me|us)(?: know| understand| find out)?\b[,:]?"
    r"|(?:can|could|would|will) you (?:please |kindly )?explain(?= (?:wh|how))"
    r"|(?:can|could|would|will) you(?: please| kindly| possibly)?(?= [a-z])"
    r"|would you mind telling me\b|do you (?:happen to )?know\b|any idea(?= (?:wh|how))"
    r"|(?:tell|let|remind) me(?: know)?,?(?= (?:wh|how|if |is |are |do |does |did |can |should )))\s*"
)
# The same at the end.
POLITE_END = re.compile(
    r"(?<=[\s,.!?])(?:please|thanks|thank you|thx|cheers|many thanks|thanks a lot|thank you very much|"
    r"if you do not mind|if possible)(?: in advance)?[\s.!?]*$"
)
CONTRACTED = (
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"\bcan't\b|\bcannot\b"), "can not"),
    (re.compile(r"\bshan't\b"), "shall not"),
    (re.compile(r"\b([a-z]+)n't\b"), r"\1 not"),
    (re.compile(r"\b(what|who|where|when|why|how|that|there|it|here)'s\b"), r"\1 is"),
    (re.compile(r"\b([a-z]+)'re\b"), r"\1 are"),
    (re.compile(r"\b([a-z]+)'ll\b"), r"\1 will"),
    (re.compile(r"\b([a-z]+)'ve\b"), r"\1 have"),
    (re.compile(r"\bi'm\b"), "i am"),
    (re.compile(r"\bi'd\b"), "i would"),
)
# Ways to say one thing, several words long; on text in small letters without contractions.
PHRASES = (
    (re.compile(r"\bwhat (?:is|are|would be) the (?:way|ways|steps|procedure|process) (?:to|for)\b"), "how to"),
    (re.compile(r"\b(how|where|when) (?:do|does|can|could|would) (?:i|we|one|someone|somebody)\b"), r"\1 to"),
    (re.compile(r"\b(how|where|when) (?:i|we|one) (?:can|could|would)\b"), r"\1 to"),
    (re.compile(r"\bis there (?:a|any) way (?:for me )?to\b|\bis it possible (?:for me )?to\b"), "can i"),
    (re.compile(r"\b(?:am i|are we) able to\b"), "can i"),
    (re.compile(r"\b(how|where|when) (?:can|could) (?=.+\bbe\b)"), r"\1 to "),
    (re.compile(r"\bhow (?:i|we) (?=[a-z])"), "how to "),
    (re.compile(r"^(?:if|whether) (?=.+\b(?:is|are|can|must|should|will)\b)"), "whether "),
    (re.compile(r"(^|, )what (?:is|are) "), r"\1"),
    (re.compile(r"^what (.+) (?:is|are)(?=[.?!]*$)"), r"\1"),
    (re.compile(r"^(?:compute|calculate) (?=[\d(])"), ""),
    (re.compile(r"\bat (most|least)\b"), r"at-\1"),
    (re.compile(r"\bgoing to\b"), "will"),
    (re.compile(r"\bin order to\b"), "to"),
    (re.compile(r"([$€£¥])\s?(\d[\d,]*(?:\.\d+)?)"), r"\2 \1"),
    (re.compile(r"(?<![\w.])(\d+)\s?a\.?m\b\.?"), r"\1 o'clock-morning"),
    (re.compile(r"(?<![\w.,-])(\d[\d,]*(?:\.\d+)?)([a-z]{1,8}|%)(?!\w)"), r"\1 \2"),
    (re.compile(r"\b(?:log|sign)(?:ging|ing)? ?in\b|\blogin\b"), "login"),
    (re.compile(r"\b(?:log|sign)(?:ging|ing)? ?out\b|\blogout\b"), "logout"),
    (re.compile(r"\bsign(?:ing)? ?up\b|\bsignup\b"), "register"),
    (re.compile(r"\bget rid of\b"), "remove"),
    (re.compile(r"\bset ?up\b"), "setup"),
    (re.compile(r"\be-mail"), "email"),
    (re.compile(r"\bhave to\b|\bhas to\b|\bneed to\b|\bneeds to\b"), "must"),
    (re.compile(r"\ball of\b"), "all"),
)
DROPPED = _words("to a an the do does am is are be been being please kindly also really actually")
BE = _words("am is are was were be been being")
PAST = _words("was were did had")
ROLES = _words(
    "from to in into on onto at by with without for of off over under between among than as before after until till "
    "since during against about via per through across towards toward within inside outside above below if unless "
    "because while then except versus vs like near behind beyond along around upon despite instead"
)
CLAUSES = _words("if unless because while then except than before after until since during without")
MODAL = _words("can could may might must shall should will would")
ASKING = _words("how what who whom whose when where why which")
# Words that turn an answer round: only to tell people why two questions are apart.
TURNING = _words(
    "not no never none nobody nothing neither nor all any every each some both either most least more less fewer only "
    "always sometimes often rarely max maximum min minimum highest lowest largest smallest first last next previous "
    "allow permit deny forbid prohibit accept reject approve decline grant revoke enable disable open close start stop "
    "begin end increase decrease raise lower add remove delete create import export upload download lock unlock buy "
    "sell send receive true false yes public private include exclude show hide can could may must should will would "
    "i me my we our you your he him his she her they them their this that these those who what when where how why"
)
# Means the same wherever it stands in a question: the first word is written for all.
_SAME = (
    "buy purchase; start begin; repair fix; big large; fast quick; quickly rapidly; help assist; display show; "
    "reply respond; choose select pick; vacation holiday; car automobile; movie film; photo picture photograph; "
    "phone telephone; mobile cellphone; tv television; app application apps; info information; doc docs documentation; "
    "modify change alter amend; verify check; occur happen; whole entire; need require; obtain get; maximum max; "
    "minimum min; km kilometer kilometers kilometre kilometres; "
    "m meter meters metre metres; kg kilogram kilograms; lb lbs pounds; percent %; usd $ dollar dollars; "
    "eur € euro euros; gbp £; jpy ¥ yen; liter liters litre litres; color colour; favorite favourite; license licence; "
    "center centre; cancel terminate; permit allow; prohibit forbid; delete erase; bike bicycle; doctor physician; "
    "shop store; mistake error; guide manual; location place; minute minutes; gb gigabyte; mb megabyte; "
    "kid child children; job occupation; salary wage; lawyer attorney; contact reach; company firm; use utilize "
    "utilise employ; explain describe; buyer purchaser; ship dispatch; trip journey; "
    "feet foot; inch inches; mile miles; hour hours; day days; autumn fall; "
    "username user-name; password passcode; find locate; "
)
SAME = {word: group.split()[0] for group in _SAME.split(";") for word in group.split()}
# Capitals make another word of these.
BY_CAPITALS = _words(
    "a do us it who may march polish turkey china apple aids mark bill rose will windows word access go"
)
_COUNTED = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
)
_TENS = "ten twenty thirty forty fifty sixty seventy eighty ninety"
NUMBERS = {word: str(value) for value, word in enumerate(_COUNTED.split())} | {
    word: f"{value}0" for value, word in enumerate(_TENS.split(), 1)
}
_DONE = (
    "made make; paid pay; sent send; built build; kept keep; found find; bought buy; sold sell; written write; "
    "chosen choose; taken take; given give; shown show; set set; reset reset; cut cut; put put; read read; run run; "
    "done do; known know; held hold; lost lose; won win; led lead; taught teach; told tell; drawn draw; driven drive; "
    "grown grow; worn wear; broken break; stolen steal; spoken speak; undone undo; shut shut; split split; spent spend"
)
DONE = dict(pair.split() for pair in _DONE.split(";"))  # what was done, and the doing of it
