"""The command line: one file per noun, which parses and prints and leaves the work to the layers below."""
