"""Spanish phrases."""

PHRASES = {
    # Every letter.
    "keep": "Guarde esta carta. La necesita si recurre.",
    "page": "Su página privada, donde consta todo esto: {address}",
    "secret": "Quien tenga esta dirección puede leer la página.",
    "check": "Puede hacer que otra persona lo compruebe, por ejemplo un abogado: muéstrele"
    " esta carta. Todo aquello en que se basa puede calcularse de nuevo sin preguntar al"
    " registro.",
    "check listed": "Puede hacer que otra persona lo compruebe, por ejemplo un abogado:"
    " muéstrele esta carta. Las firmas y las fechas pueden comprobarse sin preguntar al"
    " registro.",
    "signed": "Firmado por: {names}",
    "dated": "Fechado por los testigos: {moment}",
    "law": "Ley: {title}, versión {number}, artículo {section}",
    # Whoever claimed.
    "waiting": "Todavía no se ha decidido nada, así que no tiene nada que recurrir. Recibirá"
    " otra carta.",
    "until": "Último día para recurrir: {moment}",
    "need not": "Esta decisión le es favorable. No tiene que recurrir, y nadie más que usted"
    " puede hacerlo aquí. Si no recurre, después será definitiva.",
    "local": "Según el calendario de la ley, es el día: {day} ({zone})",
    "remedy": "Recurso (artículo {section}):",
    "untranslated": "La ley no tiene texto en español. Sus propias frases figuran aquí en su"
    " primera lengua ({name}).",
    "suspends": "Un recurso lo suspende todo hasta que se decida.",
    "how": "Su página privada en el registro dice cómo recurrir.",
    "last word": "Esta decisión es del órgano de apelación. En el programa nadie decide por"
    " encima de él.",
    "your appeal": "Su recurso",
    "to": "Para: {name}, número de registro {subject}",
    "on ground": "Contra qué recurre: {ground}",
    "fact": "los hechos",
    "identity": "quién es la persona",
    "legal": "la aplicación de la ley",
    "procedure": "el procedimiento",
    "proportionality": "la proporción de la medida",
    "admitted": "Llegó a tiempo y está admitido.",
    "suspended": "Todos los efectos de la decisión quedan suspendidos. No se publica nada de su"
    " caso hasta que el órgano de apelación haya decidido.",
    "others decide": "Allí no decide nadie que haya decidido antes. Puede presentar pruebas"
    " nuevas.",
    "refused": "No se admite, porque llegó demasiado tarde.",
    "ended at": "El plazo para recurrir terminó: {moment}",
    "stands": "La decisión se mantiene.",
    # Who is to be listed: the notice.
    "notice": "Aviso a {name}, número de registro {subject}",
    "proposes": "La autoridad propone inscribirle en su registro. Todavía no se ha inscrito"
    " nada, y nadie más puede ver esto.",
    "file": "Lo que se dice de usted:",
    "ground": "Motivo: {text}",
    "role": "Su función: {text}",
    "conduct": "Lo que se dice que hizo: {text}",
    "harm": "El daño: {text}",
    "time_since": "Cuánto tiempo ha pasado: {text}",
    "weight": "Por qué pesa lo suficiente: {text}",
    "effects": "Efectos que tendría: {effects}. No tendría otros.",
    "none": "ninguno",
    "background": "De dónde viene esto:",
    "identified": "Por qué se cree que se trata de usted: {text}",
    "rests": "Se basa en: {text}",
    "proposer": "Propuesto por: {text}",
    "source": "Los datos vienen de: {text}",
    "reply until": "Puede responder hasta: {moment}",
    "replying": "Responde en su página privada. Antes no se decide nada, aunque su respuesta"
    " llegue primero.",
    # The decision on a listing.
    "decision": "Decisión sobre la inscripción {number}",
    "panel": "Decisión del órgano de apelación sobre la inscripción {number}",
    "entered": "Debe inscribirse en el registro: {name}, número de registro {subject}.",
    "not entered": "No se inscribe en el registro: {name}, número de registro {subject}.",
    "read": "Su respuesta fue leída.",
    "unread": "No llegó ninguna respuesta a tiempo.",
    "again": "Decidido de nuevo, porque el órgano de apelación lo devolvió: {moment}",
    "why": "Por qué:",
    "given": "Efectos: {effects}.",
    "you may": "Puede recurrir (artículo {section}) hasta: {moment}",
    "meanwhile": "Hasta que se decida el recurso, no se inscribe ni se muestra nada.",
    "nothing": "No se inscribe ni se muestra nada. No tiene que hacer nada.",
    "reviewed": "Debe revisarse antes de terminar el: {day}",
    "ends": "Termina el: {day}",
    "uphold": "Su recurso fue examinado. La decisión se mantiene.",
    "quash": "Su recurso fue examinado. La decisión queda anulada y a usted no se le inscribe.",
    "replace": "Su recurso fue examinado. La decisión queda anulada y otra la sustituye. A"
    " usted no se le inscribe.",
    "remit": "Su recurso fue examinado. La decisión queda anulada y el consejo decidirá de"
    " nuevo.",
    "because": "Los motivos del órgano de apelación:",
    # The end of a listing.
    "end": "Fin de la inscripción {number}",
    "over": "Su inscripción ha terminado. Ya no tiene ningún efecto.",
    "unseen": "Usted nunca fue inscrito, y nadie más vio nada de ello.",
    "ended on": "Terminó: {moment}",
    "acquitted": "Usted queda absuelto.",
    "dropped": "La autoridad no sigue adelante.",
    "expired": "Su plazo ha terminado.",
    "quashed": "La inscripción fue anulada.",
    "replaced": "Otra decisión la sustituye.",
    "withdrawn": "Fue retirada.",
    "reasons": "Motivos: {text}",
}
