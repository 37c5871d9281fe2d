"""The generators. `base.py` says what each must be; a file each."""
