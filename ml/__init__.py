import os

# OpenMP's threads wait by spinning, and take the cores from those that have work: on two busy cores the unit tests of
# the models take 29 s with it, 5 s without. Read when a library with OpenMP is loaded, which is later than this.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
