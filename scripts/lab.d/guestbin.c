/*
 * guestbin: the workload tool inside the lab's guests, linked statically.
 *
 *   fill FILE MIB SEED         writes MIB MiB of known content: even MiB incompressible, odd MiB text
 *   mod FILE TOTAL N SEED      overwrites N of the TOTAL MiB of FILE, spread over it
 *   rand4k FILE COUNT SEED     overwrites COUNT different 4 KiB blocks of FILE, incompressible
 *   probe FILE LOG MS          every MS ms one 4 KiB write + fdatasync; logs "end_ms latency_us"
 *   gap LOG [FROM_MS]          latency figures of a probe's log and its largest gap
 *   now                        the clock of probe and gap, in ms
 *   seq FILE [FILE2]           for ever: record i into FILE, synced, then into FILE2, synced
 *   seqcheck FILE [FILE2]      every record whole and in order; FILE at most one ahead of FILE2
 *
 * Every command but probe and seq ends with fsync. Exit codes: 0 good, 1 failed, 2 wrong use.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MIB (1 << 20)
#define BLOCK 4096
#define BLOCK_WORDS (BLOCK / sizeof(uint64_t))
#define GOLDEN 0x9E3779B97F4A7C15ULL
#define PROBE_BLOCKS 256
#define MAX_SAMPLES 2000000
#define SEQ_PAUSE_US 5000

static char buffer[MIB];
static uint64_t state;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void seed(uint64_t value)
{
	state = value * GOLDEN + 1;
}

/* xorshift64 */
static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static double now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static int open_or_die(const char *path, int flags)
{
	int fd = open(path, flags, 0644);
	if (fd < 0)
		die(path);
	return fd;
}

static void write_at(int fd, const void *data, size_t size, off_t offset)
{
	if (pwrite(fd, data, size, offset) != (ssize_t)size)
		die("write");
}

static int finish(int fd)
{
	if (fsync(fd) || close(fd))
		die("fsync");
	return 0;
}

static void noise(void *data, size_t size)
{
	uint64_t *words = data;
	for (size_t i = 0; i < size / sizeof(uint64_t); i++)
		words[i] = next_random();
}

static void log_text(uint64_t value)
{
	int end = 0;
	while (end < MIB - 100)
		end += sprintf(buffer + end,
			"%016llx level=info user=%llu path=/var/www/item/%llu status=200 ok\n",
			(unsigned long long)(value + end), (unsigned long long)(next_random() % 1000),
			(unsigned long long)(next_random() % 50));
	memset(buffer + end, '\n', MIB - end);
}

static void make_mib(uint64_t value, bool text)
{
	seed(value);
	if (text)
		log_text(value);
	else
		noise(buffer, MIB);
}

static int fill(const char *path, int mib, uint64_t value)
{
	int fd = open_or_die(path, O_CREAT | O_WRONLY);
	for (int i = 0; i < mib; i++) {
		make_mib(value + i, i & 1);
		write_at(fd, buffer, MIB, (off_t)i * MIB);
	}
	return finish(fd);
}

static int mod(const char *path, int total, int count, uint64_t value)
{
	int fd = open_or_die(path, O_WRONLY);
	int step = total / count > 1 ? total / count : 1;
	for (int i = 0; i < count; i++) {
		int slot = i * step + (int)(value % step);
		make_mib(value * 1000003 + i, i & 1);
		write_at(fd, buffer, MIB, (off_t)slot * MIB);
	}
	return finish(fd);
}

static int rand4k(const char *path, uint64_t count, uint64_t value)
{
	int fd = open_or_die(path, O_WRONLY);
	struct stat info;
	if (fstat(fd, &info))
		die(path);
	uint64_t blocks = info.st_size / BLOCK;
	if (count > blocks) {
		fprintf(stderr, "%s has only %llu blocks\n", path, (unsigned long long)blocks);
		return 1;
	}
	bool *taken = calloc(blocks, sizeof(bool));
	if (!taken)
		die("calloc");
	seed(value);
	for (uint64_t done = 0; done < count;) {
		uint64_t block = next_random() % blocks;
		if (taken[block])
			continue;
		taken[block] = true;
		noise(buffer, BLOCK);
		write_at(fd, buffer, BLOCK, (off_t)block * BLOCK);
		done++;
	}
	return finish(fd);
}

_Noreturn static void probe(const char *path, const char *log_path, int every_ms)
{
	int fd = open_or_die(path, O_CREAT | O_RDWR);
	FILE *log = fopen(log_path, "w");
	if (!log)
		die(log_path);
	double start = now_ms();
	for (long i = 0;; i++) {
		double begin = now_ms();
		memcpy(buffer, &i, sizeof(i));
		write_at(fd, buffer, BLOCK, (off_t)(i % PROBE_BLOCKS) * BLOCK);
		if (fdatasync(fd))
			die("fdatasync");
		double end = now_ms();
		fprintf(log, "%.3f %.0f\n", end, (end - begin) * 1e3);
		fflush(log);
		double wait = start + (i + 1) * (double)every_ms - now_ms();
		if (wait > 0)
			usleep((useconds_t)(wait * 1000));
		else /* late: keep the pace from here, without a burst */
			start = now_ms() - (i + 1) * (double)every_ms;
	}
}

static int by_value(const void *a, const void *b)
{
	double difference = *(const double *)a - *(const double *)b;
	return (difference > 0) - (difference < 0);
}

static int gap(const char *log_path, double from_ms)
{
	static double latency[MAX_SAMPLES];
	FILE *log = fopen(log_path, "r");
	if (!log)
		die(log_path);
	long n = 0;
	double at, us, previous = -1, largest = 0;
	while (n < MAX_SAMPLES && fscanf(log, "%lf %lf", &at, &us) == 2) {
		if (at < from_ms)
			continue;
		latency[n++] = us;
		if (previous >= 0 && at - previous > largest)
			largest = at - previous;
		previous = at;
	}
	if (n == 0) {
		puts("n=0");
		return 0;
	}
	qsort(latency, n, sizeof(double), by_value);
	printf("n=%ld p50_us=%.0f p99_us=%.0f max_us=%.0f max_gap_ms=%.1f\n", n, latency[n / 2],
		latency[(long)(n * 0.99)], latency[n - 1], largest);
	return 0;
}

static void make_record(uint64_t *words, uint64_t number)
{
	for (size_t k = 0; k < BLOCK_WORDS; k++)
		words[k] = number * GOLDEN + k;
	words[0] = number;
}

_Noreturn static void seq(const char *first, const char *second)
{
	uint64_t record[BLOCK_WORDS];
	int fds[2] = { open_or_die(first, O_CREAT | O_RDWR), -1 };
	if (second)
		fds[1] = open_or_die(second, O_CREAT | O_RDWR);
	/* a writer that was stopped between the two goes on where the second one ends */
	off_t end = lseek(fds[fds[1] < 0 ? 0 : 1], 0, SEEK_END);
	for (uint64_t i = end / BLOCK;; i++) {
		make_record(record, i);
		for (int f = 0; f < 2 && fds[f] >= 0; f++) {
			write_at(fds[f], record, BLOCK, (off_t)i * BLOCK);
			if (fdatasync(fds[f]))
				die("fdatasync");
		}
		usleep(SEQ_PAUSE_US);
	}
}

/* Returns the number of whole records, -1 when one is wrong. */
static long long count_records(const char *path)
{
	uint64_t record[BLOCK_WORDS], expected[BLOCK_WORDS];
	int fd = open_or_die(path, O_RDONLY);
	uint64_t i = 0;
	for (; pread(fd, record, BLOCK, (off_t)i * BLOCK) == BLOCK; i++) {
		make_record(expected, i);
		if (memcmp(record, expected, BLOCK)) {
			printf("bad record %llu in %s\n", (unsigned long long)i, path);
			return -1;
		}
	}
	close(fd);
	return (long long)i;
}

static int seqcheck(const char *first, const char *second)
{
	long long a = count_records(first), b = second ? count_records(second) : a;
	if (a < 0 || b < 0)
		return 1;
	if (a - b < 0 || a - b > 1) {
		printf("out of step: %lld and %lld records\n", a, b);
		return 1;
	}
	printf("ok records=%lld\n", a);
	return 0;
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";
	int given = argc - 2;
	if (!strcmp(command, "fill") && given == 3)
		return fill(argv[2], atoi(argv[3]), strtoull(argv[4], NULL, 10));
	if (!strcmp(command, "mod") && given == 4)
		return mod(argv[2], atoi(argv[3]), atoi(argv[4]), strtoull(argv[5], NULL, 10));
	if (!strcmp(command, "rand4k") && given == 3)
		return rand4k(argv[2], strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10));
	if (!strcmp(command, "probe") && given == 3)
		probe(argv[2], argv[3], atoi(argv[4]));
	if (!strcmp(command, "gap") && (given == 1 || given == 2))
		return gap(argv[2], given == 2 ? atof(argv[3]) : 0);
	if (!strcmp(command, "seq") && (given == 1 || given == 2))
		seq(argv[2], given == 2 ? argv[3] : NULL);
	if (!strcmp(command, "seqcheck") && (given == 1 || given == 2))
		return seqcheck(argv[2], given == 2 ? argv[3] : NULL);
	if (!strcmp(command, "now") && given == 0)
		return printf("%.3f\n", now_ms()) < 0;
	fputs("usage: guestbin fill|mod|rand4k|probe|gap|now|seq|seqcheck ...\n", stderr);
	return 2;
}
