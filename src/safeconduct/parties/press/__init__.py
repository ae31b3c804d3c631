"""The press: keeps what was publicly said, by whom and until when, as evidence.

Run by: whoever captures pages for the programme; anybody may run another.
Sees: the public web, and files handed to it.
Must never: change a capture later, or see a tip or a claim.

`capture` takes a page, keeps the copy private, and makes the public part; `store` keeps both
with the logged record and its proof. What a statement amounts to, assessors say.
"""
