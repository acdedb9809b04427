"""Patterns of the declarations in a style by which text takes part in a page without being seen.

All patterns are for declarations without white space, in lower case.
"""

import re
from typing import Final

OUTSIDE: Final = (
    # positions far outside the window, and areas cut to a point
    r"(?:left|right|top|bottom|text-indent|margin-(?:left|right|top)):-\d{3,}(?:\.\d+)?(?:px|em|rem|pt|vw|vh|%)"
    r"|(?:left|top|text-indent|margin-left):\d{4,}px"
    r"|inset:(?:-?\d{4,}px|[^;]{0,40}?-\d{3,}(?:\.\d+)?(?:px|em|rem|pt|vw|vh|%))"
    r"|(?<!-)clip:rect\((?:0|1px)"
    r"|clip-path:(?:inset\((?:50%|[^;)]{0,20}?100%)|circle\(0|polygon\(00)"
    r"|transform:(?:scale(?:x|y|3d)?\((?:0|0?\.0\d*)[,)]|translate(?:x|y|3d)?\((?:[^,;)]{1,20},)?-\d{4})"
    r"|transform:rotate[xy]\((?:90|270)deg\)"
    r"|(?:^|;)(?:(?:scale|zoom):(?:0|0?\.0\d*)(?:;|!|$)|zoom:\d(?:\.\d+)?%|translate:(?:0(?:px)?)?-\d{4})"
    r"|(?<!-)filter:opacity\(0(?:\.0*)?%?\)"
    r"|content-visibility:hidden"
)
"""Regular expression of declarations that put an element where nobody sees it."""
FLAT: Final = re.compile(
    r"(?:^|;)(?:max-)?(?:height|width|block-size|inline-size):"
    r"(?:0(?:\.0+)?(?:px|em|rem|pt|%)?|1px)(?:;|!|$)"
)
CUT_OFF: Final = re.compile(r"(?:^|;)overflow(?:-[xy])?:(?:hidden|clip)")
"""Patterns of an area of a pixel or less in height or width, and of a style that cuts off what exceeds the area."""
NO_SIZE: Final = re.compile(
    r"(?<![\w-])font(?:-size)?:(?:0(?:\.0+)?(?:px|em|rem|pt|%)?|(?:1|0?\.\d+)(?:\.0+)?(?:px|pt)|0?\.0\d*(?:em|rem))"
    r"(?:[;!/]|$)"
)
"""Pattern of a font of no size, or of one pixel or point at most. An element within may have a font of another size, as
in the layout of many mails."""
SOME_SIZE: Final = re.compile(
    r"(?<![\w-])font(?::(?!0|inherit)|-size:(?!(?:1|0?\.\d+)(?:\.0+)?(?:px|pt)|0?\.0\d*rem)"
    r"(?=[1-9a-z]|0?\.0*[1-9])(?!inherit)[\d.]*(?!em|%|[\d.]))"
)
"""Pattern of a size that does not depend on that of the element around. Ten times nothing (`10em`) is nothing."""
FAINT: Final = re.compile(
    r"(?:(?<!-)opacity:(?:0?\.0\d*|0%?|calc\(0(?:\.0\d*)?%?\)|[0-9](?:\.\d+)?%)"
    r"|(?:-webkit-)?mask(?:-image)?:[a-z]{1,20}-gradient\((?:transparent|#0000)(?:,(?:transparent|#0000))*\))(?:;|!|$)"
)
MOVING: Final = re.compile(r"(?:^|;)(?:animation|transition)")
"""Pattern of a style that may show, after a moment, what it hides at first."""
WHITE: Final = re.compile(
    r"(?:^|;)(?:-webkit-text-fill-)?color:(?:white|#f{3,4}|#(?:f[c-f]){3}(?:ff)?|transparent"
    r"|rgba?\(255,?255,?255(?:[,/]1(?:\.0+)?)?\)|hsla?\((?:[^,;)]{1,10},[^,;)]{1,10},|[^,;)]{1,15}%)100%\)"
    # no opacity
    r"|#[\da-f]{3}0|#[\da-f]{6}00|(?:rgb|hsl)a?\((?:(?:[^,;)]{1,10},){3}|[^,;)]{1,30}/)0(?:\.0*)?%?\))"
    r"(?:;|!|$)"
)
COLOURED: Final = re.compile(r"(?:^|;)(?:-webkit-text-fill-)?color:")
BACKED: Final = re.compile(
    r"(?:^|;)(?:background(?:-color|-image)?:(?!(?:white|#f{3}|#f{6}|none|transparent|initial|inherit)(?:;|!|$))"
    r"|(?:-webkit-)?background-clip:text|position:(?:absolute|fixed|sticky)|text-shadow:|-webkit-text-stroke|mix-blend-mode:)"
)
"""Pattern of a style that may put something other than white behind or around white text."""
