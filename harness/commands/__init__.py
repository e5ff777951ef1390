"""One module per verb (or family of verbs): it parses, calls one function, prints.

Each has `add_parser(subparsers)`, which must import nothing heavy.
"""
