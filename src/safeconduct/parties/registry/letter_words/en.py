"""English phrases."""

PHRASES = {
    # Every letter.
    "keep": "Keep this letter. You need it if you object.",
    "page": "Your private page, where all this stands: {address}",
    "secret": "Whoever has this address can read the page.",
    "check": "You can have this checked by somebody else, such as a lawyer: show them this"
    " letter. All that it rests on can be computed again, without asking the register.",
    "check listed": "You can have this checked by somebody else, such as a lawyer: show them"
    " this letter. Signatures and dates can be checked without asking the register.",
    "signed": "Signed by: {names}",
    "dated": "Dated by the witnesses: {moment}",
    "law": "Law: {title}, version {number}, section {section}",
    # Whoever claimed.
    "waiting": "Nothing is decided yet, so there is nothing you must object to. You will get"
    " another letter.",
    "until": "Last day for an appeal: {moment}",
    "need not": "This decision is in your favour. You need not appeal, and nobody but you can"
    " appeal against it here. If you do not, it is final after that time.",
    "local": "By the calendar of the law, this is the day: {day} ({zone})",
    "remedy": "Remedy (section {section}):",
    "untranslated": "The law has no text in English. Its own sentences stand here in its"
    " first language ({name}).",
    "suspends": "An appeal suspends everything until it is decided.",
    "how": "Your private page at the register says how to appeal.",
    "last word": "This decision comes from the appeal panel. Nobody in the programme decides"
    " above it.",
    "your appeal": "Your appeal",
    "to": "To: {name}, register number {subject}",
    "on ground": "What you object to: {ground}",
    "fact": "the facts",
    "identity": "who is meant",
    "legal": "the law",
    "procedure": "the procedure",
    "proportionality": "the measure",
    "admitted": "It came in time, and it is admitted.",
    "suspended": "All effects of the decision are suspended. Nothing about your case is"
    " published until the appeal panel has decided.",
    "others decide": "Nobody decides there who decided before. You may hand in new evidence.",
    "refused": "It is not admitted, because it came too late.",
    "ended at": "The time for an appeal ended: {moment}",
    "stands": "The decision stands.",
    # Who is to be listed: the notice.
    "notice": "Notice to {name}, register number {subject}",
    "proposes": "The body proposes to enter you in its register. Nothing is entered yet, and"
    " nobody else can see this.",
    "file": "What is said about you:",
    "ground": "Ground: {text}",
    "role": "Your role: {text}",
    "conduct": "What you are said to have done: {text}",
    "harm": "The harm: {text}",
    "time_since": "How long ago: {text}",
    "weight": "Why it weighs enough: {text}",
    "effects": "Effects it would have: {effects}. It would have no others.",
    "none": "none",
    "background": "Where this comes from:",
    "identified": "Why you are taken to be the person meant: {text}",
    "rests": "It rests on: {text}",
    "proposer": "Proposed by: {text}",
    "source": "The data came from: {text}",
    "reply until": "You may reply until: {moment}",
    "replying": "You reply on your private page. Nothing is decided before that time, whether"
    " or not you reply.",
    # The decision on a listing.
    "decision": "Decision on listing {number}",
    "panel": "Decision of the appeal panel on listing {number}",
    "entered": "To be entered in the register: {name}, register number {subject}.",
    "not entered": "Not entered in the register: {name}, register number {subject}.",
    "read": "Your reply was read.",
    "unread": "No reply came in time.",
    "again": "Decided again, because the appeal panel sent it back: {moment}",
    "why": "Why:",
    "given": "Effects: {effects}.",
    "you may": "You may appeal (section {section}) until: {moment}",
    "meanwhile": "Until the appeal is decided, nothing is entered and nothing is shown.",
    "nothing": "Nothing is entered and nothing is shown. You need do nothing.",
    "reviewed": "To be reviewed by: {day}",
    "ends": "Ends on: {day}",
    "uphold": "Your appeal was heard. The decision stands.",
    "quash": "Your appeal was heard. The decision falls, and you are not entered.",
    "replace": "Your appeal was heard. The decision falls, and another takes its place. You"
    " are not entered.",
    "remit": "Your appeal was heard. The decision falls, and the board decides anew.",
    "because": "The appeal panel's reasons:",
    # The end of a listing.
    "end": "The end of listing {number}",
    "over": "Your listing has ended. It has no effect any more.",
    "unseen": "You were never entered, and nobody else saw anything of it.",
    "ended on": "Ended: {moment}",
    "acquitted": "You are acquitted.",
    "dropped": "The body does not go on with it.",
    "expired": "Its time is over.",
    "quashed": "The listing was quashed.",
    "replaced": "Another decision takes its place.",
    "withdrawn": "It was withdrawn.",
    "reasons": "Reasons: {text}",
}
