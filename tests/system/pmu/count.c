/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What `perf stat` and `perf record` ask of the kernel, for a loop whose instructions are known: pmu_linux_test.py runs it in a Linux guest. */
#define _GNU_SOURCE
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROUNDS 5000000ULL
#define PERIOD 100000ULL
#define PAGES  8

static void work(void) {
    uint64_t rounds = ROUNDS;
    __asm__ volatile("1: subs %0, %0, #1\n b.ne 1b" : "+r"(rounds)::"cc");
}

static int open_counter(uint64_t period) {
    struct perf_event_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.size = sizeof attr;
    attr.type = PERF_TYPE_HARDWARE;
    attr.config = PERF_COUNT_HW_INSTRUCTIONS;
    attr.disabled = 1;
    attr.exclude_kernel = 1;
    attr.exclude_hv = 1;
    attr.sample_period = period;
    attr.sample_type = period != 0 ? PERF_SAMPLE_IP : 0;
    return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static void run(int counter) {
    ioctl(counter, PERF_EVENT_IOC_ENABLE, 0);
    work();
    ioctl(counter, PERF_EVENT_IOC_DISABLE, 0);
}

int main(void) {
    const int counting = open_counter(0);
    uint64_t count = 0;
    if (counting < 0) {
        perror("perf_event_open");
        return 1;
    }
    run(counting);
    if (read(counting, &count, sizeof count) != sizeof count)
        return 1;
    printf("counted %llu of %llu\n", (unsigned long long)count, 2 * ROUNDS);

    const int sampling = open_counter(PERIOD);
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct perf_event_mmap_page *ring = mmap(NULL, (PAGES + 1) * page, PROT_READ | PROT_WRITE, MAP_SHARED, sampling, 0);
    if (sampling < 0 || ring == MAP_FAILED) {
        perror("sampling");
        return 1;
    }
    run(sampling);
    /* A record is its header and the address; nothing else is asked for. */
    uint64_t samples = 0;
    uint64_t inside = 0;
    for (uint64_t at = 0; at < ring->data_head;) {
        const char *record = (const char *)ring + page + at;
        struct perf_event_header header;
        uint64_t address;
        memcpy(&header, record, sizeof header);
        memcpy(&address, record + sizeof header, sizeof address);
        if (header.type == PERF_RECORD_SAMPLE) {
            ++samples;
            inside += address >= (uint64_t)(uintptr_t)work && address < (uint64_t)(uintptr_t)work + 256;
        }
        at += header.size;
    }
    printf("sampled %llu of %llu, %llu there\n", (unsigned long long)samples, 2 * ROUNDS / PERIOD,
           (unsigned long long)inside);
    return 0;
}
