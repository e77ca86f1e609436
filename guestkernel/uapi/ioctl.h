// SPDX-License-Identifier: Apache-2.0
/*
 * ioctl - Linux ABI: terminal, file and file system ioctls
 *
 * Rules     Names and values are exactly Linux's. No logic.
 * See       ioctl_tty(2), ioctl_fs (FS_IOC_*), termios(3)
 */
#pragma once

#include "guestkernel/uapi/types.h"

#define FIONREAD 0x541b
#define FIONBIO	 0x5421
#define FIONCLEX 0x5450
#define FIOCLEX	 0x5451
#define FIOASYNC 0x5452
#define FIOQSIZE 0x5460

#define FIOSETOWN 0x8901
#define SIOCSPGRP 0x8902
#define FIOGETOWN 0x8903
#define SIOCGPGRP 0x8904

#define TIOCEXCL	0x540c
#define TIOCNXCL	0x540d
#define TIOCSCTTY	0x540e
#define TIOCGPGRP	0x540f
#define TIOCSPGRP	0x5410
#define TIOCOUTQ	0x5411
#define TIOCSTI		0x5412
#define TIOCGWINSZ	0x5413
#define TIOCSWINSZ	0x5414
#define TIOCMGET	0x5415
#define TIOCMBIS	0x5416
#define TIOCMBIC	0x5417
#define TIOCMSET	0x5418
#define TIOCGSOFTCAR	0x5419
#define TIOCSSOFTCAR	0x541a
#define TIOCINQ		0x541b
#define TIOCLINUX	0x541c
#define TIOCCONS	0x541d
#define TIOCGSERIAL	0x541e
#define TIOCSSERIAL	0x541f
#define TIOCPKT		0x5420
#define TIOCNOTTY	0x5422
#define TIOCSETD	0x5423
#define TIOCGETD	0x5424
#define TIOCSBRK	0x5427
#define TIOCCBRK	0x5428
#define TIOCGSID	0x5429
#define TIOCGRS485	0x542e
#define TIOCSRS485	0x542f
#define TIOCVHANGUP	0x5437
#define TIOCGPTPEER	0x5441
#define TIOCSERCONFIG	0x5453
#define TIOCSERGWILD	0x5454
#define TIOCSERSWILD	0x5455
#define TIOCGLCKTRMIOS	0x5456
#define TIOCSLCKTRMIOS	0x5457
#define TIOCSERGSTRUCT	0x5458
#define TIOCSERGETLSR	0x5459
#define TIOCSERGETMULTI 0x545a
#define TIOCSERSETMULTI 0x545b
#define TIOCMIWAIT	0x545c
#define TIOCGICOUNT	0x545d
#define TIOCSPTLCK	0x40045431
#define TIOCSIG		0x40045436
#define TIOCGPTN	0x80045430u
#define TIOCGDEV	0x80045432u
#define TIOCGPKT	0x80045438u
#define TIOCGPTLCK	0x80045439u
#define TIOCGEXCL	0x80045440u

#define TCGETS	0x5401
#define TCSETS	0x5402
#define TCSETSW 0x5403
#define TCSETSF 0x5404
#define TCGETA	0x5405
#define TCSETA	0x5406
#define TCSETAW 0x5407
#define TCSETAF 0x5408
#define TCSBRK	0x5409
#define TCXONC	0x540a
#define TCFLSH	0x540b
#define TCSBRKP 0x5425

#define TCIFLUSH  0
#define TCOOFF	  0
#define TCSANOW	  0
#define TCOFLUSH  1
#define TCOON	  1
#define TCSADRAIN 1
#define TCIOFF	  2
#define TCIOFLUSH 2
#define TCSAFLUSH 2
#define TCION	  3

#define N_TTY	 0
#define VINTR	 0
#define VQUIT	 1
#define VERASE	 2
#define VKILL	 3
#define VEOF	 4
#define VTIME	 5
#define VMIN	 6
#define VSWTC	 7
#define VSTART	 8
#define VSTOP	 9
#define VSUSP	 10
#define VEOL	 11
#define VREPRINT 12
#define VDISCARD 13
#define VWERASE	 14
#define VLNEXT	 15
#define VEOL2	 16
#define NCCS	 19

#define IGNBRK	01
#define BRKINT	02
#define IGNPAR	04
#define PARMRK	010
#define INPCK	020
#define ISTRIP	040
#define INLCR	0100
#define IGNCR	0200
#define ICRNL	0400
#define IUCLC	01000
#define IXON	02000
#define IXANY	04000
#define IXOFF	010000
#define IMAXBEL 020000
#define IUTF8	040000

#define BS0    0
#define CR0    0
#define FF0    0
#define NL0    0
#define TAB0   0
#define VT0    0
#define OPOST  01
#define OLCUC  02
#define ONLCR  04
#define OCRNL  010
#define ONOCR  020
#define ONLRET 040
#define OFILL  0100
#define OFDEL  0200
#define NL1    0400
#define NLDLY  0400
#define CR1    01000
#define CR2    02000
#define CR3    03000
#define CRDLY  03000
#define TAB1   04000
#define TAB2   010000
#define TAB3   014000
#define TABDLY 014000
#define XTABS  014000
#define BS1    020000
#define BSDLY  020000
#define VT1    040000
#define VTDLY  040000
#define FF1    0100000
#define FFDLY  0100000

#define B0	 0
#define CS5	 0
#define B50	 01
#define B75	 02
#define B110	 03
#define B134	 04
#define B150	 05
#define B200	 06
#define B300	 07
#define B600	 010
#define B1200	 011
#define B1800	 012
#define B2400	 013
#define B4800	 014
#define B9600	 015
#define B19200	 016
#define B38400	 017
#define CS6	 020
#define CS7	 040
#define CS8	 060
#define CSIZE	 060
#define CSTOPB	 0100
#define CREAD	 0200
#define PARENB	 0400
#define PARODD	 01000
#define HUPCL	 02000
#define CLOCAL	 04000
#define BOTHER	 010000
#define B57600	 010001
#define B115200	 010002
#define B230400	 010003
#define B460800	 010004
#define B500000	 010005
#define B576000	 010006
#define B921600	 010007
#define B1000000 010010
#define B1152000 010011
#define B1500000 010012
#define B2000000 010013
#define B2500000 010014
#define B3000000 010015
#define B3500000 010016
#define B4000000 010017
#define CBAUD	 010017
#define CIBAUD	 02003600000
#define CMSPAR	 010000000000
#define CRTSCTS	 020000000000

#define ISIG	01
#define ICANON	02
#define XCASE	04
#define ECHO	010
#define ECHOE	020
#define ECHOK	040
#define ECHONL	0100
#define NOFLSH	0200
#define TOSTOP	0400
#define ECHOCTL 01000
#define ECHOPRT 02000
#define ECHOKE	04000
#define FLUSHO	010000
#define PENDIN	040000
#define IEXTEN	0100000
#define EXTPROC 0200000

#define FIBMAP		  0x1
#define FS_SECRM_FL	  0x1
#define FIGETBSZ	  0x2
#define FS_UNRM_FL	  0x2
#define FS_COMPR_FL	  0x4
#define FS_SYNC_FL	  0x8
#define FS_IMMUTABLE_FL	  0x10
#define FS_APPEND_FL	  0x20
#define FS_NODUMP_FL	  0x40
#define FS_NOATIME_FL	  0x80
#define FS_DIRTY_FL	  0x100
#define FS_COMPRBLK_FL	  0x200
#define FS_NOCOMP_FL	  0x400
#define FS_ENCRYPT_FL	  0x800
#define FS_BTREE_FL	  0x1000
#define FS_INDEX_FL	  0x1000
#define BLKROSET	  0x125d
#define BLKROGET	  0x125e
#define BLKGETSIZE	  0x1260
#define BLKFLSBUF	  0x1261
#define BLKSSZGET	  0x1268
#define BLKPBSZGET	  0x127b
#define FS_IMAGIC_FL	  0x2000
#define FS_NOTAIL_FL	  0x8000
#define FS_DIRSYNC_FL	  0x10000
#define FS_TOPDIR_FL	  0x20000
#define FS_EXTENT_FL	  0x80000
#define FS_VERITY_FL	  0x100000
#define FS_EOFBLOCKS_FL	  0x400000
#define FS_NOCOW_FL	  0x800000
#define FS_DAX_FL	  0x2000000
#define FS_PROJINHERIT_FL 0x20000000
#define FS_CASEFOLD_FL	  0x40000000
#define FICLONE		  0x40049409
#define FS_IOC_SETFLAGS	  0x40086602
#define FS_IOC_SETVERSION 0x40087602
#define FS_IOC_FSSETXATTR 0x401c5820
#define FICLONERANGE	  0x4020940d
#define FS_IOC_SETFSLABEL 0x41009432
#define FS_RESERVED_FL	  0x80000000u
#define BLKBSZGET	  0x80081270u
#define BLKGETSIZE64	  0x80081272u
#define FS_IOC_GETFLAGS	  0x80086601u
#define FS_IOC_GETVERSION 0x80087601u
#define FS_IOC_FSGETXATTR 0x801c581fu
#define FS_IOC_GETFSLABEL 0x81009431u
#define FIFREEZE	  0xc0045877u
#define FITHAW		  0xc0045878u
#define FITRIM		  0xc0185879u
#define FIDEDUPERANGE	  0xc0189436u

#define TCGETS2	 0x802c542au
#define TCSETS2	 0x402c542b
#define TCSETSW2 0x402c542c
#define TCSETSF2 0x402c542d

/* The kernel's struct termios (TCGETS): 19 control characters, no speeds. */
struct termios {
	u32 c_iflag;
	u32 c_oflag;
	u32 c_cflag;
	u32 c_lflag;
	u8 c_line;
	u8 c_cc[19];
};

struct termios2 {
	u32 c_iflag;
	u32 c_oflag;
	u32 c_cflag;
	u32 c_lflag;
	u8 c_line;
	u8 c_cc[19];
	u32 c_ispeed;
	u32 c_ospeed;
};

struct termio {
	u16 c_iflag;
	u16 c_oflag;
	u16 c_cflag;
	u16 c_lflag;
	u8 c_line;
	u8 c_cc[8];
};

struct winsize {
	u16 ws_row;
	u16 ws_col;
	u16 ws_xpixel;
	u16 ws_ypixel;
};

#define NS_GET_NSTYPE 0xb703

struct file_clone_range {
	s64 src_fd;
	u64 src_offset;
	u64 src_length;
	u64 dest_offset;
};

struct fsxattr {
	u32 fsx_xflags;
	u32 fsx_extsize;
	u32 fsx_nextents;
	u32 fsx_projid;
	u32 fsx_cowextsize;
	u8 pad[8];
};
