# about: gcc -O2 of a project of twenty files with make -j4, an archive, a shared library, rebuilds
# timeout: 1800
mkdir -p /tmp/p/src && cd /tmp/p || exit 1
for i in $(seq 20); do cat > src/mod$i.c <<C
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "all.h"

struct node$i { struct node$i *next; int key; char name[16]; };

static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

int mod$i(int seed)
{
	struct node$i *head = NULL, *n;
	int v[200], sum = 0;

	for (int i = 0; i < 200; i++) {
		v[i] = (seed * 31 + i * $i * 7919) % 1000;
		n = malloc(sizeof *n);
		n->next = head; n->key = v[i]; snprintf(n->name, sizeof n->name, "%d-%d", $i, v[i]);
		head = n;
	}
	qsort(v, 200, sizeof v[0], compare);
	while ((n = head)) { sum += n->key ^ (int)strlen(n->name); head = n->next; free(n); }
	return sum + v[100];
}
C
done
{ echo '#pragma once'; for i in $(seq 20); do echo "int mod$i(int seed);"; done; } > src/all.h
{ printf '#include <stdio.h>\n#include "all.h"\nint main(void)\n{\n\tint x = 1;\n'; for i in $(seq 20); do echo "	x = mod$i(x);"; done; printf '\tprintf("%%d\\n", x);\n\treturn 0;\n}\n'; } > src/main.c
cat > Makefile <<'M'
SRC := $(sort $(wildcard src/mod*.c))
OBJ := $(SRC:src/%.c=obj/%.o)
all: static dynamic
obj/%.o: src/%.c | obj
	@gcc -O2 -fPIC -Wall -MMD -c -o $@ $<
obj:
	@mkdir obj
libmods.a: $(OBJ)
	@ar rcs $@ $^
libmods.so: $(OBJ)
	@gcc -shared -o $@ $^
static: obj/main.o libmods.a
	@gcc -o $@ obj/main.o libmods.a
dynamic: obj/main.o libmods.so
	@gcc -o $@ obj/main.o -L. -lmods -Wl,-rpath,'$$ORIGIN'
-include $(wildcard obj/*.d)
M
make -s -j4 && ./static && ./dynamic; ls obj/*.o | wc -l; ar t libmods.a | wc -l; nm -D libmods.so | grep -c ' T mod'
make -j4; sleep 1.1; touch src/mod7.c; make -n -j4 | grep -c 'c -o'; touch src/all.h; make -n | grep -c 'c -o'; make -s -j4; ./dynamic
strip static; objdump -d static | grep -c 'call' | wc -l; readelf -h dynamic | grep Type; size -A static | grep -c text; strings dynamic | grep -c ORIGIN; md5sum obj/mod1.o obj/mod20.o libmods.so
