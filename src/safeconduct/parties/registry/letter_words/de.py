"""German phrases."""

PHRASES = {
    # Every letter.
    "keep": "Bewahren Sie diesen Brief auf. Sie brauchen ihn, wenn Sie Beschwerde einlegen.",
    "page": "Ihre private Seite, auf der alles dazu steht: {address}",
    "secret": "Wer diese Adresse hat, kann die Seite lesen.",
    "check": "Sie können dies von jemand anderem prüfen lassen, etwa von einer Anwältin oder"
    " einem Anwalt: Zeigen Sie diesen Brief. Alles, worauf er beruht, lässt sich nachrechnen,"
    " ohne das Register zu fragen.",
    "check listed": "Sie können dies von jemand anderem prüfen lassen, etwa von einer"
    " Anwältin oder einem Anwalt: Zeigen Sie diesen Brief. Unterschriften und Daten lassen"
    " sich prüfen, ohne das Register zu fragen.",
    "signed": "Unterschrieben von: {names}",
    "dated": "Von den Zeugen datiert: {moment}",
    "law": "Gesetz: {title}, Fassung {number}, Abschnitt {section}",
    # Whoever claimed.
    "waiting": "Noch ist nichts entschieden, also müssen Sie sich gegen nichts wehren. Sie"
    " bekommen einen weiteren Brief.",
    "until": "Letzter Tag für eine Beschwerde: {moment}",
    "need not": "Diese Entscheidung ist zu Ihren Gunsten. Sie müssen keine Beschwerde"
    " einlegen, und niemand außer Ihnen kann es hier. Tun Sie es nicht, ist sie danach"
    " endgültig.",
    "local": "Nach dem Kalender des Gesetzes ist das der Tag: {day} ({zone})",
    "remedy": "Rechtsbehelf (Abschnitt {section}):",
    "untranslated": "Das Gesetz hat keinen deutschen Text. Seine eigenen Sätze stehen hier in"
    " seiner ersten Sprache ({name}).",
    "suspends": "Eine Beschwerde schiebt alles auf, bis über sie entschieden ist.",
    "how": "Ihre private Seite beim Register sagt, wie Sie Beschwerde einlegen.",
    "last word": "Diese Entscheidung kommt von der Beschwerdeinstanz. Niemand im Programm"
    " entscheidet über ihr.",
    "your appeal": "Ihre Beschwerde",
    "to": "An: {name}, Registernummer {subject}",
    "on ground": "Wogegen Sie sich wenden: {ground}",
    "fact": "die Tatsachen",
    "identity": "wer gemeint ist",
    "legal": "die Rechtsanwendung",
    "procedure": "das Verfahren",
    "proportionality": "das Maß",
    "admitted": "Sie kam rechtzeitig und ist zugelassen.",
    "suspended": "Alle Wirkungen der Entscheidung sind aufgeschoben. Nichts über Ihren Fall"
    " wird veröffentlicht, bis die Beschwerdeinstanz entschieden hat.",
    "others decide": "Dort entscheidet niemand, der schon einmal entschieden hat. Sie dürfen"
    " neue Belege einreichen.",
    "refused": "Sie ist nicht zugelassen, weil sie zu spät kam.",
    "ended at": "Die Frist für eine Beschwerde endete: {moment}",
    "stands": "Die Entscheidung bleibt bestehen.",
    # Who is to be listed: the notice.
    "notice": "Mitteilung an {name}, Registernummer {subject}",
    "proposes": "Die Behörde schlägt vor, Sie in ihr Register einzutragen. Noch ist nichts"
    " eingetragen, und niemand sonst kann dies sehen.",
    "file": "Was über Sie gesagt wird:",
    "ground": "Grund: {text}",
    "role": "Ihre Rolle: {text}",
    "conduct": "Was Sie getan haben sollen: {text}",
    "harm": "Der Schaden: {text}",
    "time_since": "Wie lange es her ist: {text}",
    "weight": "Warum es schwer genug wiegt: {text}",
    "effects": "Wirkungen, die es hätte: {effects}. Andere hätte es nicht.",
    "none": "keine",
    "background": "Woher das kommt:",
    "identified": "Warum man Sie für die gemeinte Person hält: {text}",
    "rests": "Es stützt sich auf: {text}",
    "proposer": "Vorgeschlagen von: {text}",
    "source": "Die Angaben kamen von: {text}",
    "reply until": "Sie können antworten bis: {moment}",
    "replying": "Sie antworten auf Ihrer privaten Seite. Vorher wird nichts entschieden, auch"
    " wenn Ihre Antwort früher kommt.",
    # The decision on a listing.
    "decision": "Entscheidung über Eintragung {number}",
    "panel": "Entscheidung der Beschwerdeinstanz über Eintragung {number}",
    "entered": "Ins Register einzutragen: {name}, Registernummer {subject}.",
    "not entered": "Nicht ins Register eingetragen: {name}, Registernummer {subject}.",
    "read": "Ihre Antwort wurde gelesen.",
    "unread": "Rechtzeitig kam keine Antwort.",
    "again": "Neu entschieden, weil die Beschwerdeinstanz zurückverwiesen hat: {moment}",
    "why": "Warum:",
    "given": "Wirkungen: {effects}.",
    "you may": "Sie können Beschwerde einlegen (Abschnitt {section}) bis: {moment}",
    "meanwhile": "Bis über die Beschwerde entschieden ist, wird nichts eingetragen und nichts"
    " gezeigt.",
    "nothing": "Nichts wird eingetragen und nichts gezeigt. Sie müssen nichts tun.",
    "reviewed": "Zu überprüfen bis: {day}",
    "ends": "Endet am: {day}",
    "uphold": "Ihre Beschwerde wurde geprüft. Die Entscheidung bleibt bestehen.",
    "quash": "Ihre Beschwerde wurde geprüft. Die Entscheidung ist aufgehoben, und Sie werden"
    " nicht eingetragen.",
    "replace": "Ihre Beschwerde wurde geprüft. Die Entscheidung ist aufgehoben, eine andere"
    " tritt an ihre Stelle. Sie werden nicht eingetragen.",
    "remit": "Ihre Beschwerde wurde geprüft. Die Entscheidung ist aufgehoben, und das Gremium"
    " entscheidet neu.",
    "because": "Die Gründe der Beschwerdeinstanz:",
    # The end of a listing.
    "end": "Das Ende von Eintragung {number}",
    "over": "Ihre Eintragung ist beendet. Sie hat keine Wirkung mehr.",
    "unseen": "Sie waren nie eingetragen, und niemand sonst hat etwas davon gesehen.",
    "ended on": "Beendet: {moment}",
    "acquitted": "Sie sind freigesprochen.",
    "dropped": "Die Behörde verfolgt es nicht weiter.",
    "expired": "Ihre Zeit ist abgelaufen.",
    "quashed": "Die Eintragung wurde aufgehoben.",
    "replaced": "Eine andere Entscheidung tritt an ihre Stelle.",
    "withdrawn": "Sie wurde zurückgenommen.",
    "reasons": "Gründe: {text}",
}
