"""Polish phrases."""

PHRASES = {
    # Every letter.
    "keep": "Proszę zachować ten list. Będzie potrzebny do odwołania.",
    "page": "Prywatna strona, na której wszystko to jest: {address}",
    "secret": "Kto ma ten adres, może przeczytać stronę.",
    "check": "Można to dać do sprawdzenia komuś innemu, na przykład prawnikowi: wystarczy"
    " pokazać ten list. Wszystko, na czym się opiera, da się obliczyć ponownie bez pytania"
    " rejestru.",
    "check listed": "Można to dać do sprawdzenia komuś innemu, na przykład prawnikowi:"
    " wystarczy pokazać ten list. Podpisy i daty da się sprawdzić bez pytania rejestru.",
    "signed": "Podpisano przez: {names}",
    "dated": "Data potwierdzona przez świadków: {moment}",
    "law": "Ustawa: {title}, wersja {number}, przepis {section}",
    # Whoever claimed.
    "waiting": "Nic jeszcze nie rozstrzygnięto, więc nie ma się od czego odwoływać. Przyjdzie"
    " kolejny list.",
    "until": "Ostatni dzień na odwołanie: {moment}",
    "need not": "Ta decyzja jest dla Pani lub Pana korzystna. Nie trzeba się odwoływać i nikt"
    " inny nie może tu tego zrobić. Bez odwołania decyzja staje się potem ostateczna.",
    "local": "Według kalendarza ustawy jest to dzień: {day} ({zone})",
    "remedy": "Odwołanie (przepis {section}):",
    "untranslated": "Ustawa nie ma tekstu po polsku. Jej własne zdania stoją tu w jej"
    " pierwszym języku ({name}).",
    "suspends": "Odwołanie wstrzymuje wszystko, dopóki nie zostanie rozpatrzone.",
    "how": "Jak się odwołać, mówi prywatna strona w rejestrze.",
    "last word": "Ta decyzja pochodzi od organu odwoławczego. W programie nikt nie rozstrzyga"
    " ponad nim.",
    "your appeal": "Odwołanie",
    "to": "Do: {name}, numer w rejestrze {subject}",
    "on ground": "Czego dotyczy odwołanie: {ground}",
    "fact": "fakty",
    "identity": "o kogo chodzi",
    "legal": "zastosowanie prawa",
    "procedure": "postępowanie",
    "proportionality": "proporcjonalność",
    "admitted": "Przyszło na czas i zostało przyjęte.",
    "suspended": "Wszystkie skutki decyzji są wstrzymane. Nic o tej sprawie nie zostanie"
    " opublikowane, dopóki organ odwoławczy nie rozstrzygnie.",
    "others decide": "Nie rozstrzyga tam nikt, kto już rozstrzygał. Można złożyć nowe dowody.",
    "refused": "Nie zostało przyjęte, bo przyszło za późno.",
    "ended at": "Czas na odwołanie minął: {moment}",
    "stands": "Decyzja pozostaje w mocy.",
    # Who is to be listed: the notice.
    "notice": "Zawiadomienie dla: {name}, numer w rejestrze {subject}",
    "proposes": "Urząd proponuje wpisać Panią lub Pana do swojego rejestru. Nic jeszcze nie"
    " wpisano i nikt inny tego nie widzi.",
    "file": "Co się o Pani lub Panu mówi:",
    "ground": "Podstawa: {text}",
    "role": "Rola: {text}",
    "conduct": "Zarzucane postępowanie: {text}",
    "harm": "Szkoda: {text}",
    "time_since": "Jak dawno temu: {text}",
    "weight": "Dlaczego waży to wystarczająco: {text}",
    "effects": "Skutki, które by to miało: {effects}. Innych by nie miało.",
    "none": "żadne",
    "background": "Skąd to pochodzi:",
    "identified": "Dlaczego uznano, że chodzi o tę osobę: {text}",
    "rests": "Opiera się na: {text}",
    "proposer": "Zaproponowane przez: {text}",
    "source": "Dane pochodzą od: {text}",
    "reply until": "Można odpowiedzieć do: {moment}",
    "replying": "Odpowiedź składa się na prywatnej stronie. Wcześniej nic nie zapadnie, nawet"
    " jeśli odpowiedź przyjdzie szybciej.",
    # The decision on a listing.
    "decision": "Decyzja w sprawie wpisu {number}",
    "panel": "Decyzja organu odwoławczego w sprawie wpisu {number}",
    "entered": "Do wpisania do rejestru: {name}, numer w rejestrze {subject}.",
    "not entered": "Nie wpisano do rejestru: {name}, numer w rejestrze {subject}.",
    "read": "Odpowiedź przeczytano.",
    "unread": "Na czas nie przyszła żadna odpowiedź.",
    "again": "Rozstrzygnięto ponownie, bo organ odwoławczy zwrócił sprawę: {moment}",
    "why": "Dlaczego:",
    "given": "Skutki: {effects}.",
    "you may": "Można się odwołać (przepis {section}) do: {moment}",
    "meanwhile": "Dopóki odwołanie nie zostanie rozpatrzone, nic nie zostanie wpisane ani"
    " pokazane.",
    "nothing": "Nic nie zostanie wpisane ani pokazane. Nie trzeba nic robić.",
    "reviewed": "Sprawdzenie najpóźniej: {day}",
    "ends": "Koniec: {day}",
    "uphold": "Odwołanie rozpatrzono. Decyzja pozostaje w mocy.",
    "quash": "Odwołanie rozpatrzono. Decyzja zostaje uchylona i wpisu nie będzie.",
    "replace": "Odwołanie rozpatrzono. Decyzja zostaje uchylona, a jej miejsce zajmuje inna."
    " Wpisu nie będzie.",
    "remit": "Odwołanie rozpatrzono. Decyzja zostaje uchylona, a rada rozstrzygnie ponownie.",
    "because": "Powody organu odwoławczego:",
    # The end of a listing.
    "end": "Koniec wpisu {number}",
    "over": "Wpis się zakończył. Nie ma już żadnych skutków.",
    "unseen": "Wpisu nigdy nie było i nikt inny nic z tego nie widział.",
    "ended on": "Zakończono: {moment}",
    "acquitted": "Zapadło uniewinnienie.",
    "dropped": "Urząd nie prowadzi sprawy dalej.",
    "expired": "Czas wpisu minął.",
    "quashed": "Wpis uchylono.",
    "replaced": "Jego miejsce zajmuje inna decyzja.",
    "withdrawn": "Wpis wycofano.",
    "reasons": "Powody: {text}",
}
