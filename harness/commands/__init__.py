"""One module per verb (or family of verbs): it parses, calls one function, prints.

Each has a click command of its own name, whose docstring is its help. `harness --help` imports all of them,
so none may import anything heavy outside its function.
"""
