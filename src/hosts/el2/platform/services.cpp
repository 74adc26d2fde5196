// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/platform/services.hpp>

#include <hosts/el2/platform/line.hpp>

#include <sel4vm/base/bits.hpp>

#include <algorithm>

namespace sel4vm::el2 {

// ---------------------------------------------------------------- time

CounterClock::CounterClock(const PlatformInfo &info) : frequency_(SEL4VM_READ_SYSREG(cntfrq_el0)) {
    if (frequency_ == 0)
        SEL4VM_PANIC("CNTFRQ_EL0 is 0: the firmware did not set the counter's frequency");
    if (info.rtc)
        rtc_ = Mmio(info.rtc->base());
}

Result<u64, HostError> CounterClock::wall_clock_seconds() {
    constexpr u32 kDataRegister = 0;
    if (rtc_.base() == 0)
        return Err{HostError{HostErrorKind::not_available}};
    return u64{rtc_.read32(kDataRegister)};
}

// ---------------------------------------------------------------- log

void ConsoleLog::line(LogLevel level, std::string_view source, std::string_view text) {
    if (level > least_)
        return;
    std::string_view name = "debug";
    switch (level) {
    case LogLevel::error: name = "error"; break;
    case LogLevel::warning: name = "warning"; break;
    case LogLevel::info: name = "info"; break;
    case LogLevel::debug: break;
    }
    print_message(console_, {name, source, text});
}

// ---------------------------------------------------------------- random bytes

HostEntropy::HostEntropy(const PlatformInfo &info) {
    if (bits_of(SEL4VM_READ_SYSREG(id_aa64isar0_el1), 63, 60) != 0) {
        source_ = Source::cpu;
    } else if (info.rng_seed.size() >= ChaChaGenerator::kKeyBytes) {
        source_ = Source::seed;
        generator_ = ChaChaGenerator(info.rng_seed.first<ChaChaGenerator::kKeyBytes>());
    }
}

Status<HostError> HostEntropy::fill(std::span<u8> out) {
    if (source_ == Source::seed) {
        LockGuard guard(lock_);
        generator_.fill(out);
        return Ok{};
    }
    if (source_ == Source::none)
        return Err{HostError{HostErrorKind::not_available}};
    // Bytes are kept back until there are enough, since `out` stays as it was otherwise; callers ask for a few words.
    std::array<u8, 256> bytes;
    if (out.size() > bytes.size())
        return Err{HostError{HostErrorKind::invalid}};
    for (usize at = 0; at < out.size(); at += 8) {
        constexpr unsigned kTries = 64;
        u64 value = 0;
        u64 failed = 1;
        for (unsigned i = 0; i < kTries && failed != 0; ++i)
            asm volatile("mrs %0, s3_3_c2_c4_0\n\tcset %1, eq" : "=r"(value), "=r"(failed)::"cc"); // RNDR; Z: it failed
        if (failed != 0)
            return Err{HostError{HostErrorKind::busy}};
        for (usize i = 0; i < 8 && at + i < out.size(); ++i)
            bytes[at + i] = static_cast<u8>(value >> (8 * i));
    }
    std::copy_n(bytes.begin(), out.size(), out.begin());
    return Ok{};
}

} // namespace sel4vm::el2
