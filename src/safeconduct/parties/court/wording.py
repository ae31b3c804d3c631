"""The words of a finding and of the page for a judge, in the languages that it is made in.

Every language has the same entries with the same gaps; a test sees to that.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

ENGLISH: Mapping[str, str] = {
    "title": "A sealed tip, opened for you",
    "what": "What this is",
    "what.text": "In the programme “{programme}” people hand in what they know sealed, so that"
    " only its desk can read it. At once the fingerprint of a sealed tip is written into a"
    " public log, and independent witnesses confirm when they saw it there. From then on nobody"
    " can change the tip or its date. The file tip.age holds such a tip, {extent}, opened"
    " {purpose} and locked again so that only your key reads it.",
    "extent.all": "whole: {files}",
    "extent.items": "not whole: {files} of the {total} in it",
    "purpose.appeal": "for an appeal",
    "purpose.audit": "for an audit",
    "purpose.claim": "for a claim",
    "purpose.court": "for a court",
    "purpose.inquiry": "for an inquiry",
    "purpose.press": "for the press",
    "file": "1 file",
    "files": "{count} files",
    "certain": "What is certain",
    "date": "It was sealed by {date} at the latest. That is confirmed by {witnesses}.",
    "witness": "the witness {names}",
    "witnesses": "the witnesses {names}",
    "and": "and",
    "content.all": "It has only one reading. The key that opens it was fixed on that date too,"
    " and opens it to the content shown here and to no other.",
    "content.key": "What is shown was in it: the key that was fixed on that date opens the"
    " whole tip, and there it stands, under the same names.",
    "content.desk": "What is shown stands, byte for byte, in the list of files that was fixed"
    " on that date.",
    "opener.source": "It was opened by whoever sealed it, signed with the two keys that were"
    " fixed on that date.",
    "opener.desk": "It was opened by the desk of the programme, which signed for that.",
    "status.ok": "The desk signed, dated {date}, that it received the tip in time and that all"
    " of it is in order.",
    "status.duplicate": "The desk signed, dated {date}, that the tip says the same as an"
    " earlier one.",
    "status.mismatch": "The desk signed, dated {date}, that the tip is not what it says"
    " outside, or came too late.",
    "status.unreadable": "The desk signed, dated {date}, that it could not read the tip.",
    "logged": "That it was opened has itself stood in the public log since {date}.",
    "open": "What is not proven",
    "not.truth": "That what it says is true.",
    "not.age": "When it was written: it may be older than its seal.",
    "not.person": "Who sealed it: the keys carry no name.",
    "not.consent": "Who sealed it, and whether they agree that it be opened.",
    "not.server": "That nobody else could have sealed it: the programme’s server did so for"
    " somebody, and saw text and words for that moment.",
    "not.delivered": "That it was ever handed in. One person can have seals of many dates and"
    " contents, and show the one that fits. The desk’s answer would settle that.",
    "not.others": "What the rest of it says, which may put this in another light.",
    "not.root": "That the list of files is true: that rests on the desk, which opened the whole"
    " tip and signed for it.",
    "not.names": "That the files had the names that are told: only their content is fixed.",
    "not.logged": "When it was opened: that does not stand in the public log.",
    "read": "How to read it",
    "read.text": "You need the free programs age and tar and your secret key in a file, here"
    " key.txt. In the folder where tip.age lies, type:",
    "read.all": "The folder “tip” then holds f0001, f0002 and so on; safeconduct.json lists"
    " their real names, in this order. They come from a stranger: open them with care.",
    "read.items": "The folder “tip” then holds the files; contents.txt lists their real names."
    " They come from a stranger: open them with care.",
    "check": "How to check it",
    "check.file": "Nothing was changed on its way to you if the first line prints the second:",
    "check.payload": "These are the very bytes that were dated if the first line prints the"
    " second:",
    "check.items": "Inside the folder “tip”, this checks each file:",
    "check.date": "The date can be computed again offline, with a policy from somebody you"
    " trust (it says whose word counts):",
    "foot": "Checked with safeconduct {version} on {now}; policy {policy}; Gazette as of"
    " {gazette}. Record {record}: entry {index} of the log {origin}.",
    "holds": "This opening holds.",
}

GERMAN: Mapping[str, str] = {
    "title": "Ein versiegelter Hinweis, für Sie geöffnet",
    "what": "Was das ist",
    "what.text": "Im Programm „{programme}“ geben Menschen versiegelt ab, was sie wissen; lesen"
    " kann es nur dessen Annahmestelle. Der Fingerabdruck eines versiegelten Hinweises kommt"
    " sofort in ein öffentliches Verzeichnis, und unabhängige Zeugen bestätigen, wann sie ihn"
    " dort gesehen haben. Danach kann niemand mehr Hinweis oder Zeitpunkt ändern. Die Datei"
    " tip.age enthält einen solchen Hinweis, {extent}, geöffnet {purpose} und neu verschlossen,"
    " sodass nur Ihr Schlüssel ihn liest.",
    "extent.all": "vollständig: {files}",
    "extent.items": "nicht vollständig: {files} von {total}",
    "purpose.appeal": "für einen Einspruch",
    "purpose.audit": "für eine Prüfung",
    "purpose.claim": "für einen Antrag",
    "purpose.court": "für ein Gericht",
    "purpose.inquiry": "für eine Untersuchung",
    "purpose.press": "für die Presse",
    "file": "1 Datei",
    "files": "{count} Dateien",
    "certain": "Was feststeht",
    "date": "Er wurde spätestens am {date} versiegelt. Das bestätigen {witnesses}.",
    "witness": "die Zeugenstelle {names}",
    "witnesses": "die Zeugenstellen {names}",
    "and": "und",
    "content.all": "Er lässt nur eine Lesart zu. Auch der Schlüssel, der ihn öffnet, stand zu"
    " diesem Zeitpunkt fest, und er ergibt den Inhalt, der hier vorliegt, und keinen anderen.",
    "content.key": "Was gezeigt wird, war darin: Der Schlüssel, der zu diesem Zeitpunkt"
    " feststand, öffnet den ganzen Hinweis, und dort steht es unter denselben Namen.",
    "content.desk": "Was gezeigt wird, steht Byte für Byte in der Liste der Dateien, die zu"
    " diesem Zeitpunkt feststand.",
    "opener.source": "Geöffnet hat ihn, wer ihn versiegelt hat; unterschrieben ist das mit den"
    " beiden Schlüsseln, die zu diesem Zeitpunkt feststanden.",
    "opener.desk": "Geöffnet hat ihn die Annahmestelle des Programms; sie hat das"
    " unterschrieben.",
    "status.ok": "Die Annahmestelle hat unterschrieben, datiert {date}, dass der Hinweis"
    " rechtzeitig einging und ganz in Ordnung ist.",
    "status.duplicate": "Die Annahmestelle hat unterschrieben, datiert {date}, dass der Hinweis"
    " dasselbe sagt wie ein früherer.",
    "status.mismatch": "Die Annahmestelle hat unterschrieben, datiert {date}, dass der Hinweis"
    " nicht ist, was außen darauf steht, oder zu spät kam.",
    "status.unreadable": "Die Annahmestelle hat unterschrieben, datiert {date}, dass sie den"
    " Hinweis nicht lesen konnte.",
    "logged": "Dass er geöffnet wurde, steht seit dem {date} selbst im öffentlichen"
    " Verzeichnis.",
    "open": "Was nicht bewiesen ist",
    "not.truth": "Dass wahr ist, was er sagt.",
    "not.age": "Wann er geschrieben wurde: Er kann älter sein als sein Siegel.",
    "not.person": "Wer ihn versiegelt hat: Die Schlüssel tragen keinen Namen.",
    "not.consent": "Wer ihn versiegelt hat, und ob diese Person mit der Öffnung einverstanden"
    " ist.",
    "not.server": "Dass niemand sonst ihn versiegeln konnte: Das tat für jemanden der Server"
    " des Programms, der Text und Wörter für diesen Moment sah.",
    "not.delivered": "Dass er je abgegeben wurde. Jemand kann vieles zu vielen Zeitpunkten"
    " versiegelt haben und zeigen, was gerade passt. Die Antwort der Annahmestelle würde das"
    " klären.",
    "not.others": "Was der Rest sagt; er kann dies in ein anderes Licht rücken.",
    "not.root": "Dass die Liste der Dateien stimmt: Dafür steht die Annahmestelle, die den"
    " ganzen Hinweis geöffnet und unterschrieben hat.",
    "not.names": "Dass die Dateien so hießen, wie angegeben: Nur ihr Inhalt steht fest.",
    "not.logged": "Wann er geöffnet wurde: Das steht nicht im öffentlichen Verzeichnis.",
    "read": "Wie Sie ihn lesen",
    "read.text": "Sie brauchen die freien Programme age und tar und Ihren geheimen Schlüssel in"
    " einer Datei, hier key.txt. Im Ordner, in dem tip.age liegt, geben Sie ein:",
    "read.all": "Der Ordner „tip“ enthält dann f0001, f0002 und so fort; ihre wirklichen Namen"
    " stehen in dieser Reihenfolge in safeconduct.json. Sie kommen von Fremden: Öffnen Sie sie"
    " mit Vorsicht.",
    "read.items": "Der Ordner „tip“ enthält dann die Dateien; ihre wirklichen Namen stehen in"
    " contents.txt. Sie kommen von Fremden: Öffnen Sie sie mit Vorsicht.",
    "check": "Wie Sie ihn prüfen",
    "check.file": "Auf dem Weg zu Ihnen wurde nichts verändert, wenn die erste Zeile die zweite"
    " ausgibt:",
    "check.payload": "Es sind genau die Bytes, die datiert wurden, wenn die erste Zeile die"
    " zweite ausgibt:",
    "check.items": "Im Ordner „tip“ prüft dies jede Datei:",
    "check.date": "Der Zeitpunkt lässt sich ohne Netz neu berechnen, mit einer Policy von"
    " jemandem, dem Sie vertrauen (sie sagt, wessen Wort zählt):",
    "foot": "Geprüft mit safeconduct {version} am {now}; Policy {policy}; Gazette, Stand"
    " {gazette}. Record {record}: Eintrag {index} des Verzeichnisses {origin}.",
    "holds": "Diese Öffnung hält der Prüfung stand.",
}

LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": ENGLISH, "de": GERMAN}

_MONTHS = {
    "en": "January February March April May June July August September October November"
    " December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
}
_DATES = {
    "en": "{day} {month} {year}, {time} UTC",
    "de": "{day}. {month} {year}, {time} Uhr UTC",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def say(language: str, name: str, **gaps: object) -> str:
    """The entry `name` in `language`, its gaps filled."""
    return LANGUAGES[language][name].format(**gaps)


def files(language: str, count: int) -> str:
    """`1 file`, `3 files`."""
    return say(language, "file" if count == 1 else "files", count=count)


def date(language: str, at: int) -> str:
    """POSIX seconds as people write a date: `1 June 2027, 00:00:00 UTC`."""
    moment = _EPOCH + timedelta(seconds=at)
    month = _MONTHS[language].split()[moment.month - 1]
    return _DATES[language].format(
        day=moment.day, month=month, year=moment.year, time=f"{moment:%H:%M:%S}"
    )


def listed(language: str, names: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {say(language, 'and')} {names[-1]}"
