# about: make -j4 of a small C project, and again with nothing to do
# timeout: 600
mkdir -p /tmp/p && cd /tmp/p || exit 1
for i in 1 2 3 4 5 6 7 8; do echo "int part$i(int x) { return x * $i + 1; }" > part$i.c; done
{ for i in 1 2 3 4 5 6 7 8; do echo "int part$i(int x);"; done
  echo '#include <stdio.h>'; echo 'int main(void) { int x = 1;'
  for i in 1 2 3 4 5 6 7 8; do echo "x = part$i(x);"; done
  printf '%s\n' 'printf("%d\n", x); return 0; }'; } > main.c
cat > Makefile <<'E'
OBJECTS = main.o part1.o part2.o part3.o part4.o part5.o part6.o part7.o part8.o
program: $(OBJECTS)
	@gcc -o $@ $(OBJECTS)
%.o: %.c
	@gcc -O -c -o $@ $<
clean:
	rm -f program *.o
E
make -s -j4 && ./program
make -j4
echo 'int part3(int x) { return x - 3; }' > part3.c; touch -d '+1 hour' part3.c; make -s -j4 2>/dev/null; ./program
make clean; ls
