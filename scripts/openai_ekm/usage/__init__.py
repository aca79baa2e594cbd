"""Who uses the key: trail logs, loaded into a table and questioned in SQL.

    sources (files, S3, LookupEvents) → record_stream → columns → table → queries → report

The queries are text in `queries`, in a subset of SQL that means the same in DuckDB and in Athena.
"""
