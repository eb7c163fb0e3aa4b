"""A newsletter publishing pipeline: collect, summarise, compose, approve, schedule, deliver, track.

Start reading at `newsletter/pipeline.py`: it is the tour.
"""

__version__ = "0.1.0"
