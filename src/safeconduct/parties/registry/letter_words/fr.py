"""French phrases."""

PHRASES = {
    # Every letter.
    "keep": "Gardez cette lettre. Vous en avez besoin pour former un recours.",
    "page": "Votre page privée, où tout cela figure\u00a0: {address}",
    "secret": "Quiconque a cette adresse peut lire la page.",
    "check": "Vous pouvez faire vérifier cela par quelqu’un d’autre, par exemple un"
    " avocat\u00a0: montrez-lui cette lettre. Tout ce sur quoi elle repose peut être"
    " recalculé sans interroger le registre.",
    "check listed": "Vous pouvez faire vérifier cela par quelqu’un d’autre, par exemple un"
    " avocat\u00a0: montrez-lui cette lettre. Signatures et dates peuvent être vérifiées sans"
    " interroger le registre.",
    "signed": "Signé par\u00a0: {names}",
    "dated": "Daté par les témoins\u00a0: {moment}",
    "law": "Loi\u00a0: {title}, version {number}, article {section}",
    # Whoever claimed.
    "waiting": "Rien n’est encore décidé\u00a0: vous n’avez rien à contester. Vous recevrez une"
    " autre lettre.",
    "until": "Dernier jour pour un recours\u00a0: {moment}",
    "need not": "Cette décision vous est favorable. Vous n’avez pas à former de recours, et"
    " personne d’autre que vous ne peut le faire ici. Sans recours, elle est ensuite"
    " définitive.",
    "local": "Selon le calendrier de la loi, c’est le jour\u00a0: {day} ({zone})",
    "remedy": "Recours (article {section})\u00a0:",
    "untranslated": "La loi n’a pas de texte en français. Ses propres phrases figurent ici"
    " dans sa première langue ({name}).",
    "suspends": "Un recours suspend tout jusqu’à ce qu’il soit tranché.",
    "how": "Votre page privée auprès du registre indique comment former un recours.",
    "last word": "Cette décision vient de l’instance de recours. Dans le programme, personne ne"
    " décide au-dessus d’elle.",
    "your appeal": "Votre recours",
    "to": "À\u00a0: {name}, numéro de registre {subject}",
    "on ground": "Ce que vous contestez\u00a0: {ground}",
    "fact": "les faits",
    "identity": "l’identité de la personne visée",
    "legal": "l’application de la loi",
    "procedure": "la procédure",
    "proportionality": "la proportion de la mesure",
    "admitted": "Il est arrivé à temps et il est admis.",
    "suspended": "Tous les effets de la décision sont suspendus. Rien de votre dossier n’est"
    " publié avant que l’instance de recours ait statué.",
    "others decide": "Personne n’y statue qui a déjà statué. Vous pouvez présenter de nouvelles"
    " preuves.",
    "refused": "Il n’est pas admis, car il est arrivé trop tard.",
    "ended at": "Le délai de recours a pris fin\u00a0: {moment}",
    "stands": "La décision est maintenue.",
    # Who is to be listed: the notice.
    "notice": "Avis à {name}, numéro de registre {subject}",
    "proposes": "L’autorité propose de vous inscrire à son registre. Rien n’est encore inscrit,"
    " et personne d’autre ne peut voir ceci.",
    "file": "Ce qui est dit de vous\u00a0:",
    "ground": "Motif\u00a0: {text}",
    "role": "Votre rôle\u00a0: {text}",
    "conduct": "Ce que vous auriez fait\u00a0: {text}",
    "harm": "Le dommage\u00a0: {text}",
    "time_since": "Depuis quand\u00a0: {text}",
    "weight": "Pourquoi cela pèse assez\u00a0: {text}",
    "effects": "Effets qu’aurait l’inscription\u00a0: {effects}. Elle n’en aurait pas"
    " d’autres.",
    "none": "aucun",
    "background": "D’où cela vient\u00a0:",
    "identified": "Pourquoi l’on pense que c’est vous\u00a0: {text}",
    "rests": "Cela s’appuie sur\u00a0: {text}",
    "proposer": "Proposé par\u00a0: {text}",
    "source": "Les données viennent de\u00a0: {text}",
    "reply until": "Vous pouvez répondre jusqu’au\u00a0: {moment}",
    "replying": "Vous répondez sur votre page privée. Rien n’est décidé avant, même si votre"
    " réponse arrive plus tôt.",
    # The decision on a listing.
    "decision": "Décision sur l’inscription {number}",
    "panel": "Décision de l’instance de recours sur l’inscription {number}",
    "entered": "À inscrire au registre\u00a0: {name}, numéro de registre {subject}.",
    "not entered": "Pas d’inscription au registre\u00a0: {name}, numéro de registre {subject}.",
    "read": "Votre réponse a été lue.",
    "unread": "Aucune réponse n’est arrivée à temps.",
    "again": "Nouvelle décision, après renvoi par l’instance de recours\u00a0: {moment}",
    "why": "Pourquoi\u00a0:",
    "given": "Effets\u00a0: {effects}.",
    "you may": "Vous pouvez former un recours (article {section}) jusqu’au\u00a0: {moment}",
    "meanwhile": "Tant que le recours n’est pas tranché, rien n’est inscrit et rien n’est"
    " montré.",
    "nothing": "Rien n’est inscrit et rien n’est montré. Vous n’avez rien à faire.",
    "reviewed": "À réexaminer au plus tard le\u00a0: {day}",
    "ends": "Prend fin le\u00a0: {day}",
    "uphold": "Votre recours a été examiné. La décision est maintenue.",
    "quash": "Votre recours a été examiné. La décision est annulée et vous n’êtes pas inscrit.",
    "replace": "Votre recours a été examiné. La décision est annulée, une autre la remplace."
    " Vous n’êtes pas inscrit.",
    "remit": "Votre recours a été examiné. La décision est annulée et le conseil statuera de"
    " nouveau.",
    "because": "Les motifs de l’instance de recours\u00a0:",
    # The end of a listing.
    "end": "Fin de l’inscription {number}",
    "over": "Votre inscription a pris fin. Elle n’a plus aucun effet.",
    "unseen": "Vous n’avez jamais été inscrit, et personne d’autre n’en a rien vu.",
    "ended on": "Fin\u00a0: {moment}",
    "acquitted": "Vous êtes acquitté.",
    "dropped": "L’autorité n’y donne pas suite.",
    "expired": "Sa durée est écoulée.",
    "quashed": "L’inscription a été annulée.",
    "replaced": "Une autre décision la remplace.",
    "withdrawn": "Elle a été retirée.",
    "reasons": "Motifs\u00a0: {text}",
}
