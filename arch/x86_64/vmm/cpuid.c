// SPDX-License-Identifier: Apache-2.0
/*
 * cpuid - see cpuid.h
 *
 * Rules     A bit belongs into the table when programs use the instruction it announces and the kernel keeps its state, or when
 *           the guest kernel itself asks for it. Not in it, on purpose: VMX and SVM, performance counters and tracing (DS, PDCM,
 *           leaves 0xa, 0x14, IBS, LBR), TSX, SGX, PKU, AMX, shadow stacks and supervisor state, power and thermal
 *           interfaces, machine checks and memory types, mitigations that are model-specific registers, LA57, PCID, serial
 *           numbers, hypervisor leaves.
 *           Whole registers are passed on where they are numbers, not features: vendor, model, caches, sizes.
 * Missing   programs that run CPUID see the host's model and caches: which instructions are fast depends on them.
 * See       Intel SDM volume 2 CPUID, AMD APM volume 3 appendix E; KVM API document, KVM_X86_SET_MSR_FILTER
 */
#include "arch/x86_64/vmm/cpuid.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>

#define ANY	     0xffffffffu /* of subleaves */
#define ALL	     0xffffffffu /* bits of a register that is a number */
#define BIT(n)	     (1u << (n))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

enum reg { EAX, EBX, ECX, EDX };

struct row {
	uint32_t leaf, subleaf;
	enum reg reg;
	uint32_t bits;
	const char *reason;
};

/* The baseline of every 64-bit program; leaf 0x80000001 repeats them on AMD. */
#define BASELINE                                                                       \
	(BIT(0) /* x87 */ | BIT(3) /* PSE */ | BIT(4) /* TSC */ | BIT(5) /* MSR */ |   \
	 BIT(6) /* PAE */ | BIT(8) /* CX8 */ | BIT(9) /* APIC */ | BIT(13) /* PGE */ | \
	 BIT(15) /* CMOV */ | BIT(23) /* MMX */ | BIT(24) /* FXSR */)

static const struct row table[] = {
	{0,	     0,	EBX, ALL,						       "vendor: C libraries choose their tuning by it"		  },
	{ 0,	     0,	ECX, ALL,						       "vendor"						     },
	{ 0,	     0,	EDX, ALL,						       "vendor"						     },
	{ 0,	     0,	EAX, ALL,						       "highest leaf; cpuid_filter() lowers it"			   },

	{ 1,	     0,	EAX, ALL,						       "family, model, stepping: tuning and known errata"	     },
	{ 1,	     0,	EBX, 0x0000ff00,						"size of a cache line, for clflush; the rest is ours"	       },
	{ 1,	     0,	EDX, BASELINE,						  "baseline"						   },
	{ 1,	     0,	EDX, BIT(19),						   "clflush"						    },
	{ 1,	     0,	EDX, BIT(25) | BIT(26),					 "SSE, SSE2: baseline"					      },
	{ 1,	     0,	EDX, BIT(28),						   "more than one CPU in leaf 1 EBX"				},
	{ 1,	     0,	ECX, BIT(0),						    "SSE3"						       },
	{ 1,	     0,	ECX, BIT(1),						    "pclmulqdq"						  },
	{ 1,	     0,	ECX, BIT(9),						    "SSSE3"						      },
	{ 1,	     0,	ECX, BIT(12),						   "FMA"							},
	{ 1,	     0,	ECX, BIT(13),						   "cmpxchg16b"						 },
	{ 1,	     0,	ECX, BIT(19),						   "SSE4.1"						     },
	{ 1,	     0,	ECX, BIT(20),						   "SSE4.2"						     },
	{ 1,	     0,	ECX, BIT(21),						   "x2APIC: the guest kernel's interrupts"		      },
	{ 1,	     0,	ECX, BIT(22),						   "movbe"						      },
	{ 1,	     0,	ECX, BIT(23),						   "popcnt"						     },
	{ 1,	     0,	ECX, BIT(24),						   "TSC deadline: the guest kernel's timer"		       },
	{ 1,	     0,	ECX, BIT(25),						   "AES"							},
	{ 1,	     0,	ECX, BIT(26),						   "XSAVE: the guest kernel saves vector registers by it"	     },
	{ 1,	     0,	ECX, BIT(28),						   "AVX"							},
	{ 1,	     0,	ECX, BIT(29),						   "half-precision conversion"				  },
	{ 1,	     0,	ECX, BIT(30),						   "rdrand"						     },
	{ 1,	     0,	ECX, BIT(31),						   "a hypervisor is there"				      },

	{ 2,	     ANY, EAX, ALL,						       "caches, in the form old C libraries read"		       },
	{ 2,	     ANY, EBX, ALL,						       "caches"						     },
	{ 2,	     ANY, ECX, ALL,						       "caches"						     },
	{ 2,	     ANY, EDX, ALL,						       "caches"						     },
	{ 4,	     ANY, EAX, ALL,						       "caches: C libraries size their copies by them"		    },
	{ 4,	     ANY, EBX, ALL,						       "caches"						     },
	{ 4,	     ANY, ECX, ALL,						       "caches"						     },
	{ 4,	     ANY, EDX, ALL,						       "caches"						     },

	{ 7,	     0,	EAX, ALL,						       "highest subleaf; cpuid_filter() lowers it"		      },
	{ 7,	     0,	EBX, BIT(0),						    "FSGSBASE: thread pointers"					 },
	{ 7,	     0,	EBX, BIT(3) | BIT(8),					   "BMI1, BMI2"						   },
	{ 7,	     0,	EBX, BIT(5),						    "AVX2"						       },
	{ 7,	     0,	EBX, BIT(7) | BIT(20),					  "SMEP, SMAP: the guest kernel's protection"		   },
	{ 7,	     0,	EBX, BIT(9),						    "fast rep movsb"					      },
	{ 7,	     0,	EBX, BIT(16) | BIT(17) | BIT(21) | BIT(28) | BIT(30) | BIT(31),
	  "AVX-512 F DQ IFMA CD BW VL"														   },
	{ 7,	     0,	EBX, BIT(18),						   "rdseed"						     },
	{ 7,	     0,	EBX, BIT(19),						   "adx"							},
	{ 7,	     0,	EBX, BIT(23) | BIT(24),					 "clflushopt, clwb"					   },
	{ 7,	     0,	EBX, BIT(29),						   "SHA"							},
	{ 7,	     0,	ECX, BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14),
	  "AVX-512 VBMI VBMI2 VNNI BITALG VPOPCNTDQ"												     },
	{ 7,	     0,	ECX, BIT(2),						    "UMIP: descriptor tables are hidden from programs"		},
	{ 7,	     0,	ECX, BIT(8) | BIT(9) | BIT(10),					"GFNI, VAES, VPCLMULQDQ"					 },
	{ 7,	     0,	ECX, BIT(27) | BIT(28),					 "movdiri, movdir64b"					     },
	{ 7,	     0,	EDX, BIT(2) | BIT(3),					   "AVX-512 4VNNIW 4FMAPS"				      },
	{ 7,	     0,	EDX, BIT(4),						    "fast short rep movsb"					    },
	{ 7,	     0,	EDX, BIT(8),						    "AVX-512 VP2INTERSECT"					    },
	{ 7,	     0,	EDX, BIT(14),						   "serialize"						  },
	{ 7,	     0,	EDX, BIT(23),						   "AVX-512 FP16"					       },
	{ 7,	     1,	EAX, BIT(4) | BIT(5),					   "AVX VNNI, AVX-512 BF16"				       },
	{ 7,	     1,	EAX, BIT(10) | BIT(11) | BIT(12),
	  "fast rep movsb of zero bytes, short stosb, short cmpsb"										       },
	{ 7,	     1,	EAX, BIT(23),						   "AVX IFMA"						   },
	{ 7,	     1,	EDX, BIT(4) | BIT(5),					   "AVX VNNI of other types"					},

	{ 0xb,	       ANY, EAX, ALL,						       "topology: numbers of CPUs; the id is ours"		  },
	{ 0xb,	       ANY, EBX, ALL,						       "topology"						   },
	{ 0xb,	       ANY, ECX, ALL,						       "topology"						   },

	{ 0xd,	       0,	  EAX, 0xe7,						      "vector state the guest kernel keeps: x87, SSE, AVX, AVX-512"},
	{ 0xd,	       0,	  EBX, ALL,						       "its size"						   },
	{ 0xd,	       0,	  ECX, ALL,						       "its size"						   },
	{ 0xd,	       1,	  EAX, BIT(0) | BIT(1) | BIT(2),					 "xsaveopt, xsavec, xgetbv 1"				      },
	{ 0xd,	       1,	  EBX, ALL,						       "size"						       },
	{ 0xd,	       2,	  EAX, ALL,						       "size and place of AVX"					    },
	{ 0xd,	       2,	  EBX, ALL,						       "place of AVX"					       },
	{ 0xd,	       5,	  EAX, ALL,						       "size of AVX-512's masks"				      },
	{ 0xd,	       5,	  EBX, ALL,						       "place"						      },
	{ 0xd,	       6,	  EAX, ALL,						       "size of AVX-512's upper halves"			     },
	{ 0xd,	       6,	  EBX, ALL,						       "place"						      },
	{ 0xd,	       7,	  EAX, ALL,						       "size of AVX-512's upper registers"				},
	{ 0xd,	       7,	  EBX, ALL,						       "place"						      },

	{ 0x80000000, 0,	 EAX, ALL,						       "highest leaf; cpuid_filter() lowers it"			    },
	{ 0x80000000, 0,	 EBX, ALL,						       "vendor"						     },
	{ 0x80000000, 0,	 ECX, ALL,						       "vendor"						     },
	{ 0x80000000, 0,	 EDX, ALL,						       "vendor"						     },
	{ 0x80000001, 0,	 EAX, ALL,						       "family, model, stepping"				     },
	{ 0x80000001, 0,	 EDX, BASELINE,						  "baseline, repeated"					     },
	{ 0x80000001, 0,	 EDX, BIT(11) | BIT(20) | BIT(29),
	  "syscall, no-execute, 64-bit: the guest kernel"												},
	{ 0x80000001, 0,	 EDX, BIT(22) | BIT(25),					 "MMX extensions, fast fxsave"				       },
	{ 0x80000001, 0,	 EDX, BIT(26),						   "pages of 1 GiB: tables of the monitor"		       },
	{ 0x80000001, 0,	 EDX, BIT(27),						   "rdtscp"						     },
	{ 0x80000001, 0,	 EDX, BIT(30) | BIT(31),					 "3DNow!"							  },
	{ 0x80000001, 0,	 ECX, BIT(0),						    "lahf"						       },
	{ 0x80000001, 0,	 ECX, BIT(1),						    "cores, not threads, in leaf 1 EBX"			  },
	{ 0x80000001, 0,	 ECX, BIT(5),						    "lzcnt"						      },
	{ 0x80000001, 0,	 ECX, BIT(6) | BIT(7) | BIT(8),					"SSE4A, misaligned SSE, prefetchw"			   },
	{ 0x80000001, 0,	 ECX, BIT(11) | BIT(16) | BIT(21),				   "XOP, FMA4, TBM"						    },
	{ 0x80000001, 0,	 ECX, BIT(22),						   "leaf 0x8000001d"						 },
	{ 0x80000002, 0,	 EAX, ALL,						       "name of the model, for /proc/cpuinfo"			  },
	{ 0x80000002, 0,	 EBX, ALL,						       "name"						       },
	{ 0x80000002, 0,	 ECX, ALL,						       "name"						       },
	{ 0x80000002, 0,	 EDX, ALL,						       "name"						       },
	{ 0x80000003, 0,	 EAX, ALL,						       "name"						       },
	{ 0x80000003, 0,	 EBX, ALL,						       "name"						       },
	{ 0x80000003, 0,	 ECX, ALL,						       "name"						       },
	{ 0x80000003, 0,	 EDX, ALL,						       "name"						       },
	{ 0x80000004, 0,	 EAX, ALL,						       "name"						       },
	{ 0x80000004, 0,	 EBX, ALL,						       "name"						       },
	{ 0x80000004, 0,	 ECX, ALL,						       "name"						       },
	{ 0x80000004, 0,	 EDX, ALL,						       "name"						       },
	{ 0x80000005, 0,	 ECX, ALL,						       "first-level caches of AMD"				       },
	{ 0x80000005, 0,	 EDX, ALL,						       "caches"						     },
	{ 0x80000006, 0,	 ECX, ALL,						       "second-level cache"						},
	{ 0x80000006, 0,	 EDX, ALL,						       "third-level cache of AMD"				      },
	{ 0x80000007, 0,	 EDX, BIT(8),						    "the cycle counter never stops"			      },
	{ 0x80000008, 0,	 EAX, ALL,						       "widths of addresses"					 },
	{ 0x80000008, 0,	 EBX, BIT(0) | BIT(2) | BIT(9),
	  "clzero, error pointers always saved, wbnoinvd"												},
	{ 0x8000001d, ANY, EAX, ALL,						       "caches of AMD"						     },
	{ 0x8000001d, ANY, EBX, ALL,						       "caches"						     },
	{ 0x8000001d, ANY, ECX, ALL,						       "caches"						     },
	{ 0x8000001d, ANY, EDX, ALL,						       "caches"						     },
};

#define MAX_BASIC    0xdu
#define MAX_EXTENDED 0x8000001du

static uint32_t allowed(uint32_t leaf, uint32_t subleaf, enum reg reg, bool *known)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const struct row *r = &table[i];

		if (r->leaf != leaf || (r->subleaf != ANY && r->subleaf != subleaf))
			continue;
		*known = true;
		if (r->reg == reg)
			bits |= r->bits;
	}
	return bits;
}

static void lower(uint32_t *v, uint32_t max)
{
	if (*v > max)
		*v = max;
}

uint32_t cpuid_filter(struct kvm_cpuid_entry2 *entry, uint32_t nr)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < nr; i++) {
		struct kvm_cpuid_entry2 x = entry[i];
		bool known = false;

		x.eax &= allowed(x.function, x.index, EAX, &known);
		x.ebx &= allowed(x.function, x.index, EBX, &known);
		x.ecx &= allowed(x.function, x.index, ECX, &known);
		x.edx &= allowed(x.function, x.index, EDX, &known);
		if (!known)
			continue;
		if (x.function == 0)
			lower(&x.eax, MAX_BASIC);
		if (x.function == 7 && x.index == 0)
			lower(&x.eax, 1);
		if (x.function == 0x80000000)
			lower(&x.eax, MAX_EXTENDED);
		entry[kept++] = x;
	}
	return kept;
}

void cpuid_describe(struct kvm_cpuid_entry2 *entry, uint32_t nr, uint32_t id, uint32_t nr_cpus)
{
	for (uint32_t i = 0; i < nr; i++) {
		struct kvm_cpuid_entry2 *x = &entry[i];

		if (x->function == 1) {
			x->ebx = (x->ebx & 0x0000ffff) | nr_cpus << 16 | id << 24;
			x->ecx |= BIT(21) | BIT(24) | BIT(31);
		}
		if (x->function == 0xb)
			x->edx = id;
	}
}

/* The registers of arch/x86_64/guest/x86.h. Those of the x2APIC, 0x800 to 0x8ff, never come to a filter. */
static const struct {
	uint32_t first, last;
	bool read, write;
	const char *reason;
} registers[] = {
	{0x10,	0x10,	      true, false, "cycle counter"			   },
	{ 0x6e0,	 0x6e0,	true, true,  "timer: TSC deadline"		  },
	{ 0x800,	 0x8ff,	true, true,  "interrupts: x2APIC"			 },
	{ 0xc0000080, 0xc0000080, true, true,  "EFER"				     },
	{ 0xc0000081, 0xc0000082, true, true,  "STAR, LSTAR: where system calls go"   },
	{ 0xc0000084, 0xc0000084, true, true,  "SFMASK: flags system calls begin with"},
	{ 0xc0000100, 0xc0000102, true, true,  "FS, GS and kernel GS base"		  },
};

bool msr_is_allowed(uint32_t msr, bool write)
{
	for (size_t i = 0; i < ARRAY_LEN(registers); i++)
		if (msr >= registers[i].first && msr <= registers[i].last)
			return write ? registers[i].write : registers[i].read;
	return false;
}

int msr_filter_set(int vm_fd, struct err *e)
{
	struct kvm_msr_filter f = { .flags = KVM_MSR_FILTER_DEFAULT_DENY };
	static uint8_t yes[ARRAY_LEN(registers)][32]; /* the largest range has 256 */
	size_t n = 0;

	memset(yes, 0xff, sizeof yes);
	if (ioctl(vm_fd, KVM_CHECK_EXTENSION, KVM_CAP_X86_MSR_FILTER) <= 0)
		return err_set(e, ENOTSUP,
			       "KVM here cannot limit model-specific registers (Linux 5.10 can)");
	for (size_t i = 0; i < ARRAY_LEN(registers); i++) {
		if (registers[i].first == 0x800)
			continue;
		f.ranges[n++] = (struct kvm_msr_filter_range){
			.flags = (registers[i].read ? KVM_MSR_FILTER_READ : 0) |
				 (registers[i].write ? KVM_MSR_FILTER_WRITE : 0),
			.base = registers[i].first,
			.nmsrs = registers[i].last - registers[i].first + 1,
			.bitmap = yes[i],
		};
	}
	if (ioctl(vm_fd, KVM_X86_SET_MSR_FILTER, &f))
		return err_set_errno(e, errno, "limiting model-specific registers");
	return 0;
}
