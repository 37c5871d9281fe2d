"""A whole film coloured from a folder of keys: ``vidcolor color film.mp4 --keys keys/``.

Start reading at `vidcolor.film.color_video`. What a film needs beyond a clip is here: it is scanned
for its shots, it goes on after a stop, several segments can be coloured at a time, and it is
written with its sound.
"""
