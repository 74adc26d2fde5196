// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/machine/panic_watch.hpp>

#include <sel4vm/base/printable.hpp>

namespace sel4vm::machine {

void PanicWatch::put(std::span<const u8> bytes) {
    console_.put(bytes);
    if (policy_ == PanicPolicy::ignore || phase_.load(std::memory_order_acquire) != Phase::watching)
        return;
    const auto reason = line_.feed(bytes);
    if (!reason)
        return;
    detail_.clear();
    detail_ << "kernel panic: ";
    if (reason->empty())
        detail_ << "no reason given";
    else
        detail_ << Printable{reason->substr(0, kLongestReason)};
    phase_.store(Phase::grace, std::memory_order_release);
    timeouts_.arm(grace_, clock_.now_ticks() + kGraceSeconds * clock_.ticks_per_second());
}

void PanicWatch::forget() {
    timeouts_.cancel(grace_);
    line_.clear();
    Phase expected = Phase::grace; // when it acts already, it ends by itself
    static_cast<void>(phase_.compare_exchange_strong(expected, Phase::watching, std::memory_order_acq_rel));
}

void PanicWatch::timeout() {
    Phase expected = Phase::grace;
    if (!phase_.compare_exchange_strong(expected, Phase::acting, std::memory_order_acq_rel))
        return; // forgotten while this was on its way
    if (policy_ == PanicPolicy::stop) {
        vm_.stop_because(StopReason::guest_crash, detail_.view());
    } else {
        Text<160> text;
        text << detail_.view() << "; restarting";
        vm_.log().line(LogLevel::warning, vm_.name(), text.view());
        // Refused when the VM is being stopped or reset already: that wins.
        static_cast<void>(vm_.reset());
    }
    phase_.store(Phase::watching, std::memory_order_release);
}

} // namespace sel4vm::machine
