"""What Safeconduct's logs, witnesses and auditors cost, beside what the machine could do.

Each module is one benchmark: `python -m benchmarks.append`. README.md says how to read them.
"""
