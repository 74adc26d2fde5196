// SPDX-License-Identifier: BSD-2-Clause
#include <bindings/sel4/shared.hpp>

#include <sel4vm/base/text.hpp>

namespace sel4vm::sel4 {

Result<Shared *, HostError> Shared::join(vka_t &vka, simple_t &simple, seL4_CPtr endpoint, Shared *peer) {
    Shared *shared = peer;
    if (shared == nullptr) {
        auto made = Owned<Shared>::make(CHeap::instance(), vka, simple);
        if (!made)
            return Err{out_of_memory()};
        SEL4VM_TRY(made->endpoint_.create(endpoint));
        shared = made.release();
    }
    ++shared->members_;
    return Result<Shared *, HostError>{shared};
}

void Shared::leave(Shared &shared) {
    if (--shared.members_ == 0)
        static_cast<void>(Owned<Shared>::take(CHeap::instance(), &shared));
}

Status<HostError> Shared::set_timeout_source(const vm_timeout_source_t &source) {
    if (timeouts_)
        return Ok{};
    const std::string_view owner = endpoint_.owner_of(source.badge);
    if (source.badge == 0 || !owner.empty()) {
        Text<120> text;
        text << "the badge of the source of timeouts, " << Hex{source.badge};
        if (owner.empty())
            text << ", has no bit";
        else
            text << ", has a bit of what " << owner << " has";
        log_.line(LogLevel::error, "host", text.view());
        return Err{HostError{HostErrorKind::invalid}};
    }
    endpoint_.set_timeout_source(timeouts_.emplace(source));
    return Ok{};
}

} // namespace sel4vm::sel4
