# SPDX-License-Identifier: Apache-2.0
"""imagelib - builds image archives, runs image_tool, looks into the result

Role      helpers of test_image.py
Rules     every archive is made here, byte for byte, out of lists of entries; nothing is downloaded
"""
import gzip
import hashlib
import io
import json
import os
import stat
import subprocess
import tarfile
import tempfile
import contextlib

TOOL = os.environ.get("IMAGE_TOOL", "build/tests/image/image_tool")


def sha(data):
    return hashlib.sha256(data).hexdigest()


def entry(name, kind="file", data=b"", **kw):
    """One tar entry; name may be bytes. Keyword pax={...} adds PAX records."""
    if isinstance(name, bytes):
        name = name.decode("utf-8", "surrogateescape")
    ti = tarfile.TarInfo(name)
    ti.type = {"file": tarfile.REGTYPE, "dir": tarfile.DIRTYPE, "sym": tarfile.SYMTYPE,
               "link": tarfile.LNKTYPE, "chr": tarfile.CHRTYPE, "blk": tarfile.BLKTYPE,
               "fifo": tarfile.FIFOTYPE}[kind]
    ti.mode = kw.get("mode", 0o755 if kind == "dir" else 0o644)
    ti.uid, ti.gid = kw.get("uid", 0), kw.get("gid", 0)
    ti.mtime = kw.get("mtime", 1000000000)
    ti.linkname = kw.get("to", "")
    ti.devmajor, ti.devminor = kw.get("dev", (0, 0))
    ti.pax_headers = dict(kw.get("pax", {}))
    ti.size = len(data)
    return ti, data


def make_tar(entries, fmt=tarfile.PAX_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=fmt, encoding="utf-8",
                      errors="surrogateescape") as t:
        for ti, data in entries:
            t.addfile(ti, io.BytesIO(data))
    return out.getvalue()


def zstd(data):
    return subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE,
                          check=True).stdout


def make_config(layers, arch="amd64", **run):
    return json.dumps({"architecture": arch, "os": "linux", "config": run,
                       "rootfs": {"type": "layers",
                                  "diff_ids": ["sha256:" + sha(l) for l in layers]}}).encode()


def docker_archive(layers, config=None, tags=("test:1",), pack=None, **run):
    """docker save's format; layers are uncompressed tars, pack compresses them."""
    config = config or make_config(layers, **run)
    files = [(sha(config) + ".json", config)]
    names = []
    for i, layer in enumerate(layers):
        names.append("layer%d/layer.tar" % i)
        files.append((names[-1], pack(layer) if pack else layer))
    manifest = [{"Config": sha(config) + ".json", "RepoTags": list(tags), "Layers": names}]
    files.append(("manifest.json", json.dumps(manifest).encode()))
    return make_tar([entry(n, data=d) for n, d in files])


def oci_files(layers, config=None, pack=gzip.compress, arch="amd64", nested=False, extra=()):
    """name -> bytes of an OCI layout. extra: (arch, os) of more, absent, manifests."""
    files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}

    def add(data):
        files["blobs/sha256/" + sha(data)] = data
        return {"digest": "sha256:" + sha(data), "size": len(data), "mediaType": "x"}

    config = config or make_config(layers, arch)
    manifest = {"schemaVersion": 2, "config": add(config),
                "layers": [add(pack(l) if pack else l) for l in layers]}
    desc = add(json.dumps(manifest).encode())
    desc["platform"] = {"os": "linux", "architecture": arch}
    descs = [{"digest": "sha256:" + "0" * 64, "size": 1, "mediaType": "x",
              "platform": {"os": o, "architecture": a}} for a, o in extra] + [desc]
    if nested:
        descs = [add(json.dumps({"schemaVersion": 2, "manifests": descs}).encode())]
    files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": descs}).encode()
    return files


def oci_tar(*args, **kw):
    return make_tar([entry(n, data=d) for n, d in oci_files(*args, **kw).items()])


class Result:
    def __init__(self, proc):
        self.status = proc.returncode
        self.error = proc.stderr.decode("utf-8", "replace")
        self.lines = [l.split(" ", 1) for l in
                      proc.stdout.decode("utf-8", "surrogateescape").splitlines()]

    def get(self, key):
        values = self.all(key)
        return values[0] if values else None

    def all(self, key):
        return [l[1] for l in self.lines if l[0] == key and len(l) > 1]


class Bench:
    """A scratch directory with its own cache."""

    def __init__(self):
        self.tmp = tempfile.TemporaryDirectory(prefix="image-test-")
        self.dir = self.tmp.name
        self.cache = os.path.join(self.dir, "cache", "monitor")
        self.env = dict(os.environ, XDG_CACHE_HOME=os.path.join(self.dir, "cache"))
        self.count = 0

    def close(self):
        self.tmp.cleanup()

    def write(self, data):
        self.count += 1
        path = os.path.join(self.dir, "archive%d.tar" % self.count)
        with open(path, "wb") as f:
            f.write(data)
        return path

    def run(self, path, *opts, prefix=(), timeout=120):
        return Result(subprocess.run([*prefix, TOOL, *opts, path], env=self.env,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                     timeout=timeout))

    def image(self, *args):
        return subprocess.run([TOOL, "image", *args], env=self.env, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60)

    def leftovers(self):
        path = os.path.join(self.cache, "tmp")
        return os.listdir(path) if os.path.isdir(path) else []

    def images(self):
        path = os.path.join(self.cache, "images")
        return os.listdir(path) if os.path.isdir(path) else []


def fsck(path):
    p = subprocess.run(["fsck.erofs", "--extract", path], stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT)
    return p.returncode, p.stdout.decode("utf-8", "replace")


@contextlib.contextmanager
def mounted(path):
    with tempfile.TemporaryDirectory(prefix="image-mnt-") as mnt:
        subprocess.run(["mount", "-t", "erofs", "-o", "ro,loop", path, mnt], check=True)
        try:
            yield mnt.encode()
        finally:
            subprocess.run(["umount", mnt], check=True)


def look(path):
    """Everything about one file that an image stores."""
    st = os.lstat(path)
    kind = stat.S_IFMT(st.st_mode)
    body = None
    if kind == stat.S_IFREG:
        with open(path, "rb") as f:
            body = sha(f.read())
    elif kind == stat.S_IFLNK:
        body = os.readlink(path)
    xattrs = {n: os.getxattr(path, n, follow_symlinks=False)
              for n in os.listxattr(path, follow_symlinks=False)}
    return {"mode": st.st_mode, "uid": st.st_uid, "gid": st.st_gid, "nlink": st.st_nlink,
            "rdev": st.st_rdev, "mtime": st.st_mtime_ns, "body": body, "xattrs": xattrs,
            "size": None if kind == stat.S_IFDIR else st.st_size}


def snapshot(root):
    """path -> look() below root, bytes all through."""
    out = {b"": look(root)}
    for base, dirs, files in os.walk(root):
        for name in dirs + files:
            full = os.path.join(base, name)
            out[os.path.relpath(full, root)] = look(full)
    return out
