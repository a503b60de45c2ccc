"""Files of numbers as people have them: text, CSV, JSON lines and Excel workbooks, read row by row.

Pure but for the file itself: nothing here knows of Redis or of a command.
"""
