"""Which frames are worth painting, before a film is coloured and when its result is reviewed.

Start reading at `vidcolor.advise.plan` for ``vidcolor advise``, and at
`vidcolor.advise.review_page` for ``vidcolor review``.
"""
