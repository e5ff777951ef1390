"""The verbs of the command line: one module for each, or for each family of verbs.

Each parses its options, calls one function, and prints; it has a click command of its own name, whose
docstring is its help. `harness --help` imports all of them, so none may import anything heavy outside its
functions.

What several verbs share:
    options, completers     arguments and options, and the completion of their values in shells
    output                  tables, JSON and errors
    running                 options and messages of `run` and `resume`
    results                 reads results for tables and figures
    data_making             `data collect` and `data import`
"""
