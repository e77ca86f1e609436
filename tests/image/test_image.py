#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_image - the image pipeline from archive to mounted file system

Role      runs image_tool on archives of every format, good and evil, and compares the EROFS file,
          mounted by this host's kernel, with what the archive says
Rules     a bad archive gives exit status 1, exactly one line on stderr, nothing in the cache
          mounting needs root; without it those tests are skipped
"""
import gzip
import json
import os
import random
import stat
import subprocess
import sys
import tarfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import imagelib as lib  # noqa: E402
from imagelib import entry, make_tar  # noqa: E402

needs_root = unittest.skipUnless(os.geteuid() == 0, "mounting needs root")


class ImageTest(unittest.TestCase):
    def setUp(self):
        self.bench = lib.Bench()
        self.addCleanup(self.bench.close)

    def good(self, data, *opts):
        r = self.bench.run(self.bench.write(data), *opts)
        self.assertEqual((r.status, r.error), (0, ""))
        status, text = lib.fsck(r.get("path"))
        self.assertEqual(status, 0, text)
        self.assertEqual(self.bench.leftovers(), [])
        return r

    def bad(self, data, *words, opts=()):
        path = data if isinstance(data, str) else self.bench.write(data)
        r = self.bench.run(path, *opts)
        self.assertEqual(r.status, 1, r.error)
        self.assertEqual(r.error.count("\n"), 1, r.error)
        self.assertIn(path[:100], r.error)
        for word in words:
            self.assertIn(word, r.error)
        self.assertEqual(self.bench.leftovers(), [])
        self.assertEqual(self.bench.images(), [])
        return r

    def tree(self, data, *opts):
        r = self.good(data, *opts)
        with lib.mounted(r.get("path")) as mnt:
            return lib.snapshot(mnt)

    def layers(self, *layers):
        return self.tree(lib.docker_archive([make_tar(l) for l in layers]))


class Formats(ImageTest):
    base = [entry("etc", "dir"), entry("etc/motd", data=b"hello\n"), entry("bin", "dir")]

    def test_all_formats_of_one_image_have_one_identity(self):
        tar = make_tar(self.base)
        config = lib.make_config([tar])
        ids = set()
        for pack in (None, gzip.compress, lib.zstd):
            for data in (lib.docker_archive([tar], config, pack=pack),
                         lib.oci_tar([tar], config, pack=pack),
                         lib.oci_tar([tar], config, pack=pack, nested=True)):
                ids.add(self.good(data).get("id"))
        self.assertEqual(ids, {lib.sha(config)})
        self.assertEqual(len(self.bench.images()), 1)

    def test_compressed_archives(self):
        tar = make_tar(self.base)
        for pack in (gzip.compress, lib.zstd):
            self.good(pack(lib.docker_archive([tar])))
            self.good(pack(lib.oci_tar([tar])))
            self.good(pack(tar))

    def test_oci_directory(self):
        root = os.path.join(self.bench.dir, "layout")
        for name, data in lib.oci_files([make_tar(self.base)]).items():
            path = os.path.join(root, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as f:
                f.write(data)
        self.assertEqual(self.bench.run(root).get("cached"), "0")
        self.assertEqual(self.bench.run(root).get("cached"), "1")

    def test_rootfs_tar_identity_is_its_digest(self):
        tar = make_tar(self.base)
        self.assertEqual(self.good(tar).get("id"), lib.sha(tar))

    def test_layer_links_inside_docker_archive(self):
        tar = make_tar(self.base)
        config = lib.make_config([tar, tar])
        manifest = [{"Config": "c.json", "Layers": ["a/layer.tar", "b/layer.tar"]}]
        self.good(make_tar([entry("./a/layer.tar", data=tar),
                            entry("./b/layer.tar", "sym", to="../a/layer.tar"),
                            entry("./c.json", data=config),
                            entry("./manifest.json", data=json.dumps(manifest).encode())]))

    def test_config_is_passed_on(self):
        r = self.good(lib.docker_archive([make_tar(self.base)], Entrypoint=["/bin/sh", "-c"],
                                         Cmd=["echo hi"], Env=["PATH=/bin", "X=a b"],
                                         WorkingDir="/etc", User="1:2", StopSignal="SIGINT",
                                         Volumes={"/data": {}}, Labels={"k": "v"}))
        self.assertEqual(r.all("entrypoint"), ["/bin/sh", "-c"])
        self.assertEqual(r.all("cmd"), ["echo hi"])
        self.assertEqual(r.all("env"), ["PATH=/bin", "X=a b"])
        self.assertEqual((r.get("workdir"), r.get("user"), r.get("stopsignal")),
                         ("/etc", "1:2", "SIGINT"))
        self.assertEqual((r.get("volume"), r.get("label")), ("/data", "k=v"))

    def test_platform_is_chosen(self):
        tar = make_tar(self.base)
        self.good(lib.oci_tar([tar], extra=[("arm64", "linux"), ("unknown", "unknown")],
                              nested=True))

    def test_tag_is_chosen(self):
        tar = make_tar(self.base)
        one, two = lib.make_config([tar], User="1"), lib.make_config([tar], User="2")
        manifest = [{"Config": "1.json", "RepoTags": ["a:1"], "Layers": ["l.tar"]},
                    {"Config": "2.json", "RepoTags": ["a:2"], "Layers": ["l.tar"]}]
        data = make_tar([entry("l.tar", data=tar), entry("1.json", data=one),
                         entry("2.json", data=two),
                         entry("manifest.json", data=json.dumps(manifest).encode())])
        self.bad(data, "2 images", "ARCHIVE:TAG", "a:1, a:2")
        self.bad(data, "tagged 'a:3'", opts=("--tag", "a:3"))
        self.assertEqual(self.good(data, "--tag", "a:2").get("user"), "2")
        self.assertEqual(self.good(data, "--tag", "a:1").get("user"), "1")
        path = self.bench.write(data)
        for tag in ("1", "2"):
            self.assertEqual(self.bench.run(path + ":a:" + tag).get("user"), tag)
        self.assertEqual(self.bench.run(path + ":a:3").status, 1)
        self.assertIn("No such file", self.bench.run(path + "x:a:1").error)

    def test_image_without_layers(self):
        self.good(lib.docker_archive([]))

    def test_users(self):
        passwd = b"root:x:0:0:root:/root:/bin/sh\nweb:x:100:101:w:/srv:/bin/sh\n"
        group = b"root:x:0:\nweb:x:101:\nlog:x:200:a,web\nadm:x:201:web,b\n"
        tar = make_tar([entry("usr/etc/passwd", data=passwd), entry("etc", "sym", to="/usr/etc"),
                        entry("usr/etc/group", data=group)])
        path = self.bench.write(tar)
        for spec, want in {
                "": ("0", "0", [], "/root"), "web": ("100", "101", ["200", "201"], "/srv"),
                "100": ("100", "101", ["200", "201"], "/srv"), "web:log": ("100", "200", [], "/srv"),
                "7": ("7", "0", [], "/"), "7:8": ("7", "8", [], "/"),
                "100000:adm": ("100000", "201", [], "/")}.items():
            r = self.bench.run(path, "--user", spec)
            self.assertEqual((r.get("uid"), r.get("gid"), r.all("group"), r.get("home")), want,
                             spec)
        for spec, word in {"nobody": "/etc/passwd", "web:x": "/etc/group",
                           "99999999999": "range"}.items():
            r = self.bench.run(path, "--user", spec)
            self.assertEqual((r.status, r.error.count("\n")), (1, 1))
            self.assertIn(word, r.error)


@needs_root
class Contents(ImageTest):
    def test_real_tree_equals_what_tar_extracts(self):
        src = "/usr/share/perl" if os.path.isdir("/usr/share/perl") else "/usr/share/doc"
        for fmt in ("posix", "gnu"):
            path = os.path.join(self.bench.dir, fmt + ".tar")
            subprocess.run(["tar", "--format=" + fmt, "-cf", path, "-C", "/", src[1:], "etc"],
                           check=True, stderr=subprocess.DEVNULL)
            out = os.path.join(self.bench.dir, fmt)
            os.mkdir(out)
            subprocess.run(["tar", "--same-owner", "-xpf", path, "-C", out], check=True)
            r = self.bench.run(path)
            self.assertEqual((r.status, r.error), (0, ""))
            with lib.mounted(r.get("path")) as mnt:
                got, want = lib.snapshot(mnt), lib.snapshot(out.encode())
            for made_up in (b"", b"usr", b"usr/share"):
                got[made_up]["mtime"] = want[made_up]["mtime"] = 0
                got[made_up]["mode"] = want[made_up]["mode"] = 0
            self.assertEqual(got.keys(), want.keys())
            for name, info in want.items():
                self.assertEqual(got[name], info, name)

    def test_attributes(self):
        t = self.tree(make_tar([
            entry("f", data=b"x", mode=0o6755, uid=100000, gid=4000000000, mtime=1234567890.125,
                  pax={"SCHILY.xattr.user.a": "1=2", "SCHILY.xattr.user.b": "z" * 3000,
                       "SCHILY.xattr.trusted.t": "y"}),
            entry("old", data=b"x", mtime=-5), entry("sticky", "dir", mode=0o1777),
            entry("c", "chr", dev=(5, 1)), entry("b", "blk", dev=(259, 70000)),
            entry("p", "fifo"), entry("s", "sym", to="x" * 4095),
            entry("dir", "dir", pax={"SCHILY.xattr.user.d": "e"})]))
        f = t[b"f"]
        self.assertEqual((f["mode"], f["uid"], f["gid"], f["mtime"]),
                         (stat.S_IFREG | 0o6755, 100000, 4000000000, 1234567890125000000))
        self.assertEqual(f["xattrs"], {"user.a": b"1=2", "user.b": b"z" * 3000, "trusted.t": b"y"})
        self.assertEqual(t[b"old"]["mtime"], -5000000000)
        self.assertEqual(t[b"sticky"]["mode"], stat.S_IFDIR | 0o1777)
        self.assertEqual(t[b"c"]["rdev"], os.makedev(5, 1))
        self.assertEqual(t[b"b"]["rdev"], os.makedev(259, 70000))
        self.assertTrue(stat.S_ISFIFO(t[b"p"]["mode"]))
        self.assertEqual(t[b"s"]["body"], b"x" * 4095)
        self.assertEqual(t[b"dir"]["xattrs"], {"user.d": b"e"})
        self.assertEqual(t[b""]["nlink"], 4)

    def test_sizes_around_every_limit(self):
        rnd = random.Random(1)
        sizes = [0, 1, 2047, 2048, 2049, 4095, 4096, 4097, 8191, 8192, 8193, 300000]
        files = {b"%d-%o" % (s, m): (rnd.randbytes(s), m) for s in sizes for m in (0o644, 0o755)}
        t = self.tree(make_tar([entry(n, data=d, mode=m,
                                      pax={"SCHILY.xattr.user.x": "v" * rnd.choice([1, 2000, 4000])})
                                for n, (d, m) in files.items()]))
        for name, (data, _) in files.items():
            self.assertEqual((t[name]["body"], t[name]["size"]), (lib.sha(data), len(data)), name)

    def test_names_with_every_byte(self):
        names = [bytes([b]) + b"x" for b in range(1, 256) if b != ord("/")]
        names += [bytes(range(1, 47)) + bytes(range(48, 256)), b"n" * 255, "e\u0301".encode(),
                  "\u00e9".encode()]
        for fmt in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
            t = self.tree(make_tar([entry(b"d/" + n, data=n) for n in names], fmt))
            got = {n[2:]: i["body"] for n, i in t.items() if n.startswith(b"d/")}
            self.assertEqual(got, {n: lib.sha(n) for n in names})

    def test_100000_files_in_one_directory(self):
        start = time.time()
        data = make_tar([entry("d/file-%d" % i) for i in range(100000)], tarfile.USTAR_FORMAT)
        made = time.time()
        r = self.good(data)
        took = time.time() - made
        with lib.mounted(r.get("path")) as mnt:
            names = set(os.listdir(mnt + b"/d"))
            self.assertEqual(names, {b"file-%d" % i for i in range(100000)})
            for i in (0, 1, 9999, 54321, 99999):
                os.stat(mnt + b"/d/file-%d" % i)
        self.assertLess(took, 60, "archive took %.1f s to make" % (made - start))

    def test_sparse_files(self):
        src = os.path.join(self.bench.dir, "sparse")
        os.mkdir(src)
        with open(os.path.join(src, "s"), "wb") as f:
            for off in (0, 1 << 20, 5 << 20):
                f.seek(off)
                f.write(b"data" * 1000)
            f.truncate(9 << 20)
        want = lib.look(os.path.join(src, "s").encode())["body"]
        for fmt in ("gnu", "posix"):
            path = os.path.join(self.bench.dir, fmt)
            subprocess.run(["tar", "-S", "--format=" + fmt, "-cf", path, "-C", src, "s"], check=True)
            self.assertLess(os.path.getsize(path), 1 << 20)
            with open(path, "rb") as f:
                t = self.tree(f.read())
            self.assertEqual(t[b"s"]["body"], want)

    def test_output_is_the_same_every_time(self):
        tar = make_tar([entry("d%d/f%d" % (i % 7, i), data=b"x" * i * 37) for i in range(200)])
        sums = set()
        for _ in range(2):
            r = self.good(tar)
            with open(r.get("path"), "rb") as f:
                sums.add(lib.sha(f.read()))
            self.assertEqual(self.bench.image("prune").returncode, 0)
        self.assertEqual(len(sums), 1)


@needs_root
class Layers(ImageTest):
    def names(self, t):
        return sorted(n.decode() for n in t if n)

    def test_whiteouts_hide_lower_layers_only(self):
        t = self.layers([entry("a", data=b"1"), entry("d/x"), entry("d/y"), entry("e/z")],
                        [entry("d/.wh.x"), entry(".wh.a"), entry(".wh.e"), entry("e/new"),
                         entry("d/.wh.missing"), entry("n/.wh.o")])
        self.assertEqual(self.names(t), ["d", "d/y", "e", "e/new"])

    def test_whiteout_after_the_sibling_it_spares(self):
        t = self.layers([entry("e/z")], [entry("e", "dir"), entry("e/new"), entry(".wh.e")])
        self.assertEqual(self.names(t), ["e", "e/new"])

    def test_opaque_directory(self):
        for order in (0, 1):
            upper = [entry("d/.wh..wh..opq"), entry("d/new")][::-1 if order else 1]
            t = self.layers([entry("d/old/deep/f"), entry("d/new", data=b"old"), entry("k")],
                            [entry("d", "dir", mode=0o700)] + upper)
            self.assertEqual(self.names(t), ["d", "d/new", "k"])
            self.assertEqual(t[b"d"]["mode"] & 0o777, 0o700)
            self.assertEqual(t[b"d/new"]["size"], 0)

    def test_bookkeeping_names_are_dropped(self):
        t = self.layers([entry(".wh..wh.plnk", "dir"), entry(".wh..wh.aufs"), entry("f"),
                         entry(".wh..wh.plnk/12.34")])
        self.assertEqual(self.names(t), ["f"])

    def test_whiteout_names_in_a_plain_root_are_names(self):
        self.assertEqual(self.names(self.tree(make_tar([entry(".wh.a"), entry("a")]))),
                         [".wh.a", "a"])

    def test_types_replace_each_other(self):
        t = self.layers([entry("a/b/c"), entry("f"), entry("l", "sym", to="a"), entry("d/keep")],
                        [entry("a", data=b"file"), entry("f", "dir"), entry("f/g"),
                         entry("l", "dir"), entry("l/in"), entry("d", "dir", mode=0o711)])
        self.assertEqual(self.names(t), ["a", "d", "d/keep", "f", "f/g", "l", "l/in"])
        self.assertEqual(t[b"a"]["body"], lib.sha(b"file"))
        self.assertEqual(t[b"d"]["mode"] & 0o777, 0o711)

    def test_hard_links(self):
        t = self.layers([entry("a", data=b"A"), entry("b", "link", to="a"), entry("x", data=b"X")],
                        [entry("c", "link", to="./b"), entry("x", "link", to="/a"),
                         entry("a", data=b"new"), entry("self", data=b"s"),
                         entry("self", "link", to="self")])
        self.assertEqual([t[n]["body"] for n in (b"a", b"b", b"c", b"x")],
                         [lib.sha(b"new"), lib.sha(b"A"), lib.sha(b"A"), lib.sha(b"A")])
        self.assertEqual([t[n]["nlink"] for n in (b"a", b"b", b"c", b"x", b"self")],
                         [1, 3, 3, 3, 1])

    def test_hard_link_replaces_the_directory_around_its_target(self):
        t = self.layers([entry("d/f", data=b"F")], [entry("d", "link", to="d/f")])
        self.assertEqual((self.names(t), t[b"d"]["body"]), (["d"], lib.sha(b"F")))

    def test_links_in_parents_stay_inside(self):
        t = self.layers([entry("usr/bin", "dir"), entry("bin", "sym", to="usr/bin"),
                         entry("up", "sym", to="../../../../usr"), entry("abs", "sym", to="/usr"),
                         entry("hang", "sym", to="run/not-yet")],
                        [entry("bin/a"), entry("up/b"), entry("abs/bin/c"), entry("hang/d")])
        for name in (b"usr/bin/a", b"usr/b", b"usr/bin/c", b"run/not-yet/d"):
            self.assertIn(name, t)
        self.assertTrue(stat.S_ISLNK(t[b"bin"]["mode"]))

    def test_names_cannot_leave_the_root(self):
        t = self.tree(make_tar([entry("../../etc/up"), entry("/abs"), entry("a/../../../b"),
                                entry("./c//./d"), entry("..", "dir", mode=0o711)]))
        self.assertEqual(self.names(t), ["abs", "b", "c", "c/d", "etc", "etc/up"])
        self.assertEqual(t[b""]["mode"] & 0o777, 0o711)


class Hostile(ImageTest):
    base = [entry("d", "dir"), entry("d/f", data=b"f" * 5000)]

    def test_not_archives(self):
        self.bad(os.path.join(self.bench.dir, "missing.tar"), "No such file")
        self.bad(b"", "empty")
        self.bad(b"garbage" * 1000, "not a tar archive")
        self.bad("/dev/null", "regular file")
        self.bad(self.bench.dir, "index.json")
        self.bad(b"\xfd7zXZ\0" + b"x" * 100, "gzip and zstd")

    def test_truncated_archives(self):
        tar = make_tar(self.base + [entry("big", data=random.Random(2).randbytes(100000))])
        for data in (lib.docker_archive([tar]), lib.oci_tar([tar]), tar,
                     lib.docker_archive([tar], pack=gzip.compress), gzip.compress(tar),
                     lib.zstd(tar), gzip.compress(lib.oci_tar([tar]))):
            for part in (0.001, 0.1, 0.5, 0.7, 0.85):
                self.bad(data[:int(len(data) * part)])

    def test_corrupt_layers(self):
        tar = make_tar(self.base)
        evil = tar.replace(b"f" * 5000, b"f" * 4999 + b"g")
        self.bad(lib.docker_archive([evil], lib.make_config([tar])), "digest", "layer 1 of 1")
        self.bad(lib.oci_tar([evil], lib.make_config([tar])), "digest")
        data = lib.docker_archive([tar], User="alpha")
        self.bad(data.replace(b"alpha", b"alphb"), "digest")
        packed = bytearray(gzip.compress(tar))
        packed[len(packed) // 2] ^= 0x55
        self.bad(lib.docker_archive([tar], pack=lambda _: bytes(packed)), "layer 1 of 1")
        files = lib.oci_files([tar])
        for name in list(files):
            if name.startswith("blobs/"):
                broken = dict(files)
                broken[name] = files[name][:-1] + b"?"
                self.bad(make_tar([entry(n, data=d) for n, d in broken.items()]))
                del broken[name]
                self.bad(make_tar([entry(n, data=d) for n, d in broken.items()]), "missing")

    def test_random_damage_never_crashes(self):
        rnd = random.Random(7)
        tar = make_tar(self.base)
        for data in (lib.docker_archive([tar]), lib.oci_tar([tar]), gzip.compress(tar), tar):
            for _ in range(25):
                broken = bytearray(data)
                for _ in range(rnd.randrange(1, 20)):
                    broken[rnd.randrange(len(broken))] = rnd.randrange(256)
                r = self.bench.run(self.bench.write(broken))
                self.assertIn(r.status, (0, 1), r.error)
                self.assertEqual(r.error.count("\n"), r.status, r.error)

    def test_json_nonsense(self):
        for text in (b"", b"{}", b"[]", b"[1]", b"null", b"[{}]", b'[{"Config":5}]', b"[" * 100,
                     b'[{"Config":"c.json","Layers":["l"]}', b'[{"Config":"c.json"}]',
                     b'[{"Config":"../../etc/passwd","Layers":[]}]'):
            self.bad(make_tar([entry("manifest.json", data=text)]))
        for text in (b"{}", b'{"config":[]}', b'{"rootfs":{"diff_ids":["sha256:00"]}}',
                     b'{"rootfs":{"diff_ids":[1]}}', b'{"config":{"Env":["a\\u0000b=c"]}}'):
            self.bad(make_tar([entry("c.json", data=text), entry("l", data=make_tar(self.base)),
                               entry("manifest.json",
                                     data=b'[{"Config":"c.json","Layers":["l"]}]')]))

    def test_wrong_architecture(self):
        tar = make_tar(self.base)
        self.bad(lib.docker_archive([tar], lib.make_config([tar], "arm64")), "linux/arm64",
                 "linux/amd64", "--platform")
        self.bad(lib.oci_tar([tar], arch="arm64"), "linux/arm64", "linux/amd64")

    def test_index_that_names_itself_many_times(self):
        doc = b'{"manifests":[]}'
        files = {"oci-layout": b"{}"}
        for _ in range(4):
            name = lib.sha(doc)
            files["blobs/sha256/" + name] = doc
            doc = json.dumps({"manifests": [{"digest": "sha256:" + name}] * 400}).encode()
        files["index.json"] = doc
        self.bad(make_tar([entry(n, data=d) for n, d in files.items()]))

    def test_evil_entries(self):
        cases = {
            "does not exist": [entry("l", "link", to="../../../etc/shadow-not-here")],
            "is a directory": [entry("d", "dir"), entry("l", "link", to="d")],
            "symbolic links": [entry("a", "sym", to="b"), entry("b", "sym", to="a"), entry("a/f")],
            "not a directory": [entry("f"), entry("f/g")],
            "root directory": [entry("/", "sym", to="x")],
            "255": [entry("n" * 256)],
            "4095": [entry("/".join(["n" * 200] * 30))],
            "names nothing": [entry(".wh.")],
            "too long": [entry("s", "sym", to="x" * 5000)],
        }
        for word, entries in cases.items():
            self.bad(lib.docker_archive([make_tar(entries)]), word)

    def test_damaged_header_records_are_an_error(self):
        tar = make_tar([entry("d", "dir"), entry("d/" + "n" * 200, data=b"x")])
        at = tar.index(b" path=d/nnn") - 3
        self.assertTrue(tar[at:at + 3].isdigit())
        for evil in (b"999", b"  7", b"abc", b"005"):
            damaged = tar[:at] + evil + tar[at + 3:]
            self.bad(lib.docker_archive([damaged]), "header is damaged", "'d/nnn")
            self.bad(damaged, "damaged")
        self.tree(lib.docker_archive([tar]))
        latin = [entry("caf\udce9", data=b"x"), entry("na\u00efve" + "e" * 150, data=b"y", pax={"comment": "\u00ff"})]
        self.assertEqual(len(self.tree(make_tar(latin))), 3)

    def test_growing_symbolic_links(self):
        entries = [entry("l%d" % i, "sym", to="/".join(["l%d/.." % (i + 1)] * 10))
                   for i in range(30)]
        self.bad(make_tar(entries + [entry("l0/f")]), "symbolic links")

    def test_expansion_has_a_limit(self):
        tar = make_tar([entry("zero%d" % i, data=bytes(8 << 20)) for i in range(8)])
        small = "--max-bytes", str(32 << 20)
        self.bad(lib.docker_archive([tar], pack=gzip.compress), "32 MiB", opts=small)
        self.bad(lib.docker_archive([tar], pack=lib.zstd), "32 MiB", opts=small)
        self.bad(gzip.compress(tar), "32 MiB", opts=small)
        self.bad(tar, "32 MiB", opts=small)

    def test_huge_sparse_file(self):
        src = os.path.join(self.bench.dir, "big")
        with open(src, "wb") as f:
            f.truncate(1 << 40)
        path = os.path.join(self.bench.dir, "big.tar")
        subprocess.run(["tar", "-S", "-cf", path, "-C", self.bench.dir, "big"], check=True)
        self.bad(path, "16384 MiB")

    def test_zstd_bomb(self):
        proc = subprocess.run("head -c 3G /dev/zero | zstd -q -1 -c", shell=True, check=True,
                              stdout=subprocess.PIPE)
        head = make_tar([entry("f", data=b"x")])
        head = head[:1024]
        ti = tarfile.TarInfo("zero")
        ti.size = 3 << 30
        bomb = lib.zstd(head + ti.tobuf(tarfile.GNU_FORMAT)) + proc.stdout
        self.bad(bomb, "attack")

    def test_too_many_files(self):
        self.bad(make_tar([entry("f%d" % i) for i in range(200)]), "100 files",
                 opts=("--max-files", "100"))
        self.bad(make_tar([entry("/".join("d" * 150))]), "100 files", opts=("--max-files", "100"))

    def test_unsafe_path_in_oci_directory(self):
        root = os.path.join(self.bench.dir, "layout")
        os.mkdir(root)
        os.symlink("/etc/passwd", os.path.join(root, "index.json"))
        self.bad(root, "index.json")


class Cache(ImageTest):
    tar = make_tar([entry("f%d" % i, data=b"%d" % i * 3000) for i in range(50)])

    def known(self, data):
        path = self.bench.write(data)
        time.sleep(0.05)  # a file just written is not trusted to keep its times
        return path

    def test_second_run_reads_nothing_of_the_archive(self):
        path = self.known(self.tar)
        self.assertEqual(self.bench.run(path).get("cached"), "0")
        log = os.path.join(self.bench.dir, "log")
        if subprocess.run(["which", "strace"], stdout=subprocess.DEVNULL).returncode:
            self.skipTest("no strace")
        self.bench.env.update(ASAN_OPTIONS="detect_leaks=0")  # it cannot run under strace
        r = self.bench.run(path, prefix=("strace", "-o", log, "-y", "-e", "trace=read,pread64,mmap"))
        self.assertEqual(r.get("cached"), "1")
        with open(log) as f:
            self.assertNotIn(path, f.read())

    def test_changed_archive_is_noticed(self):
        path = self.known(self.tar)
        one = self.bench.run(path).get("id")
        st = os.stat(path)
        with open(path, "r+b") as f:
            f.seek(600)
            f.write(b"!")
        os.utime(path, ns=(st.st_atime_ns, st.st_mtime_ns))
        self.assertNotEqual(self.bench.run(path).get("id"), one)

    def test_two_runs_at_once_build_once(self):
        paths = [self.bench.write(self.tar) for _ in range(4)]
        procs = [subprocess.Popen([lib.TOOL, p], env=self.bench.env, stdout=subprocess.PIPE)
                 for p in paths]
        out = [p.communicate()[0] for p in procs]
        self.assertEqual([p.returncode for p in procs], [0] * 4)
        self.assertEqual(sum(b"cached 0" in o for o in out), 1)
        self.assertEqual((len(self.bench.images()), self.bench.leftovers()), (1, []))

    def test_kill_in_the_middle_leaves_nothing(self):
        tar = make_tar([entry("f%d" % i, data=b"%d" % i) for i in range(60000)])
        path = self.bench.write(tar)
        rnd = random.Random(3)
        seen = 0
        for _ in range(12):
            p = subprocess.Popen([lib.TOOL, path], env=self.bench.env, stdout=subprocess.DEVNULL)
            while p.poll() is None and not self.bench.leftovers():
                time.sleep(0.001)       # until it builds; then anywhere in it
            time.sleep(rnd.uniform(0, 0.1))
            p.kill()
            p.wait()
            seen += len(self.bench.leftovers())
            self.bench.image("rm", path)
        self.assertGreater(seen, 0, "never killed while building")
        self.good(tar)
        self.assertEqual(len(self.bench.images()), 1)

    def test_progress_only_on_a_terminal(self):
        tar = make_tar([entry("f%d" % i, data=bytes(1 << 20)) for i in range(16)] +
                       [entry("n%d" % i) for i in range(150000)], tarfile.USTAR_FORMAT)
        path = self.bench.write(gzip.compress(tar, 1))
        master, slave = os.openpty()
        p = subprocess.Popen([lib.TOOL, path], env=self.bench.env, stderr=slave,
                             stdout=subprocess.DEVNULL)
        os.close(slave)
        text = b""
        while True:
            try:
                text += os.read(master, 4096)
            except OSError:
                break
        os.close(master)
        self.assertEqual(p.wait(), 0, text)
        if text:  # fast machines show nothing
            self.assertIn(b"unpacking", text)
            self.assertTrue(text.endswith(b"\x1b[K"), text[-100:])

    @needs_root
    def test_full_disk(self):
        os.makedirs(os.path.join(self.bench.dir, "cache"))
        where = os.path.join(self.bench.dir, "cache")
        big = make_tar([entry("f%d" % i, data=os.urandom(1 << 20)) for i in range(8)])
        for size in ("4m", "1m"):
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=" + size, "none", where], check=True)
            try:
                for data in (big, lib.docker_archive([big], pack=gzip.compress),
                             gzip.compress(big)):
                    self.bad(data, "space")
            finally:
                subprocess.run(["umount", where], check=True)

    def test_damaged_entry_is_built_again(self):
        path = self.known(self.tar)
        r = self.bench.run(path)
        for damage in (0, 100, 4096):
            os.truncate(r.get("path"), damage)
            self.assertEqual(self.bench.run(path).get("cached"), "0")
            self.assertEqual(self.bench.run(path).get("cached"), "1")

    def test_no_place_for_the_cache(self):
        path = self.bench.write(self.tar)
        self.bench.env.update(XDG_CACHE_HOME="/proc/nowhere")
        r = self.bench.run(path)
        self.assertEqual((r.status, r.error.count("\n")), (1, 1))
        self.assertIn("XDG_CACHE_HOME", r.error)


class Command(ImageTest):
    def test_ls_rm_prune(self):
        paths = [self.bench.write(make_tar([entry("f%d" % i)])) for i in range(3)]
        ids = [self.bench.run(p).get("id") for p in paths]
        out = self.bench.image("ls").stdout.decode()
        self.assertEqual(len(out.splitlines()), 5)
        for p, i in zip(paths, ids):
            self.assertIn(i[:12], out)
            self.assertIn(p, out)
        self.assertIn("3 images", out)
        self.assertEqual(self.bench.image("ls", "-q", "--no-trunc").stdout.decode().split(),
                         sorted(ids))
        self.assertEqual(self.bench.image("rm", ids[0][:20]).returncode, 0)
        self.assertEqual(self.bench.image("rm", paths[1]).returncode, 0)
        self.assertEqual(len(self.bench.images()), 1)
        self.assertEqual(self.bench.image("prune", "--unused", "1").returncode, 0)
        self.assertEqual(len(self.bench.images()), 1)
        self.assertEqual(self.bench.image("prune").returncode, 0)
        self.assertEqual(self.bench.images(), [])
        self.assertEqual(os.listdir(os.path.join(self.bench.cache, "refs")), [])

    def test_rm_by_an_archive_with_another_name(self):
        tar = make_tar([entry("f")])
        one, two = self.bench.write(tar), self.bench.write(tar)
        time.sleep(0.05)
        self.assertEqual([self.bench.run(p).get("cached") for p in (one, two)], ["0", "1"])
        self.assertEqual(self.bench.image("rm", two).returncode, 0)
        self.assertEqual(self.bench.images(), [])

    def test_usage(self):
        self.assertIn(b"Usage", self.bench.image("--help").stdout)
        for args, status in ((["frob"], 125), (["rm"], 125), (["rm", "0000"], 1),
                             (["ls", "-x"], 125), (["prune", "--unused"], 125),
                             (["prune", "--unused", "x"], 125)):
            p = self.bench.image(*args)
            self.assertEqual((p.returncode, p.stderr.count(b"\n")), (status, 1), args)
            self.assertEqual(p.stdout, b"")


class TapResult(unittest.TestResult):
    """One result line per test, commentary in front of a failure."""

    def line(self, test, word, text=""):
        name = test.id().split(".", 1)[1].replace("test_", "")
        print("%s - %s%s" % (word, name.replace(".", "/"), text), flush=True)

    def addSuccess(self, test):
        self.line(test, "ok")

    def addSkip(self, test, reason):
        self.line(test, "ok", " # SKIP " + reason)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        for text in self.failures[-1][1].splitlines():
            print("# " + text)
        self.line(test, "not ok")

    addError = addFailure


def main():
    if len(sys.argv) > 1:  # by hand: unittest's own options and names
        return unittest.main(verbosity=2)
    tests = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    print("TAP version 13\n1..%d" % tests.countTestCases())
    result = TapResult()
    tests.run(result)
    sys.exit(0 if result.wasSuccessful() else 1)


if __name__ == "__main__":
    main()
