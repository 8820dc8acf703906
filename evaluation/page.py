"""What the HTML reports share: their style, their figures and their numbers."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from harstream.evaluation.number_format import decimal, percent


def page_environment(folder: Path) -> Environment:
    """Return the environment for the templates of a folder, which may include `page.css` and `page_parts.html.j2`."""
    # True, because select_autoescape checks the file name and would not escape ".j2".
    environment = Environment(
        loader=FileSystemLoader([folder, Path(__file__).parent]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "decimal": decimal, "svg": Markup}
    return environment
