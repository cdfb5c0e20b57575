"""What Lambda does with a new function: a fresh process that imports the handler and answers one event.

Run as `python -I -S -B cold.py PACKAGE MODULE HANDLER EVENT`, from a package that is not written to, as
it is there; it needs nothing that is not in the package.
"""

import json
import os
import sys
from pathlib import Path

package, module, name, event_file = sys.argv[1:]
sys.path.insert(0, package)
__import__(module)  # seen by -X importtime, which importlib's own function is not
handler = getattr(sys.modules[module], name)
answer = handler(json.loads(Path(event_file).read_text()), None)
print(json.dumps(answer), flush=True)
os._exit(0)
