"""Tools of the system that a benchmark needs beside it, installed where that can be done without asking."""

import os
import shutil
import subprocess
import sys


def need(program: str, package: str) -> str:
    """The path of a program; installs its Debian package as root when it is missing, else ends with what to do."""
    path = os.environ.get("PATH", "") + ":/usr/sbin"
    found = shutil.which(program, path=path)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package], env=env, check=False)
        found = shutil.which(program, path=path)
    if found is None:
        sys.exit(f"{program} is missing: apt-get install {package}")
    return found
