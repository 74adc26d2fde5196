// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/arm/gic/lpis.hpp>

#include <algorithm>

namespace sel4vm::dev {

bool Lpis::init(Allocator &allocator, u32 cpus) {
    cpus_ = OwnedArray<Redistributor>::make(allocator, cpus);
    configuration_ = OwnedArray<u8>::make(allocator, kLpiCount);
    return cpus_ && configuration_;
}

void Lpis::reset() {
    for (Redistributor &cpu : cpus_)
        cpu = {};
    std::fill(configuration_.begin(), configuration_.end(), u8{0});
}

void Lpis::set_pending(u32 cpu, u32 lpi) {
    Redistributor &at = cpus_[cpu];
    at.pending.bits[lpi / 32] |= bit<u32>(lpi % 32);
    at.words[lpi / 1024] |= bit<u32>(lpi / 32 % 32);
}

void Lpis::clear_pending(u32 cpu, u32 lpi) {
    Redistributor &at = cpus_[cpu];
    u32 &bits = at.pending.bits[lpi / 32];
    bits &= ~bit<u32>(lpi % 32);
    if (bits == 0)
        at.words[lpi / 1024] &= ~bit<u32>(lpi / 32 % 32);
}

bool Lpis::any_pending(u32 cpu) const {
    u32 any = 0;
    for (const u32 word : cpus_[cpu].words)
        any |= word;
    return any != 0;
}

void Lpis::set_pending(u32 cpu, const PendingLpis &more) {
    Redistributor &at = cpus_[cpu];
    for (u32 w = 0; w < more.bits.size(); ++w) {
        at.pending.bits[w] |= more.bits[w];
        if (at.pending.bits[w] != 0)
            at.words[w / 32] |= bit<u32>(w % 32);
    }
}

void Lpis::move_all(u32 from, u32 to) {
    if (from == to)
        return;
    set_pending(to, cpus_[from].pending);
    cpus_[from] = {};
}

void Lpis::configure(u32 first, std::span<const u8> entries) {
    for (usize n = 0; n < entries.size(); ++n)
        configuration_[first + n] = entries[n];
}

std::optional<Lpis::Choice> Lpis::best(u32 cpu) const {
    std::optional<Choice> best;
    const Redistributor &at = cpus_[cpu];
    for (u32 group = 0; group < at.words.size(); ++group) {
        for (u32 words = at.words[group]; words != 0; words &= words - 1) {
            const u32 w = group * 32 + static_cast<u32>(std::countr_zero(words));
            for (u32 bits = at.pending.bits[w]; bits != 0; bits &= bits - 1) {
                const u32 lpi = w * 32 + static_cast<u32>(std::countr_zero(bits));
                if (is_enabled(lpi) && (!best || priority(lpi) < best->priority))
                    best = Choice{lpi, priority(lpi)};
            }
        }
    }
    return best;
}

} // namespace sel4vm::dev
