// SPDX-License-Identifier: BSD-2-Clause
#include <bindings/sel4/shared.hpp>

#include <memory>
#include <new>

namespace sel4vm::sel4 {

Result<Shared *, HostError> Shared::join(vm_t &vm, Shared *peer, const capi::BindingOptions &options) {
    Shared *shared = peer;
    if (shared == nullptr) {
        CHeap &heap = CHeap::instance();
        void *const block = heap.allocate(sizeof(Shared), alignof(Shared));
        if (block == nullptr)
            return Err{out_of_memory()};
        shared = ::new (block) Shared(vm);
        if (const auto done = shared->endpoint_.create(vm.host_endpoint); !done) {
            std::destroy_at(shared);
            heap.deallocate(block, sizeof(Shared), alignof(Shared));
            return Err{done.error()};
        }
    }
    if (options.timeout_source && !shared->timeouts_)
        shared->endpoint_.set_timeout_source(&shared->timeouts_.emplace(*options.timeout_source));
    ++shared->members_;
    return Result<Shared *, HostError>{shared};
}

void Shared::leave(Shared &shared) {
    if (--shared.members_ != 0)
        return;
    std::destroy_at(&shared);
    CHeap::instance().deallocate(&shared, sizeof(Shared), alignof(Shared));
}

} // namespace sel4vm::sel4
