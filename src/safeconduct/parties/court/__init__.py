"""The court: checks an opened tip, and hands it to a judge in a form that outlives us.

Run by: whoever was handed an opening — a court's clerk, a lawyer, a journalist — offline, on a
machine of their own.
Sees: the one tip that was opened, or the files of it that were; nothing of any other.
Must never: need the source's words or a key of the desk, believe a folder that it was handed,
write anything that did not hold, or put what a tip says where its judge alone should read it.

    gazette   the programme's state out of a public folder, under the policy's quorum
    verify    an opening folder, read without following a link, and whether all of it holds
    judge     the tip locked to the judge's own age key; stock `age` and `tar` read it
    explain   the page that goes with it, for somebody who is no engineer
    wording   its words, in English and in German
"""
