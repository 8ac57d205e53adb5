"""The generator of ``tests/support/questions.py`` in other languages than English, with what is different there.

Decimals have a comma, formal words a capital, and small words look like English ones ("was", "in", "do", "me"). Some
pairs ask one thing in two languages: the answers are not in one language, so they must miss.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from tests.support.questions import MISSES_PER_HIT, Intent, Pair, draw_from, slot, values_of

_CITIES = slot("entity", "Berlin", "Madrid", "Roma", "Lisboa", "Essen", "Paris")
_NUMBERS = slot("number", "5", "50", "1,5", "1.5", "1,500", "1500", "15", "5,0")
_UNITS = slot("unit", "km", "m", "kg", "g", "ml", "cm")
_MONEY = slot("currency", "€", "$", "£", "CHF", "zł")
_DATES = slot("date", "3.5.2024", "5.3.2024", "3.5.2025", "2024-05-03", "03/05/2024")


class Tongue(NamedTuple):
    """``before``, ``after``: what is polite."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    intents: dict[str, Intent]


def _of(
    *intents: tuple[tuple[str, ...], dict[str, tuple[str, tuple[str, ...]]], tuple[str, str] | None],
) -> dict[str, Intent]:
    return {str(number): Intent("held_out", *one) for number, one in enumerate(intents)}


TONGUES: dict[str, Tongue] = {
    "German": Tongue(
        ("", "", "Hallo, ", "Guten Tag! ", "Bitte: "),
        ("", "", " Danke!", " Vielen Dank."),
        _of(
            (
                ("Wie weit ist es von {here} nach {there}?", "wie weit ist es von {here} nach {there}"),
                {"here": _CITIES, "there": _CITIES},
                ("here", "there"),
            ),
            (
                ("Wie kann ich {whose} Passwort {verb}?", "Wie {verb} ich {whose} Passwort?"),
                {
                    "whose": slot("person", "mein", "sein", "ihr", "Ihr"),
                    "verb": slot("antonym", "zurücksetzen", "setzen", "löschen"),
                },
                None,
            ),
            (
                ("Was kosten {amount} {unit} Mehl in {money}?", "Was kosten {amount} {unit} Mehl in {money}"),
                {"amount": _NUMBERS, "unit": _UNITS, "money": _MONEY},
                None,
            ),
            (
                ("Ist das Rauchen {place} {may}?", "Ist das Rauchen {place} {may}? Danke."),
                {
                    "may": slot("negation", "erlaubt", "nicht erlaubt", "nie erlaubt"),
                    "place": slot("entity", "im Hof", "am Hof", "auf dem Dach"),
                },
                None,
            ),
            (
                (
                    "Hat das Büro am {date} geöffnet?",
                    "Hat am {date} das Büro geöffnet?",
                    "Hat das Büro am {date} geöffnet, bitte?",
                ),
                {"date": _DATES},
                None,
            ),
            (
                ("Wann {tense} {who} in {city}?", "wann {tense} {who} in {city}?"),
                {
                    "tense": slot("tense", "war", "ist", "wird"),
                    "who": slot("person", "sie", "Sie", "er", "man"),
                    "city": _CITIES,
                },
                None,
            ),
            (
                ("Was ist der {end} Wert in so einem Fall?", "Was ist der {end} Wert in so einem Fall"),
                {"end": slot("antonym", "höchste", "niedrigste", "letzte", "erste")},
                None,
            ),
        ),
    ),
    "French": Tongue(
        ("", "", "Bonjour, ", "Salut ! ", "S'il vous plaît, "),
        ("", "", " Merci !", " Merci beaucoup."),
        _of(
            (
                (
                    "Combien de temps dure le vol de {here} à {there} ?",
                    "combien de temps dure le vol de {here} à {there}",
                ),
                {"here": _CITIES, "there": _CITIES},
                ("here", "there"),
            ),
            (
                ("Comment {verb} {whose} mot de passe ?", "Comment {verb} {whose} mot de passe, s'il vous plaît ?"),
                {
                    "whose": slot("person", "mon", "ton", "son", "votre"),
                    "verb": slot("antonym", "changer", "supprimer", "retrouver"),
                },
                None,
            ),
            (
                ("Quel est le prix de {amount} {unit} en {money} ?", "quel est le prix de {amount} {unit} en {money}?"),
                {"amount": _NUMBERS, "unit": _UNITS, "money": _MONEY},
                None,
            ),
            (
                ("Est-ce {may} ici ?", "C'est {may} ici ?"),
                {"may": slot("negation", "permis", "pas permis", "interdit", "plus permis")},
                None,
            ),
            (
                ("Le bureau est ouvert le {date} ?", "Le bureau est ouvert le {date}, s'il vous plaît ?"),
                {"date": _DATES},
                None,
            ),
            (
                ("Le prix {which} car est de combien ?", "Combien coûte le prix {which} car ?"),
                {"which": slot("quantifier", "du", "d'un", "de chaque", "d'aucun")},
                None,
            ),
        ),
    ),
    "Spanish": Tongue(
        ("", "", "Hola, ", "Buenos días. ", "Por favor, "),
        ("", "", " Gracias.", " ¡Muchas gracias!"),
        _of(
            (
                ("¿Cuánto dura el vuelo de {here} a {there}?", "cuánto dura el vuelo de {here} a {there}"),
                {"here": _CITIES, "there": _CITIES},
                ("here", "there"),
            ),
            (
                ("¿Cómo {verb} {whose} cuenta?", "¿Cómo {verb} {whose} cuenta, por favor?"),
                {"whose": slot("person", "mi", "tu", "su"), "verb": slot("antonym", "abro", "cierro", "borro")},
                None,
            ),
            (
                (
                    "¿Cuál es el precio de {amount} {unit} en {money}?",
                    "cuál es el precio de {amount} {unit} en {money}?",
                ),
                {"amount": _NUMBERS, "unit": _UNITS, "money": _MONEY},
                None,
            ),
            (
                ("¿{may} puede fumar en {place}?", "¿En {place} {may} puede fumar?"),
                {"may": slot("negation", "Se", "No se"), "place": slot("entity", "la casa", "el patio", "el bar")},
                None,
            ),
            (
                ("La oficina está abierta {date}{mark}", "Hola, La oficina está abierta {date}{mark}"),
                {"date": _DATES, "mark": slot("turn", "?", ".")},
                None,
            ),
            (
                ("Dame el valor {end} de la lista {name}.", "Dame el valor {end} de la lista {name}, por favor."),
                {
                    "end": slot("antonym", "máximo", "mínimo"),
                    "name": slot("variable", "`a`", "`A`", "items", "Items", "item"),
                },
                None,
            ),
        ),
    ),
    "Italian": Tongue(
        ("", "", "Ciao, ", "Buongiorno! ", "Per favore: "),
        ("", "", " Grazie.", " Grazie mille!"),
        _of(
            (
                ("Quanto dura il volo da {here} a {there}?", "quanto dura il volo da {here} a {there}"),
                {"here": _CITIES, "there": _CITIES},
                ("here", "there"),
            ),
            (
                ("Come posso {verb} {whose} conto?", "Come posso {verb} {whose} conto, per favore?"),
                {"whose": slot("person", "il mio", "il suo", "il Suo"), "verb": slot("antonym", "aprire", "chiudere")},
                None,
            ),
            (
                ("Qual è il prezzo di {amount} {unit} in {money}?", "Qual è in {money} il prezzo di {amount} {unit}?"),
                {"amount": _NUMBERS, "unit": _UNITS, "money": _MONEY},
                None,
            ),
            (
                ("Il negozio {may} aperto il {date}{mark}", "Ciao! Il negozio {may} aperto il {date}{mark}"),
                {"may": slot("negation", "è", "non è"), "date": _DATES, "mark": slot("turn", "?", ".")},
                None,
            ),
            (
                ("Chi {first} {second}?", "chi {first} {second}?"),
                {"first": slot("tense", "ha visto", "vede", "vedrà"), "second": slot("entity", "Anna", "anna", "Lea")},
                None,
            ),
        ),
    ),
    "Portuguese": Tongue(
        ("", "", "Olá, ", "Bom dia! ", "Por favor, "),
        ("", "", " Obrigado.", " Muito obrigada!"),
        _of(
            (
                ("Quanto tempo dura o voo {here} a {there}?", "quanto tempo dura o voo {here} a {there}"),
                {"here": _CITIES, "there": _CITIES},
                ("here", "there"),
            ),
            (
                ("Qual o preço {which} carro em {money}?", "qual o preço {which} carro em {money}"),
                {"which": slot("quantifier", "do", "de um", "a um"), "money": _MONEY},
                None,
            ),
            (
                ("Como faço para {verb} {amount} {unit}?", "Como faço para {verb} {amount} {unit}, por favor?"),
                {"verb": slot("antonym", "comprar", "vender"), "amount": _NUMBERS, "unit": _UNITS},
                None,
            ),
            (
                ("A loja {may} aberta no dia {date}{mark}", "Oi, A loja {may} aberta no dia {date}{mark}"),
                {"may": slot("negation", "está", "não está"), "date": _DATES, "mark": slot("turn", "?", ".")},
                None,
            ),
        ),
    ),
    "Dutch": Tongue(
        ("", "", "Hallo, ", "Goedemorgen! ", "Alsjeblieft: "),
        ("", "", " Bedankt.", " Dank je wel!"),
        _of(
            (
                (
                    "Hoe lang duurt de vlucht van {here} naar {there}?",
                    "hoe lang duurt de vlucht van {here} naar {there}",
                ),
                {"here": _CITIES, "there": _CITIES},
                ("here", "there"),
            ),
            (
                ("Hoe verwijder ik {what} op {place}?", "hoe verwijder ik {what} op {place}"),
                {
                    "what": slot("number", "foto's", "de foto", "foto", "auto's", "auto"),
                    "place": slot("entity", "het web", "mijn web", "jouw web"),
                },
                None,
            ),
            (
                ("Wat kost {amount} {unit} in {money}?", "wat kost {amount} {unit} in {money}?"),
                {"amount": _NUMBERS, "unit": _UNITS, "money": _MONEY},
                None,
            ),
            (
                ("De winkel is {may} open op {date}{mark}", "Hallo! De winkel is {may} open op {date}{mark}"),
                {"may": slot("negation", "dan", "niet", "nooit"), "date": _DATES, "mark": slot("turn", "?", ".")},
                None,
            ),
            (
                ("Is het te warm {of} koud in {city}?", "Is het in {city} te warm {of} koud?"),
                {"of": slot("antonym", "of", "en"), "city": _CITIES},
                None,
            ),
        ),
    ),
    "Russian": Tongue(
        ("", ""),
        ("", ""),
        _of(
            (
                ("Сколько лететь из {here} в {there}?", "Сколько лететь из {here} в {there} ?"),
                {"here": slot("entity", "Москвы", "Рима"), "there": slot("entity", "Киев", "Осло", "Рим")},
                None,
            ),
            (
                ("Здесь {may} курить {amount} раз{mark}", "Здесь {may}  курить {amount} раз{mark}"),
                {"may": slot("negation", "можно", "нельзя"), "amount": _NUMBERS, "mark": slot("turn", "?", ".")},
                None,
            ),
        ),
    ),
    "Chinese": Tongue(
        ("", ""),
        ("", ""),
        _of(
            (
                ("从{here}到{there}要多久？", "从{here}到{there}要多久?"),
                {"here": slot("entity", "北京", "上海"), "there": slot("entity", "东京", "首尔", "巴黎")},
                None,
            ),
            (
                ("这里{may}吸烟{amount}次{mark}", " 这里{may}吸烟{amount}次{mark}"),
                {"may": slot("negation", "可以", "不可以"), "amount": _NUMBERS, "mark": slot("turn", "？", "。")},
                None,
            ),
        ),
    ),
}


def draw_in(language: str, seed: int, hits: int) -> Iterator[Pair]:
    """``hits`` pairs in ``language`` that must hit, and nine times as many that must miss; and one in two languages for
    each that must hit."""
    tongue, random_ = TONGUES[language], random.Random(seed)
    yield from draw_from(tongue.intents, seed, hits, MISSES_PER_HIT, (tongue.before, tongue.after))
    others = sorted(TONGUES.keys() - {language})
    for number in range(hits):
        intent = tongue.intents[str(number % len(tongue.intents))]
        other = TONGUES[random_.choice(others)].intents["0"]
        one, two = (random_.choice(each.phrasings).format(**values_of(each, random_)) for each in (intent, other))
        yield Pair("language", one, two, same=False)
