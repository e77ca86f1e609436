# SPDX-License-Identifier: Apache-2.0
"""place - where a program test runs: natively in a chroot, or in the sandbox

Role      Gives run.py and interactive.py the command line that runs a command in an image in either place.
Rules     The native place is a mount, pid, ipc and host name space of its own: an overlay over the
          unpacked image, a small /dev and /proc, and nothing that outlives the command. Both places
          give the same environment and host name.
Missing   Users and groups of the image config; everything runs as root.
"""
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import tarfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
HOSTNAME = "testhost"
IMAGES = {
    "busybox": "busybox",
    "debian": "debian",
    "full": "debian+bash,coreutils,findutils,grep,sed,gawk,perl,python3,gcc,libc6-dev,make,git,sqlite3,"
            "nodejs,procps,strace,gdb,file,xz-utils,tar,bc,jq,vim-tiny,less",
}
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "HOSTNAME": HOSTNAME,
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
}

# $1 is the unpacked image, $2 an empty directory, the rest the command.
ENTER = r"""
set -e
lower=$1 scratch=$2; shift 2
mount --make-rprivate /
mount -t tmpfs none "$scratch"
mkdir "$scratch/up" "$scratch/work" "$scratch/root"
mount -t overlay -o "lowerdir=$lower,upperdir=$scratch/up,workdir=$scratch/work" none "$scratch/root"
cd "$scratch/root"
mount -t proc proc proc
mount -t tmpfs -o mode=755 none dev
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts dev/pts
mount -t tmpfs -o mode=1777 none dev/shm
mknod -m 666 dev/null c 1 3; mknod -m 666 dev/zero c 1 5; mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8; mknod -m 666 dev/urandom c 1 9; mknod -m 666 dev/tty c 5 0
ln -s pts/ptmx dev/ptmx; ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin; ln -s /proc/self/fd/1 dev/stdout; ln -s /proc/self/fd/2 dev/stderr
hostname "$HOSTNAME"
"""


class Native:
    """This machine's own Linux."""

    name = "native"
    is_foreign = False

    def __init__(self, images):
        self.images = images

    def unpack(self, image):
        """The unpacked root file system of an image, made once."""
        tar = self.images / (image + ".tar")
        target = BUILD / "programs" / image
        stamp = target.with_suffix(".stamp")
        want = f"{tar} {tar.stat().st_mtime_ns}"
        if stamp.exists() and stamp.read_text() == want:
            return target
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        with tarfile.open(tar) as outer:
            manifest = json.load(outer.extractfile("manifest.json"))
            for layer in manifest[0]["Layers"]:
                with subprocess.Popen(["tar", "-x", "-p", "--numeric-owner", "--xattrs", "-C", target],
                                      stdin=subprocess.PIPE) as child:
                    shutil.copyfileobj(outer.extractfile(layer), child.stdin)
                    child.stdin.close()
                if child.wait():
                    raise OSError(f"cannot unpack {tar}")
        stamp.write_text(want)
        return target

    def command(self, image, args, terminal=False, options=()):
        scratch = BUILD / "programs" / f"scratch-{os.getpid()}"
        scratch.mkdir(parents=True, exist_ok=True)
        environment = [f"{k}={v}" for k, v in self.environment(terminal).items()]
        leave = "exec " + ("setsid -c " if terminal else "") + "chroot . env -i " + \
            " ".join(shlex.quote(e) for e in environment) + ' "$@"\n'
        return ["unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child",
                "env", f"HOSTNAME={HOSTNAME}", "sh", "-c", ENTER + leave, "enter",
                str(self.unpack(image)), str(scratch), *args]

    @staticmethod
    def environment(terminal):
        return {**ENVIRONMENT, **({"TERM": "xterm"} if terminal else {})}

    def close(self):
        scratch = BUILD / "programs" / f"scratch-{os.getpid()}"
        if scratch.exists():
            scratch.rmdir()


class Sandbox:
    """The sandbox of this project."""

    name = "sandbox"
    is_foreign = False      # of another machine than this

    def __init__(self, images, monitor, platform):
        self.images, self.monitor, self.platform = images, monitor, platform

    def command(self, image, args, terminal=False, options=()):
        environment = [f"--env={k}={v}" for k, v in Native.environment(terminal).items()]
        kernel = os.environ.get("MONITOR_TEST_KERNEL")
        return [*shlex.split(self.monitor), "run", f"--platform={self.platform}", "-i", *(["-t"] if terminal else []),
                *([f"--debug-kernel={kernel}"] if kernel else []),
                f"--hostname={HOSTNAME}", *environment, *options,
                str(self.images / (image + ".tar")), *args]

    def close(self):
        pass


def need_images(folder, names, options=()):
    """Makes the images that are not there yet. options: of tools/mkimage."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in sorted(names):
        if not (folder / (name + ".tar")).exists():
            subprocess.run([ROOT / "tools/mkimage", "--quiet", *options, IMAGES[name], folder / (name + ".tar")], check=True)
