"""From evaluation records to tables, figures, statistics and the report: DataFrames in, documents out."""
