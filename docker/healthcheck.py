"""Exit status 0 when the server in this container is ready. The image has no curl; Python is there."""

import os
import sys
import urllib.request

host = os.environ.get("OPENFAZE_HOST", "")
url = f"http://{'127.0.0.1' if host in ('', '0.0.0.0') else host}:{os.environ.get('OPENFAZE_PORT', '8000')}/ready"  # noqa: S104
try:
    with urllib.request.urlopen(url, timeout=4) as response:
        sys.exit(0 if response.status == 200 else 1)
except OSError as error:
    sys.exit(f"{url}: {error}")
