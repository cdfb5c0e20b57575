"""What Lambda does with a new function: a fresh process that imports the handler and answers one event.

Run as `python -I -S -B cold.py PACKAGE MODULE HANDLER EVENT [TIMES]`, from a package that is not written to,
as it is there; it needs nothing that is not in the package. With TIMES, the event comes so many times more, and
the seconds that each took are a second line.
"""

import json
import os
import sys
import time
from pathlib import Path

package, module, name, event_file, *times = sys.argv[1:]
sys.path.insert(0, package)
__import__(module)  # seen by -X importtime, which importlib's own function is not
handler = getattr(sys.modules[module], name)
answer = handler(json.loads(Path(event_file).read_text()), None)
print(json.dumps(answer), flush=True)
if times:
    event, seconds = Path(event_file).read_text(), []
    for _ in range(int(times[0])):
        began = time.perf_counter()
        handler(json.loads(event), None)
        seconds.append(time.perf_counter() - began)
    print(json.dumps(seconds), flush=True)
os._exit(0)
