// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/kvm/services.hpp>

#include <hosts/kvm/file.hpp>

#include <sel4vm/base/printable.hpp>

#include <ctime>
#include <string>
#include <sys/random.h>

namespace sel4vm::kvm {

u64 Clock::now_ticks() {
#ifdef __aarch64__
    u64 ticks = 0;
    // The barrier keeps the read from being done early.
    asm volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(ticks)::"memory");
    return ticks;
#else
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<u64>(now.tv_sec) * 1'000'000'000 + static_cast<u64>(now.tv_nsec);
#endif
}

u64 Clock::ticks_per_second() {
#ifdef __aarch64__
    u64 frequency = 0;
    asm("mrs %0, cntfrq_el0" : "=r"(frequency));
    return frequency;
#else
    return 1'000'000'000;
#endif
}

Result<u64, HostError> Clock::wall_clock_seconds() {
    timespec now{};
    if (clock_gettime(CLOCK_REALTIME, &now) != 0 || now.tv_sec < 0)
        return Err{HostError{HostErrorKind::not_available}};
    return static_cast<u64>(now.tv_sec);
}

Status<HostError> Entropy::fill(std::span<u8> out) {
    // All or nothing, as the port promises: the kernel gives up to 256 bytes in one piece.
    std::string bytes(out.size(), '\0');
    usize done = 0;
    while (done < bytes.size()) {
        const ssize_t got = getrandom(bytes.data() + done, bytes.size() - done, 0);
        if (got < 0 && errno != EINTR)
            return Err{HostError{HostErrorKind::not_available, errno}};
        done += got > 0 ? static_cast<usize>(got) : 0;
    }
    bytes.copy(reinterpret_cast<char *>(out.data()), out.size()); // SAFETY: bytes as chars
    return Ok{};
}

void Log::line(LogLevel, std::string_view source, std::string_view text) {
    // In one write, so that lines of several threads do not mix.
    std::string line = "sel4vm: ";
    const auto add = [&](std::string_view part) { line += part; };
    show(source, add);
    line += ": ";
    show(text, add);
    line += '\n';
    std::string_view left = line;
    while (!left.empty()) {
        const ssize_t done = write(STDERR_FILENO, left.data(), left.size());
        if (done < 0 && errno != EINTR)
            return;
        left.remove_prefix(done > 0 ? static_cast<usize>(done) : 0);
    }
}

} // namespace sel4vm::kvm
