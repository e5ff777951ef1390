"""The verbs of the command line: one module for each, or for each family of verbs.

Each parses its options, calls one function, and prints. The click command has the name of its module, and its
docstring is the help. `harness --help` imports all of them, so none may import anything heavy outside its
functions.

What several verbs share:
    options, completers     arguments and options, and the completion of their values in shells
    output                  tables, JSON and errors
    running                 options and messages of `run` and `resume`
    results                 reads results for tables and figures

Parts of verbs:
    data_making             `data collect` and `data import`
    report_films            the films of `report`
"""
