# about: git init, add, commit, branch, merge, log, clone, gc
# timeout: 600
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
export GIT_AUTHOR_DATE='2024-01-01T00:00:00Z' GIT_COMMITTER_DATE='2024-01-01T00:00:00Z'
mkdir -p /tmp/g && cd /tmp/g || exit 1
git init -q -b main .; for i in 1 2 3 4 5; do echo $i > f$i; done; mkdir d; echo x > d/y
git add .; git commit -q -m first; git log --oneline; git status --short
echo more >> f1; git diff | tail -2; git commit -qam second; git checkout -q -b side HEAD~1; echo s > side; git add side; git commit -qm side
git checkout -q main; git merge -q side -m merged; git log --graph --oneline | cat; git show --stat HEAD~1 | tail -2
git tag v1; git stash list; git rm -q f2; git commit -qm gone; ls; git fsck 2>&1; git gc -q; git count-objects -v | grep in-pack
git clone -q /tmp/g /tmp/h; cd /tmp/h; git log -1 --format=%H; git grep -n more; git blame -s f1; git rev-parse v1
