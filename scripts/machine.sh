#!/bin/sh
# Says what this machine lacks, all of it at once, before anything is installed.
python=${PYTHON:-python3}
lacks=""
tests=""

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    lacks="$lacks
  Python 3.11 or newer              (Debian: apt-get install python3 python3-venv; or PYTHON=/path/to/python3 make ...)"
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    lacks="$lacks
  Python's venv module              (Debian: apt-get install python3-venv)"
"$python" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' 2>/dev/null ||
    lacks="$lacks
  Python's C headers                (Debian: apt-get install python3-dev)"
if ! command -v cc >/dev/null 2>&1; then
    lacks="$lacks
  a C compiler                      (Debian: apt-get install build-essential)"
elif ! echo '#include <gmp.h>' | cc -E - >/dev/null 2>&1; then
    lacks="$lacks
  the GMP headers                   (Debian: apt-get install libgmp-dev)"
fi

command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 ||
    tests="$tests
  Chromium, for the tests of the page (Debian: apt-get install chromium)"

command -v ip >/dev/null 2>&1 && [ "$(id -u)" = 0 ] ||
    tests="$tests
  root and iproute2, for five nodes in networks of their own (Debian: apt-get install iproute2)"

[ -z "$tests" ] || echo "Some tests will fail, because this machine lacks:$tests" >&2
if [ -n "$lacks" ]; then
    echo "This machine lacks:$lacks" >&2
    echo "The last three are for fastecdsa, which libp2p needs and which has no ready-made package." >&2
    exit 1
fi
