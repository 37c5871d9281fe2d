"""One key frame: read an image, check that it shows its frame, spread its paint over the frame.

Start reading at `vidcolor.key.paint`. Nothing here knows of films or of other keys, so the
VapourSynth filter spreads paint in the same way as the command line.
"""
