"""One program per party. They do not trust each other, so they do not import each other.

What they share is bytes, and `safeconduct.protocol`, which says what those bytes mean. Each
party's package names in its docstring who runs it, what it may see, and what it must never see.
"""
