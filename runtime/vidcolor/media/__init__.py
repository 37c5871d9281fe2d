"""Video files: reading, writing, codecs, tags, and the part of a clip that is worked on."""
