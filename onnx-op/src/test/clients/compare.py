"""python compare.py A B LIMIT: the largest difference of two files of float32; fails above LIMIT."""
import sys

import numpy

a, b = (numpy.fromfile(name, "<f4") for name in sys.argv[1:3])
difference = float(abs(a - b).max()) if a.shape == b.shape else float("inf")
print(f"largest difference {difference:.2g}, values up to {abs(a).max():.2g}")
sys.exit(difference > float(sys.argv[3]))
