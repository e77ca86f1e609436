// SPDX-License-Identifier: Apache-2.0
/*
 * elf - Linux ABI: ELF executables
 *
 * Rules     Names and values are exactly Linux's. No logic.
 * See       elf(5)
 */
#pragma once

#include "guestkernel/uapi/types.h"

#define EI_MAG0	       0
#define ELFOSABI_NONE  0
#define ET_NONE	       0
#define EI_MAG1	       1
#define ELFDATA2LSB    1
#define ET_REL	       1
#define EV_CURRENT     1
#define EI_MAG2	       2
#define ELFCLASS64     2
#define ET_EXEC	       2
#define EI_MAG3	       3
#define ELFOSABI_LINUX 3
#define ET_DYN	       3
#define EI_CLASS       4
#define ET_CORE	       4
#define SELFMAG	       4
#define EI_DATA	       5
#define EI_VERSION     6
#define EI_OSABI       7
#define EI_ABIVERSION  8
#define EI_PAD	       8
#define EI_NIDENT      16
#define EM_X86_64      62
#define ELFMAG1	       69
#define ELFMAG3	       70
#define ELFMAG2	       76
#define ELFMAG0	       127
#define EM_AARCH64     183

#define PT_NULL		0x0
#define PT_LOAD		0x1
#define PT_DYNAMIC	0x2
#define PT_INTERP	0x3
#define PT_NOTE		0x4
#define PT_SHLIB	0x5
#define PT_PHDR		0x6
#define PT_TLS		0x7
#define PT_GNU_EH_FRAME 0x6474e550
#define PT_GNU_STACK	0x6474e551
#define PT_GNU_RELRO	0x6474e552
#define PT_GNU_PROPERTY 0x6474e553

#define PF_X 1
#define PF_W 2
#define PF_R 4

#define NT_PRSTATUS	       0x1
#define NT_PRFPREG	       0x2
#define NT_PRPSINFO	       0x3
#define NT_GNU_PROPERTY_TYPE_0 0x5
#define NT_AUXV		       0x6
#define NT_X86_XSTATE	       0x202
#define NT_ARM_TLS	       0x401
#define NT_ARM_HW_BREAK	       0x402
#define NT_ARM_HW_WATCH	       0x403
#define NT_ARM_SYSTEM_CALL     0x404
#define NT_ARM_SVE	       0x405
#define NT_FILE		       0x46494c45
#define NT_SIGINFO	       0x53494749

#define ELFMAG				   "\177ELF"
#define GNU_PROPERTY_X86_FEATURE_1_AND	   0xc0000002u
#define GNU_PROPERTY_AARCH64_FEATURE_1_AND 0xc0000000u

typedef struct {
	u8 e_ident[16];
	u16 e_type;
	u16 e_machine;
	u32 e_version;
	u64 e_entry;
	u64 e_phoff;
	u64 e_shoff;
	u32 e_flags;
	u16 e_ehsize;
	u16 e_phentsize;
	u16 e_phnum;
	u16 e_shentsize;
	u16 e_shnum;
	u16 e_shstrndx;
} Elf64_Ehdr;

typedef struct {
	u32 p_type;
	u32 p_flags;
	u64 p_offset;
	u64 p_vaddr;
	u64 p_paddr;
	u64 p_filesz;
	u64 p_memsz;
	u64 p_align;
} Elf64_Phdr;

typedef struct {
	u32 sh_name;
	u32 sh_type;
	u64 sh_flags;
	u64 sh_addr;
	u64 sh_offset;
	u64 sh_size;
	u32 sh_link;
	u32 sh_info;
	u64 sh_addralign;
	u64 sh_entsize;
} Elf64_Shdr;

typedef struct {
	u32 st_name;
	u8 st_info;
	u8 st_other;
	u16 st_shndx;
	u64 st_value;
	u64 st_size;
} Elf64_Sym;

typedef struct {
	u32 n_namesz;
	u32 n_descsz;
	u32 n_type;
} Elf64_Nhdr;
