"""Damaged and wild inputs for the command lines: `python -m tests.attack`.

A kind of input is a module of `tests.attack.kinds`. It makes each input from its own random
numbers, which follow from the seed, the kind and the input's number alone, and says what is right.
A fault is an exception that leaves main, a signal, a run of more than a minute, exit status 0 with
a wrong output, and exit status 2 with a partial output left behind.
"""
