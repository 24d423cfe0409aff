"""The web front end as it is served: the built files, and one page for every address of the map."""
