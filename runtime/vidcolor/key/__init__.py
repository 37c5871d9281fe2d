"""One key frame: an image read, held against its frame, and its paint spread over that frame.

Start reading at `vidcolor.key.paint`. Nothing here knows of films or of other keys, so that the
VapourSynth filter spreads paint just as the command line does.
"""
