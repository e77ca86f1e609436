# about: gcc builds and runs a program with threads
# timeout: 600
mkdir -p /tmp/c && cd /tmp/c || exit 1
cat > threads.c <<'E'
#include <pthread.h>
#include <stdio.h>
#include <math.h>

static double sums[4];

static void *work(void *arg)
{
	long id = (long)arg;

	for (int i = 1; i <= 200000; i++)
		sums[id] += 1.0 / ((double)i * i + id);
	return NULL;
}

int main(void)
{
	pthread_t t[4];

	for (long i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, work, (void *)i);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < 4; i++)
		printf("%.12f %.12f\n", sums[i], sqrt(sums[i]));
	return 0;
}
E
gcc -O2 -Wall -o threads threads.c -lm && ./threads
gcc -O0 -static -o static threads.c -lm && ./static
gcc -c nothing.c; echo $?
echo 'int main(void){return x;}' > bad.c; gcc bad.c 2>&1 | grep -c error
file -b threads static | cut -d, -f1,2
