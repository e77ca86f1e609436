// SPDX-License-Identifier: Apache-2.0
/*
 * boot - reader of the flattened device tree
 *
 * Role      boot_parse() walks the structure block once and stores the properties it knows.
 * Rules     Every offset and length is checked against the block: also fuzzed on the host.
 * See       Devicetree Specification 0.4, chapter 5; vmm/bootinfo.c writes it
 */
#include "guestkernel/host/boot.h"

#include "guestkernel/kapi/bug.h"
#include "guestkernel/kapi/string.h"

#define FDT_MAGIC	 0xd00dfeedu
#define FDT_BEGIN_NODE	 1u
#define FDT_END_NODE	 2u
#define FDT_PROP	 3u
#define FDT_NOP		 4u
#define FDT_END		 9u
#define FDT_SIZE_MAX	 (1u << 20)
#define FDT_HEADER_BYTES 40u

struct boot_info boot;

static u32 be32(const void *p)
{
	const u8 *b = p;

	return (u32)b[0] << 24 | (u32)b[1] << 16 | (u32)b[2] << 8 | b[3];
}

static u64 be64(const void *p)
{
	return (u64)be32(p) << 32 | be32((const u8 *)p + 4);
}

enum prop_kind { PROP_U64, PROP_PAIR, PROP_BYTES, PROP_STRINGS, PROP_STRING, PROP_FLAG };

static const struct {
	const char *name;
	enum prop_kind kind;
	void *a, *b;
} props[] = {
	{"reg",		 PROP_PAIR,    &boot.ram_base,	    &boot.ram_size	   },
	{ "cpus",	  PROP_U64,	    &boot.cpus,		NULL		     },
	{ "counter-khz",	 PROP_U64,	   &boot.counter_khz,   NULL		   },
	{ "wall-clock",	PROP_PAIR,	   &boot.wall_ns,	  &boot.wall_counter},
	{ "seed",	  PROP_BYTES,   &boot.seed,	  &boot.seed_len	 },
	{ "channels",     PROP_U64,	&boot.channels,	NULL		     },
	{ "event",	   PROP_U64,     &boot.event,	  NULL	       },
	{ "rings",	   PROP_U64,     &boot.rings,	  NULL	       },
	{ "page-map",     PROP_U64,	&boot.page_map,	NULL		     },
	{ "reserved-end", PROP_U64,	    &boot.reserved_end,	NULL		     },
	{ "log-level",    PROP_U64,	 &boot.log_level,	  NULL	       },
	{ "irqchip",	     PROP_U64,     &boot.irqchip,	      NULL		   },
	{ "image",	   PROP_PAIR,    &boot.image_gpa,     &boot.image_len   },
	{ "args",	  PROP_STRINGS, &boot.args,	    NULL		 },
	{ "env",		 PROP_STRINGS, &boot.env,		  NULL	       },
	{ "tmpfs",	   PROP_STRINGS, &boot.tmpfs,	      NULL		   },
	{ "rlimits",	     PROP_STRINGS, &boot.rlimits,	  NULL	       },
	{ "pids-limit",	PROP_U64,	  &boot.pids_limit,    NULL		 },
	{ "cwd",		 PROP_STRING,  &boot.cwd,		 NULL	      },
	{ "hostname",     PROP_STRING,  &boot.hostname,	   NULL		},
	{ "strace",	    PROP_STRING,	 &boot.strace,	       NULL		    },
	{ "user",	  PROP_PAIR,    &boot.uid,		&boot.gid	  },
	{ "groups",	    PROP_BYTES,	&boot.groups,	      &boot.nr_groups   },
	{ "tty",		 PROP_PAIR,    &boot.rows,		&boot.cols	   },
	{ "tty",		 PROP_FLAG,    &boot.has_tty,	   NULL		},
	{ "privileged",	PROP_FLAG,	   &boot.is_privileged, NULL		     },
	{ "read-only",    PROP_FLAG,	  &boot.is_read_only,  NULL		   },
};

static void store_prop(u32 i, const u8 *data, u32 len)
{
	struct boot_strings *list = props[i].a;

	switch (props[i].kind) {
	case PROP_U64:
		BUG_ON(len != 8);
		*(u64 *)props[i].a = be64(data);
		break;
	case PROP_PAIR:
		BUG_ON(len != 16);
		*(u64 *)props[i].a = be64(data);
		*(u64 *)props[i].b = be64(data + 8);
		break;
	case PROP_BYTES:
		*(const u8 **)props[i].a = data;
		*(u32 *)props[i].b = len;
		break;
	case PROP_STRINGS:
		BUG_ON(len && data[len - 1]);
		list->data = (const char *)data;
		list->len = len;
		break;
	case PROP_STRING:
		BUG_ON(!len || data[len - 1]);
		*(const char **)props[i].a = (const char *)data;
		break;
	case PROP_FLAG:
		*(bool *)props[i].a = true;
		break;
	}
}

/* The monitor writes properties in about our order: the search begins behind the last hit. */
static void take_prop(const char *name, const u8 *data, u32 len)
{
	static u32 next;
	u32 i, at;

	for (i = 0; i < ARRAY_SIZE(props); i++) {
		at = next + i < ARRAY_SIZE(props) ? next + i : next + i - (u32)ARRAY_SIZE(props);
		if (*name != *props[at].name || strcmp(name, props[at].name))
			continue;
		store_prop(at, data, len);
		next = at + 1;
		if (next == ARRAY_SIZE(props) ||
		    strcmp(name, props[next].name)) /* one name may fill two */
			return;
		store_prop(next, data, len);
		return;
	}
}

void boot_parse(const void *fdt)
{
	const u8 *base = fdt;
	u32 total = be32(base + 4), at = be32(base + 8), strings = be32(base + 12), end;

	if (be32(base) != FDT_MAGIC || total < FDT_HEADER_BYTES || total > FDT_SIZE_MAX ||
	    strings >= total || at >= total)
		panic("boot block: bad header");
	end = at + be32(base + 36);
	BUG_ON(end > total || end < at);
	while (at + 4 <= end) {
		u32 token = be32(base + at);

		at += 4;
		if (token == FDT_BEGIN_NODE) {
			u32 len = (u32)strnlen((const char *)base + at, end - at) + 1;

			at = ALIGN_UP(at + len, 4);
		} else if (token == FDT_PROP) {
			u32 len, name;

			BUG_ON(at + 8 > end);
			len = be32(base + at);
			name = be32(base + at + 4);
			BUG_ON(len > end - at - 8 || name >= total - strings);
			name += strings;
			BUG_ON(strnlen((const char *)base + name, total - name) == total - name);
			take_prop((const char *)base + name, base + at + 8, len);
			at = ALIGN_UP(at + 8 + len, 4);
		} else if (token == FDT_END) {
			boot.nr_groups /= 4;
			return;
		} else if (token != FDT_END_NODE && token != FDT_NOP) {
			break;
		}
	}
	panic("boot block: broken structure at offset %u", at);
}

const char *boot_strings_next(const struct boot_strings *list, const char *s)
{
	s = s ? s + strlen(s) + 1 : list->data;
	return s && s < list->data + list->len ? s : NULL;
}

u32 boot_strings_count(const struct boot_strings *list)
{
	const char *s = NULL;
	u32 n = 0;

	while ((s = boot_strings_next(list, s)) != NULL)
		n++;
	return n;
}
