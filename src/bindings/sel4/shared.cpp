// SPDX-License-Identifier: BSD-2-Clause
#include <bindings/sel4/shared.hpp>

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

void Shared::set_timeout_source(const vm_timeout_source_t &source) {
    if (!timeouts_)
        endpoint_.set_timeout_source(&timeouts_.emplace(source));
}

} // namespace sel4vm::sel4
