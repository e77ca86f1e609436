#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_erofs - an EROFS image for erofs_guest_test.c, made by mkfs.erofs

Role   make_erofs.py OUT: small file, empty file, a file of three blocks and a tail, links, a FIFO, a
       directory of 200 names, extended attributes where the file system under the scratch directory has them
"""
import os
import pathlib
import subprocess
import sys
import tempfile

with tempfile.TemporaryDirectory() as scratch:
    root = pathlib.Path(scratch, "root")
    root.mkdir()
    (root / "small").write_text("small\n")
    (root / "empty").touch()
    (root / "empty").chmod(0o600)
    (root / "big").write_bytes(bytes(i % 251 for i in range(3 * 4096 + 100)))
    os.link(root / "small", root / "hard")
    os.symlink("dir/name7", root / "link")
    os.mkfifo(root / "fifo")
    (root / "dir").mkdir()
    for i in range(200):
        (root / "dir" / f"name{i}").write_text("named\n")
    try:
        os.setxattr(root / "big", "user.a", b"value")
    except OSError:
        pass
    subprocess.run(["mkfs.erofs", "-T0", sys.argv[1], root], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
