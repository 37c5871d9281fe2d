"""A whole film coloured from a folder of keys: ``vidcolor color film.mp4 --keys keys/``.

Start reading at `vidcolor.film.job`. What a film needs beyond a clip is here: to be looked through
for its cuts, to go on after a stop, to be coloured by many at a time, to be written with its sound.
"""
