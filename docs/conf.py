"""Sphinx settings; the build needs no network."""

from broadstreet import __version__

project = "Broad Street"
author = "the Broad Street authors"
release = __version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.doctest",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "Broad Street"
autodoc_typehints = "description"
napoleon_numpy_docstring = True
napoleon_google_docstring = False
napoleon_custom_sections = [("Source", "notes_style")]
suppress_warnings = ["ref.python"]  # words of a type ("cases") that are also attributes of several classes
