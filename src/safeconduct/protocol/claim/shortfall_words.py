"""What evidence fell short of, in the claimant's language: a table of sentences for each.

    told_in("de", "no assessment was shown")      Nicht vorgelegt: Bewertung

The sentences of `examine` stand as they are in the published decision. A letter says the same
in plain words of the person's language; what a check of bytes said beyond that, as why a
signature does not hold, it leaves to the published decision and says that it was technical.

Spec: docs/3-protocol.md §15.3.
"""

import re
from collections.abc import Mapping

from safeconduct.protocol.statute.wording import inserted

# The keys of the table: first the things, then whole sentences, then those with a gap.
THINGS = (
    "contribution",
    "acknowledgement",
    "assessment",
    "delivery",
    "capture",
    "redemption",
    "withdrawal",
    "credit",
    "opening",
    "claim",
)
SENTENCES = (
    "the claimant was not found to be the person of this number",
    "the claim names another contribution than the receipt's",
    "the claimant's keys are not those the contribution commits to",
    "the tip was withdrawn by its author, so its grade does not count",
    "the claimant's keys are not those the credit was made for",
    "the credit was redeemed before, and counts only once",
    "the opening in the claim stands for the acknowledgement",
    "without a delivery in time, what was opened has no date that counts",
    "it speaks of another contribution",
    "it is not the one that the claim names",
    "it is of another credit",
    "it is this claim's own",
    "it was sealed to a desk key that nobody certified",
    "it was made after the delivery window",
    "it belongs to another programme",
    "the claim names another capture",
    "its public part is not the one that was logged",
    "it has no such statement",
)
FAVOURABLE = frozenset({"the opening in the claim stands for the acknowledgement"})
"""What is no shortfall, though `examine` notes it: it helps the claimant."""
GAPS = {
    "of another claim": re.compile(r"claim ([0-9]+): (.*)"),
    "unshown": re.compile(r"no ([a-z]+) was shown()"),
    "fallen": re.compile(r"the ([a-z]+) does not hold: (.*)"),
    "lawless": re.compile(r"the ([a-z]+) relies on no law: .*()"),
    "older law": re.compile(r"the claim names an older law than the ([a-z]+) relied on()"),
    "closed epoch": re.compile(r"desk epoch ([0-9]+) was not open when it was logged()"),
    "other kind": re.compile(r"([a-z-]+) record where [a-z-]+ is due()"),
    "other word": re.compile(r"its ([a-z]+) is no word of this protocol()"),
    "not genuine": re.compile(r"(?:.*: )?bad signature by ([^\s,;]+)()"),
}
_TECHNICAL = "technical"
_DOUBT = re.compile(r"(.+) is in doubt, and the law then favours you")


def doubt_in(note: str) -> str | None:
    """The fact, such as `tips[0].logged`, whose doubt a note says favours the person."""
    found = _DOUBT.fullmatch(note)
    return found.group(1) if found else None


def is_favourable(note: str) -> bool:
    """Whether a note, of whichever of several claims, says what helps the person."""
    of_another = GAPS["of another claim"].fullmatch(note)
    return (of_another.group(2) if of_another else note) in FAVOURABLE


def told_in(language: str, note: str) -> str:
    """What `examine` noted, in a language of letters; of what no sentence tells, that it was
    technical.
    """
    words = WORDS[language]
    for key, form in GAPS.items():
        found = form.fullmatch(note)
        if found is not None:
            first, rest = found.groups()
            thing = words.get(first, inserted(language, first))
            return words[key].format(thing, told_in(language, rest) if rest else "").strip()
    return words.get(note, words[_TECHNICAL])


def _table(things: str, sentences: str, gaps: str) -> Mapping[str, str]:
    """The words of one language, a line for each key, in the order of the keys above."""
    keys = (*THINGS, *SENTENCES, *GAPS, _TECHNICAL)
    lines = [*things.split(", "), *sentences.splitlines(), *gaps.splitlines()]
    return dict(zip(keys, lines, strict=True))


WORDS: Mapping[str, Mapping[str, str]] = {
    "en": _table(
        "tip, acknowledgement, assessment, delivery, capture of the page, redemption, "
        "withdrawal, credit, opening, claim",
        """\
You were not found to be the person of this number.
The claim names another tip than the receipt does.
Your keys are not those that the tip is bound to.
The tip was withdrawn by its author, so its grade does not count.
Your keys are not those that the credit was made for.
The credit was redeemed before, and counts only once.
The opening in the claim stands for the acknowledgement.
Without a delivery in time, what was opened has no date that counts.
It speaks of another tip.
The claim names something else.
It speaks of another credit.
It is this claim’s own.
It was sealed to a key that nobody certified.
It came after the time for it.
It belongs to another programme.
The claim names another capture.
Its public part is not the one that was logged.
It has no such statement.""",
        """\
Claim {0}: {1}
Not shown: {0}
Does not pass the check: {0}. {1}
Relies on no law: {0}
The claim names an older law than this relied on: {0}
The desk’s key was not in use when it was dated.
It is another kind of record than is due here.
It has a word that the rules of the programme do not know.
The signature of {0} is not genuine.
A signature, a proof or the form did not pass the technical check. The register can say \
which.""",
    ),
    "de": _table(
        "Hinweis, Bestätigung, Bewertung, Zustellung, Sicherung, Einlösung, Rücknahme, "
        "Gutschrift, Öffnung, Antrag",
        """\
Es wurde nicht festgestellt, dass Sie die Person mit dieser Nummer sind.
Der Antrag nennt einen anderen Hinweis als die Quittung.
Ihre Schlüssel sind nicht die, an die der Hinweis gebunden ist.
Der Hinweis wurde von dem zurückgezogen, der ihn gab; seine Bewertung zählt daher nicht.
Ihre Schlüssel sind nicht die, für die die Gutschrift gemacht wurde.
Die Gutschrift wurde schon eingelöst und zählt nur einmal.
Die Öffnung im Antrag steht für die Bestätigung.
Ohne rechtzeitige Zustellung hat das Geöffnete kein Datum, das zählt.
Es geht darin um einen anderen Hinweis.
Der Antrag nennt etwas anderes.
Es geht darin um eine andere Gutschrift.
Sie gehört zu diesem Antrag selbst.
Er wurde für einen Schlüssel versiegelt, den niemand beglaubigt hat.
Sie kam nach der Frist.
Es gehört zu einem anderen Programm.
Der Antrag nennt eine andere Sicherung.
Der öffentliche Teil ist nicht der, der protokolliert wurde.
Eine solche Äußerung steht nicht darin.""",
        """\
Zu Antrag {0}: {1}
Nicht vorgelegt: {0}
Hält der Prüfung nicht stand: {0}. {1}
Stützt sich auf kein Gesetz: {0}
Der Antrag nennt ein älteres Gesetz als das, auf dem beruht: {0}
Der Schlüssel der Hinweisstelle galt nicht, als es datiert wurde.
Es ist ein anderes Schriftstück als hier verlangt.
Darin steht ein Wort, das die Regeln des Programms nicht kennen.
Die Unterschrift von {0} ist nicht echt.
Eine Unterschrift, ein Nachweis oder die Form hat die technische Prüfung nicht bestanden. \
Das Register kann sagen, was genau.""",
    ),
    "fr": _table(
        "signalement, accusé de réception, appréciation, remise, capture, utilisation, "
        "retrait, crédit, ouverture, demande",
        """\
Il n’a pas été constaté que vous êtes la personne portant ce numéro.
La demande désigne un autre signalement que le reçu.
Vos clés ne sont pas celles auxquelles le signalement est lié.
Le signalement a été retiré par son auteur\u00a0; son appréciation ne compte donc pas.
Vos clés ne sont pas celles pour lesquelles le crédit a été fait.
Le crédit a déjà été utilisé, et il ne compte qu’une fois.
L’ouverture dans la demande tient lieu d’accusé de réception.
Sans remise à temps, ce qui a été ouvert n’a pas de date qui compte.
Il y est question d’un autre signalement.
La demande désigne autre chose.
Il y est question d’un autre crédit.
C’est celle de cette demande même.
Il a été scellé pour une clé que personne n’a certifiée.
Elle est venue après le délai.
Cela relève d’un autre programme.
La demande désigne une autre capture.
La partie publique n’est pas celle qui a été enregistrée.
Une telle déclaration n’y figure pas.""",
        """\
Demande {0}\u00a0: {1}
Non présenté\u00a0: {0}
Ne résiste pas à l’examen\u00a0: {0}. {1}
Ne s’appuie sur aucune loi\u00a0: {0}
La demande désigne une loi plus ancienne que celle sur laquelle s’appuie\u00a0: {0}
La clé du bureau n’était pas en vigueur à la date enregistrée.
C’est une autre pièce que celle demandée ici.
Il y figure un mot que les règles du programme ne connaissent pas.
La signature de {0} n’est pas authentique.
Une signature, une preuve ou la forme n’a pas passé le contrôle technique. Le registre peut \
dire laquelle.""",
    ),
    "es": _table(
        "aviso, acuse de recibo, calificación, entrega, captura, canje, retirada, crédito, "
        "apertura, solicitud",
        """\
No consta que usted sea la persona de este número.
La solicitud nombra un aviso distinto del que figura en el recibo.
Sus claves no son aquellas a las que está ligado el aviso.
El aviso fue retirado por quien lo dio; por eso su calificación no cuenta.
Sus claves no son aquellas para las que se hizo el crédito.
El crédito ya fue canjeado, y solo cuenta una vez.
La apertura en la solicitud hace las veces del acuse de recibo.
Sin entrega a tiempo, lo abierto no tiene fecha que cuente.
Trata de otro aviso.
La solicitud nombra otra cosa.
Trata de otro crédito.
Es el de esta misma solicitud.
Fue sellado para una clave que nadie certificó.
Llegó después del plazo.
Pertenece a otro programa.
La solicitud nombra otra captura.
La parte pública no es la que se registró.
No contiene tal declaración.""",
        """\
Solicitud {0}: {1}
No presentado: {0}
No resiste el examen: {0}. {1}
No se apoya en ninguna ley: {0}
La solicitud nombra una ley anterior a aquella en la que se apoya: {0}
La clave de la oficina no estaba en vigor cuando se fechó.
Es un documento distinto del que aquí se pide.
Contiene una palabra que las reglas del programa no conocen.
La firma de {0} no es auténtica.
Una firma, una prueba o la forma no superó el control técnico. El registro puede decir cuál.""",
    ),
    "pl": _table(
        "zgłoszenie, potwierdzenie odbioru, ocena, doręczenie, utrwalenie, wykorzystanie, "
        "wycofanie, poświadczenie, otwarcie, wniosek",
        """\
Nie ustalono, że to Pani lub Pan jest osobą o tym numerze.
Wniosek wskazuje inne zgłoszenie niż pokwitowanie.
Klucze nie są tymi, z którymi związane jest zgłoszenie.
Zgłoszenie zostało wycofane przez autora, więc jego ocena się nie liczy.
Klucze nie są tymi, dla których zrobiono poświadczenie.
Poświadczenie wykorzystano już wcześniej, a liczy się tylko raz.
Otwarcie we wniosku zastępuje potwierdzenie odbioru.
Bez doręczenia na czas to, co otwarto, nie ma daty, która się liczy.
Mowa w nim o innym zgłoszeniu.
Wniosek wskazuje co innego.
Mowa w nim o innym poświadczeniu.
Należy ono do tego samego wniosku.
Zapieczętowano je dla klucza, którego nikt nie poświadczył.
Przyszło po terminie.
Należy do innego programu.
Wniosek wskazuje inne utrwalenie.
Część publiczna nie jest tą, którą zapisano.
Nie ma w nim takiej wypowiedzi.""",
        """\
Wniosek {0}: {1}
Nie okazano: {0}
Nie wytrzymuje sprawdzenia: {0}. {1}
Nie opiera się na żadnej ustawie: {0}
Wniosek wskazuje starszą ustawę niż ta, na której opiera się: {0}
Klucz biura nie obowiązywał w chwili datowania.
To inny dokument niż wymagany.
Zawiera słowo, którego reguły programu nie znają.
Podpis, który miał złożyć {0}, nie jest prawdziwy.
Podpis, dowód albo forma nie przeszły sprawdzenia technicznego. Rejestr może powiedzieć, co \
dokładnie.""",
    ),
    "uk": _table(
        "повідомлення, підтвердження отримання, оцінка, доставлення, фіксація, використання, "
        "відкликання, посвідчення, відкриття, заява",
        """\
Не встановлено, що ви — особа з цим номером.
Заява називає інше повідомлення, ніж квитанція.
Ваші ключі — не ті, з якими пов’язане повідомлення.
Повідомлення відкликав його автор, тому його оцінка не враховується.
Ваші ключі — не ті, для яких зроблено посвідчення.
Посвідчення вже використано, а воно враховується лише один раз.
Відкриття в заяві заміняє підтвердження отримання.
Без вчасного доставлення відкрите не має дати, яка враховується.
Там ідеться про інше повідомлення.
Заява називає щось інше.
Там ідеться про інше посвідчення.
Воно належить до цієї самої заяви.
Його запечатано для ключа, якого ніхто не засвідчив.
Це сталося після строку.
Це належить до іншої програми.
Заява називає іншу фіксацію.
Публічна частина — не та, яку записано.
Такого висловлювання там немає.""",
        """\
Заява {0}: {1}
Не показано: {0}
Не витримує перевірки: {0}. {1}
Не спирається на жоден закон: {0}
Заява називає старіший закон, ніж той, на який спирається: {0}
Ключ бюро не діяв, коли це було датовано.
Це інший документ, ніж тут потрібно.
Там є слово, якого правила програми не знають.
Підпис від імені {0} несправжній.
Підпис, доказ або форма не пройшли технічної перевірки. Реєстр може сказати, що саме.""",
    ),
    "ru": _table(
        "сообщение, подтверждение получения, оценка, доставка, фиксация, использование, отзыв, "
        "свидетельство, открытие, заявление",
        """\
Не установлено, что вы — лицо с этим номером.
Заявление называет другое сообщение, чем квитанция.
Ваши ключи — не те, с которыми связано сообщение.
Сообщение отозвал его автор, поэтому его оценка не учитывается.
Ваши ключи — не те, для которых сделано свидетельство.
Свидетельство уже использовано, а оно учитывается только один раз.
Открытие в заявлении заменяет подтверждение получения.
Без своевременной доставки открытое не имеет даты, которая учитывается.
Там говорится о другом сообщении.
Заявление называет нечто другое.
Там говорится о другом свидетельстве.
Оно относится к этому самому заявлению.
Его запечатали для ключа, который никто не заверил.
Это произошло после срока.
Это относится к другой программе.
Заявление называет другую фиксацию.
Публичная часть — не та, которая записана.
Такого высказывания там нет.""",
        """\
Заявление {0}: {1}
Не показано: {0}
Не выдерживает проверки: {0}. {1}
Не опирается ни на один закон: {0}
Заявление называет более старый закон, чем тот, на который опирается: {0}
Ключ бюро не действовал, когда это было датировано.
Это другой документ, чем здесь требуется.
Там есть слово, которого правила программы не знают.
Подпись от имени {0} не подлинная.
Подпись, доказательство или форма не прошли технической проверки. Реестр может сказать, что \
именно.""",
    ),
    "ar": _table(
        "البلاغ, إشعار الاستلام, التقدير, التسليم, التوثيق, الاستعمال, السحب, الشهادة, الفتح, "
        "الطلب",
        """\
لم يثبت أنكم الشخص صاحب هذا الرقم.
يسمّي الطلب بلاغًا غير الذي في الإيصال.
مفاتيحكم ليست تلك التي ارتبط بها البلاغ.
سحب البلاغَ صاحبُه، فلا يُحسب تقديره.
مفاتيحكم ليست تلك التي أُعدت لها الشهادة.
استُعملت الشهادة من قبل، وهي لا تُحسب إلا مرة واحدة.
الفتح الوارد في الطلب يقوم مقام إشعار الاستلام.
دون تسليم في الوقت، ليس لما فُتح تاريخ يُعتد به.
يتعلق ببلاغ آخر.
يسمّي الطلب شيئًا آخر.
يتعلق بشهادة أخرى.
هو لهذا الطلب نفسه.
خُتم لمفتاح لم يصدّقه أحد.
جاء بعد المهلة.
يخص برنامجًا آخر.
يسمّي الطلب توثيقًا آخر.
الجزء العلني ليس هو الذي سُجِّل.
ليس فيه تصريح كهذا.""",
        """\
الطلب {0}: {1}
لم يُقدَّم: {0}
لا يصمد أمام الفحص: {0}. {1}
لا يستند إلى أي قانون: {0}
يسمّي الطلب قانونًا أقدم من الذي يستند إليه: {0}
لم يكن مفتاح المكتب ساريًا وقت التأريخ.
هو مستند غير المستند المطلوب هنا.
فيه كلمة لا تعرفها قواعد البرنامج.
توقيع {0} غير صحيح.
لم يجتز التوقيع أو الإثبات أو الشكل الفحص التقني. ويمكن للسجل أن يبيّن أيّها بالضبط.""",
    ),
    "fa": _table(
        "گزارش, تأیید دریافت, ارزیابی, تحویل, ثبت محتوا, استفاده, پس‌گرفتن, گواهی, گشودن, "
        "درخواست",
        """\
احراز نشد که شما همان شخص دارای این شماره هستید.
درخواست گزارش دیگری جز گزارش رسید را نام می‌برد.
کلیدهای شما آن‌هایی نیست که گزارش به آن‌ها وابسته است.
گزارش را نویسنده‌اش پس گرفته است، پس ارزیابی آن به حساب نمی‌آید.
کلیدهای شما آن‌هایی نیست که گواهی برایشان ساخته شده است.
گواهی پیش‌تر استفاده شده است و تنها یک بار به حساب می‌آید.
گشودن در درخواست به جای تأیید دریافت است.
بدون تحویل به‌موقع، آنچه گشوده شد تاریخی ندارد که به حساب آید.
دربارهٔ گزارش دیگری است.
درخواست چیز دیگری را نام می‌برد.
دربارهٔ گواهی دیگری است.
از آنِ همین درخواست است.
برای کلیدی مهر شده که کسی آن را گواهی نکرده است.
پس از مهلت بود.
به برنامهٔ دیگری تعلق دارد.
درخواست ثبت محتوای دیگری را نام می‌برد.
بخش علنی آن نیست که ثبت شده است.
چنین سخنی در آن نیست.""",
        """\
درخواست {0}: {1}
ارائه نشد: {0}
در بررسی پذیرفته نشد: {0}. {1}
بر هیچ قانونی تکیه ندارد: {0}
درخواست قانونی کهنه‌تر از قانونی را نام می‌برد که بر آن تکیه دارد: {0}
هنگام تاریخ‌گذاری، کلید دفتر معتبر نبود.
این سند دیگری جز سند لازم در اینجاست.
کلمه‌ای در آن است که قواعد برنامه نمی‌شناسد.
امضای {0} اصل نیست.
امضا، گواه یا شکل آن در بررسی فنی پذیرفته نشد. فهرست می‌تواند بگوید دقیقاً کدام.""",
    ),
}
