"""The published reference: the operation table, and every document, page and list that is generated from it.

A layer of its own between `web` and `gateway`: surfaces bind handlers to the table's rows, so it must be below `web`;
it reads the formats' checked parameters, the catalogue and the error tree, so it must be above them. It does no HTTP
and knows no request: what runs (routes, backends, traffic) is handed to it.
"""
