"""The process that is killed: sends what is due, as `newsletter send` does, until nothing is left. usage: sender.py CONFIG"""

import sys
from pathlib import Path

from newsletter import deliver, main, settings
from newsletter.log import configure

configure("error", "text")
app = main.build(settings.load(Path(sys.argv[1]), environ={}))
deliver.run(app, app.clock.now())
main.close(app)
