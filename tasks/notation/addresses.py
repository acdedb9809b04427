"""Finds addresses of e-mail and of the web in a text.

>>> [found[0] for found in EMAIL.finditer("Write to anna@example.com.")]
['anna@example.com']
"""

import re
from typing import Final

EMAIL: Final = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
URI: Final = re.compile(
    r"(?<![^\s\"'<>()\[\]{},;:=|])(?:[a-z][a-z0-9+.-]{1,20}://|www\.)[^\s\"'<>()]{1,2000}"
    r"|(?<![\w@.+-])(?:[\w-]{1,63}\.){1,4}(?:com|org|net|info|biz|shop|edu|gov|io|co|eu|de|fr|es|it|pt|nl|be|ch|at|lu|ie|uk|us|ca"
    r"|au|nz|my|sg|in|mx|br|co\.uk|com\.\w\w|org\.\w\w)(?:/[^\s\"'<>()]{0,2000})?(?![\w@-])",
    re.IGNORECASE,
)
"""Pattern of a web address: with a scheme, with `www.`, or a domain name with a well-known ending."""
