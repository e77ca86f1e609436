// SPDX-License-Identifier: Apache-2.0
/*
 * unix_name - addresses of AF_UNIX sockets: abstract names and places in the file system
 *
 * Role      Binding and finding. Paths are walked by fs/unix_path.c; a socket bound to a path is found by the inode.
 * Rules     One hash for both kinds. The table holds no reference: release takes the socket out first.
 *           An address is set once and never changes.
 * Locking   names_lock (RANK_OBJECT_OUTER) covers the table and addr of every socket.
 * See       unix(7)
 */
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/htab.h"
#include "guestkernel/kapi/rand.h"
#include "guestkernel/kapi/string.h"
#include "net/unix_impl.h"

#define BUCKETS	       256u
#define ADDR_HEAD      offsetof(struct sockaddr_un, sun_path)
#define AUTOBIND_TRIES 1000

static struct spinlock names_lock = SPINLOCK_INIT(RANK_OBJECT_OUTER);
static struct list table[BUCKETS]; /* [names_lock] heads are made on first use: next NULL before */

static struct list *bucket(u64 hash)
{
	struct list *l = &table[hash % BUCKETS];

	if (!l->next)
		list_init(l);
	return l;
}

static struct list *bucket_of_addr(const struct unix_addr *a)
{
	return bucket(hash_bytes(a->un.sun_path, a->len - ADDR_HEAD, 0));
}

static struct list *bucket_of_inode(const struct inode *inode)
{
	return bucket(hash_u64((u64)inode));
}

struct unix_addr *unix_addr_get(struct unix_addr *a)
{
	if (a)
		refs_get(&a->refs);
	return a;
}

void unix_addr_put(struct unix_addr *a)
{
	if (a && refs_put(&a->refs))
		kfree(a);
}

void unix_addr_out(const struct unix_addr *a, struct sockaddr_buf *out)
{
	if (!a) {
		out->len = sizeof(u16);
		out->family = AF_UNIX;
		return;
	}
	out->len = a->len;
	memcpy(out->raw, &a->un, MIN(a->len, (u32)sizeof a->un));
	if (a->len > sizeof a->un)
		out->raw[sizeof a->un] = 0;
}

/* A path gets its NUL counted, as Linux shows it. */
static int addr_make(const struct sockaddr_buf *in, struct unix_addr **out)
{
	struct unix_addr *a;

	if (in->len <= ADDR_HEAD || in->len > sizeof(struct sockaddr_un) || in->family != AF_UNIX)
		return -EINVAL;
	a = knew(struct unix_addr);
	if (!a)
		return -ENOMEM;
	refs_init(&a->refs, 1);
	a->len = in->len;
	memcpy(&a->un, in->raw, in->len);
	if (a->un.sun_path[0])
		a->len = (u32)(ADDR_HEAD + strnlen(a->un.sun_path, in->len - ADDR_HEAD) + 1);
	*out = a;
	return 0;
}

static bool same_addr(const struct unix_addr *a, const struct unix_addr *b)
{
	return a->len == b->len && memcmp(a->un.sun_path, b->un.sun_path, a->len - ADDR_HEAD) == 0;
}

static struct unix_sock *find_abstract_locked(const struct unix_addr *a, u32 type)
	REQUIRES(&names_lock)
{
	struct unix_sock *u;

	list_for_each_entry (u, bucket_of_addr(a), name_link)
		if (!u->has_path && u->sk.type == type && same_addr(u->addr, a))
			return u;
	return NULL;
}

static struct unix_sock *find_inode_locked(const struct inode *inode) REQUIRES(&names_lock)
{
	struct unix_sock *u;

	list_for_each_entry (u, bucket_of_inode(inode), name_link)
		if (u->has_path && unix_path_inode(&u->path) == inode)
			return u;
	return NULL;
}

/* Takes over a. */
static int bind_abstract(struct unix_sock *u, struct unix_addr *a)
{
	int ret = 0;

	spin_lock(&names_lock);
	if (u->addr)
		ret = -EINVAL;
	else if (find_abstract_locked(a, u->sk.type))
		ret = -EADDRINUSE;
	if (!ret) {
		u->addr = a;
		list_add(bucket_of_addr(a), &u->name_link);
	}
	spin_unlock(&names_lock);
	if (ret)
		unix_addr_put(a);
	return ret;
}

static int bind_path(struct unix_sock *u, struct unix_addr *a)
{
	struct path p;
	int ret = READ_ONCE(u->addr) ? -EINVAL : unix_path_bind(a->un.sun_path, u->sk.file, &p);

	if (ret) {
		unix_addr_put(a);
		return ret;
	}
	spin_lock(&names_lock);
	if (u->addr) {
		ret = -EINVAL;
	} else {
		u->path = p;
		u->has_path = true;
		u->addr = a;
		list_add(bucket_of_inode(unix_path_inode(&p)), &u->name_link);
	}
	spin_unlock(&names_lock);
	if (ret) {
		unix_path_put(&p);
		unix_addr_put(a);
	}
	return ret;
}

int unix_name_bind(struct unix_sock *u, const struct sockaddr_buf *in)
{
	struct unix_addr *a;
	int ret;

	if (in->len == sizeof(u16) && in->family == AF_UNIX)
		return unix_name_autobind(u);
	ret = addr_make(in, &a);
	if (ret)
		return ret;
	return a->un.sun_path[0] ? bind_path(u, a) : bind_abstract(u, a);
}

int unix_name_autobind(struct unix_sock *u)
{
	struct sockaddr_buf in = { .len = ADDR_HEAD + 6, .family = AF_UNIX };
	struct unix_addr *a;
	char digits[8];
	int ret = 0;

	for (u32 i = 0; i < AUTOBIND_TRIES && !READ_ONCE(u->addr); i++) {
		snprintf(digits, sizeof digits, "%05x", (u32)rand_below(1u << 20));
		in.un.sun_path[0] = 0;
		memcpy(in.un.sun_path + 1, digits, 5);
		ret = addr_make(&in, &a);
		if (ret)
			return ret;
		ret = bind_abstract(u, a);
		if (ret != -EADDRINUSE)
			break;
	}
	return READ_ONCE(u->addr) ? 0 : ret == -EADDRINUSE ? -ENOSPC : ret;
}

static struct unix_sock *get_live(struct unix_sock *u)
{
	return u && refs_get_unless_zero(&u->sk.refs) ? u : NULL;
}

static int find_path(const struct unix_addr *a, u32 type, struct unix_sock **out)
{
	struct unix_sock *u;
	struct path p;
	int ret = unix_path_lookup(a->un.sun_path, &p);

	if (ret)
		return ret;
	spin_lock(&names_lock);
	u = get_live(find_inode_locked(unix_path_inode(&p)));
	spin_unlock(&names_lock);
	unix_path_put(&p);
	if (!u)
		return -ECONNREFUSED;
	if (u->sk.type != type) {
		sock_put(&u->sk);
		return -EPROTOTYPE;
	}
	*out = u;
	return 0;
}

int unix_name_find(const struct sockaddr_buf *in, u32 type, struct unix_sock **out)
{
	struct unix_addr *a;
	int ret = addr_make(in, &a);

	if (ret)
		return ret;
	if (a->un.sun_path[0]) {
		ret = find_path(a, type, out);
	} else {
		spin_lock(&names_lock);
		*out = get_live(find_abstract_locked(a, type));
		spin_unlock(&names_lock);
		ret = *out ? 0 : -ECONNREFUSED;
	}
	unix_addr_put(a);
	return ret;
}

/* The socket cannot be found any more; the address itself stays for those who ask for it. */
void unix_name_release(struct unix_sock *u)
{
	spin_lock(&names_lock);
	list_del(&u->name_link);
	spin_unlock(&names_lock);
}
