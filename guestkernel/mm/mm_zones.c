// SPDX-License-Identifier: Apache-2.0
/*
 * mm_zones - /proc/buddyinfo, zoneinfo, iomem and a node's memory: frames as the host's administrator would see them
 *
 * Rules     One node, one zone. Addresses are zero, as for everybody without the right to see them.
 * Missing   pagetypeinfo, slabinfo, vmallocinfo: not counted.
 * See       proc(5)
 */
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/proc.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/mm/mm_proc.h"

typedef unsigned long long ull;

static int row_buddyinfo(struct strbuf *sb, void *ctx)
{
	u64 nr[MAX_ORDER];

	page_free_blocks(nr);
	strbuf_printf(sb, "Node 0, zone   Normal ");
	for (u32 i = 0; i < MAX_ORDER; i++)
		strbuf_printf(sb, "%6llu ", (ull)nr[i]);
	strbuf_addc(sb, '\n');
	return 0;
}

static int row_zoneinfo(struct strbuf *sb, void *ctx)
{
	struct page_stats st;

	page_stats(&st);
	strbuf_printf(
		sb,
		"Node 0, zone   Normal\n  per-node stats\n      nr_slab_unreclaimable %llu\n"
		"      nr_file_pages %llu\n      nr_kernel_stack %llu\n      nr_page_table_pages %llu\n",
		(ull)st.slab, (ull)st.cache, (ull)st.stacks, (ull)st.tables);
	strbuf_printf(
		sb,
		"  pages free     %llu\n        boost    0\n        min      0\n        low      0\n"
		"        high     0\n        spanned  %llu\n        present  %llu\n        managed  %llu\n",
		(ull)st.free, (ull)st.total, (ull)st.total, (ull)st.total);
	strbuf_printf(
		sb,
		"      nr_free_pages %llu\n  node_unreclaimable:  0\n  start_pfn:           1\n",
		(ull)st.free);
	return 0;
}

static int row_iomem(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "00000000-00000000 : System RAM\n");
	return 0;
}

static int row_node(struct strbuf *sb, void *ctx)
{
	struct page_stats st;

	page_stats(&st);
	strbuf_printf(
		sb,
		"Node 0 MemTotal:       %8llu kB\nNode 0 MemFree:        %8llu kB\nNode 0 MemUsed:        %8llu kB\n",
		(ull)st.total * 4, (ull)st.free * 4, (ull)(st.total - st.free) * 4);
	strbuf_printf(
		sb,
		"Node 0 FilePages:      %8llu kB\nNode 0 Slab:           %8llu kB\nNode 0 PageTables:     %8llu kB\n",
		(ull)st.cache * 4, (ull)st.slab * 4, (ull)st.tables * 4);
	strbuf_printf(
		sb,
		"Node 0 HugePages_Total:     0\nNode 0 HugePages_Free:      0\nNode 0 HugePages_Surp:      0\n");
	return 0;
}

static const struct proc_row rows[] = {
	{"buddyinfo", 0444, row_buddyinfo, NULL},
	{ "zoneinfo", 0444, row_zoneinfo,  NULL},
	{ "iomem",	   0444, row_iomem,	    NULL},
};
const struct proc_table mm_zones = { rows, ARRAY_SIZE(rows), NULL };

static const struct proc_row node_rows[] = {
	{"devices/system/node/node0/meminfo", 0444, row_node, NULL},
};
const struct proc_table mm_node = { node_rows, ARRAY_SIZE(node_rows), NULL };
