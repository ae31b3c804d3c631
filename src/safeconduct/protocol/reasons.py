"""The reasons told to the person: the part of a letter that the decision record commits to.

    Decision 7                                         of whom, and about what
    To: Ada Example, register number r-0001
    On your claim of having helped before the date.

    …                                                  what `statute.explain.reasons` says
    What was settled in your favour:                   doubts, by the law's own rule
    - …
    What your evidence did not show:
    - …
    For whoever checks this again: …                   the hash of each law that was applied

Console, registry and auditor make the same bytes from the same values, so a letter that was
changed afterwards, by one word, is found out. It is in the language that the claimant asked
for; the date of service and the remedy follow when the Ledger has dated the decision.

Spec: docs/3-protocol.md §15.3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from safeconduct.errors import UnverifiedError
from safeconduct.protocol.claim import Bundle, shown_credit
from safeconduct.protocol.claim.shortfall_words import doubt_in, is_favourable, told_in
from safeconduct.protocol.statute.evaluate import Judgement, declared_name
from safeconduct.protocol.statute.explain import LETTER_LANGUAGES, checked, reasons
from safeconduct.protocol.statute.text import Statute
from safeconduct.protocol.statute.wording import called, inserted
from safeconduct.protocol.statute.wording.voice import voice

FIRST = "first"
_FALLEN = ("quash", "remit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a letter speaks of; `outcome` is another than the judgement's in a departure."""

    statute: Statute
    judgement: Judgement
    bundles: Sequence[Bundle]  # the claim, and those that are decided with it
    number: int
    shortfalls: Sequence[str] = ()
    competing: tuple[Statute, Judgement] | None = None
    outcome: str = ""
    departure: str = ""
    result: str = FIRST


def language_of(bundle: Bundle) -> str:
    """The language in which this claimant is written to."""
    wanted = bundle.fields.get("language", "en")
    return wanted if wanted in LETTER_LANGUAGES else "en"


def ground(bundle: Bundle) -> str:
    """What the claim says its person did; of a credit class and period, for no tip is known."""
    if bundle.limb != "credited":
        return bundle.limb
    credit = shown_credit(bundle)
    if credit is None:
        return "helped (no credit was shown)"
    return (
        f"helped (a credit of class {credit.word('class')}, period {credit.number('period')})"
    )


def write_reasons(told: Told) -> bytes:
    """The reasons in the claimant's language, UTF-8, ending with a line feed.

    Raises:
        UnverifiedError: the statute has no such outcome.
    """
    bundle = told.bundles[0]
    language = language_of(bundle)
    say = WORDING[language]
    head = [
        say[_titled(told)].format(number=told.number),
        say["to"].format(
            name=inserted(language, bundle.fields["name"]),
            subject=inserted(language, bundle.record.word("subject")),
        ),
        *dict.fromkeys(_claimed(one, language) for one in told.bundles),
        "",
    ]
    if told.result != FIRST:
        head += [say[told.result], ""]
    if told.departure and told.result in _FALLEN:
        head += [f"{say['because']} {inserted(language, told.departure)}", ""]
    helps, lacks = _noted(told, language)
    stretches = [
        [_body(told, language).rstrip("\n")],
        [say["favour"], *helps] if helps else [],
        [say["short"], *lacks] if lacks else [],
        _checks(told, language),
    ]
    lines = [line for stretch in stretches if stretch for line in ("", *stretch)]
    return ("\n".join([*head, *lines[1:]]) + "\n").encode("utf-8")


def _titled(told: Told) -> str:
    if not told.judgement.decided:
        return "open"
    return "decision" if told.result == FIRST else "panel"


def _noted(told: Told, language: str) -> tuple[list[str], list[str]]:
    """What was noted of the evidence: what helps the person, and what it fell short of."""
    helps: list[str] = []
    lacks: list[str] = []
    for note in told.shortfalls:
        fact = doubt_in(note)
        if fact is not None:
            named = inserted(language, _label(told, fact, language))
            helps.append("- " + WORDING[language]["doubt"].format(fact=named))
        else:
            kept = helps if is_favourable(note) else lacks
            kept.append(f"- {told_in(language, note)}")
    return helps, lacks


def _label(told: Told, fact: str, language: str) -> str:
    """What a fact is called by the law applied, or by the other one, if only that has it."""
    laws = [told.statute, *([told.competing[0]] if told.competing is not None else [])]
    name = declared_name(fact)
    law = next((each for each in laws if name in each.facts), told.statute)
    return voice(law, language).label(name)


def _checks(told: Told, language: str) -> list[str]:
    laws = [told.statute, *([told.competing[0]] if told.competing is not None else [])]
    return [checked(each, language).rstrip("\n") for each in laws]


def _body(told: Told, language: str) -> str:
    """What follows from which law and why; of what falls, only what the law gives."""
    if told.result in _FALLEN:
        return reasons(
            told.statute, told.judgement, language, competing=told.competing, fallen=True
        )
    known = {one.value for one in (*told.statute.outcomes, told.statute.default)}
    if told.outcome and told.outcome not in known | {told.judgement.outcome}:
        raise UnverifiedError(f"decision: the statute has no outcome {told.outcome}")
    return reasons(
        told.statute,
        told.judgement,
        language,
        competing=told.competing,
        departure=told.departure,
        decided=told.outcome,
    )


def _claimed(bundle: Bundle, language: str) -> str:
    say = WORDING[language]
    if bundle.limb == "denounced":
        return say["denounced"]
    credit = shown_credit(bundle) if bundle.limb == "credited" else None
    if credit is not None:
        period = credit.number("period")
        word = inserted(language, called(language, credit.word("class")))
        return say["credited"].format(word=word, period=period)
    return say["uncredited" if bundle.limb == "credited" else "helped"]


WORDING: Mapping[str, Mapping[str, str]] = {
    "en": {
        "decision": "Decision {number}",
        "panel": "Decision {number} of the appeal panel",
        "open": "Case {number}, still open",
        "to": "To: {name}, register number {subject}",
        "helped": "On your claim of having helped before the date.",
        "denounced": "On your claim of having denounced before the date.",
        "credited": "On your claim of having helped (a credit of class {word}, period {period})"
        " before the date.",
        "uncredited": "On your claim of having helped (no credit was shown) before the date.",
        "uphold": "Your appeal was heard. The decision stands.",
        "replace": "Your appeal was heard. This decision takes the place of the first one.",
        "quash": "Your appeal was heard. The decision falls. You may file your claim anew.",
        "remit": "Your appeal was heard. The decision falls, and the board decides anew.",
        "because": "The reason:",
        "favour": "What was settled in your favour:",
        "doubt": "{fact}: it is not certain on which side of the law’s date this lies, and"
        " the law then decides for you.",
        "short": "What your evidence did not show:",
    },
    "de": {
        "decision": "Entscheidung {number}",
        "panel": "Entscheidung {number} der Beschwerdeinstanz",
        "open": "Fall {number}, noch offen",
        "to": "An: {name}, Registernummer {subject}",
        "helped": "Auf Ihren Antrag, vor dem Stichtag geholfen zu haben.",
        "denounced": "Auf Ihren Antrag, sich vor dem Stichtag losgesagt zu haben.",
        "credited": "Auf Ihren Antrag, vor dem Stichtag geholfen zu haben (eine Gutschrift der"
        " Klasse {word}, Zeitraum {period}).",
        "uncredited": "Auf Ihren Antrag, vor dem Stichtag geholfen zu haben (es wurde keine"
        " Gutschrift vorgelegt).",
        "uphold": "Ihre Beschwerde wurde geprüft. Die Entscheidung bleibt bestehen.",
        "replace": "Ihre Beschwerde wurde geprüft. Diese Entscheidung ersetzt die erste.",
        "quash": "Ihre Beschwerde wurde geprüft. Die Entscheidung ist aufgehoben. Sie können"
        " den"
        " Antrag neu stellen.",
        "remit": "Ihre Beschwerde wurde geprüft. Die Entscheidung ist aufgehoben, und das"
        " Gremium entscheidet neu.",
        "because": "Der Grund:",
        "favour": "Was zu Ihren Gunsten entschieden wurde:",
        "doubt": "{fact}: Es steht nicht fest, auf welcher Seite des Stichtags dies liegt;"
        " das Gesetz entscheidet dann für Sie.",
        "short": "Was Ihre Belege nicht gezeigt haben:",
    },
    "fr": {
        "decision": "Décision {number}",
        "panel": "Décision {number} de l’instance de recours",
        "open": "Dossier {number}, encore ouvert",
        "to": "À : {name}, numéro de registre {subject}",
        "helped": "Sur votre demande, pour avoir aidé avant la date.",
        "denounced": "Sur votre demande, pour avoir dénoncé avant la date.",
        "credited": "Sur votre demande, pour avoir aidé avant la date (un crédit de classe"
        " {word},"
        " période {period}).",
        "uncredited": "Sur votre demande, pour avoir aidé avant la date (aucun crédit"
        " présenté).",
        "uphold": "Votre recours a été examiné. La décision est maintenue.",
        "replace": "Votre recours a été examiné. Cette décision remplace la première.",
        "quash": "Votre recours a été examiné. La décision est annulée. Vous pouvez déposer une"
        " nouvelle demande.",
        "remit": "Votre recours a été examiné. La décision est annulée et le conseil statuera"
        " de"
        " nouveau.",
        "because": "Le motif :",
        "favour": "Ce qui a été tranché en votre faveur\u00a0:",
        "doubt": "{fact}\u00a0: il n’est pas certain de quel côté de la date légale cela se"
        " situe, et la loi tranche alors pour vous.",
        "short": "Ce que vos preuves n’ont pas montré :",
    },
    "es": {
        "decision": "Decisión {number}",
        "panel": "Decisión {number} del órgano de apelación",
        "open": "Caso {number}, aún abierto",
        "to": "Para: {name}, número de registro {subject}",
        "helped": "Sobre su solicitud por haber ayudado antes de la fecha.",
        "denounced": "Sobre su solicitud por haber denunciado antes de la fecha.",
        "credited": "Sobre su solicitud por haber ayudado antes de la fecha (un crédito de"
        " clase"
        " {word}, período {period}).",
        "uncredited": "Sobre su solicitud por haber ayudado antes de la fecha (no se mostró"
        " ningún crédito).",
        "uphold": "Su recurso fue examinado. La decisión se mantiene.",
        "replace": "Su recurso fue examinado. Esta decisión sustituye a la primera.",
        "quash": "Su recurso fue examinado. La decisión queda anulada. Puede presentar de nuevo"
        " su solicitud.",
        "remit": "Su recurso fue examinado. La decisión queda anulada y el consejo decidirá de"
        " nuevo.",
        "because": "El motivo:",
        "favour": "Lo que se resolvió a su favor:",
        "doubt": "{fact}: no consta a qué lado de la fecha de la ley se sitúa, y la ley"
        " decide entonces a su favor.",
        "short": "Lo que sus pruebas no mostraron:",
    },
    "pl": {
        "decision": "Decyzja {number}",
        "panel": "Decyzja {number} organu odwoławczego",
        "open": "Sprawa {number}, jeszcze otwarta",
        "to": "Do: {name}, numer w rejestrze {subject}",
        "helped": "W sprawie wniosku z tytułu pomocy udzielonej przed datą.",
        "denounced": "W sprawie wniosku z tytułu potępienia wyrażonego przed datą.",
        "credited": "W sprawie wniosku z tytułu pomocy udzielonej przed datą (poświadczenie"
        " klasy"
        " {word}, okres {period}).",
        "uncredited": "W sprawie wniosku z tytułu pomocy udzielonej przed datą (nie okazano"
        " poświadczenia).",
        "uphold": "Odwołanie rozpatrzono. Decyzja pozostaje w mocy.",
        "replace": "Odwołanie rozpatrzono. Ta decyzja zastępuje pierwszą.",
        "quash": "Odwołanie rozpatrzono. Decyzja zostaje uchylona. Można złożyć wniosek"
        " ponownie.",
        "remit": "Odwołanie rozpatrzono. Decyzja zostaje uchylona, a rada rozstrzygnie"
        " ponownie.",
        "because": "Powód:",
        "favour": "Co rozstrzygnięto na Pani lub Pana korzyść:",
        "doubt": "{fact}: nie jest pewne, po której stronie daty z ustawy to leży, a wtedy"
        " ustawa rozstrzyga na Pani lub Pana korzyść.",
        "short": "Czego dowody nie wykazały:",
    },
    "uk": {
        "decision": "Рішення {number}",
        "panel": "Рішення {number} апеляційної колегії",
        "open": "Справа {number}, ще відкрита",
        "to": "Кому: {name}, номер у реєстрі {subject}",
        "helped": "На вашу заяву про допомогу, надану до визначеної дати.",
        "denounced": "На вашу заяву про засудження, висловлене до визначеної дати.",
        "credited": "На вашу заяву про допомогу, надану до визначеної дати (посвідчення класу"
        " {word}, період {period}).",
        "uncredited": "На вашу заяву про допомогу, надану до визначеної дати (посвідчення не"
        " показано).",
        "uphold": "Вашу скаргу розглянуто. Рішення залишається чинним.",
        "replace": "Вашу скаргу розглянуто. Це рішення замінює перше.",
        "quash": "Вашу скаргу розглянуто. Рішення скасовано. Ви можете подати заяву знову.",
        "remit": "Вашу скаргу розглянуто. Рішення скасовано, і рада вирішить знову.",
        "because": "Причина:",
        "favour": "Що вирішено на вашу користь:",
        "doubt": "{fact}: не певно, по який бік визначеної законом дати це лежить, і тоді"
        " закон вирішує на вашу користь.",
        "short": "Чого ваші докази не показали:",
    },
    "ru": {
        "decision": "Решение {number}",
        "panel": "Решение {number} апелляционной коллегии",
        "open": "Дело {number}, ещё открыто",
        "to": "Кому: {name}, номер в реестре {subject}",
        "helped": "По вашему заявлению о помощи, оказанной до установленной даты.",
        "denounced": "По вашему заявлению об осуждении, высказанном до установленной даты.",
        "credited": "По вашему заявлению о помощи, оказанной до установленной даты"
        " (свидетельство"
        " класса {word}, период {period}).",
        "uncredited": "По вашему заявлению о помощи, оказанной до установленной даты"
        " (свидетельство не показано).",
        "uphold": "Ваша жалоба рассмотрена. Решение остаётся в силе.",
        "replace": "Ваша жалоба рассмотрена. Это решение заменяет первое.",
        "quash": "Ваша жалоба рассмотрена. Решение отменено. Вы можете подать заявление снова.",
        "remit": "Ваша жалоба рассмотрена. Решение отменено, и совет решит заново.",
        "because": "Причина:",
        "favour": "Что решено в вашу пользу:",
        "doubt": "{fact}: не ясно, по какую сторону установленной законом даты это лежит, и"
        " тогда закон решает в вашу пользу.",
        "short": "Чего ваши доказательства не показали:",
    },
    "ar": {
        "decision": "القرار {number}",
        "panel": "القرار {number} الصادر عن هيئة الطعون",
        "open": "القضية {number}، لا تزال مفتوحة",
        "to": "إلى: {name}، رقم السجل {subject}",
        "helped": "بشأن طلبكم على أساس المساعدة قبل التاريخ المحدد.",
        "denounced": "بشأن طلبكم على أساس الإدانة العلنية قبل التاريخ المحدد.",
        "credited": "بشأن طلبكم على أساس المساعدة قبل التاريخ المحدد (شهادة من الفئة {word}،"
        " الفترة {period}).",
        "uncredited": "بشأن طلبكم على أساس المساعدة قبل التاريخ المحدد (لم تُقدَّم شهادة).",
        "uphold": "نُظر في طعنكم. يبقى القرار قائمًا.",
        "replace": "نُظر في طعنكم. يحل هذا القرار محل القرار الأول.",
        "quash": "نُظر في طعنكم. أُلغي القرار. يمكنكم تقديم الطلب من جديد.",
        "remit": "نُظر في طعنكم. أُلغي القرار، وسيقرر المجلس من جديد.",
        "because": "السبب:",
        "favour": "ما حُسم لصالحكم:",
        "doubt": "{fact}: ليس مؤكدًا هل يقع ذلك قبل تاريخ القانون أم بعده، والقانون يفصل"
        " حينئذ لصالحكم.",
        "short": "ما لم تُثبته أدلتكم:",
    },
    "fa": {
        "decision": "تصمیم {number}",
        "panel": "تصمیم {number} هیئت تجدیدنظر",
        "open": "پروندهٔ {number}، هنوز باز",
        "to": "به: {name}، شمارهٔ ثبت {subject}",
        "helped": "دربارهٔ درخواست شما بر پایهٔ کمک پیش از تاریخ مقرر.",
        "denounced": "دربارهٔ درخواست شما بر پایهٔ محکوم کردن علنی پیش از تاریخ مقرر.",
        "credited": "دربارهٔ درخواست شما بر پایهٔ کمک پیش از تاریخ مقرر (گواهی از ردهٔ {word}،"
        " دورهٔ {period}).",
        "uncredited": "دربارهٔ درخواست شما بر پایهٔ کمک پیش از تاریخ مقرر (گواهی ارائه نشد).",
        "uphold": "به اعتراض شما رسیدگی شد. تصمیم پابرجاست.",
        "replace": "به اعتراض شما رسیدگی شد. این تصمیم جای تصمیم نخست را می‌گیرد.",
        "quash": "به اعتراض شما رسیدگی شد. تصمیم لغو شد. می‌توانید دوباره درخواست دهید.",
        "remit": "به اعتراض شما رسیدگی شد. تصمیم لغو شد و هیئت دوباره تصمیم می‌گیرد.",
        "because": "دلیل:",
        "favour": "آنچه به سود شما تصمیم گرفته شد:",
        "doubt": "{fact}: روشن نیست که این پیش از تاریخ قانون است یا پس از آن، و قانون در این"
        " حال به سود شما تصمیم می‌گیرد.",
        "short": "آنچه مدارک شما نشان نداد:",
    },
}
