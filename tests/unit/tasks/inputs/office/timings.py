"""Animations of slides, as PowerPoint writes them."""

from typing import Any

from pptx.oxml import parse_xml

_SLIDE = "http://schemas.openxmlformats.org/presentationml/2006/main"
_BEHAVIOR = """
<p:cBhvr><p:cTn fill="hold"/><p:tgtEl><p:spTgt spid="{shape}"/></p:tgtEl>
<p:attrNameLst><p:attrName>{attribute}</p:attrName></p:attrNameLst></p:cBhvr>
"""
_TIMING = """
<p:timing xmlns:p="{namespace}"><p:tnLst><p:par><p:cTn nodeType="tmRoot"><p:childTnLst>
<p:seq><p:cTn nodeType="mainSeq"><p:childTnLst>
<p:par><p:cTn fill="hold"><p:stCondLst><p:cond delay="indefinite"/></p:stCondLst><p:childTnLst>
<p:par><p:cTn fill="hold"><p:stCondLst><p:cond delay="0"/></p:stCondLst><p:childTnLst>
<p:par><p:cTn {effect} fill="hold"><p:stCondLst><p:cond {start}/></p:stCondLst><p:childTnLst>
<p:set>{appears}<p:to><p:strVal val="visible"/></p:to></p:set>
<p:anim>{moves}<p:tavLst><p:tav tm="0"><p:val><p:strVal val="0-#ppt_w/2"/></p:val></p:tav>
<p:tav tm="100000"><p:val><p:strVal val="#ppt_x"/></p:val></p:tav></p:tavLst></p:anim>
</p:childTnLst></p:cTn></p:par>
</p:childTnLst></p:cTn></p:par>
</p:childTnLst></p:cTn></p:par>
</p:childTnLst></p:cTn></p:seq>
</p:childTnLst></p:cTn></p:par></p:tnLst></p:timing>
"""


def timing(
    shape: int, effect: str = 'presetClass="entr"', start: str = 'delay="0"', old: str = "", new: str = ""
) -> Any:
    """Return the timing of a slide on which a shape flies in at a click, after a change of the XML."""
    appears = _BEHAVIOR.format(shape=shape, attribute="style.visibility")
    moves = _BEHAVIOR.format(shape=shape, attribute="ppt_x")
    text = _TIMING.format(namespace=_SLIDE, effect=effect, start=start, appears=appears, moves=moves)
    return parse_xml(text.replace(old, new) if old else text)
