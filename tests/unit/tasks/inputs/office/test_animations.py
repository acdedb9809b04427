"""Shapes that an animation may remove, or may never show."""

from lxml import etree

from tasks.inputs.office.animations import doubtful_targets
from tests.conftest import each_case
from tests.unit.tasks.inputs.office.timings import timing


def test_a_shape_that_flies_in_is_seen() -> None:
    assert doubtful_targets(timing(4)) == set()


@each_case(
    ("old", "new"),
    [
        ('"entr"', '"exit"'),
        ('"entr"', '"path"'),
        (' presetClass="entr"', ""),
        ('"mainSeq"', '"interactiveSeq"'),
        ('"visible"', '"hidden"'),
        ('<p:cTn fill="hold"/>', '<p:cTn fill="remove"/>'),
        ('val="#ppt_x"', 'val="2"'),
        ('delay="0"', 'delay="indefinite"'),
        ('delay="0"', 'delay="3600000"'),
        ('delay="0"', 'delay="0" evt="onClick"'),
    ],
)
def test_a_shape_that_goes_or_never_comes_is_doubtful(old: str, new: str) -> None:
    assert doubtful_targets(timing(4, old=old, new=new)) == {"4"}


def test_a_shape_that_only_starts_an_animation_is_seen() -> None:
    start = '<p:stCondLst><p:cond delay="0"/>'
    click = f'{start}<p:cond evt="onClick" delay="0"><p:tgtEl><p:spTgt spid="5"/></p:tgtEl></p:cond>'
    assert doubtful_targets(timing(4, old=start, new=click)) == {"4"}


def test_animations_in_many_elements_are_doubtful() -> None:
    root = inner = etree.Element("root")
    for _ in range(100):
        inner = etree.SubElement(inner, "inner")
    inner.append(timing(4))
    assert doubtful_targets(root) == set()
    (effect,) = (one for one in root.iter("{*}cTn") if one.get("presetClass"))
    around = effect.getparent()
    assert around is not None
    for _ in range(100):
        around = etree.SubElement(around, around.tag)
    around.append(effect)
    assert doubtful_targets(root) == {"4"}
