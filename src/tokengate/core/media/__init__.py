"""What a file of pictures, sound or film really is: its type, size and length, and whether it is whole.

`look.py` walks through a file, whether it passes by or lies there; `steps.py` is how a format asks for its bytes, and
each other module knows formats. Nothing is decoded, and what is kept in memory does not grow with the file.
"""
