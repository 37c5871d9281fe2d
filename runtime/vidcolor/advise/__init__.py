"""Which frames to paint: before a film is coloured, and after, when its result is reviewed.

Start reading at `vidcolor.advise.plan` for ``vidcolor advise``, and at
`vidcolor.advise.review_page` for ``vidcolor review``.
"""
