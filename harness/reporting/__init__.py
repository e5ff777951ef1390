"""From evaluation records to tables, figures, statistics and the report: DataFrames in, documents out.

- `reading` loads a run, or a file of any tool, as `results.Results`, from which everything else is derived.
  `subset` and `samples` return the part of it that `--only` and `--select` show.
- `statistics`, `significance`, `comparison` and `selection` compute; `names` and `captions` find the words.
- `tables` and `figures` have one module for each kind and register them by the names in `catalogue`.
  `report` puts both on one page.
- `published` has the scores of papers and other libraries.
"""
