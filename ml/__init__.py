"""Reads the warehouse, writes scores and segments."""

import os

# Before any library brings OpenMP along. Its threads wait for each other by spinning, which takes the cores from who
# works: beside two other busy processes 200 trees took 25 to 80 s to grow, and 4 to 8 s with threads that sleep.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
