"""HTML pages from the templates that lie beside the modules."""

from __future__ import annotations

from pathlib import Path

import jinja2


def render_page(template: Path, **values: object) -> str:
    """Fill a template in.

    Args:
        template: A jinja2 file. Texts are escaped unless the template says otherwise.
        values: What the template names; one that is missing is an error.

    Returns:
        The page.
    """
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(template.read_text(encoding="utf-8")).render(**values)
