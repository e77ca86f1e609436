// SPDX-License-Identifier: Apache-2.0
/* cpuid_test - arch/x86_64/vmm/cpuid.c: what no guest may see or touch, whatever KVM supports */
#include <criterion/criterion.h>
#include <string.h>

#include "arch/x86_64/vmm/cpuid.h"

#define BIT(n) (1u << (n))

/* A host whose KVM supports everything: all leaves, all bits. */
static uint32_t all_of_it(struct kvm_cpuid_entry2 *e)
{
	static const uint32_t ranges[][2] = {
		{0,	     0x20	  },
		     { 0x40000000, 0x40000010},
		 { 0x80000000, 0x80000028}
	};
	uint32_t n = 0;

	for (int r = 0; r < 3; r++)
		for (uint32_t leaf = ranges[r][0]; leaf <= ranges[r][1]; leaf++)
			for (uint32_t sub = 0;
			     sub < (leaf == 7 || leaf == 0xd || leaf == 4 ? 20 : 1); sub++)
				e[n++] = (struct kvm_cpuid_entry2){ .function = leaf,
								    .index = sub,
								    .eax = ~0u,
								    .ebx = ~0u,
								    .ecx = ~0u,
								    .edx = ~0u };
	return n;
}

static struct kvm_cpuid_entry2 entry[512];

static const struct kvm_cpuid_entry2 *find(uint32_t n, uint32_t leaf, uint32_t sub)
{
	static const struct kvm_cpuid_entry2 none;

	for (uint32_t i = 0; i < n; i++)
		if (entry[i].function == leaf && entry[i].index == sub)
			return &entry[i];
	return &none;
}

Test(cpuid, forbidden_features_are_gone)
{
	uint32_t n = cpuid_filter(entry, all_of_it(entry));
	const struct kvm_cpuid_entry2 *x = find(n, 1, 0);

	/* DTES64 MONITOR DS-CPL VMX SMX EIST TM2 CNXT-ID SDBG xTPR PDCM PCID DCA OSXSAVE */
	cr_assert_eq(x->ecx & (BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(7) | BIT(8) |
			       BIT(10) | BIT(11) | BIT(14) | BIT(15) | BIT(17) | BIT(18) | BIT(27)),
		     0);
	/* MCE MTRR MCA PSN DS ACPI TM IA64 PBE */
	cr_assert_eq(x->edx & (BIT(7) | BIT(12) | BIT(14) | BIT(18) | BIT(21) | BIT(22) | BIT(29) |
			       BIT(30) | BIT(31)),
		     0);
	cr_assert_eq(x->ebx, 0xff00);
	x = find(n, 7, 0);
	/* TSC_ADJUST SGX HLE INVPCID RTM RDT MPX PT */
	cr_assert_eq(x->ebx & (BIT(1) | BIT(2) | BIT(4) | BIT(10) | BIT(11) | BIT(12) | BIT(14) |
			       BIT(15) | BIT(25)),
		     0);
	/* PKU OSPKE WAITPKG SHSTK TME LA57 RDPID KL ENQCMD SGX_LC PKS */
	cr_assert_eq(x->ecx & (BIT(3) | BIT(4) | BIT(5) | BIT(7) | BIT(13) | BIT(16) | BIT(22) |
			       BIT(23) | BIT(29) | BIT(30) | BIT(31)),
		     0);
	/* UINTR MD_CLEAR TSX HYBRID PCONFIG LBR IBT AMX IBRS STIBP FLUSH ARCH CORE SSBD */
	cr_assert_eq(x->edx & (BIT(5) | BIT(10) | BIT(11) | BIT(13) | BIT(15) | BIT(18) | BIT(19) |
			       BIT(20) | BIT(22) | BIT(24) | BIT(25) | BIT(26) | BIT(27) | BIT(28) |
			       BIT(29) | BIT(30) | BIT(31)),
		     0);
	x = find(n, 0x80000001, 0);
	/* SVM OSVW IBS SKINIT WDT LWP PERFCTR BPEXT MONITORX */
	cr_assert_eq(x->ecx & (BIT(2) | BIT(9) | BIT(10) | BIT(12) | BIT(13) | BIT(15) | BIT(23) |
			       BIT(24) | BIT(26) | BIT(27) | BIT(28) | BIT(29)),
		     0);
}

Test(cpuid, vector_state_is_what_the_kernel_keeps)
{
	uint32_t n = cpuid_filter(entry, all_of_it(entry));

	cr_assert_eq(find(n, 0xd, 0)->eax, 0xe7);
	cr_assert_eq(find(n, 0xd, 0)->edx, 0);
	cr_assert_eq(find(n, 0xd, 1)->eax & BIT(3), 0); /* supervisor state */
	cr_assert_eq(find(n, 0xd, 1)->ecx, 0);
	for (uint32_t sub = 2; sub < 20; sub++)
		cr_assert_eq(!!find(n, 0xd, sub)->eax, sub == 2 || (sub >= 5 && sub <= 7),
			     "component %u", sub);
}

Test(cpuid, leaves_nobody_named_are_gone)
{
	/* thermal, PMU, resource monitoring, SGX, trace, frequencies, SoC, AMX, hypervisor, SVM, IBS, node, encryption, mitigations */
	static const uint32_t gone[] = { 3,	     5,		 6,	     8,		 9,
					 0xa,	     0xf,	 0x10,	     0x12,	 0x14,
					 0x15,	     0x16,	 0x17,	     0x18,	 0x19,
					 0x1a,	     0x1c,	 0x1d,	     0x1e,	 0x1f,
					 0x20,	     0x40000000, 0x40000001, 0x40000010, 0x8000000a,
					 0x8000001a, 0x8000001b, 0x8000001e, 0x8000001f, 0x80000021,
					 0x80000022 };
	uint32_t n = cpuid_filter(entry, all_of_it(entry));

	for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
		cr_assert_eq(find(n, gone[i], 0)->function, 0, "leaf %x", gone[i]);
	cr_assert_eq(find(n, 0, 0)->eax, 0xd);
	cr_assert_eq(find(n, 7, 0)->eax, 1);
	cr_assert_eq(find(n, 0x80000000, 0)->eax, 0x8000001d);
}

Test(cpuid, nothing_is_announced_that_kvm_does_not_have)
{
	uint32_t n = all_of_it(entry);

	for (uint32_t i = 0; i < n; i++)
		entry[i].eax = entry[i].ebx = entry[i].ecx = entry[i].edx = 0;
	n = cpuid_filter(entry, n);
	for (uint32_t i = 0; i < n; i++)
		cr_assert_eq(entry[i].eax | entry[i].ebx | entry[i].ecx | entry[i].edx, 0);
}

Test(cpuid, each_cpu_has_its_number)
{
	uint32_t n = cpuid_filter(entry, all_of_it(entry));

	cpuid_describe(entry, n, 3, 4);
	cr_assert_eq(find(n, 1, 0)->ebx, 3u << 24 | 4u << 16 | 0xff00);
	cr_assert_eq(find(n, 0xb, 0)->edx, 3);
	cr_assert(find(n, 1, 0)->ecx & BIT(31));
}

Test(cpuid, registers_are_few)
{
	static const uint32_t used[] = { 0x6e0,	     0x80b,	 0x80f,	     0x830,
					 0x832,	     0xc0000080, 0xc0000081, 0xc0000082,
					 0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102 };
	/* microcode, feature control, PMU, MTRR, PAT, MCG, misc enable, debug control, SPEC_CTRL, PRED_CMD, VMX, sysenter, CSTAR, TSC_AUX, VM_HSAVE, kvmclock */
	static const uint32_t never[] = {
		0x79,  0x8b,  0x3a,	  0xc1,	      0x186,	  0x38f,      0xfe,
		0x277, 0x17a, 0x1a0,	  0x1d9,      0x48,	  0x49,	      0x480,
		0x174, 0x176, 0xc0000083, 0xc0000103, 0xc0010117, 0x4b564d00, 0x4b564d01,
		0x11,  0x12,  0xda0,	  0x7ff,      0x900,	  0,	      ~0u
	};

	for (size_t i = 0; i < sizeof used / sizeof used[0]; i++)
		cr_assert(msr_is_allowed(used[i], true), "%x", used[i]);
	for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
		cr_assert(!msr_is_allowed(never[i], true) && !msr_is_allowed(never[i], false), "%x",
			  never[i]);
	cr_assert(msr_is_allowed(0x10, false) && !msr_is_allowed(0x10, true));
}
