"""The `cauri` command. What stands here runs before anything else is imported."""

import gc
import os

# Looking for garbage among modules that stay takes 0.2 of the 0.7 s until the command runs; `cli.main` switches it on.
gc.disable()
# OpenBLAS starts a thread a core that waits in a loop; nothing here multiplies matrices.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
