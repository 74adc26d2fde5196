// SPDX-License-Identifier: BSD-2-Clause
//
// Memory that several VMs have: of the process, which each gives to KVM in slots of its own.
#pragma once

#include <hosts/kvm/guest_space.hpp>

#include <sel4vm/host/shared_ram_port.hpp>

namespace sel4vm::kvm {

class SharedRam final : public SharedRamPort {
public:
    [[nodiscard]] Result<RamBlock, HostError> allocate_shared(u64 size_bytes) override {
        return allocate_block(size_bytes, kPageBytes);
    }
    void free_shared(const RamBlock &block) override { free_block(block); }
};

} // namespace sel4vm::kvm
