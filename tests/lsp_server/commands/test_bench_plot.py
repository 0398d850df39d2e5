"""Bars: as long as their values, named, and safe to open."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from truepenny.lsp_server.commands.bench_plot import Bar, Group, bars


def test_bars_are_as_long_as_their_values():
    """Within a group the longest fills the width; each group has a scale of its own."""
    one = Group("prompt", [Bar("ours", 400.0, is_ours=True), Bar("theirs", 100.0, is_ours=False)])
    other = Group("writing", [Bar("ours", 2.0, is_ours=True)])
    svg = bars("speed", [one, Group("nothing", []), other])
    widths = [float(width) for width in re.findall(r'<rect x="210" y="\d+" width="([\d.]+)"', svg)]
    assert widths == [420.0, 105.0, 420.0]
    assert "nothing" not in svg


def test_names_are_escaped_and_the_document_is_well_formed():
    svg = bars("a < b", [Group("x & y", [Bar("<m>", 0.0, is_ours=True)])])
    texts = [element.text for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ["a < b", "x & y", "<m>", "0"]
