// SPDX-License-Identifier: Apache-2.0
/*
 * vdso - what AT_HWCAP and /proc/cpuinfo say
 */
#include "arch/thread.h"
#include "arch/x86_64/guest/local.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/strbuf.h"
#include "guestkernel/kapi/string.h"

#define HWCAP2_FSGSBASE 2u

u64 arch_vdso_sigreturn_offset(void)
{
	return 0;
}

/* CPUID 1 EDX, as Linux gives it. */
u64 arch_hwcap(void)
{
	u32 c[4];

	cpuid(1, 0, c);
	return c[3];
}

u64 arch_hwcap2(void)
{
	return features.fsgsbase ? HWCAP2_FSGSBASE : 0;
}

static const struct {
	u32 leaf, sub;
	u8 reg, bit;
	const char *name;
} flag_names[] = {
	{1,	     0, 3, 0,  "fpu"	    },
	{ 1,	     0, 3, 4,  "tsc"	    },
	{ 1,	     0, 3, 5,  "msr"	    },
	{ 1,	     0, 3, 6,  "pae"	    },
	{ 1,	     0, 3, 8,  "cx8"	    },
	{ 1,	     0, 3, 15, "cmov"      },
	{ 1,	     0, 3, 19, "clflush"	 },
	{ 1,	     0, 3, 23, "mmx"	     },
	{ 1,	     0, 3, 24, "fxsr"      },
	{ 1,	     0, 3, 25, "sse"	     },
	{ 1,	     0, 3, 26, "sse2"      },
	{ 1,	     0, 3, 28, "ht"	    },
	{ 0x80000001, 0, 3, 11, "syscall"	  },
	{ 0x80000001, 0, 3, 20, "nx"	     },
	{ 0x80000001, 0, 3, 27, "rdtscp"	 },
	{ 0x80000001, 0, 3, 29, "lm"	     },
	{ 1,	     0, 2, 0,  "pni"	    },
	{ 1,	     0, 2, 1,  "pclmulqdq" },
	{ 1,	     0, 2, 9,  "ssse3"     },
	{ 1,	     0, 2, 12, "fma"	     },
	{ 1,	     0, 2, 13, "cx16"      },
	{ 1,	     0, 2, 19, "sse4_1"	},
	{ 1,	     0, 2, 20, "sse4_2"	},
	{ 1,	     0, 2, 22, "movbe"     },
	{ 1,	     0, 2, 23, "popcnt"	},
	{ 1,	     0, 2, 25, "aes"	     },
	{ 1,	     0, 2, 26, "xsave"     },
	{ 1,	     0, 2, 28, "avx"	     },
	{ 1,	     0, 2, 29, "f16c"      },
	{ 1,	     0, 2, 30, "rdrand"	},
	{ 1,	     0, 2, 31, "hypervisor"},
	{ 0x80000001, 0, 2, 0,  "lahf_lm"	 },
	{ 0x80000001, 0, 2, 5,  "abm"	     },
	{ 7,	     0, 1, 0,  "fsgsbase"	 },
	{ 7,	     0, 1, 3,  "bmi1"	     },
	{ 7,	     0, 1, 5,  "avx2"	     },
	{ 7,	     0, 1, 8,  "bmi2"	     },
	{ 7,	     0, 1, 9,  "erms"	     },
	{ 7,	     0, 1, 16, "avx512f"	 },
	{ 7,	     0, 1, 17, "avx512dq"  },
	{ 7,	     0, 1, 18, "rdseed"	},
	{ 7,	     0, 1, 19, "adx"	     },
	{ 7,	     0, 1, 23, "clflushopt"},
	{ 7,	     0, 1, 24, "clwb"      },
	{ 7,	     0, 1, 29, "sha_ni"	},
	{ 7,	     0, 1, 30, "avx512bw"  },
	{ 7,	     0, 1, 31, "avx512vl"  },
	{ 7,	     0, 2, 8,  "gfni"	     },
	{ 7,	     0, 2, 9,  "vaes"	     },
	{ 7,	     0, 2, 22, "rdpid"     },
};

static void brand(char out[49])
{
	u32 *w = (u32 *)out, c[4], i;

	for (i = 0; i < 3; i++) {
		cpuid(0x80000002 + i, 0, c);
		for (u32 j = 0; j < 4; j++)
			w[4 * i + j] = c[j];
	}
	out[48] = 0;
}

void arch_cpuinfo_show(struct strbuf *sb, u32 cpu)
{
	char name[52] __attribute__((aligned(4)));
	u32 c[4], v[4], i;

	cpuid(0, 0, v);
	cpuid(1, 0, c);
	brand(name);
	strbuf_printf(sb, "processor\t: %u\nvendor_id\t: %.4s%.4s%.4s\n", cpu, (char *)&v[1],
		      (char *)&v[3], (char *)&v[2]);
	strbuf_printf(sb, "cpu family\t: %u\nmodel\t\t: %u\nmodel name\t: %s\nstepping\t: %u\n",
		      (c[0] >> 8 & 15) + (c[0] >> 20 & 255), (c[0] >> 4 & 15) | (c[0] >> 12 & 0xf0),
		      name, c[0] & 15);
	strbuf_printf(
		sb,
		"physical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\napicid\t\t: %u\n",
		nr_cpus, cpu, nr_cpus, cpu);
	strbuf_printf(
		sb,
		"fpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: %u\nwp\t\t: yes\nflags\t\t:",
		v[0]);
	for (i = 0; i < ARRAY_SIZE(flag_names); i++) {
		cpuid(flag_names[i].leaf, flag_names[i].sub, c);
		if (c[flag_names[i].reg] >> flag_names[i].bit & 1)
			strbuf_printf(sb, " %s", flag_names[i].name);
	}
	strbuf_printf(
		sb,
		"\nclflush size\t: 64\ncache_alignment\t: 64\naddress sizes\t: 48 bits physical, 48 bits virtual\n\n");
}

/* Intel's leaf, and AMD's with the same content. */
bool arch_cpu_cache(u32 index, struct cpu_cache *out)
{
	static const u32 leaves[] = { 4, 0x8000001d };
	u32 c[4], i;

	for (i = 0; i < ARRAY_SIZE(leaves); i++) {
		cpuid(leaves[i] & 0x80000000, 0, c);
		if (c[0] < leaves[i])
			continue;
		cpuid(leaves[i], index, c);
		if (!(c[0] & 31))
			continue;
		*out = (struct cpu_cache){
			.level = c[0] >> 5 & 7,
			.type = c[0] & 31,
			.line_size = (c[1] & 0xfff) + 1,
			.partitions = (c[1] >> 12 & 0x3ff) + 1,
			.ways = (c[1] >> 22) + 1,
			.sets = c[2] + 1,
		};
		return true;
	}
	return false;
}
